"""A picture to zoom into, with a map and outlines over it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QGraphicsPathItem, QWidget

from inspector_gui.core.types import RGB, Floats
from inspector_gui.ui.theme import DARK, Theme

_LINE_PX = 2.0
_HALO_PX = 4.0
_CHOSEN_PX = 5.0
_CROSS_PX = 8.0  # in pixels of the picture
_MARK = "#7fe3ff"
"""Neither a colour of the map nor of a decision."""
_MOST_PIXELS_WIDE = 16
"""Zooming in ends where this many pixels of the picture fill the view."""
_FARTHEST = 4.0
"""Zooming out ends at this many pictures side by side."""
_ROOM = 2.5
"""Times its size that is shown of what is zoomed to, and the least share of the picture."""
_LEAST_SEEN = 0.2
WHOLE = QRectF(0, 0, 1, 1)


class PictureView(pg.GraphicsView):  # type: ignore[misc]
    """Wheel zooms, dragging pans, a double click shows the whole picture.

    Coordinates are pixels of the picture, its top left corner at 0, 0.
    """

    moved = Signal(QRectF)
    """The visible part of the picture, in fractions of it."""
    clicked = Signal(QPointF)
    """A point of the picture, in its pixels."""
    double_clicked = Signal()
    """After `clicked`; the whole picture is shown by then."""
    size_shown: tuple[int, int] | None = None
    """Width and height of the picture, None where there is none."""
    is_fitted = True
    """Whether the whole picture is shown, whatever the size of the view."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.box = _Box(self)
        self.setCentralItem(self.box)
        self.picture = PictureItem()
        self.overlay = OverlayItem()
        self._halo = _outline_item()
        self.outlines = _outline_item()
        self._chosen = _outline_item()
        self._mark_halo = _outline_item()
        self.mark = _outline_item()
        """A box or a line that was pointed out."""
        lines = (self._halo, self.outlines, self._chosen, self._mark_halo, self.mark)
        for item in (self.picture, self.overlay, *lines):
            self.box.addItem(item, ignoreBounds=True)
        self.box.sigRangeChanged.connect(self._on_range_changed)
        self.box.sigRangeChangedManually.connect(self._on_moved_by_hand)
        theme.changed.connect(self._recolour)
        self._recolour()

    def set_picture(self, image: RGB | None) -> None:
        """Show a picture (uint8, H x W x 3, RGB); the zoom is kept where the size is the same."""
        size = None if image is None else (image.shape[1], image.shape[0])
        self.picture.set_picture(image)
        if size != self.size_shown:
            self.size_shown = size
            self.fit()

    def set_overlay(self, values: npt.NDArray[np.uint8] | None, area: QRectF) -> None:
        """Lay a map (uint8, h x w) over `area` of the picture."""
        self.overlay.set_values(values, area)

    def set_outlines(self, outlines: Sequence[Floats], *, chosen: int | None = None) -> None:
        """Draw closed outlines (float32, n x 2) over the picture, the chosen one stronger."""
        path, strong = QPainterPath(), QPainterPath()
        for number, outline in enumerate(outlines):
            polygon = QPolygonF([QPointF(x, y) for x, y in outline.tolist()])
            for drawn in (path, strong) if number == chosen else (path,):
                drawn.addPolygon(polygon)
                drawn.closeSubpath()
        self._halo.setPath(path)
        self.outlines.setPath(path)
        self._chosen.setPath(strong)

    def set_mark(self, box: QRectF | None) -> None:
        """Point out a box of the picture, in its pixels; None: nothing."""
        path = QPainterPath()
        if box is not None:
            path.addRect(box)
        self._set_mark(path)

    def set_ruler(self, points: Sequence[QPointF]) -> None:
        """Point out one or two points of the picture and the line between them."""
        path = QPainterPath()
        for point in points:
            for x, y in ((_CROSS_PX, 0), (0, _CROSS_PX)):
                path.moveTo(point - QPointF(x, y))
                path.lineTo(point + QPointF(x, y))
        if points:
            path.moveTo(points[0])
            path.lineTo(points[-1])
        self._set_mark(path)

    def _set_mark(self, path: QPainterPath) -> None:
        self._mark_halo.setPath(path)
        self.mark.setPath(path)

    def set_marks_visible(self, is_visible: bool) -> None:
        """Show or hide map and outlines."""
        for item in (self.overlay, self._halo, self.outlines, self._chosen):
            item.setVisible(is_visible)

    def fit(self) -> None:
        """Show the whole picture, now and when the view changes its size."""
        self.is_fitted = True
        self.show_part(WHOLE)

    def show_part(self, part: QRectF) -> None:
        """Show a part of the picture, given in fractions of it."""
        if self.size_shown is None or self.width() < 2 or self.height() < 2:
            return
        width, height = self.size_shown
        rect = QRectF(
            part.x() * width, part.y() * height, part.width() * width, part.height() * height
        )
        self.box.setRange(rect, padding=0)

    def zoom_to(self, box: QRectF) -> None:
        """Show a box of the picture, in its pixels, with as much around it."""
        if self.size_shown is None:
            return
        width, height = self.size_shown
        least = max(width, height) * _LEAST_SEEN
        wide, high = max(_ROOM * box.width(), least), max(_ROOM * box.height(), least)
        self._show_around(box.center(), min(wide / width, 1), min(high / height, 1))

    def reveal(self, point: QPointF) -> None:
        """Show a point of the picture, in its pixels, at the zoom there is."""
        if self.size_shown is None or self.box.viewRect().contains(point):
            return
        seen = self.visible_part()
        self._show_around(point, seen.width(), seen.height())

    def _show_around(self, point: QPointF, wide: float, high: float) -> None:
        """Show so much of the picture (in fractions of it) around a point, but not beyond it."""
        assert self.size_shown is not None
        left = point.x() / self.size_shown[0] - wide / 2
        top = point.y() / self.size_shown[1] - high / 2
        left, top = min(max(left, 0), 1 - wide), min(max(top, 0), 1 - high)
        self.is_fitted = False
        self.show_part(QRectF(left, top, wide, high))

    def visible_part(self) -> QRectF:
        """Return what is visible of the picture, in fractions of it."""
        if self.size_shown is None:
            return WHOLE
        width, height = self.size_shown
        seen = self.box.viewRect().intersected(QRectF(0, 0, width, height))
        if seen.isEmpty():
            return WHOLE
        return QRectF(
            seen.x() / width, seen.y() / height, seen.width() / width, seen.height() / height
        )

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if self.is_fitted and self.size_shown is not None:
            self.fit()

    def _on_range_changed(self, *_: Any) -> None:
        self.moved.emit(self.visible_part())

    def _on_moved_by_hand(self, *_: Any) -> None:
        self.is_fitted = False

    def _recolour(self) -> None:
        self.setBackground(QColor(self._theme.colours.picture))
        self.outlines.setPen(_cosmetic(QColor(DARK.bad), _LINE_PX))  # on pictures, not on cards
        self._chosen.setPen(_cosmetic(QColor(DARK.bad), _CHOSEN_PX))
        self.mark.setPen(_cosmetic(QColor(_MARK), _LINE_PX))
        self._halo.setPen(_cosmetic(QColor(0, 0, 0, 120), _HALO_PX))
        self._mark_halo.setPen(_cosmetic(QColor(0, 0, 0, 190), _CHOSEN_PX))


