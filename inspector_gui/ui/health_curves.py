"""A curve with the band it lies in, against a number of parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.theme import SMALL_PX, Theme

_MOST_TICKS = 8
_LEAST_ROOM = 0.03  # of the largest value, so that a level curve does not fill the plot


@dataclass(frozen=True)
class Series:
    """A curve `y` over `x`, and the band from `low` to `high` around it; all of one length."""

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    x_name: str = field(default="", kw_only=True)
    y_name: str = field(default="", kw_only=True)
    ceiling: float | None = field(default=None, kw_only=True)
    """Where the axis ends at most."""


class CurvePlot(pg.PlotWidget):  # type: ignore[misc]
    """The axis of numbers is logarithmic: ten parts more matter less where there are many."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self._theme = theme
        self.series: Series | None = None
        self._place: tuple[float, float] | None = None
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)
        self.setMinimumHeight(120)
        plot = self.getPlotItem()
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        small = QFont(self.font())
        small.setPixelSize(SMALL_PX)
        for side in ("left", "bottom"):
            plot.getAxis(side).setStyle(tickFont=small, tickLength=-4)
            plot.getAxis(side).enableAutoSIPrefix(False)
        self._low, self._high = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._band = pg.FillBetweenItem(self._low, self._high)
        self._line = pg.PlotDataItem()
        self._mark = pg.ScatterPlotItem(pxMode=True)
        for item in (self._low, self._high, self._band, self._line, self._mark):
            plot.addItem(item)
        theme.changed.connect(self._draw)
        self._draw()

    def show_series(self, series: Series, *, mark: tuple[float, float] | None = None) -> None:
        """Draw a curve, and mark a point of it."""
        if (series, mark) != (self.series, self._place):
            self.series, self._place = series, mark
            self._draw()

    def tr(self, text: str) -> str:
        return QCoreApplication.translate("CurvePlot", text)

    def _draw(self) -> None:
        colours = self._theme.colours
        self.setBackground(QColor(colours.card))
        plot = self.getPlotItem()
        for side in ("left", "bottom"):
            axis = plot.getAxis(side)
            axis.setPen(pg.mkPen(colours.border))
            axis.setTextPen(QColor(colours.muted))
        series = self.series
        if series is None:
            return
        x = np.log10(np.array(series.x))
        self._low.setData(x, np.array(series.low))
        self._high.setData(x, np.array(series.high))
        band = QColor(colours.accent)
        band.setAlpha(60)
        for edge in (self._low, self._high):
            edge.setPen(pg.mkPen(None))
        self._band.setBrush(band)
        is_short = len(x) <= _MOST_TICKS * 3
        self._line.setData(
            x, np.array(series.y), pen=pg.mkPen(colours.accent, width=2),
            symbol="o" if is_short else None, symbolSize=7,
            symbolBrush=QColor(colours.accent), symbolPen=pg.mkPen(colours.card),
        )  # fmt: skip
        place = self._place
        self._mark.setData(
            x=[] if place is None else [np.log10(place[0])],
            y=[] if place is None else [place[1]],
            symbol="d", size=14, brush=QColor(colours.warn), pen=pg.mkPen(colours.card),
        )  # fmt: skip
        ticks = _some([*series.x])
        plot.getAxis("bottom").setTicks([[(float(np.log10(v)), f"{v:g}") for v in ticks], []])
        style = {"color": colours.muted, "font-size": f"{SMALL_PX}px"}
        plot.setLabel("bottom", series.x_name, **style)
        plot.setLabel("left", series.y_name, **style)
        box = plot.getViewBox()
        box.setXRange(float(x.min()), float(x.max()), padding=0.04)
        low, high = min(series.low), max(series.high)
        room = max(0.08 * (high - low), _LEAST_ROOM * abs(high))
        top = high + room if series.ceiling is None else min(high + room, series.ceiling)
        box.setYRange(low - room, top, padding=0)


def _some(values: Sequence[float]) -> list[float]:
    """Return the numbers to write on a logarithmic axis, so that they do not touch."""
    least = (np.log10(values[-1]) - np.log10(values[0])) / _MOST_TICKS if len(values) > 1 else 0
    chosen: list[float] = []
    for value in reversed(values):  # the last is all there are: always written
        if not chosen or np.log10(chosen[-1]) - np.log10(value) >= least:
            chosen.append(value)
    return chosen[::-1]
