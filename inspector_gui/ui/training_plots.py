"""The plots of a training: the loss, what the discriminator says, and scores of held-out parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from inspector_gui.core.calibration import suggest_limits
from inspector_gui.core.simplenet.facts import EpochFacts
from inspector_gui.ui.plot_legend import LegendEntry, PlotLegend, Sign
from inspector_gui.ui.theme import SMALL_PX, Theme

_MOST_DOTS = 3000  # more take longer to draw than the window may stand still
_ROOM = 0.08
_DASHED = {False: Sign.LINE, True: Sign.DASHES}


@dataclass(frozen=True)
class Curve:
    """A line over epochs. `colour` is one of the theme's; parts are thin, others may be dashed."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str = "accent"
    is_part: bool = False
    is_dashed: bool = False


class EpochAxis(pg.AxisItem):  # type: ignore[misc]
    """Has marks at whole numbers alone."""

    def __init__(self) -> None:
        super().__init__("bottom")

    def tickSpacing(self, *args: float) -> list[tuple[float, float]]:
        whole = [(step, first) for step, first in super().tickSpacing(*args) if step % 1 == 0]
        return whole or [(1.0, 0.0)]


class FactsPlot(QWidget):
    """A plot in the look of the program with its legend above; nothing in it moves."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        parent: QWidget | None = None,
        *,
        bottom: pg.AxisItem | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.legend = PlotLegend(theme)
        self.plot = pg.PlotWidget(
            background=None, axisItems={} if bottom is None else {"bottom": bottom}
        )
        self.plot.setAccessibleName(name)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setAcceptDrops(False)
        self.plot.setMinimumHeight(110)
        self.item = self.plot.getPlotItem()
        self.item.hideButtons()
        self.item.setMenuEnabled(False)
        self.item.setMouseEnabled(False, False)
        small = QFont(self.font())
        small.setPixelSize(SMALL_PX)
        for side in ("left", "bottom"):
            self.item.getAxis(side).setStyle(tickFont=small, tickLength=-4)
            self.item.getAxis(side).enableAutoSIPrefix(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.legend)
        column.addWidget(self.plot, 1)
        theme.changed.connect(self._draw)

    def _draw(self) -> None:
        """Draw everything anew; subclasses add to it."""
        colours = self._theme.colours
        self.plot.setBackground(QColor(colours.card))
        for side in ("left", "bottom"):
            axis = self.item.getAxis(side)
            axis.setPen(pg.mkPen(colours.border))
            axis.setTextPen(QColor(colours.muted))
        self.item.clear()

    def _name_axes(self, bottom: str, left: str) -> None:
        style = {"color": self._theme.colours.muted, "font-size": f"{SMALL_PX}px"}
        self.item.setLabel("bottom", bottom, **style)
        self.item.setLabel("left", left, **style)

    def _range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        box = self.item.getViewBox()
        box.setXRange(*x, padding=0.03)
        low, high = y
        room = max(_ROOM * (high - low), 1e-3 * abs(high), 1e-9)
        box.setYRange(low if low == 0 else low - room, high + room, padding=0)

    def _pen(self, colour: str, width: float, *, is_dashed: bool = False) -> QPen:
        pen: QPen = pg.mkPen(self._colour(colour), width=width)
        if is_dashed:
            pen.setStyle(Qt.PenStyle.DashLine)
        return pen

    def _colour(self, name: str) -> QColor:
        return QColor(getattr(self._theme.colours, name))


class LossPlot(FactsPlot):
    """Curves over epochs. The axis shows all epochs that there will be."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, self.tr("Loss over epochs"), parent, bottom=EpochAxis())
        self.curves: tuple[Curve, ...] = ()
        self._epochs = 1
        self._draw()

    def show_curves(self, curves: Sequence[Curve], *, epochs: int = 1) -> None:
        """Draw these in place of those before."""
        if (tuple(curves), epochs) != (self.curves, self._epochs):
            self.curves, self._epochs = tuple(curves), epochs
            self._draw()

    def show_epochs(self, facts: Sequence[EpochFacts], *, epochs: int) -> None:
        """Draw a training's loss and its two parts."""
        x = [one.epoch for one in facts]
        self.show_curves(
            (
                Curve(self.tr("loss"), x, [one.loss for one in facts]),
                Curve(self.tr("good features"), x, [one.real for one in facts], "good", True),
                Curve(
                    self.tr("noised features"),
                    x,
                    [one.noised for one in facts],
                    "warn",
                    is_part=True,
                    is_dashed=True,
                ),
            ),
            epochs=epochs,
        )

    def _draw(self) -> None:
        super()._draw()
        self._name_axes(self.tr("epoch"), self.tr("loss"))
        self.legend.show_entries(
            [
                LegendEntry(curve.name, curve.colour, _DASHED[curve.is_dashed])
                for curve in self.curves
            ]
        )
        for curve in self.curves:
            width = 1.5 if curve.is_part else 2.5
            pen = self._pen(curve.colour, width, is_dashed=curve.is_dashed)
            is_short = len(curve.x) < 3
            self.item.plot(
                np.array(curve.x, float), np.array(curve.y, float), pen=pen,
                symbol="o" if is_short else None, symbolSize=6,
                symbolBrush=self._colour(curve.colour), symbolPen=None,
            )  # fmt: skip
        values = [value for curve in self.curves for value in curve.y]
        last = max([self._epochs, *(x for curve in self.curves for x in curve.x)])
        self._range((1, max(last, 2)), (0.0, max(values, default=1.0)))


