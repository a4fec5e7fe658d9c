"""The lots of the lot check as a list, the newest first: decision, multiple, and which parts."""

import time
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from inspector_gui.session.lot_values import Lot
from inspector_gui.session.lots import LotDesk
from inspector_gui.ui.theme import OUTCOME_SIGNS, OUTCOME_WORDS, SMALL_PX, Theme

Index = QModelIndex | QPersistentModelIndex
LOT_ROLE = int(Qt.ItemDataRole.UserRole)
_ROW = 60
_GAP = 6
_STRIPE = 5
_NOWHERE = QModelIndex()


class LotListModel(QAbstractListModel):
    """Mirrors the lots of the desk."""

    def __init__(self, desk: LotDesk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._lots = list(desk.lots)
        desk.listed.connect(self._on_listed)
        desk.lot_changed.connect(self._on_changed)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._lots)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid():
            return None
        lot = self._lots[index.row()]
        if role == LOT_ROLE:
            return lot
        if role == Qt.ItemDataRole.ToolTipRole:
            return lot.sentence
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            word = "" if lot.result is None else f"{OUTCOME_WORDS[lot.result.outcome]} · "
            return f"{word}{lot.name}"
        return None

    def index_of(self, lot_id: int) -> QModelIndex:
        """Return where a lot is listed; an invalid index where it is not."""
        rows = (row for row, lot in enumerate(self._lots) if lot.id == lot_id)
        row = next(rows, None)
        return _NOWHERE if row is None else self.index(row)

    def _on_listed(self) -> None:
        self.beginResetModel()
        self._lots = list(self._desk.lots)
        self.endResetModel()

    def _on_changed(self, lot: Lot) -> None:
        at = self.index_of(lot.id)
        if at.isValid():
            self._lots[at.row()] = lot
            self.dataChanged.emit(at, at)
            return
        self.beginInsertRows(_NOWHERE, 0, 0)
        self._lots.insert(0, lot)
        self.endInsertRows()
        while self._lots and self._desk.lot(self._lots[-1].id) is None:
            last = len(self._lots) - 1
            self.beginRemoveRows(_NOWHERE, last, last)
            self._lots.pop()
            self.endRemoveRows()


class LotDelegate(QStyledItemDelegate):
    """Paints a lot: a stripe and a word of its decision, its multiple, its name and size."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _: QStyleOptionViewItem, __: Index) -> QSize:
        return QSize(160, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        lot: Lot = index.data(LOT_ROLE)
        colours, state = self._theme.colours, option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = option.rect.adjusted(1, 1, -2, -_GAP)
        is_under_mouse = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setBrush(QColor(colours.hover if is_under_mouse else colours.field))
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setPen(QPen(QColor(colours.accent), 2) if is_selected else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(card, 7, 7)
        colour = QColor(colours.muted)
        if lot.result is not None:
            colour = self._theme.outcome_colour(lot.result.outcome)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        stripe = QRect(card.left() + 6, card.top() + 7, _STRIPE, card.height() - 14)
        painter.drawRoundedRect(stripe, 2, 2)
        text = card.adjusted(stripe.width() + 15, 6, -10, -6)
        half = text.height() // 2
        upper = QRect(text.left(), text.top(), text.width(), half)
        self._draw_decision(painter, upper, lot, colour, option.font)
        self._draw_name(painter, upper.translated(0, text.height() - half), lot, option.font)
        painter.restore()

    def _draw_decision(
        self, painter: QPainter, area: QRect, lot: Lot, colour: QColor, font: QFont
    ) -> None:
        bold = QFont(font)
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(colour)
        result = lot.result
        if result is None:
            word = self.tr("Not judged") if lot.is_complete else self.tr("Incomplete")
            painter.drawText(area, int(_LEFT), word)
            return
        word = f"{OUTCOME_SIGNS[result.outcome]} {OUTCOME_WORDS[result.outcome]}"
        painter.drawText(area, int(_LEFT), word)
        painter.drawText(area, int(_RIGHT), multiple_text(result.multiple))

    def _draw_name(self, painter: QPainter, area: QRect, lot: Lot, font: QFont) -> None:
        small = QFont(font)
        small.setPixelSize(SMALL_PX)
        painter.setFont(small)
        painter.setPen(QColor(self._theme.colours.muted))
        at = time.strftime("%H:%M", time.localtime(lot.rows[-1].judged_at)) if lot.rows else ""
        parts = self.tr("1 part") if len(lot.rows) == 1 else f"{len(lot.rows)} {self.tr('parts')}"
        right = f"{parts} · {at}"
        metrics = QFontMetrics(small)
        painter.drawText(area, int(_RIGHT), right)
        room = area.width() - metrics.horizontalAdvance(right) - 10
        painter.setPen(QColor(self._theme.colours.text))
        name = metrics.elidedText(lot.name, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(area, int(_LEFT), name)


class LotList(QListView):
    """Opens a lot by click or arrow key."""

    def __init__(self, model: LotListModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setModel(model)
        self.setItemDelegate(LotDelegate(theme, self))
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Lots"))
        theme.changed.connect(self.viewport().update)


def multiple_text(multiple: float) -> str:
    """Return a multiple of the limit for lists."""
    return f"{min(max(multiple, -9.99), 999.0):.2f} × limit"


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
