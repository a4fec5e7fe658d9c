"""The lines on top of the health window: what was found in plain words, each with what to do."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from inspector_gui.ui.card import label
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_facts import Kind, Level, Line
from inspector_gui.ui.health_tab import button

_SIGNS = {
    Level.GOOD: ("✓", "good"),
    Level.NOTE: ("i", "muted"),
    Level.WARN: ("!", "warn"),
    Level.BAD: ("✕", "bad"),
}
_SIGN_WIDTH = 16


class SummaryLines(QWidget):
    """Two columns of lines, read down the left one first."""

    pressed = Signal(object)
    """The `Kind` whose button was pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        self.lines: tuple[Line, ...] = ()
        self.buttons: dict[str, QPushButton] = {}
        """The buttons by the text of their lines."""

    @property
    def texts(self) -> list[str]:
        """What is said."""
        return [line.text for line in self.lines]

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these lines."""
        if tuple(lines) == self.lines:
            return
        self.lines, self.buttons = tuple(lines), {}
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        rows = -(-len(lines) // 2)
        for number, line in enumerate(lines):
            made = self._made(line)
            self._grid.addWidget(made, number % rows, number // rows)
            made.show()  # at once: the lines before are gone already
        self._grid.activate()

    def _made(self, line: Line) -> QWidget:
        made = QWidget()
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        sign, role = _SIGNS[line.level]
        mark = label(sign, role)
        mark.setFixedWidth(_SIGN_WIDTH)
        mark.setStyleSheet("font-weight: 600;")
        text = ElidedLabel("good" if line.level is Level.GOOD else "")
        text.setText(line.text)
        text.setToolTip(line.explanation or line.text)
        text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(mark)
        row.addWidget(text, 1)
        if line.action and line.kind is not None:
            kind = line.kind
            press = button(
                line.action, self._leads_to(kind), lambda: self.pressed.emit(kind), role="chip"
            )
            press.setAccessibleName(f"{line.action}: {line.text}")
            row.addWidget(press)
            self.buttons[line.text] = press
        return made

    def _leads_to(self, kind: Kind) -> str:
        if kind is Kind.ENOUGH:
            return self.tr("See how many good parts are enough")
        return self.tr("Look at these, one at a time")
