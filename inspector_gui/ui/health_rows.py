"""Lists of the health window: a picture, a line and a smaller one below it in every row."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector_gui.ui.health_plot import SYMBOLS, cluster_colour
from inspector_gui.ui.theme import SMALL_PX, Theme
from inspector_gui.ui.thumbnails import Thumbnails, draw_cropped

Index = QModelIndex | QPersistentModelIndex
_ROW_ROLE = int(Qt.ItemDataRole.UserRole)
_HEIGHT, _GAP, _PICTURE, _SIGN = 58, 4, 42, 13
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


@dataclass(frozen=True)
class Row:
    """What a row shows; `kind` is the number of a kind whose sign on the map stands in front."""

    sha256: str
    title: str
    detail: str
    kind: int | None = None
    is_warning: bool = False


class RowList(QListWidget):
    """One row is current."""

    def __init__(self, thumbnails: Thumbnails, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[Row, ...] = ()
        self.setAccessibleName(name)
        self.setItemDelegate(_RowDelegate(thumbnails, theme, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        theme.changed.connect(self.viewport().update)
        thumbnails.arrived.connect(self._on_arrived)

    def show_rows(self, rows: Sequence[Row], current: int) -> None:
        """List these rows, one of them current (-1: none), without saying so."""
        if tuple(rows) != self._rows:
            self._rows = tuple(rows)
            self.blockSignals(True)
            self.clear()
            for row in rows:
                item = QListWidgetItem(row.title)
                item.setToolTip(f"{row.title}\n{row.detail}".strip())
                item.setData(_ROW_ROLE, row)
                self.addItem(item)
            self.blockSignals(False)
        self.blockSignals(True)
        self.setCurrentRow(current)
        self.blockSignals(False)

    def _on_arrived(self) -> None:
        self.viewport().update()


class _RowDelegate(QStyledItemDelegate):
    def __init__(self, thumbnails: Thumbnails, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails, self._theme = thumbnails, theme

    def sizeHint(self, _: QStyleOptionViewItem, __: Index) -> QSize:
        return QSize(120, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(_ROW_ROLE)
        colours, state = self._theme.colours, option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = option.rect.adjusted(1, 1, -2, -_GAP)
        is_under_mouse = bool(state & QStyle.StateFlag.State_MouseOver)
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.setBrush(QColor(colours.hover if is_under_mouse else colours.field))
        painter.setPen(QPen(QColor(colours.accent), 2) if is_selected else Qt.PenStyle.NoPen)
        painter.drawRoundedRect(card, 7, 7)
        left = card.left() + 6
        if row.kind is not None:
            self._draw_sign(painter, QRect(left, card.center().y() - 6, _SIGN, _SIGN), row.kind)
            left += _SIGN + 6
        square = QRect(left, card.center().y() - _PICTURE // 2 + 1, _PICTURE, _PICTURE)
        pixmap = self._thumbnails.get(row.sha256)
        if pixmap is None:
            painter.fillRect(square, QColor(colours.hover))
        else:
            draw_cropped(painter, pixmap, square)
        text = card.adjusted(square.right() - card.left() + 9, 6, -6, -6)
        self._draw_text(painter, text, row, option.font)
        painter.restore()

    def _draw_sign(self, painter: QPainter, area: QRect, kind: int) -> None:
        painter.save()
        painter.translate(area.center())
        painter.scale(area.width(), area.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(cluster_colour(kind, self._theme.colours))
        painter.drawPath(pg.graphicsItems.ScatterPlotItem.Symbols[SYMBOLS[kind % len(SYMBOLS)]])
        painter.restore()

    def _draw_text(self, painter: QPainter, area: QRect, row: Row, font: QFont) -> None:
        colours = self._theme.colours
        small = QFont(font)
        small.setPixelSize(SMALL_PX)
        half = area.height() // 2
        upper = QRect(area.left(), area.top(), area.width(), half if row.detail else area.height())
        lower = QRect(area.left(), area.top() + half, area.width(), half)
        muted = colours.warn if row.is_warning else colours.muted
        for place, text, face, colour in (
            (upper, row.title, font, colours.text),
            (lower, row.detail, small, muted),
        ):
            painter.setFont(face)
            painter.setPen(QColor(colour))
            middle = Qt.TextElideMode.ElideMiddle
            elided = painter.fontMetrics().elidedText(text, middle, place.width())
            painter.drawText(place, _LEFT, elided)
