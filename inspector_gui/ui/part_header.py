"""The line over the picture: the decision in large letters, the findings, and the display."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QSlider, QWidget

from inspector_gui.core.types import Outcome
from inspector_gui.ui.card import label
from inspector_gui.ui.theme import OUTCOME_WORDS, VERDICT_PX, Theme

_OPACITY = 65
"""Per cent of opacity that the overlay starts with."""


class PartHeader(QWidget):
    """Shows what it is told; says what the person wants of the overlay."""

    overlay_toggled = Signal(bool)
    opacity_changed = Signal(float)
    fit_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._outcome = Outcome.PASS
        self._lines: tuple[str, str] = ("", "")
        self.word = QLabel()
        font = QFont(self.font())
        font.setPixelSize(VERDICT_PX)
        font.setWeight(QFont.Weight.DemiBold)
        self.word.setFont(font)
        self.word.setAccessibleName(self.tr("Decision"))
        self.multiple = label("", "heading")
        self.notes = label("", "small")
        self.notes.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.overlay = self._button(self.tr("Overlay  Space"), "chip")
        self.overlay.setCheckable(True)
        self.overlay.setChecked(True)
        self.overlay.setToolTip(self.tr("Show the overlay. Hold Space to look under it."))
        self.fit = self._button(self.tr("Fit  F"), None)
        self.fit.setToolTip(self.tr("Show the whole picture (F)"))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setValue(_OPACITY)
        self.opacity.setFixedWidth(84)
        self.opacity.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.opacity.setAccessibleName(self.tr("Opacity of the overlay"))
        self.opacity.setToolTip(self.tr("Opacity of the overlay"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.word)
        row.addWidget(self.multiple)
        row.addWidget(self.notes, 1)
        for widget in (self.opacity, self.overlay, self.fit):
            row.addWidget(widget)
        self.overlay.toggled.connect(self.overlay_toggled)
        self.opacity.valueChanged.connect(self._on_opacity)
        self.fit.clicked.connect(self.fit_requested)
        theme.changed.connect(self._recolour)

    def show_decision(self, outcome: Outcome, multiple: str, lines: tuple[str, str]) -> None:
        """Show a decision, its multiple of the limit, and two lines of findings."""
        self._outcome, self._lines = outcome, lines
        self.word.setText(OUTCOME_WORDS[outcome])
        self.multiple.setText(multiple)
        self._recolour()
        self._show_lines()

    def set_overlay_shown(self, is_shown: bool, *, is_possible: bool) -> None:
        """Follow what the panel shows, without saying so again."""
        with QSignalBlocker(self.overlay):
            self.overlay.setChecked(is_shown)
        for widget in (self.overlay, self.opacity):
            widget.setEnabled(is_possible)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_lines()

    def _show_lines(self) -> None:
        metrics, width = self.notes.fontMetrics(), self.notes.width()
        mode = Qt.TextElideMode.ElideRight
        shown = [metrics.elidedText(line, mode, width) for line in self._lines if line]
        self.notes.setText("\n".join(shown))
        self.notes.setToolTip("\n".join(line for line in self._lines if line))

    def _recolour(self) -> None:
        colour = self._theme.outcome_colour(self._outcome).name()
        self.word.setStyleSheet(f"color: {colour}; font-size: {VERDICT_PX}px; font-weight: 600;")

    def _on_opacity(self, value: int) -> None:
        self.opacity_changed.emit(value / 100)

    def _button(self, text: str, role: str | None) -> QPushButton:
        button = QPushButton(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # so Space stays the key of the overlay
        if role is not None:
            button.setProperty("role", role)
        return button
