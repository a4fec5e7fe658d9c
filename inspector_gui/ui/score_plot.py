"""The histogram of scores with the limit as a line to drag, on an axis in multiples of it."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.theme import SMALL_PX, Theme
from inspector_gui.ui.what_if import Bars

LOWEST_LIMIT = 0.05
"""The least multiple of the saved limit that can be chosen: the scale needs some extent."""

_LEAST_HEIGHT = 0.07  # of a bar that counts one, so that a single part is seen among thousands
_TOP = 1.22
_LABEL_SHARE = 0.14  # of the axis, for the longer label
_ABOVE, _BELOW = 0.93, 0.7  # heights of the labels
_RIGHT, _LEFT = (0.0, 0.5), (1.0, 0.5)  # anchors of a label on that side of its line


class ScorePlot(pg.PlotWidget):  # type: ignore[misc]
    """Its view spans the widget's whole width, so that a slider can stand exactly under it."""

    dragged = Signal(float)
    """The line is at another multiple of the saved limit."""
    released = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self._theme = theme
        self._bars: Bars | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAcceptDrops(False)
        self.setAccessibleName(self.tr("Histogram of scores in multiples of the limit"))
        self.setMinimumHeight(64)
        self._small = QFont(self.font())
        self._small.setPixelSize(SMALL_PX)
        plot = self.getPlotItem()
        plot.hideAxis("left")
        plot.hideButtons()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        plot.layout.setContentsMargins(0, 0, 0, 0)
        self.axis = plot.getAxis("bottom")
        self.axis.setStyle(tickFont=self._small, tickLength=-4, tickTextOffset=4)
        self.box = plot.getViewBox()
        self.box.setYRange(0, _TOP, padding=0)
        self._references = pg.BarGraphItem(x=[], height=[], width=1)
        self._passed = pg.BarGraphItem(x=[], height=[], width=1)
        self._flagged = pg.BarGraphItem(x=[], height=[], width=1)
        for item in (self._references, self._passed, self._flagged):
            plot.addItem(item, ignoreBounds=True)
        self.part = pg.InfiniteLine(angle=90, movable=False, label="")
        self.limit = pg.InfiniteLine(
            angle=90, movable=True, label=self.tr("limit"), bounds=(LOWEST_LIMIT, None)
        )
        self.limit.setCursor(Qt.CursorShape.SizeHorCursor)
        for line in (self.part, self.limit):
            line.label.setFont(self._small)
            plot.addItem(line, ignoreBounds=True)
        self.more = pg.TextItem("", anchor=(0.5, 0.8))
        self.more.setFont(self._small)
        plot.addItem(self.more, ignoreBounds=True)
        self.part.hide()
        self.limit.sigDragged.connect(self._on_dragged)
        self.limit.sigPositionChangeFinished.connect(self._on_released)
        theme.changed.connect(self._recolour)
        self._recolour()

    @property
    def is_dragging(self) -> bool:
        """Whether the line is held."""
        return bool(self.limit.moving)

    def set_range(self, low: float, high: float) -> None:
        """Let the axis go from `low` to `high`, in multiples of the saved limit."""
        self.box.setXRange(low, high, padding=0)
        self.limit.setBounds((LOWEST_LIMIT, high))
        marks = np.arange(np.ceil(low * 2) / 2, high + 1e-9, 0.5)
        inner = [v for v in marks if low + 0.1 < v < high - 0.1]
        self.axis.setTicks([[(float(v), self._tick(float(v))) for v in inner], []])

    def set_bars(self, bars: Bars) -> None:
        """Draw a histogram: wide bars of references, in them the parts, each to its own height."""
        self._bars = bars
        centres = bars.low + bars.width * (np.arange(len(bars.references)) + 0.5)
        inspected = bars.passed + bars.flagged
        stack = _heights(inspected)
        shares = np.divide(bars.passed, inspected, out=np.zeros(len(stack)), where=inspected > 0)
        passed = stack * shares
        self._references.setOpts(x=centres, height=_heights(bars.references), width=bars.width)
        self._passed.setOpts(x=centres, height=passed, width=bars.width * 0.5)
        self._flagged.setOpts(x=centres, y0=passed, height=stack - passed, width=bars.width * 0.5)
        self.more.setText("+" if bars.is_cut else "")
        self.more.setPos(float(centres[-1]), float(stack[-1]))

    def set_limit(self, multiple: float) -> None:
        """Put the line somewhere without saying that a person did."""
        self.limit.setValue(multiple)
        self._place_labels()

    def set_part(self, multiple: float | None) -> None:
        """Mark the open part; one beyond the axis stands at its end with its number."""
        self.part.setVisible(multiple is not None)
        if multiple is None:
            return
        low, high = self.box.viewRange()[0]
        text = self.tr("this part")
        if not low <= multiple <= high:
            text += f" {multiple:.1f} ×"
        self.part.label.setFormat(text)
        margin = 0.004 * (high - low)
        self.part.setValue(min(max(multiple, low + margin), high - margin))
        self._place_labels()

    def x_of(self, multiple: float) -> float:
        """Return where a multiple of the limit is, in pixels from the widget's left edge."""
        scene = self.box.mapViewToScene(QPointF(multiple, 0))
        return float(self.viewportTransform().map(scene).x())

    def _place_labels(self) -> None:
        """Write each line's label on the side away from the other line, within the plot."""
        low, high = self.box.viewRange()[0]
        room = _LABEL_SHARE * (high - low)
        limit, part = float(self.limit.value()), float(self.part.value())
        is_part_right = part < low + room or limit <= part < high - room
        is_limit_right = limit < low + room or (limit > part and limit < high - room)
        is_crowded = abs(part - limit) < 2 * room and (is_part_right == (part < limit))
        heights = (_BELOW if is_crowded else _ABOVE, _ABOVE)
        for line, is_right, height in zip(
            (self.part, self.limit), (is_part_right, is_limit_right), heights, strict=True
        ):
            line.label.anchors = [_RIGHT, _RIGHT] if is_right else [_LEFT, _LEFT]
            line.label.setPosition(height)

    def _tick(self, value: float) -> str:
        return self.tr("1 × limit") if value == 1 else f"{value:g}"

    def _on_dragged(self, line: Any) -> None:
        self._place_labels()
        self.dragged.emit(float(line.value()))

    def _on_released(self, _line: Any) -> None:
        self.released.emit()

    def _recolour(self) -> None:
        colours = self._theme.colours
        self.setBackground(QColor(colours.card))
        references = QColor(colours.good)
        references.setAlpha(110)
        for item, colour in (
            (self._references, references),
            (self._passed, QColor(colours.accent)),
            (self._flagged, QColor(colours.bad)),
        ):
            item.setOpts(brush=colour, pen=QPen(Qt.PenStyle.NoPen))
        self.axis.setPen(QPen(QColor(colours.border), 1))
        self.axis.setTextPen(QColor(colours.muted))
        self.limit.setPen(pg.mkPen(colours.bad, width=2))
        self.limit.setHoverPen(pg.mkPen(colours.bad, width=4))
        self.limit.label.setColor(QColor(colours.bad))
        self.part.setPen(pg.mkPen(colours.text, width=1, style=Qt.PenStyle.DashLine))
        self.part.label.setColor(QColor(colours.text))
        self.more.setColor(QColor(colours.text))
        behind = QColor(colours.card)
        behind.setAlpha(190)
        for line in (self.limit, self.part):
            line.label.fill = pg.mkBrush(behind)

    def tr(self, text: str) -> str:
        return QCoreApplication.translate("ScorePlot", text)


def _heights(counts: "np.ndarray[Any, np.dtype[np.int64]]") -> "np.ndarray[Any, Any]":
    """Return bar heights between 0 and 1; what counts something is seen."""
    most = max(int(counts.max(initial=0)), 1)
    return np.where(counts > 0, np.maximum(counts / most, _LEAST_HEIGHT), 0.0)
