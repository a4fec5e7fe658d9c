"""Light and dark: the colours, the palette, the style sheet and the font of every widget."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from inspector_gui.core.types import Outcome, Verdict

SMALL_PX = 12
TEXT_PX = 13
HEADING_PX = 20
VERDICT_PX = 34
"""Size of the decision, readable from two metres."""


@dataclass(frozen=True)
class Colours:
    """Every colour there is, as #rrggbb. `on_*` is the text on a filled area of that colour."""

    window: str
    card: str
    field: str
    hover: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    good: str
    on_good: str
    warn: str
    on_warn: str
    bad: str
    on_bad: str
    picture: str
    """Behind pictures."""


DARK = Colours(
    window="#13161a",
    card="#1a1e23",
    field="#23282f",
    hover="#2d343d",
    border="#2c323a",
    text="#e8eaed",
    muted="#9aa3ad",
    accent="#4da0ff",
    on_accent="#06121f",
    good="#43b98c",
    on_good="#04130d",
    warn="#f2b13f",
    on_warn="#1d1302",
    bad="#ff6b5f",
    on_bad="#210502",
    picture="#1a1e23",
)
LIGHT = Colours(
    window="#edeff2",
    card="#ffffff",
    field="#f3f5f7",
    hover="#e6eaef",
    border="#d5dae1",
    text="#181b1f",
    muted="#59636e",
    accent="#0b5fc5",
    on_accent="#ffffff",
    good="#0b7a50",
    on_good="#ffffff",
    warn="#8a5800",
    on_warn="#ffffff",
    bad="#c4261d",
    on_bad="#ffffff",
    picture="#ffffff",
)


class Theme(QObject):
    """The look in force; `changed` tells widgets that paint for themselves to repaint."""

    changed = Signal()

    def __init__(self, application: QApplication) -> None:
        super().__init__()
        self._application = application
        self.is_dark = True
        self.colours = DARK
        application.setStyle("Fusion")
        application.setFont(_font())

    def follow_system(self) -> None:
        """Use the look of the desktop."""
        scheme = self._application.styleHints().colorScheme()
        self.apply(is_dark=scheme != Qt.ColorScheme.Light)

    def apply(self, *, is_dark: bool) -> None:
        """Use the dark or the light look."""
        self.is_dark = is_dark
        self.colours = DARK if is_dark else LIGHT
        self._application.setPalette(_palette(self.colours))
        self._application.setStyleSheet(_style_sheet(self.colours))
        self.changed.emit()

    def outcome_colour(self, outcome: Outcome) -> QColor:
        """Return the colour of a decision; its word or sign always stands beside it."""
        c = self.colours
        names = {Outcome.PASS: c.good, Outcome.UNSURE: c.warn, Outcome.FAIL: c.bad}
        return QColor(names.get(outcome, c.muted))

    def verdict_colour(self, verdict: Verdict) -> QColor:
        """Return the colour of a verdict."""
        c = self.colours
        names = {Verdict.ACCEPT: c.good, Verdict.UNSURE: c.warn, Verdict.REJECT: c.bad}
        return QColor(names.get(verdict, c.muted))


OUTCOME_WORDS = {
    Outcome.PASS: "PASS",
    Outcome.UNSURE: "UNSURE",
    Outcome.FAIL: "FAIL",
    Outcome.ERROR: "ERROR",
}
OUTCOME_SIGNS = {Outcome.PASS: "✓", Outcome.UNSURE: "?", Outcome.FAIL: "✕", Outcome.ERROR: "!"}
VERDICT_WORDS = {
    Verdict.ACCEPT: "accepted",
    Verdict.REJECT: "rejected",
    Verdict.UNSURE: "unsure",
    Verdict.NONE: "",
}


def resource(name: str) -> Path:
    """Return the path of a file in `resources/`, installed or in a checkout."""
    installed = Path(str(files("inspector_gui"))) / "resources" / name
    return installed if installed.exists() else Path(__file__).parents[2] / "resources" / name


def _font() -> QFont:
    families = []
    for name in ("Inter-Regular.otf", "Inter-SemiBold.otf"):
        number = QFontDatabase.addApplicationFont(str(resource(f"fonts/{name}")))
        families += QFontDatabase.applicationFontFamilies(number)
    font = QFont(families[0]) if families else QFont()
    font.setPixelSize(TEXT_PX)
    return font


