"""The grid of reference pictures: how a picture is painted, dragged, and which keys it has."""

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QDrag,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from inspector_gui.core.types import Purpose, ReferenceImage
from inspector_gui.ui.badges import SIDE, draw_badge
from inspector_gui.ui.dropping import references_as_mime
from inspector_gui.ui.reference_model import IMAGE_ROLE, Group, ReferenceModel, group_of
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.thumbnails import draw_cropped

_WIDEST_CELL = 92
_GAP = 6
_SCROLL_BAR = 10
HINT_PX = 16
_DRAGGED = 72
_INSET = 4
PURPOSE_KEYS = {
    Qt.Key.Key_1: Purpose.REFERENCE,
    Qt.Key.Key_2: Purpose.VALIDATION,
    Qt.Key.Key_3: Purpose.BAD,
}
"""Which key of the grid gives the selected pictures which purpose."""


class ReferenceDelegate(QStyledItemDelegate):
    """Paints a reference as a square with the sign of its group; an excluded one is dimmed."""

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
        self._draw_signs(painter, square, image)
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

    def _draw_signs(self, painter: QPainter, square: QRect, image: ReferenceImage) -> None:
        """Draw what it is for on the left, and whether it was left out on the right."""
        colours = self._theme.colours
        sign = QRect(square.left() + _INSET, square.top() + _INSET, SIDE, SIDE)
        if image.purpose is not Purpose.REFERENCE:
            draw_badge(painter, sign, _BADGES[image.purpose], colours)
        if group_of(image) is Group.EXCLUDED:
            sign.moveRight(square.right() - _INSET)
            draw_badge(painter, sign, Group.EXCLUDED, colours)


_BADGES = {Purpose.VALIDATION: Group.VALIDATION, Purpose.BAD: Group.BAD}


class ReferenceGrid(QListView):
    """As many columns as fit; pictures can be dragged onto the groups.

    Delete excludes, Insert or Shift+Delete includes again, 1, 2 and 3 give a purpose.
    """

    excluded = Signal()
    included = Signal()
    purpose_given = Signal(object)
    """The `Purpose` whose key was pressed."""

    def __init__(self, model: ReferenceModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._model = model
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
        self.setDragEnabled(True)
        self.setAcceptDrops(False)  # the panel takes drops
        self.viewport().setAcceptDrops(False)
        self.setMouseTracking(True)
        self.setMinimumHeight(90)
        theme.changed.connect(self.viewport().update)

    @property
    def selected(self) -> list[ReferenceImage]:
        """The selected pictures, in the order of the grid."""
        images = self._model.images
        # Ranges, not `selectedIndexes`: that takes 100 ms for 10,000 pictures.
        chosen = self.selectionModel().selection()
        ranges = [chosen.at(number) for number in range(chosen.count())]
        rows = {row for one in ranges for row in range(one.top(), one.bottom() + 1)}
        return [images[row] for row in sorted(rows)]

    def select(self, ids: frozenset[int]) -> None:
        """Select the pictures with these ids and bring the first of them into sight."""
        model, chosen = self.model(), QItemSelection()
        rows = [model.index(row, 0) for row in range(model.rowCount())]
        found = [index for index in rows if index.data(IMAGE_ROLE).id in ids]
        for index in found:
            chosen.select(index, index)
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if found:
            self.scrollTo(found[0])

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
            case Qt.Key.Key_1 | Qt.Key.Key_2 | Qt.Key.Key_3 if not _is_command(event):
                self.purpose_given.emit(PURPOSE_KEYS[Qt.Key(event.key())])
            case _:
                if event.text().isalnum():
                    event.ignore()  # letters are the window's keys, not a search
                else:
                    super().keyPressEvent(event)

    def startDrag(self, _actions: Qt.DropAction) -> None:
        selected = self.selected
        if not selected:
            return
        drag = QDrag(self)
        drag.setMimeData(references_as_mime([image.id for image in selected]))
        drag.setPixmap(self._picture_of_drag(len(selected)))
        drag.setHotSpot(QPoint(_DRAGGED // 2, _DRAGGED // 2))
        drag.exec(Qt.DropAction.CopyAction)

    def _picture_of_drag(self, count: int) -> QPixmap:
        """Return the picture under the mouse with the number of those that come along."""
        colours = self._theme.colours
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(QSize(_DRAGGED, _DRAGGED) * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(QColor(colours.field))
        painter = QPainter(drawn)
        square = QRect(0, 0, _DRAGGED, _DRAGGED)
        picture: QPixmap | None = self.currentIndex().data(Qt.ItemDataRole.DecorationRole)
        if picture is not None:
            draw_cropped(painter, picture, square)
        strip = square.adjusted(0, _DRAGGED - 22, 0, 0)
        painter.fillRect(strip, QColor(colours.accent))
        painter.setFont(self.font())
        painter.setPen(QColor(colours.on_accent))
        painter.drawText(strip, int(Qt.AlignmentFlag.AlignCenter), str(count))
        painter.end()
        return drawn

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


def _is_command(event: QKeyEvent) -> bool:
    """Return whether a key is pressed together with one that makes it something else."""
    others = ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
    return bool(event.modifiers() & others)
