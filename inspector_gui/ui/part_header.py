"""The line over the picture: the decision in large letters, the findings, and the display."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from inspector_gui.core.types import Outcome
from inspector_gui.ui.card import label, set_role
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.theme import OUTCOME_WORDS, VERDICT_PX

_OPACITY = 65
"""Per cent of opacity that the overlay starts with."""
_ROLES = {
    Outcome.PASS: "good",
    Outcome.UNSURE: "warn",
    Outcome.FAIL: "bad",
    Outcome.ERROR: "muted",
}


class PartHeader(QWidget):
    """Shows what it is told; says what the person wants of the overlay."""

    overlay_toggled = Signal(bool)
    opacity_changed = Signal(float)
    fit_requested = Signal()
    why_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.word = QLabel()
        font = QFont(self.font())
        font.setPixelSize(VERDICT_PX)
        font.setWeight(QFont.Weight.DemiBold)
        self.word.setFont(font)
        self.word.setAccessibleName(self.tr("Decision"))
        self.multiple = label("", "heading")
        self.notes = ElidedLabel("small")
        self.overlay = self._button(self.tr("Overlay  Space"), "chip")
        self.overlay.setCheckable(True)
        self.overlay.setChecked(True)
        self.overlay.setToolTip(self.tr("Show the overlay. Hold Space to look under it."))
        self.why = self._button(self.tr("Why?  W"), "chip")
        self.why.setCheckable(True)
        self.why.setToolTip(
            self.tr("What the hottest place was compared with (W); or click a place")
        )
        self.fit = self._button(self.tr("Fit  F"), None)
        self.fit.setToolTip(self.tr("Show the whole picture (F)"))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(_OPACITY)
        self.opacity.setFixedSize(84, 28)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.opacity.setAccessibleName(self.tr("Opacity of the overlay"))
        self.opacity.setToolTip(self.tr("Opacity of the overlay"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.word)
        row.addWidget(self.multiple)
        row.addWidget(self.notes, 1)
        for widget in (self.opacity, self.overlay, self.why, self.fit):
            row.addWidget(widget)
        self.overlay.toggled.connect(self.overlay_toggled)
        self.opacity.valueChanged.connect(self._on_opacity)
        self.why.clicked.connect(self.why_requested)
        self.fit.clicked.connect(self.fit_requested)

    def show_decision(self, outcome: Outcome, multiple: str, lines: tuple[str, str]) -> None:
        """Show a decision, its multiple of the limit, and two lines of findings."""
        self.word.setText(OUTCOME_WORDS[outcome])
        self.multiple.setText(multiple)
        set_role(self.word, _ROLES[outcome])
        self.notes.setText("\n".join(line for line in lines if line))

    def set_overlay_shown(self, is_shown: bool, *, is_possible: bool) -> None:
        """Follow what the panel shows, without saying so again."""
        with QSignalBlocker(self.overlay):
            self.overlay.setChecked(is_shown and is_possible)
        for widget in (self.overlay, self.opacity):
            widget.setEnabled(is_possible)

    def set_why_shown(self, is_shown: bool) -> None:
        """Follow whether something is explained."""
        self.why.setChecked(is_shown)

    def _on_opacity(self, value: int) -> None:
        self.opacity_changed.emit(value / 100)

    def _button(self, text: str, role: str | None) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # so Space stays the key of the overlay
        if role is not None:
            button.setProperty("role", role)
        return button