class OutputPlot(FactsPlot):
    """Histograms of what the discriminator says of good and of noised features."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, self.tr("Outputs of the discriminator"), parent)
        self.facts: EpochFacts | None = None
        self._draw()

    def show_epoch(self, facts: EpochFacts | None) -> None:
        """Draw the outputs of an epoch."""
        if facts != self.facts:
            self.facts = facts
            self._draw()

    def _draw(self) -> None:
        super()._draw()
        self._name_axes(self.tr("output: high like a good part"), self.tr("share, %"))
        facts = self.facts
        if facts is None or len(facts.edges) < 2:
            self._range((-1.0, 1.0), (0.0, 100.0))
            return
        self.legend.show_entries(
            [
                LegendEntry(self.tr("good features"), "good", Sign.AREA),
                LegendEntry(self.tr("noised features"), "warn", Sign.AREA),
            ]
        )
        highest = 0.0
        edges = np.array(facts.edges, float)
        for counts, colour in ((facts.real_counts, "good"), (facts.noised_counts, "warn")):
            shares = 100 * np.array(counts, float) / max(1, sum(counts))
            filling = self._colour(colour)
            filling.setAlpha(70)
            pen = self._pen(colour, 2, is_dashed=colour == "warn")
            self.item.plot(edges, shares, stepMode="center", fillLevel=0, brush=filling, pen=pen)
            highest = max(highest, float(shares.max(initial=0)))
        zero = pg.InfiniteLine(0.0, pen=pg.mkPen(self._colour("muted"), width=1))
        self.item.addItem(zero)
        self._range((float(edges[0]), float(edges[-1])), (0.0, highest))


class HeldOutPlot(FactsPlot):
    """Scores of good parts that are not trained on, in columns: epochs, or models."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        name = self.tr("Scores of held-out good parts")
        super().__init__(theme, name, parent, bottom=EpochAxis())
        self.columns: dict[str, tuple[float, ...]] = {}
        self.limit: float | None = None
        self._epochs = 1
        self._are_models = False
        self._draw()

    def show_epochs(self, facts: Sequence[EpochFacts], *, epochs: int) -> None:
        """Draw the scores of a training so far, and the limit that the newest suggest."""
        step = 1 + sum(len(one.held_out) for one in facts) // _MOST_DOTS
        shown = facts[::-1][::step][::-1]
        self._show({str(one.epoch): one.held_out for one in shown}, epochs, are_models=False)

    def show_models(self, scores: dict[str, Sequence[float]]) -> None:
        """Draw the scores of models beside each other."""
        columns = {name: tuple(values) for name, values in scores.items()}
        self._show(columns, len(columns), are_models=True)

    def _show(
        self, columns: dict[str, tuple[float, ...]], epochs: int, *, are_models: bool
    ) -> None:
        if (columns, epochs, are_models) == (self.columns, self._epochs, self._are_models):
            return
        self.columns, self._epochs, self._are_models = columns, epochs, are_models
        newest = next(reversed(columns.values()), ())
        self.limit = None
        if len(newest) > 1 and not are_models:
            self.limit = suggest_limits(newest, gallery="").fail_from
        self._draw()

    def _draw(self) -> None:
        super()._draw()
        bottom = self.tr("model") if self._are_models else self.tr("epoch")
        self._name_axes(bottom, self.tr("score of a good part"))
        axis = self.item.getAxis("bottom")
        axis.setTicks(None)
        places = range(1, 1 + len(self.columns)) if self._are_models else map(int, self.columns)
        columns = list(zip(places, self.columns.values(), strict=True))
        values = [value for _, scores in columns for value in scores]
        entries: list[LegendEntry] = []
        if not values:
            self.legend.show_entries(entries)
            self._range((1, max(2, self._epochs)), (-1.0, 1.0))
            return
        if self._are_models:
            axis.setTicks([[(place, name) for place, name in enumerate(self.columns, 1)], []])
            self._dots(columns, "accent", 9)
            entries.append(LegendEntry(self.tr("held-out parts"), "accent", Sign.DOT))
        else:
            if columns[:-1]:
                entries.append(LegendEntry(self.tr("earlier epochs"), "muted", Sign.DOT))
            entries.append(LegendEntry(self.tr("newest epoch"), "accent", Sign.DOT))
            self._dots(columns[:-1], "muted", 5)
            self._dots(columns[-1:], "accent", 8)
        if self.limit is not None:
            values.append(self.limit)
            ends = np.array([1, max(2, self._epochs)], float)
            pen = self._pen("bad", 2, is_dashed=True)
            self.item.plot(ends, np.full(2, self.limit), pen=pen)
            entries.append(LegendEntry(self.tr("limit they suggest"), "bad", Sign.DASHES))
        self.legend.show_entries(entries)
        first, last = (0.5, len(columns) + 0.5) if self._are_models else (1, max(2, self._epochs))
        self._range((first, last), (min(values), max(values)))

    def _dots(self, columns: list[tuple[int, tuple[float, ...]]], colour: str, size: int) -> None:
        x = np.array([place for place, scores in columns for _ in scores], float)
        y = np.array([value for _, scores in columns for value in scores], float)
        filling = self._colour(colour)
        filling.setAlpha(150)
        if len(x):
            self.item.plot(
                x, y, pen=None, symbol="o", symbolSize=size, symbolBrush=filling, symbolPen=None
            )
