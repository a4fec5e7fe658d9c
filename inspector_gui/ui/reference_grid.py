"""The grid of reference pictures: how a picture is painted, and the keys that work on it."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector_gui.core.types import ReferenceImage
from inspector_gui.ui.reference_model import IMAGE_ROLE, ReferenceModel
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import draw_cropped

_WIDEST_CELL = 92
_GAP = 6
_SCROLL_BAR = 10
HINT_PX = 16


class ReferenceDelegate(QStyledItemDelegate):
    """Paints a reference as a square; an excluded one dimmed and struck through."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.cell = QSize(_WIDEST_CELL, _WIDEST_CELL)

    def sizeHint(self, _: QStyleOptionViewItem, __: QModelIndex | QPersistentModelIndex) -> QSize:
        return self.cell

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        colours = self._theme.colours
        image: ReferenceImage = index.data(IMAGE_ROLE)
        square = option.rect.adjusted(0, 0, -_GAP, -_GAP)
        state = option.state
        painter.save()
        pixmap: QPixmap | None = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is None:
            painter.fillRect(square, QColor(colours.field))
        else:
            painter.setOpacity(1.0 if image.included else 0.32)
            draw_cropped(painter, pixmap, square)
            painter.setOpacity(1.0)
        if not image.included:
            self._draw_strike(painter, square)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(colours.accent), 3))
            painter.drawRect(square.adjusted(1, 1, -2, -2))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(QPen(QColor(colours.muted), 1))
            painter.drawRect(square.adjusted(0, 0, -1, -1))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(colours.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(square.adjusted(3, 3, -4, -4))
        painter.restore()

    def _draw_strike(self, painter: QPainter, square: QRect) -> None:
        colours = self._theme.colours
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = 18
        badge = QRect(square.right() - side - 3, square.top() + 4, side, side)
        painter.setBrush(QColor(colours.card))
        painter.setPen(QPen(QColor(colours.warn), 2))
        painter.drawEllipse(badge)
        inset = badge.adjusted(5, 5, -4, -4)
        painter.drawLine(inset.bottomLeft(), inset.topRight())


class ReferenceGrid(QListView):
    """As many columns as fit; Delete excludes, Insert or Shift+Delete includes again."""

    excluded = Signal()
    included = Signal()

    def __init__(self, model: ReferenceModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._delegate = ReferenceDelegate(theme, self)
        self.hint = ""
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(500)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)  # the panel takes drops
        self.viewport().setAcceptDrops(False)
        self.setMouseTracking(True)
        self.setMinimumHeight(90)
        theme.changed.connect(self.viewport().update)

    @property
    def selected(self) -> list[ReferenceImage]:
        """The selected pictures, in the order of the grid."""
        indexes = sorted(self.selectedIndexes(), key=lambda index: index.row())
        return [index.data(IMAGE_ROLE) for index in indexes]

    def resizeEvent(self, event: QResizeEvent) -> None:
        room = self.width() - _SCROLL_BAR
        columns = max(2, -(-room // _WIDEST_CELL))
        side = max(32, room // columns)
        if self._delegate.cell.width() != side:
            self._delegate.cell = QSize(side, side)
            self.setGridSize(self._delegate.cell)
            self.verticalScrollBar().setSingleStep(side // 2)
        super().resizeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match event.key():
            case Qt.Key.Key_Insert:
                self.included.emit()
            case Qt.Key.Key_Delete | Qt.Key.Key_Backspace:
                (self.included if shift else self.excluded).emit()
            case _:
                if event.text().isalnum():
                    event.ignore()  # letters are the window's keys, not a search
                else:
                    super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model().rowCount() == 0 and self.hint:
            painter = QPainter(self.viewport())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            area = self.viewport().rect()
            painter.setPen(QPen(QColor(self._theme.colours.border), 2, Qt.PenStyle.DashLine))
            painter.drawRoundedRect(area.adjusted(1, 1, -2, -2), 8, 8)
            painter.setPen(QColor(self._theme.colours.muted))
            font = self.font()
            font.setPixelSize(HINT_PX)
            painter.setFont(font)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(area.adjusted(14, 0, -14, 0), int(flags), self.hint)
