"""The legend of a plot as a line above it, where it hides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector_gui.ui.theme import SMALL_PX, Theme

_SWATCH, _GAP, _BETWEEN = 20, 6, 16


class Sign(Enum):
    """What stands for an entry."""

    LINE = auto()
    DASHES = auto()
    DOT = auto()
    AREA = auto()


@dataclass(frozen=True)
class LegendEntry:
    """`colour` is the name of one of the theme's."""

    text: str
    colour: str
    sign: Sign


class PlotLegend(QWidget):
    """Signs and words side by side; those that have no room are left out."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.entries: tuple[LegendEntry, ...] = ()
        font = QFont(self.font())
        font.setPixelSize(SMALL_PX)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_entries(self, entries: Sequence[LegendEntry]) -> None:
        """Show these in place of those before."""
        if tuple(entries) != self.entries:
            self.entries = tuple(entries)
            self.setAccessibleName(", ".join(entry.text for entry in entries))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(0, self.fontMetrics().height() + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colours, left = self._theme.colours, 0
        for entry in self.entries:
            width = self.fontMetrics().horizontalAdvance(entry.text)
            if left + _SWATCH + _GAP + width > self.width():
                break
            colour = QColor(getattr(colours, entry.colour))
            self._draw_sign(painter, left, colour, entry.sign)
            painter.setPen(QColor(colours.text))
            place = QRectF(left + _SWATCH + _GAP, 0, width + 1, self.height())
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), entry.text)
            left += _SWATCH + _GAP + width + _BETWEEN

    def _draw_sign(self, painter: QPainter, left: int, colour: QColor, sign: Sign) -> None:
        middle = self.height() / 2
        if sign is Sign.DOT:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(left + _SWATCH / 2, middle), 4, 4)
        elif sign is Sign.AREA:
            filling = QColor(colour)
            filling.setAlpha(70)
            painter.setPen(QPen(colour, 1.5))
            painter.setBrush(filling)
            painter.drawRect(QRectF(left + 1, middle - 5, _SWATCH - 2, 10))
        else:
            pen = QPen(colour, 2.5)
            if sign is Sign.DASHES:
                pen.setDashPattern([2.0, 1.4])
            painter.setPen(pen)
            painter.drawLine(QPointF(left, middle), QPointF(left + _SWATCH, middle))
