"""The parts of one lot as pictures, each with its kind; what is odd about them is marked."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from inspector_gui.core.types import InspectionRow
from inspector_gui.session.lot_values import Lot
from inspector_gui.ui.theme import OUTCOME_SIGNS, OUTCOME_WORDS, SMALL_PX, Theme
from inspector_gui.ui.thumbnails import PixmapCache, draw_cropped, pixmap_of

Index = QModelIndex | QPersistentModelIndex
ROW_ROLE = int(Qt.ItemDataRole.UserRole)
KIND_ROLE = ROW_ROLE + 1
IS_ODD_ROLE = ROW_ROLE + 2
_MOST_MISSING = 20
_CELL = QSize(112, 134)
_GAP = 8
_TEXT = 22
_BADGE = 18
_SCROLL_BAR = 10
_NOWHERE = QModelIndex()


class LotMembersModel(QAbstractListModel):
    """The parts of the lot that is shown, then a place for each part that is missing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._lot: Lot | None = None
        self._missing: tuple[str, ...] = ()
        self._pixmaps = PixmapCache(200)

    def show_lot(self, lot: Lot | None) -> None:
        """Show the parts of a lot, or nothing."""
        self.beginResetModel()
        self._lot = lot
        kinds = () if lot is None or lot.result is None else lot.result.kinds
        missing = [kind.kind for kind in kinds for _ in range(kind.fewest - kind.found)]
        self._missing = tuple(missing[:_MOST_MISSING])
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        if parent.isValid() or self._lot is None:
            return 0
        return len(self._lot.rows) + len(self._missing)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or self._lot is None:
            return None
        if index.row() >= len(self._lot.rows):
            return self._of_missing(self._missing[index.row() - len(self._lot.rows)], role)
        row = self._lot.rows[index.row()]
        if role == ROW_ROLE:
            return row
        if role == KIND_ROLE:
            return self._kind(index.row())
        if role == IS_ODD_ROLE:
            return self._is_odd(index.row())
        if role == Qt.ItemDataRole.DecorationRole and row.thumbnail is not None:
            pixmap = self._pixmaps.get(row.id)
            if pixmap is None:
                pixmap = pixmap_of(row.thumbnail)
                self._pixmaps.put(row.id, pixmap)
            return pixmap
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            kind = self._kind(index.row())
            said = f"{row.name}: {OUTCOME_WORDS[row.outcome]}"
            return f"{said}, {kind}" if kind else said
        return None

    def _of_missing(self, kind: str, role: int) -> Any:
        if role == KIND_ROLE:
            return kind
        if role == IS_ODD_ROLE:
            return True
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.tr("{} is missing").format(kind)
        return None

    def _kind(self, number: int) -> str:
        if self._lot is None or self._lot.result is None:
            return ""
        return self._lot.result.member_kinds[number] or self.tr("unknown")

    def _is_odd(self, number: int) -> bool:
        if self._lot is None or self._lot.result is None:
            return False
        result = self._lot.result
        kind = result.member_kinds[number]
        return not kind or any(known.kind == kind and known.is_over for known in result.kinds)


class LotMemberDelegate(QStyledItemDelegate):
    """Paints a part as a square with its kind below and its own decision in the corner.

    A missing part is an empty place.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _: QStyleOptionViewItem, __: Index) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colours = self._theme.colours
        row: InspectionRow | None = index.data(ROW_ROLE)
        is_odd = bool(index.data(IS_ODD_ROLE))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        cell = option.rect.adjusted(2, 2, -_GAP + 2, -_GAP + 2)
        square = QRect(cell.left(), cell.top(), cell.width(), cell.height() - _TEXT)
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is not None:
            draw_cropped(painter, pixmap, square)
        elif row is not None:
            painter.fillRect(square, QColor(colours.field))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if is_odd:
            line = Qt.PenStyle.SolidLine if row is not None else Qt.PenStyle.DashLine
            painter.setPen(QPen(QColor(colours.bad), 3, line))
            painter.drawRect(square.adjusted(1, 1, -2, -2))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(colours.accent), 2))
            painter.drawRect(square.adjusted(4, 4, -5, -5))
        if row is None:
            painter.setPen(QColor(colours.bad))
            painter.drawText(square, int(Qt.AlignmentFlag.AlignCenter), self.tr("▼ missing"))
        else:
            self._draw_badge(painter, square, row)
        self._draw_kind(painter, cell, index, is_odd, option.font)
        painter.restore()

    def _draw_badge(self, painter: QPainter, square: QRect, row: InspectionRow) -> None:
        badge = QRect(square.right() - _BADGE - 3, square.top() + 4, _BADGE, _BADGE)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.outcome_colour(row.outcome))
        painter.drawEllipse(badge)
        font = QFont(painter.font())
        font.setPixelSize(SMALL_PX)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.colours.card))
        centre = int(Qt.AlignmentFlag.AlignCenter)
        painter.drawText(badge, centre, OUTCOME_SIGNS[row.outcome])

    def _draw_kind(
        self, painter: QPainter, cell: QRect, index: Index, is_odd: bool, font: QFont
    ) -> None:
        small = QFont(font)
        small.setPixelSize(SMALL_PX)
        if is_odd:
            small.setWeight(QFont.Weight.DemiBold)
        painter.setFont(small)
        colours = self._theme.colours
        painter.setPen(QColor(colours.bad if is_odd else colours.text))
        text = index.data(KIND_ROLE) or index.data(ROW_ROLE).name
        line = QRect(cell.left(), cell.bottom() - _TEXT + 4, cell.width(), _TEXT - 4)
        elided = QFontMetrics(small).elidedText(text, Qt.TextElideMode.ElideMiddle, cell.width())
        painter.drawText(line, int(Qt.AlignmentFlag.AlignCenter), elided)


class LotMembers(QListView):
    """As many parts a line as fit; a double click or Enter opens a part in the main window."""

    def __init__(self, model: LotMembersModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(LotMemberDelegate(theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setGridSize(_CELL)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(False)  # the window takes drops
        self.viewport().setAcceptDrops(False)
        self.setMinimumHeight(_CELL.height() + 6)
        self.setAccessibleName(self.tr("Parts of the lot"))
        theme.changed.connect(self.viewport().update)
        model.modelReset.connect(self._fit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Take no more height than the parts need."""
        columns = max(1, (self.width() - _SCROLL_BAR) // _CELL.width())
        lines = max(1, -(-self.model().rowCount() // columns))
        self.setMaximumHeight(lines * _CELL.height() + 6)
