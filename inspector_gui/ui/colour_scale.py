"""The legend of the overlay: its absolute colour scale in multiples of the limit."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector_gui.ui.theme import SMALL_PX, Theme

_BAR_PX = 12
_WIDTH = 62
_MARGIN = 10


class ColourScale(QWidget):
    """A vertical bar from an ordinary good part (0) over the limit to the top of the scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._bar: QImage | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("Colour scale of the overlay"))
        self.setToolTip(
            self.tr(
                "Multiples of the limit, the same colours for every part. "
                "0 is an ordinary good part."
            )
        )
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH, 200)

    def paintEvent(self, _event: QPaintEvent) -> None:
        from inspector_gui.core.heatmap import SCALE_TOP

        colours = self._theme.colours
        painter = QPainter(self)
        font = QFont(self.font())
        font.setPixelSize(SMALL_PX)
        painter.setFont(font)
        bar = QRectF(0, _MARGIN, _BAR_PX, self.height() - 2 * _MARGIN)
        painter.drawImage(bar, self._bar_image())
        painter.setPen(QPen(QColor(colours.border), 1))
        painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))
        ticks = [(value, f"{value} ×") for value in range(int(SCALE_TOP) + 1)]
        ticks[:2] = [(0, "0"), (1, self.tr("limit"))]
        for value, text in ticks:
            y = bar.bottom() - bar.height() * value / SCALE_TOP
            is_limit = value == 1
            painter.setPen(QPen(QColor(colours.text if is_limit else colours.muted), 1))
            painter.drawLine(
                QPointF(bar.left() if is_limit else bar.right(), y), QPointF(bar.right() + 4, y)
            )
            place = QRectF(bar.right() + 7, y - 10, self.width() - bar.right() - 7, 20)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

    def _bar_image(self) -> QImage:
        if self._bar is None:
            from inspector_gui.core.heatmap import colour_table

            image = QImage(1, 256, QImage.Format.Format_RGB32)
            for value, (red, green, blue) in enumerate(colour_table().tolist()):
                image.setPixelColor(0, 255 - value, QColor(red, green, blue))
            self._bar = image
        return self._bar