class PictureItem(pg.GraphicsObject):  # type: ignore[misc]
    """A picture in its own pixels; zoomed out it is averaged, zoomed in its pixels are seen."""

    def __init__(self) -> None:
        super().__init__()
        self._image: RGB | None = None
        self._levels: dict[int, tuple[QImage, object]] = {}

    def set_picture(self, image: RGB | None) -> None:
        """Show a picture (uint8, H x W x 3, RGB)."""
        self.prepareGeometryChange()
        self._image = image
        self._levels.clear()
        self.update()

    def boundingRect(self) -> QRectF:
        if self._image is None:
            return QRectF()
        return QRectF(0, 0, self._image.shape[1], self._image.shape[0])

    def paint(self, painter: QPainter, *_: Any) -> None:
        if self._image is None:
            return
        scale = max(abs(painter.deviceTransform().m11()), 1e-6)
        level = max(0, int(np.floor(np.log2(1 / scale) + 1e-6)))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, scale < 1)
        painter.drawImage(self.boundingRect(), self._level(level))

    def _level(self, level: int) -> QImage:
        """Return the picture with its sides halved `level` times."""
        if level not in self._levels:
            from inspector_gui.core.opencv import cv2

            pixels = cv2.cvtColor(self._halved(level), cv2.COLOR_RGB2BGRA)
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, QImage.Format.Format_RGB32)
            self._levels[level] = image, pixels  # QImage does not own its pixels
        return self._levels[level][0]

    def _halved(self, times: int) -> RGB:
        from inspector_gui.core.opencv import cv2

        assert self._image is not None
        pixels = self._image
        for _ in range(times):
            height, width = (max(1, side // 2) for side in pixels.shape[:2])
            half = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)
            pixels = np.asarray(half, np.uint8)  # at exactly a half, linear is the 2 x 2 mean
        return pixels


class OverlayItem(pg.GraphicsObject):  # type: ignore[misc]
    """A map coloured by a table, stretched smoothly over an area."""

    def __init__(self) -> None:
        super().__init__()
        self.values: npt.NDArray[np.uint8] | None = None
        self.area = QRectF()
        self._table = np.zeros(256, np.uint32)
        self._image: tuple[QImage, object] | None = None

    def set_values(self, values: npt.NDArray[np.uint8] | None, area: QRectF) -> None:
        """Show a map (uint8, h x w) over an area."""
        self.prepareGeometryChange()
        self.values, self.area, self._image = values, area, None
        self.update()

    def set_table(self, table: npt.NDArray[np.uint32]) -> None:
        """Colour the map by 256 premultiplied values 0xAARRGGBB."""
        self._table, self._image = table, None
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(self.area)

    def paint(self, painter: QPainter, *_: Any) -> None:
        if self.values is None:
            return
        if self._image is None:
            colours = self._table[self.values]
            height, width = colours.shape
            kind = QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(colours.data, width, height, kind), colours
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(self.area, self._image[0])


class _Box(pg.ViewBox):  # type: ignore[misc]
    """Zoom and pan without menu, within bounds."""

    def __init__(self, view: PictureView) -> None:
        super().__init__(enableMenu=False, lockAspect=True, invertY=True, defaultPadding=0)
        self._view = view
        self.disableAutoRange()

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        size, wide = self._view.size_shown, self.viewRect().width()
        if size is None:
            return
        is_in = event.delta() > 0
        if (is_in and wide > _MOST_PIXELS_WIDE) or (not is_in and wide < _FARTHEST * max(size)):
            super().wheelEvent(event, axis)
        event.accept()

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if event.button() == Qt.MouseButton.RightButton or self._view.size_shown is None:
            event.ignore()
        else:
            super().mouseDragEvent(event, axis)

    def mouseClickEvent(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.state["mouseEnabled"][0]:
            return
        event.accept()
        if event.double():
            self._view.fit()
            self._view.double_clicked.emit()
            return
        size, point = self._view.size_shown, self.mapToView(event.pos())
        if size is not None and 0 <= point.x() <= size[0] and 0 <= point.y() <= size[1]:
            self._view.clicked.emit(point)


def _outline_item() -> QGraphicsPathItem:
    item = QGraphicsPathItem()
    item.setBrush(Qt.BrushStyle.NoBrush)
    return item


def _cosmetic(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen
