"""Two methods against each other: a point a part, in multiples of the limit of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent, QPainterPath
from PySide6.QtWidgets import QWidget

from inspector_gui.core.sets.side_by_side import Agreement
from inspector_gui.ui.theme import SMALL_PX, Colours, Theme

SYMBOLS = {
    Agreement.NEITHER_FAILS: "o",
    Agreement.BOTH_FAIL: "s",
    Agreement.ONLY_FIRST_FAILS: "t2",
    Agreement.ONLY_SECOND_FAILS: "t1",
}
"""A sign points the way in which its method alone goes over the limit."""
_SIZE, _KNOWN_SIZE, _CHOSEN = 12, 14, 23
_NEAR_PX = 12.0
_LEAST_TOP, _MOST_TOP = 2.0, 6.0
_LEAST_BOTTOM, _MOST_BOTTOM = -0.6, -3.0
_EDGE = 0.1
"""Share of the points' span that is left free around them, for the names of the fields."""


@dataclass(frozen=True)
class PlotPoint:
    """A part: its multiples of the limits by both methods, and what is known of it."""

    key: str
    name: str
    x: float
    y: float
    agreement: Agreement
    is_bad: bool | None = None


def span(values: Sequence[float]) -> tuple[float, float]:
    """Return between which multiples of the limit points are drawn; some may lie beyond."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return (
        float(np.clip(low, _MOST_BOTTOM, _LEAST_BOTTOM)),
        float(np.clip(high, _LEAST_TOP, _MOST_TOP)),
    )


class SideBySidePlot(pg.PlotWidget):  # type: ignore[misc]
    """Both limits as lines, the four fields between them named. A click chooses a part."""

    chosen = Signal(str)
    """The key of the part that somebody clicked."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self._theme = theme
        self._points: tuple[PlotPoint, ...] = ()
        self._places: np.ndarray[Any, np.dtype[np.float64]] = np.zeros((0, 2))
        self._chosen_key = ""
        self._crosses = {is_bad: _cross(is_upright=not is_bad) for is_bad in (False, True)}
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)
        self.setAccessibleName(self.tr("Scores of two methods in multiples of their limits"))
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        self.box = plot.getViewBox()
        small = QFont(self.font())
        small.setPixelSize(SMALL_PX)
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setStyle(tickFont=small, tickLength=-4, tickTextOffset=4)
            axis.label.setFont(small)
        self.limits = [pg.InfiniteLine(pos=1, angle=angle, movable=False) for angle in (90, 0)]
        self._chosen = pg.ScatterPlotItem(pxMode=True)
        self._dots = pg.ScatterPlotItem(pxMode=True)
        self._known = pg.ScatterPlotItem(pxMode=True)
        for line in self.limits:
            plot.addItem(line, ignoreBounds=True)
        self.fields = {
            Agreement.NEITHER_FAILS: pg.TextItem(anchor=(0, 1)),
            Agreement.BOTH_FAIL: pg.TextItem(anchor=(1, 0)),
            Agreement.ONLY_FIRST_FAILS: pg.TextItem(anchor=(1, 1)),
            Agreement.ONLY_SECOND_FAILS: pg.TextItem(anchor=(0, 0)),
        }
        for text in self.fields.values():
            text.setFont(small)
            plot.addItem(text, ignoreBounds=True)
        for item in (self._chosen, self._dots, self._known):
            plot.addItem(item, ignoreBounds=True)
        self.scene().sigMouseClicked.connect(self._on_clicked)
        theme.changed.connect(self._draw)
        self.show_points((), ("", ""), {})

    @property
    def points(self) -> tuple[PlotPoint, ...]:
        """What is drawn."""
        return self._points

    def show_points(
        self,
        points: Sequence[PlotPoint],
        names: tuple[str, str],
        counts: Mapping[Agreement, int],
    ) -> None:
        """Draw points of two methods, the first across and the second upwards.

        Those beyond an end of an axis stand at it.
        """
        self._points = tuple(points)
        ends = span([p.x for p in points]), span([p.y for p in points])
        places = np.array([(p.x, p.y) for p in points], np.float64).reshape(-1, 2)
        self._places = np.clip(places, *np.transpose(ends))
        (left, right), (bottom, top) = (
            (low - _EDGE * (high - low), high + _EDGE * (high - low)) for low, high in ends
        )
        self.box.setRange(xRange=(left, right), yRange=(bottom, top), padding=0)
        axis_words = self.tr("{}, × limit")
        for side, name in zip(("bottom", "left"), names, strict=True):
            self.getPlotItem().getAxis(side).setLabel(axis_words.format(name) if name else "")
        words = {
            Agreement.NEITHER_FAILS: self.tr("neither fails"),
            Agreement.BOTH_FAIL: self.tr("both fail"),
            Agreement.ONLY_FIRST_FAILS: self.tr("only {} fails").format(names[0]),
            Agreement.ONLY_SECOND_FAILS: self.tr("only {} fails").format(names[1]),
        }
        corners = {
            Agreement.NEITHER_FAILS: (left, bottom),
            Agreement.BOTH_FAIL: (right, top),
            Agreement.ONLY_FIRST_FAILS: (right, bottom),
            Agreement.ONLY_SECOND_FAILS: (left, top),
        }
        for agreement, text in self.fields.items():
            count = counts.get(agreement, 0)
            text.setPlainText(f"{words[agreement]}: {count}" if names[0] else "")
            text.setPos(*corners[agreement])
        self._draw()

    def choose(self, key: str) -> None:
        """Mark a part, without saying that somebody chose it."""
        self._chosen_key = key
        self._draw_chosen()

    def nearest(self, place: QPointF) -> PlotPoint | None:
        """Return the point at a place of the widget, None where none is near."""
        if not len(self._places):
            return None
        on_plot = self.box.mapSceneToView(self.mapToScene(place.toPoint()))
        width, height = self.box.viewPixelSize()
        away = (self._places - (on_plot.x(), on_plot.y())) / (
            max(width, 1e-12),
            max(height, 1e-12),
        )
        squared = (away**2).sum(axis=1)
        best = int(squared.argmin())
        return self._points[best] if squared[best] <= _NEAR_PX**2 else None

    def place_of(self, key: str) -> QPointF:
        """Return where a point is, in pixels of the widget."""
        row = next(row for row, point in enumerate(self._points) if point.key == key)
        x, y = self._places[row].tolist()
        return QPointF(self.mapFromScene(self.box.mapViewToScene(QPointF(x, y))))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        point = self.nearest(event.position())
        told = "" if point is None else f"{point.name}\n{point.x:.2f} ×, {point.y:.2f} ×"
        self.setToolTip(told)

    def tr(self, text: str) -> str:
        return QCoreApplication.translate("SideBySidePlot", text)

    def _on_clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = self.nearest(QPointF(self.mapFromScene(event.scenePos())))
        if point is not None:
            self.chosen.emit(point.key)

    def _draw(self) -> None:
        colours = self._theme.colours
        self.setBackground(QColor(colours.card))
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(colours.border, width=1))
            axis.setTextPen(QColor(colours.muted))
        for line in self.limits:
            line.setPen(pg.mkPen(colours.bad, width=1.5, style=Qt.PenStyle.DashLine))
        for text in self.fields.values():
            text.setColor(QColor(colours.muted))
            text.fill = pg.mkBrush(colours.card)
        edge = pg.mkPen(colours.card, width=1)
        looks = agreement_colours(colours)
        self._dots.setData(
            x=self._places[:, 0], y=self._places[:, 1], size=_SIZE, pen=edge,
            symbol=[SYMBOLS[p.agreement] for p in self._points],
            brush=[pg.mkBrush(looks[p.agreement]) for p in self._points],
        )  # fmt: skip
        rows = [row for row, point in enumerate(self._points) if point.is_bad is not None]
        self._known.setData(
            x=self._places[rows, 0], y=self._places[rows, 1], size=_KNOWN_SIZE,
            symbol=[self._crosses[bool(self._points[row].is_bad)] for row in rows],
            pen=pg.mkPen(colours.text, width=1.2), brush=pg.mkBrush(None),
        )  # fmt: skip
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        rows = [row for row, p in enumerate(self._points) if p.key == self._chosen_key]
        mark = QColor(self._theme.colours.accent)
        mark.setAlpha(70)
        self._chosen.setData(
            x=self._places[rows, 0], y=self._places[rows, 1], symbol="o", size=_CHOSEN,
            brush=mark, pen=pg.mkPen(self._theme.colours.accent, width=2.5),
        )  # fmt: skip


def _cross(*, is_upright: bool) -> QPainterPath:
    """Return the mark of a part that is known to be good (+) or bad (×), as thin lines."""
    ends = ((-0.5, 0.0, 0.5, 0.0), (0.0, -0.5, 0.0, 0.5))
    if not is_upright:
        ends = ((-0.4, -0.4, 0.4, 0.4), (-0.4, 0.4, 0.4, -0.4))
    path = QPainterPath()
    for left, top, right, bottom in ends:
        path.moveTo(left, top)
        path.lineTo(right, bottom)
    return path


def agreement_colours(colours: Colours) -> Mapping[Agreement, QColor]:
    """Return the colours of what two methods make of a part; its sign says the same."""
    return {
        Agreement.NEITHER_FAILS: QColor(colours.good),
        Agreement.BOTH_FAIL: QColor(colours.bad),
        Agreement.ONLY_FIRST_FAILS: QColor(colours.warn),
        Agreement.ONLY_SECOND_FAILS: QColor(colours.warn),
    }