def _palette(c: Colours) -> QPalette:
    palette = QPalette()
    roles = {
        QPalette.ColorRole.Window: c.window,
        QPalette.ColorRole.WindowText: c.text,
        QPalette.ColorRole.Base: c.field,
        QPalette.ColorRole.AlternateBase: c.card,
        QPalette.ColorRole.Text: c.text,
        QPalette.ColorRole.PlaceholderText: c.muted,
        QPalette.ColorRole.Button: c.field,
        QPalette.ColorRole.ButtonText: c.text,
        QPalette.ColorRole.Highlight: c.accent,
        QPalette.ColorRole.HighlightedText: c.on_accent,
        QPalette.ColorRole.ToolTipBase: c.field,
        QPalette.ColorRole.ToolTipText: c.text,
        QPalette.ColorRole.Link: c.accent,
    }
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.Text,
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(c.muted))
    return palette


def _style_sheet(c: Colours) -> str:
    """Return the style sheet. Widgets choose a look by dynamic properties.

    `role` of a label: title, muted, small, heading, changed, good, warn, bad. `role` of a button:
    primary, accept, unsure, reject, chip (checkable); of a tool button: candidate (checkable),
    reset; of a table: list. `card` = true on a QFrame draws a panel.
    """
    filled = "".join(
        f"""
        QPushButton[role="{role}"] {{ background: {colour}; color: {on}; border: 1px solid {colour};
            font-weight: 600; padding: 9px 6px; }}
        QPushButton[role="{role}"]:hover {{ border-color: {c.text}; }}
        QPushButton[role="{role}"]:disabled {{ background: {c.field}; color: {c.muted};
            border-color: {c.border}; }}"""
        for role, colour, on in (
            ("primary", c.accent, c.on_accent),
            ("accept", c.good, c.on_good),
            ("unsure", c.warn, c.on_warn),
            ("reject", c.bad, c.on_bad),
        )
    )
    labels = "".join(
        f'QLabel[role="{role}"] {{ {css} }}\n'
        for role, css in (
            ("title", "font-weight: 600;"),
            ("changed", f"color: {c.accent}; font-weight: 600;"),
            ("heading", f"font-size: {HEADING_PX}px;"),
            ("muted", f"color: {c.muted};"),
            ("small", f"color: {c.muted}; font-size: {SMALL_PX}px;"),
            ("good", f"color: {c.good};"),
            ("warn", f"color: {c.warn};"),
            ("bad", f"color: {c.bad};"),
        )
    )
    return f"""
        QWidget {{ color: {c.text}; }}
        QMainWindow, QDialog {{ background: {c.window}; }}
        QMainWindow::separator {{ background: transparent; width: 6px; height: 6px; }}
        QDockWidget {{ titlebar-close-icon: none; border: none; }}
        QMenuBar {{ background: {c.window}; padding: 2px 6px; }}
        QMenuBar::item {{ padding: 4px 8px; border-radius: 5px; background: transparent; }}
        QMenuBar::item:selected {{ background: {c.hover}; }}
        QMenu {{ background: {c.card}; border: 1px solid {c.border}; padding: 4px; }}
        QMenu::item {{ padding: 5px 26px 5px 22px; border-radius: 5px; }}
        QMenu::item:selected {{ background: {c.hover}; }}
        QMenu::item:disabled {{ color: {c.muted}; }}
        QMenu::separator {{ height: 1px; background: {c.border}; margin: 4px 6px; }}
        QStatusBar {{ background: {c.window}; color: {c.muted}; }}
        QStatusBar::item {{ border: none; }}
        QStatusBar QLabel {{ color: {c.muted}; }}
        QToolTip {{ background: {c.field}; color: {c.text}; border: 1px solid {c.border};
            padding: 4px; }}
        QFrame[card="true"] {{ background: {c.card}; border: 1px solid {c.border};
            border-radius: 9px; }}
        {labels}
        QPushButton, QToolButton {{ background: {c.field}; border: 1px solid {c.border};
            border-radius: 6px; padding: 6px 10px; }}
        QPushButton:hover, QToolButton:hover {{ background: {c.hover}; }}
        QPushButton:pressed, QToolButton:pressed {{ background: {c.border}; }}
        QPushButton:focus, QToolButton:focus {{ border-color: {c.accent}; }}
        QPushButton:disabled, QToolButton:disabled {{ color: {c.muted}; }}
        QToolButton::menu-indicator {{ image: none; }}
        QToolButton[role="candidate"] {{ padding: 2px 3px; border-width: 2px; }}
        QToolButton[role="candidate"]:checked {{ border-color: {c.accent}; font-weight: 600; }}
        QToolButton[role="reset"] {{ padding: 2px 4px; font-size: {SMALL_PX}px; }}
        QPushButton[role="chip"] {{ padding: 4px 8px; }}
        QPushButton[role="chip"]:checked {{ background: {c.accent}; color: {c.on_accent};
            border-color: {c.accent}; font-weight: 600; }}
        {filled}
        QComboBox, QLineEdit, QSpinBox, QDoubleSpinBox {{ background: {c.field};
            border: 1px solid {c.border}; border-radius: 6px; padding: 5px 8px; }}
        QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button,
        QDoubleSpinBox::down-button {{ width: 0; border: none; }}
        QComboBox:disabled, QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled {{
            background: {c.card}; color: {c.muted}; }}
        QComboBox:focus, QLineEdit:focus {{ border-color: {c.accent}; }}
        QComboBox::drop-down {{ border: none; width: 22px; }}
        QComboBox::down-arrow {{ image: url({_icon("chevron", c)}); width: 10px; }}
        QComboBox QAbstractItemView {{ background: {c.card}; border: 1px solid {c.border};
            selection-background-color: {c.hover}; selection-color: {c.text}; }}
        QListView {{ background: transparent; border: none; outline: none; }}
        QTableView {{ background: transparent; border: none; outline: none;
            selection-background-color: {c.hover}; selection-color: {c.text}; }}
        QTableView[role="list"]::item {{ padding: 4px 5px; }}
        QHeaderView, QTableCornerButton::section {{ background: transparent; border: none; }}
        QHeaderView::section {{ background: {c.card}; color: {c.muted}; border: none;
            border-bottom: 1px solid {c.border}; padding: 4px 8px; font-size: {SMALL_PX}px; }}
        QScrollBar:vertical {{ background: transparent; width: 9px; margin: 0; }}
        QScrollBar::handle:vertical {{ background: {c.border}; border-radius: 4px;
            min-height: 28px; }}
        QScrollBar:horizontal {{ background: transparent; height: 9px; }}
        QScrollBar::handle:horizontal {{ background: {c.border}; border-radius: 4px; }}
        QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{
            background: transparent; width: 0; height: 0; }}
        QProgressBar {{ background: {c.field}; border: none; border-radius: 4px; height: 8px;
            text-align: center; }}
        QProgressBar::chunk {{ background: {c.accent}; border-radius: 4px; }}
        QSlider::groove:horizontal {{ background: {c.border}; height: 4px; border-radius: 2px; }}
        QSlider::handle:horizontal {{ background: {c.accent}; width: 16px; height: 16px;
            margin: -6px 0; border-radius: 8px; }}
        QSlider::handle:horizontal:disabled {{ background: {c.muted}; }}
        QSlider:focus {{ outline: none; }}
        QSlider::handle:horizontal:focus {{ border: 2px solid {c.text}; margin: -8px -2px;
            border-radius: 10px; }}
        QCheckBox {{ spacing: 6px; }}
        QCheckBox::indicator {{ width: 14px; height: 14px; background: {c.field};
            border: 1px solid {c.muted}; border-radius: 4px; }}
        QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent};
            image: url({_icon("check", c)}); }}
        QCheckBox::indicator:disabled {{ border-color: {c.border}; }}
        QCheckBox::indicator:checked:disabled {{ background: {c.muted}; }}
        QCheckBox::indicator:focus {{ border-color: {c.text}; }}
    """


def _icon(name: str, c: Colours) -> str:
    """Return where an icon is, in the colour that suits a look."""
    return resource(f"icons/{name}-{'dark' if c is DARK else 'light'}.svg").as_posix()
