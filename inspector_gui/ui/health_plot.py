"""The map of a set's features: a point a picture, kinds by sign and colour, points to choose."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtWidgets import QWidget

from inspector_gui.core.types import Purpose
from inspector_gui.ui.health_lasso import LassoBox, Points, inside
from inspector_gui.ui.theme import Colours, Theme

SYMBOLS = ("o", "s", "t", "d", "p", "h", "star", "t1")
"""Signs of the kinds; colours repeat, signs do not."""
_OTHER_SYMBOLS = {Purpose.VALIDATION: "+", Purpose.BAD: "x"}
_SIZE, _OTHER_SIZE, _RING, _CHOSEN = 11, 13, 19, 17
_NEAR_PX = 12.0


@dataclass(frozen=True)
class MapPoint:
    """A picture on the map; `cluster` is None for what is no reference."""

    sha256: str
    x: float
    y: float
    cluster: int | None
    purpose: Purpose


def cluster_colour(number: int, colours: Colours) -> QColor:
    """Return the colour of a kind."""
    cycle = (colours.accent, colours.warn, colours.good, colours.text)
    return QColor(cycle[number % len(cycle)])


class MapPlot(pg.PlotWidget):  # type: ignore[misc]
    """Click chooses a point, with Ctrl or Shift one more; in lasso mode a line around some does."""

    chosen = Signal(object)
    """The frozenset of content hashes that are chosen now."""
    pointed = Signal(str)
    """The content hash of the point under the mouse, or "" where there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self.box = LassoBox()
        super().__init__(parent, background=None, viewBox=self.box)
        self._theme = theme
        self._points: tuple[MapPoint, ...] = ()
        self._places: Points = np.zeros((0, 2))
        self._thin: frozenset[int] = frozenset()
        self.selection: frozenset[str] = frozenset()
        self._under = ""
        self.setAccessibleName(self.tr("Map of the features"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)
        plot = self.getPlotItem()
        plot.hideAxis("left")
        plot.hideAxis("bottom")
        plot.hideButtons()
        plot.setMenuEnabled(False)
        self._rings = pg.ScatterPlotItem(pxMode=True)
        self._chosen = pg.ScatterPlotItem(pxMode=True)
        self._dots = pg.ScatterPlotItem(pxMode=True)
        for item in (self._rings, self._chosen, self._dots):
            plot.addItem(item)
        self.box.drawn.connect(self._on_drawn)
        self.scene().sigMouseClicked.connect(self._on_clicked)
        theme.changed.connect(self._draw)
        self._draw()

    @property
    def points(self) -> tuple[MapPoint, ...]:
        """What is drawn."""
        return self._points

    def show_points(self, points: Sequence[MapPoint], thin: Collection[int]) -> None:
        """Draw points; those of the kinds `thin` have a ring."""
        is_new = {p.sha256: (p.x, p.y) for p in points}
        was = {p.sha256: (p.x, p.y) for p in self._points}
        self._points, self._thin = tuple(points), frozenset(thin)
        self._places = np.array([(p.x, p.y) for p in points], np.float64).reshape(-1, 2)
        self.select(self.selection & is_new.keys())
        self._draw()
        if not is_new.items() <= was.items():  # other places, not only fewer
            self.box.autoRange(padding=0.06)

    def select(self, hashes: Collection[str]) -> None:
        """Choose these points in place of those chosen before."""
        wanted = frozenset(hashes)
        if wanted != self.selection:
            self.selection = wanted
            self._draw_chosen()
            self.chosen.emit(wanted)

    def set_lasso(self, is_lasso: bool) -> None:
        """Let dragging draw a line around points, or move the map."""
        self.box.is_lasso = is_lasso
        cursor = Qt.CursorShape.CrossCursor if is_lasso else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(cursor)

    def nearest(self, place: QPointF) -> MapPoint | None:
        """Return the point at a place of the widget, None where none is near."""
        if not len(self._places):
            return None
        scene = self.mapToScene(place.toPoint())
        on_map = self.box.mapSceneToView(scene)
        width, height = self.box.viewPixelSize()
        away = (self._places - (on_map.x(), on_map.y())) / (max(width, 1e-12), max(height, 1e-12))
        squared = (away**2).sum(axis=1)
        best = int(squared.argmin())
        return self._points[best] if squared[best] <= _NEAR_PX**2 else None

    def place_of(self, sha256: str) -> QPointF:
        """Return where a point is, in pixels of the widget."""
        point = next(p for p in self._points if p.sha256 == sha256)
        return QPointF(self.mapFromScene(self.box.mapViewToScene(QPointF(point.x, point.y))))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        point = None if event.buttons() else self.nearest(event.position())
        under = "" if point is None else point.sha256
        if under != self._under:
            self._under = under
            self.pointed.emit(under)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._under = ""
        self.pointed.emit("")

    def tr(self, text: str) -> str:
        return QCoreApplication.translate("MapPlot", text)

    def _on_clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = self.nearest(QPointF(self.mapFromScene(event.scenePos())))
        found = frozenset() if point is None else frozenset({point.sha256})
        self.select(self.selection ^ found if _is_adding(event) else found)

    def _on_drawn(self, corners: Points) -> None:
        within = inside(corners, self._places)
        self.select({self._points[row].sha256 for row in np.flatnonzero(within)})

    def _draw(self) -> None:
        colours = self._theme.colours
        self.setBackground(QColor(colours.card))
        self.box.set_colour(QColor(colours.accent))
        symbols, pens, brushes, sizes = [], [], [], []
        looks = self._looks(colours)
        for point in self._points:
            symbol, pen, brush = looks[point.cluster, point.purpose]
            symbols.append(symbol)
            pens.append(pen)
            brushes.append(brush)
            sizes.append(_SIZE if point.purpose is Purpose.REFERENCE else _OTHER_SIZE)
        self._dots.setData(
            x=self._places[:, 0], y=self._places[:, 1], symbol=symbols, pen=pens, brush=brushes,
            size=sizes or _SIZE,
        )  # fmt: skip
        ringed = [row for row, p in enumerate(self._points) if p.cluster in self._thin]
        self._rings.setData(
            x=self._places[ringed, 0], y=self._places[ringed, 1], symbol="o", size=_RING,
            brush=pg.mkBrush(None), pen=pg.mkPen(colours.warn, width=1.5),
        )  # fmt: skip
        self._draw_chosen()

    def _looks(self, colours: Colours) -> Mapping[tuple[int | None, Purpose], tuple[Any, ...]]:
        """Return sign, outline and filling by kind and purpose."""
        edge = pg.mkPen(colours.card, width=1)
        looks: dict[tuple[int | None, Purpose], tuple[Any, ...]] = {}
        for key in {(point.cluster, point.purpose) for point in self._points}:
            cluster, purpose = key
            if purpose is not Purpose.REFERENCE:
                colour = colours.bad if purpose is Purpose.BAD else colours.good
                pen = pg.mkPen(colour, width=1)
                looks[key] = (_OTHER_SYMBOLS[purpose], pen, pg.mkBrush(colour))
            else:
                number = cluster or 0
                colour_of = pg.mkBrush(cluster_colour(number, colours))
                looks[key] = (SYMBOLS[number % len(SYMBOLS)], edge, colour_of)
        return looks

    def _draw_chosen(self) -> None:
        rows = [row for row, p in enumerate(self._points) if p.sha256 in self.selection]
        mark = QColor(self._theme.colours.accent)
        mark.setAlpha(70)
        self._chosen.setData(
            x=self._places[rows, 0], y=self._places[rows, 1], symbol="o", size=_CHOSEN,
            brush=mark, pen=pg.mkPen(self._theme.colours.accent, width=2.5),
        )  # fmt: skip


def _is_adding(event: Any) -> bool:
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    return bool(event.modifiers() & keys)
