"""The regions of the open part, one line each: how far over the limit and how large."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from inspector_gui.core.types import Limits, Region
from inspector_gui.ui.card import label

MOST_LISTED = 30
_LINE_PX = 24
_TITLE_PX = 20
_MOST_VISIBLE = 5
_WIDTH = 230


class RegionList(QWidget):
    """A click on a line chooses it, a second one lets go of it."""

    chosen = Signal(object)
    """The number of a region, None for none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = label("", "small")
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Regions over the limit"))
        self.list.setToolTip(self.tr("Click: zoom to a region · again: the whole picture"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lines: tuple[str, ...] = ()
        self._chosen: int | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.title)
        column.addWidget(self.list, 1)
        self.list.itemClicked.connect(self._on_clicked)
        self.list.itemActivated.connect(self._on_clicked)

    def count(self) -> int:
        """Return how many regions are listed."""
        return len(self._lines)

    @property
    def chosen_number(self) -> int | None:
        """The number of the chosen region, from 0; None for none."""
        return self._chosen

    def show_lines(self, lines: Sequence[str]) -> None:
        """List regions; the chosen one stays where there are as many as before."""
        if tuple(lines) == self._lines:
            return
        if len(lines) != len(self._lines):
            self._chosen = None
        self._lines = tuple(lines)
        self.list.clear()
        for line in self._lines[:MOST_LISTED]:
            item = QListWidgetItem(line)
            item.setSizeHint(QSize(0, _LINE_PX))
            self.list.addItem(item)
        more = len(lines) - MOST_LISTED
        self.title.setText(
            self.tr("Regions") + (self.tr(" · {0} smaller ones").format(more) if more > 0 else "")
        )
        self._mark()

    def forget(self) -> None:
        """Let go of the chosen region without saying so: the zoom stays."""
        self._chosen = None
        self._mark()

    def choose(self, number: int | None) -> None:
        """Choose a region."""
        if number != self._chosen:
            self._chosen = number
            self._mark()
            self.chosen.emit(number)

    def sizeHint(self) -> QSize:
        shown = min(max(len(self._lines), 1), _MOST_VISIBLE)
        return QSize(_WIDTH, _TITLE_PX + shown * _LINE_PX + 6)

    def _on_clicked(self, item: QListWidgetItem) -> None:
        row = self.list.row(item)
        self.choose(None if row == self._chosen else row)

    def _mark(self) -> None:
        if self._chosen is None:
            self.list.clearSelection()
        else:
            self.list.setCurrentRow(self._chosen)


def region_lines(
    found: Sequence[Region], limits: Limits, mm_per_pixel: float | None
) -> tuple[str, ...]:
    """Return a line for each region: peak as a multiple of the limit, and area."""
    from inspector_gui.core.regions import square_mm

    lines = []
    for number, region in enumerate(found, start=1):
        line = f"{number}   {limits.relative(region.peak):.2f} ×   {region.area:,} px"
        area = square_mm(region.area, mm_per_pixel)
        lines.append(line if area is None else f"{line}   {area:,.3g} mm²")
    return tuple(lines)
