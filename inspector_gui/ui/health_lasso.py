"""A view of points in which a line drawn around some of them selects these."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem

Points = npt.NDArray[np.float64]

_LEAST_CORNERS = 3


def inside(polygon: Points, points: Points) -> npt.NDArray[np.bool_]:
    """Return which points (n x 2) lie in a closed polygon (m x 2, in order), by even and odd.

    A ray to the right crosses the outline of a polygon an odd number of times from inside.
    """
    result = np.zeros(len(points), bool)
    if len(polygon) < _LEAST_CORNERS:
        return result
    x, y = points[:, 0], points[:, 1]
    for (ax, ay), (bx, by) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        result ^= crosses & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return result


class LassoBox(pg.ViewBox):  # type: ignore[misc]
    """Drag pans, or draws a line around points while `is_lasso`; the wheel zooms."""

    drawn = Signal(object)
    """The corners of a closed line in the plot's coordinates: float64, n x 2."""

    def __init__(self) -> None:
        super().__init__(enableMenu=False, lockAspect=True, defaultPadding=0.06)
        self.is_lasso = False
        self._corners: list[QPointF] = []
        self._line = QGraphicsPathItem()
        self._line.setZValue(100)
        self.addItem(self._line, ignoreBounds=True)

    def set_colour(self, colour: QColor) -> None:
        """Draw the line in this colour."""
        pen = QPen(colour, 2)
        pen.setCosmetic(True)
        fill = QColor(colour)
        fill.setAlpha(40)
        self._line.setPen(pen)
        self._line.setBrush(fill)

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        if not self.is_lasso or event.button() != Qt.MouseButton.LeftButton:
            super().mouseDragEvent(event, axis)
            return
        event.accept()
        if event.isStart():
            self._corners = [self.mapToView(event.buttonDownPos())]
        self._corners.append(self.mapToView(event.pos()))
        if event.isFinish():
            corners = np.array([(p.x(), p.y()) for p in self._corners], np.float64)
            self._corners = []
            self._line.setPath(QPainterPath())
            self.drawn.emit(corners)
            return
        path = QPainterPath(self._corners[0])
        for corner in self._corners[1:]:
            path.lineTo(corner)
        self._line.setPath(path)
