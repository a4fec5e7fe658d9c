"""A table of what was measured before and after: a line a measure."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from inspector_gui.ui.card import label


class BeforeAfter(QWidget):
    """Three columns of plain text: what, before, after."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(3, 1)
        self.rows: dict[str, tuple[str, str]] = {}
        """Before and after by what was measured, for tests and screen readers."""

    def show_rows(self, rows: Mapping[str, tuple[str, str]]) -> None:
        """Show these lines in place of those before."""
        if dict(rows) == self.rows:
            return
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.rows = dict(rows)
        self._add(0, ("", self.tr("Before"), self.tr("After")), "small")
        for number, (name, (before, after)) in enumerate(self.rows.items(), start=1):
            self._add(number, (name, before, after), "")

    def _add(self, row: int, texts: tuple[str, str, str], role: str) -> None:
        for column, text in enumerate(texts):
            cell = label(text, role if role else ("muted" if column == 0 else ""))
            side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
            cell.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            cell.setTextFormat(Qt.TextFormat.PlainText)
            self._grid.addWidget(cell, row, column)


def milliseconds(seconds: float) -> str:
    """Return a time in words."""
    value = 1000 * seconds
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
