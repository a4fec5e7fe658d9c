"""The table of parts and methods: every decision in colour and in words, to sort and to filter."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    QSortFilterProxyModel,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from inspector_gui.core.sets.side_by_side import ComparedPart, SideBySide
from inspector_gui.core.types import Decision
from inspector_gui.session import Session
from inspector_gui.ui.side_by_side_offers import Known, decision_words
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import PixmapCache, Thumbnails, pixmap_of

Index = QModelIndex | QPersistentModelIndex
KEY_ROLE = int(Qt.ItemDataRole.UserRole)
SORT_ROLE = KEY_ROLE + 1
PART, KNOWN, FIRST_METHOD = 0, 1, 2
_ROW_PX = 38
_PICTURE_PX = 32
_LEAST_NAME_PX, _MOST_NAME_PX = 140, 320
_KNOWN_PX, _METHOD_PX, _MOST_METHOD_PX = 130, 124, 180
_KNOWN_ORDER = {True: 0, False: 1, None: 2}
_LAST = 1e9
_NOWHERE = QModelIndex()


class SideBySideModel(QAbstractTableModel):
    """A row a part; the usable methods are columns behind its name and what is known of it."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._session, self._theme = session, theme
        self._found: SideBySide | None = None
        self._columns = 0
        self._known: Mapping[str, Known] = {}
        self._rows: dict[str, int] = {}
        self._thumbnails = Thumbnails(session, self)
        self._pixmaps = PixmapCache()
        self._thumbnails.arrived.connect(self._repaint)
        theme.changed.connect(self._repaint)

    def show_result(self, found: SideBySide | None, known: Mapping[str, Known]) -> None:
        """Show what came of a comparison, or nothing."""
        is_new = _shape(found) != _shape(self._found)
        if is_new:
            self.beginResetModel()
        self._found, self._known = found, known
        self._columns = 0 if found is None else FIRST_METHOD + len(found.usable)
        self._rows = {key: row for row, key in enumerate(_shape(found)[0])}
        if is_new:
            self._pixmaps = PixmapCache()
            self.endResetModel()
        else:
            self._repaint()

    def row_of(self, key: str) -> QModelIndex:
        """Return where a part is; an invalid index where it is not."""
        row = self._rows.get(key)
        return _NOWHERE if row is None else self.index(row, PART)

    def key_of(self, row: int) -> str:
        """Return the key of the part in a row."""
        assert self._found is not None
        return self._found.parts[row].candidate.key

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() or self._found is None else len(self._found.parts)

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else self._columns

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = int(Qt.ItemDataRole.DisplayRole),
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or self._found is None:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return None
        if section < FIRST_METHOD:
            return (self.tr("Part"), self.tr("Known"))[section]
        ran = self._found.methods[self._found.usable[section - FIRST_METHOD]]
        if role == Qt.ItemDataRole.ToolTipRole and ran.limits is not None:
            return self.tr("{}: the limit is {}").format(ran.contender.name, ran.limits.rule)
        return ran.contender.name

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if self._found is None or not index.isValid():
            return None
        part = self._found.parts[index.row()]
        if role == KEY_ROLE:
            return part.candidate.key
        if index.column() == PART:
            return self._of_part(part, role)
        if index.column() == KNOWN:
            return self._of_known(self._known.get(part.candidate.key, Known()), role)
        method = self._found.usable[index.column() - FIRST_METHOD]
        return self._of_decision(self._found.decision(part, method), role)

    def _of_part(self, part: ComparedPart, role: int) -> Any:
        candidate = part.candidate
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return candidate.name
            case Qt.ItemDataRole.DecorationRole:
                return self._picture(part)
            case Qt.ItemDataRole.FontRole:
                font = QFont()
                is_odd = self._found is not None and candidate.key in self._found.disagreeing
                font.setWeight(QFont.Weight.DemiBold if is_odd else QFont.Weight.Normal)
                return font
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._aloud(part)
            case _:
                return candidate.name.casefold() if role == SORT_ROLE else None

    def _of_known(self, known: Known, role: int) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return known.words
            case Qt.ItemDataRole.ForegroundRole:
                c = self._theme.colours
                names = {True: c.bad, False: c.good, None: c.muted}
                return QColor(names[known.is_bad])
            case _:
                return _KNOWN_ORDER[known.is_bad] if role == SORT_ROLE else None

    def _of_decision(self, decision: Decision | None, role: int) -> Any:
        if role == SORT_ROLE:  # asked most often by far
            multiple = None if decision is None else decision.multiple
            return _LAST if multiple is None else -multiple
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole:
                return "–" if decision is None else decision_words(decision)
            case Qt.ItemDataRole.ForegroundRole if decision is not None:
                return self._theme.outcome_colour(decision.outcome)
            case _:
                return None

    def _aloud(self, part: ComparedPart) -> str:
        assert self._found is not None
        said = [part.candidate.name]
        for method in self._found.usable:
            decision = self._found.decision(part, method)
            if decision is not None:
                said.append(
                    f"{self._found.methods[method].contender.name} {decision_words(decision)}"
                )
        return ", ".join(said)

    def _picture(self, part: ComparedPart) -> Any:
        candidate = part.candidate
        pixmap = self._pixmaps.get(candidate.key)
        if pixmap is not None:
            return pixmap
        row = None if candidate.row_id is None else self._session.history.row(candidate.row_id)
        if row is not None and row.thumbnail is not None:
            pixmap = pixmap_of(row.thumbnail)
        elif not candidate.path:
            pixmap = self._thumbnails.get(candidate.key)
        if pixmap is None:
            return None
        size = QSize(_PICTURE_PX, _PICTURE_PX)
        pixmap = pixmap.scaled(
            size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        self._pixmaps.put(candidate.key, pixmap)
        return pixmap

    def _repaint(self) -> None:
        if self.rowCount():
            last = self.index(self.rowCount() - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(0, 0), last)


class SideBySideTable(QTableView):
    """Chooses one part at a time, by the mouse or by the arrows."""

    chosen = Signal(str)
    """The key of the part that somebody chose."""
    decision_chosen = Signal(int)
    """The place among the methods that ran of a decision that somebody clicked."""

    def __init__(self, model: SideBySideModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.filtered = _Filtered(model, self)
        self.setModel(self.filtered)
        self.setAccessibleName(self.tr("Parts and what each method decides"))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(_PICTURE_PX, _PICTURE_PX))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.setSortingEnabled(True)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.clicked.connect(self._on_clicked)
        model.modelReset.connect(self._size_columns)

    @property
    def keys(self) -> list[str]:
        """The keys of the parts that are listed, from the top."""
        rows = range(self.filtered.rowCount())
        return [self.filtered.index(row, PART).data(KEY_ROLE) for row in rows]

    def show_only(self, keys: frozenset[str] | None) -> None:
        """List these parts alone; None: all."""
        self.filtered.show_only(keys)

    def choose(self, key: str) -> None:
        """Show a part as the chosen one, where it is listed."""
        self.executeDelayedItemsLayout()  # else it would be scrolled among rows of before
        index = self.filtered.mapFromSource(self._model.row_of(key))
        if index.isValid() and index.row() != self.currentIndex().row():
            self.selectRow(index.row())
        if index.isValid():
            self.scrollTo(index)
        else:
            self.clearSelection()

    def _on_current(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(current.data(KEY_ROLE))

    def _on_clicked(self, index: QModelIndex) -> None:
        if index.column() >= FIRST_METHOD:
            self.decision_chosen.emit(index.column() - FIRST_METHOD)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._size_columns()
        if self.currentIndex().isValid():
            self.scrollTo(self.currentIndex())

    def _size_columns(self) -> None:
        """Give the names what the decisions leave."""
        count = self._model.columnCount()
        if not count:
            return
        header = self.horizontalHeader()
        widths = [
            min(max(header.sectionSizeHint(column), _METHOD_PX), _MOST_METHOD_PX)
            for column in range(FIRST_METHOD, count)
        ]
        left = self.viewport().width() - _KNOWN_PX - sum(widths)
        name = min(max(left, _LEAST_NAME_PX), _MOST_NAME_PX)
        for column, width in enumerate((name, _KNOWN_PX, *widths)):
            self.setColumnWidth(column, width)


class _Filtered(QSortFilterProxyModel):
    """Some of the parts, in the order of a column; of decisions the worst come first."""

    def __init__(self, model: SideBySideModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._keys: frozenset[str] | None = None
        self._model = model
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    def show_only(self, keys: frozenset[str] | None) -> None:
        """Let through these parts alone; None: all."""
        if keys != self._keys:
            self._keys = keys
            self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        if self._keys is None:
            return True
        return self._model.key_of(row) in self._keys


def _shape(found: SideBySide | None) -> tuple[list[str], list[str]]:
    """Return what rows and columns are of: keys of parts, and the methods that ran."""
    if found is None:
        return [], []
    methods = [found.methods[method].contender.scoring.key for method in found.usable]
    return [part.candidate.key for part in found.parts], methods
