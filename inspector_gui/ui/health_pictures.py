"""Pictures in the health window: lists of thumbnails, and a few side by side at the same zoom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.types import ReferenceImage
from inspector_gui.session import Session
from inspector_gui.ui.badges import SIDE, draw_badge
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_facts import Picture
from inspector_gui.ui.picture_view import PictureView
from inspector_gui.ui.reference_model import Group
from inspector_gui.ui.reference_pictures import ReferencePictures
from inspector_gui.ui.theme import SMALL_PX, Theme
from inspector_gui.ui.thumbnails import Thumbnails, draw_cropped

Index = QModelIndex | QPersistentModelIndex
ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)
MOST_BESIDE = 4
_CELL = QSize(104, 124)
_GAP = 8
_TEXT = 20
_WHOLE = 0.999
_NOWHERE = QModelIndex()


@dataclass(frozen=True)
class Entry:
    """A picture in a list, what is said below it, and a sign in its corner."""

    image: ReferenceImage
    caption: str
    sign: Group | None = None


class EntryModel(QAbstractListModel):
    """Pictures of a list; thumbnails come when they are asked for."""

    def __init__(self, thumbnails: Thumbnails, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._rows: dict[str, int] = {}
        self.entries: tuple[Entry, ...] = ()
        thumbnails.arrived.connect(self._on_arrived)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """List these pictures."""
        if tuple(entries) == self.entries:
            return
        self.beginResetModel()
        self.entries = tuple(entries)
        self._rows = {entry.image.sha256: row for row, entry in enumerate(self.entries)}
        self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not 0 <= index.row() < len(self.entries):
            return None
        entry = self.entries[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.caption
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnails.get(entry.image.sha256)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return f"{entry.image.name}\n{entry.caption}".strip()
            case _:
                return entry if role == ENTRY_ROLE else None

    def _on_arrived(self, hashes: frozenset[str]) -> None:
        for sha256 in hashes & self._rows.keys():
            index = self.index(self._rows[sha256])
            self.dataChanged.emit(index, index, [int(Qt.ItemDataRole.DecorationRole)])


class EntryDelegate(QStyledItemDelegate):
    """Paints a picture as a square with its caption below."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _: QStyleOptionViewItem, __: Index) -> QSize:
        return _CELL

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colours = self._theme.colours
        entry: Entry = index.data(ENTRY_ROLE)
        painter.save()
        cell = option.rect.adjusted(0, 0, -_GAP, -_GAP + 4)
        square = QRect(cell.left(), cell.top(), cell.width(), cell.height() - _TEXT)
        pixmap = index.data(Qt.ItemDataRole.DecorationRole)
        if pixmap is None:
            painter.fillRect(square, QColor(colours.field))
        else:
            draw_cropped(painter, pixmap, square)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(QColor(colours.accent), 3))
            painter.drawRect(square.adjusted(1, 1, -2, -2))
        if entry.sign is not None:
            corner = QRect(square.right() - SIDE - 3, square.top() + 4, SIDE, SIDE)
            draw_badge(painter, corner, entry.sign, colours)
        self._draw_caption(painter, cell, entry.caption, option.font)
        painter.restore()

    def _draw_caption(self, painter: QPainter, cell: QRect, text: str, font: QFont) -> None:
        small = QFont(font)
        small.setPixelSize(SMALL_PX)
        painter.setFont(small)
        painter.setPen(QColor(self._theme.colours.text))
        line = QRect(cell.left(), cell.bottom() - _TEXT + 3, cell.width(), _TEXT - 3)
        metrics = QFontMetrics(small)
        elided = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, cell.width())
        painter.drawText(line, int(Qt.AlignmentFlag.AlignCenter), elided)


class EntryList(QListView):
    """As many pictures a line as fit."""

    def __init__(self, thumbnails: Thumbnails, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = EntryModel(thumbnails, self)
        self.setModel(self._model)
        self.setItemDelegate(EntryDelegate(theme, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setUniformItemSizes(True)
        self.setGridSize(_CELL)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setBatchSize(500)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAcceptDrops(False)
        self.viewport().setAcceptDrops(False)
        self.setMinimumHeight(_CELL.height())
        self.setAccessibleName(name)
        theme.changed.connect(self.viewport().update)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is listed."""
        return self._model.entries

    @property
    def selected(self) -> list[ReferenceImage]:
        """The pictures that are selected, in their order."""
        rows = sorted(index.row() for index in self.selectedIndexes())
        return [self._model.entries[row].image for row in rows]

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """List these pictures."""
        self._model.show_entries(entries)


class PicturesBeside(QWidget):
    """Up to four pictures side by side; zooming into one zooms into all."""

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures = ReferencePictures(session, self)
        self._shown: tuple[Picture, ...] = ()
        self._panes = [QWidget() for _ in range(MOST_BESIDE)]
        self.views = [PictureView(theme) for _ in range(MOST_BESIDE)]
        self.captions = [ElidedLabel("small") for _ in range(MOST_BESIDE)]
        self._is_moving = False
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for pane, view, caption in zip(self._panes, self.views, self.captions, strict=True):
            column = QVBoxLayout(pane)
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(4)
            column.addWidget(view, 1)
            column.addWidget(caption)
            row.addWidget(pane, 1)
            pane.hide()
            view.setMinimumSize(60, 80)
            view.setToolTip(self.tr("Wheel: zoom into all pictures · drag: move"))
            view.moved.connect(self._on_moved)
        self._pictures.arrived.connect(self._put)

    def show_pictures(self, pictures: Sequence[Picture]) -> None:
        """Show the first four of these pictures, whole."""
        shown = tuple(pictures[:MOST_BESIDE])
        if shown == self._shown:
            return
        self._shown = shown
        for number, (pane, view) in enumerate(zip(self._panes, self.views, strict=True)):
            pane.setVisible(number < len(shown))
            view.set_picture(None)
        for caption, picture in zip(self.captions, shown, strict=False):
            caption.setText(picture.caption)
        self._pictures.want(tuple(picture.image.sha256 for picture in shown))
        self._put()

    def _put(self) -> None:
        for view, picture in zip(self.views, self._shown, strict=False):
            image = self._pictures.get(picture.image.sha256)
            view.setAccessibleName(picture.caption)
            if image is not None and view.size_shown is None:
                view.set_picture(image)

    def _on_moved(self, part: QRectF) -> None:
        """Show the same part of all; resizing moves them, too, one by one."""
        if self._is_moving:
            return
        mover, is_whole = self.sender(), part.width() > _WHOLE and part.height() > _WHOLE
        self._is_moving = True
        for view in self.views:
            if view is mover:
                continue
            if is_whole:
                view.fit()
            else:
                view.is_fitted = False
                view.show_part(part)
        self._is_moving = False
