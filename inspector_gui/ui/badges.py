"""The signs of the groups of a reference set: a shape and a letter, never a colour alone."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from inspector_gui.ui.reference_model import Group
from inspector_gui.ui.theme import Colours

SIDE = 18
"""Side of a sign on a picture, in pixels."""
_TEXT = 0.72
_INSIDE = 0.31


def draw_badge(painter: QPainter, square: QRect, group: Group, colours: Colours) -> None:
    """Draw the sign of a group: V on a square, ✕ on a disc, a struck ring; good parts have none."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inset = square.width() * _INSIDE
    inner = QRectF(square).adjusted(inset, inset, -inset, -inset)
    match group:
        case Group.GOOD:
            pass
        case Group.VALIDATION:
            _fill(painter, colours.good, colours.card)
            painter.drawRoundedRect(square, 4, 4)
            font = painter.font()
            font.setPixelSize(round(square.height() * _TEXT))
            font.setBold(True)
            painter.setFont(font)
            painter.setPen(QColor(colours.on_good))
            painter.drawText(square, int(Qt.AlignmentFlag.AlignCenter), "V")
        case Group.BAD:
            _fill(painter, colours.bad, colours.card)
            painter.drawEllipse(square)
            painter.setPen(QPen(QColor(colours.on_bad), 2, c=Qt.PenCapStyle.RoundCap))
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.bottomLeft(), inner.topRight())
        case Group.EXCLUDED:
            painter.setBrush(QColor(colours.card))
            painter.setPen(QPen(QColor(colours.warn), 2))
            painter.drawEllipse(QRectF(square).adjusted(1, 1, -1, -1))
            painter.drawLine(inner.bottomLeft(), inner.topRight())
    painter.restore()


def badge_icon(group: Group, colours: Colours, *, side: int, ratio: float) -> QIcon:
    """Return the sign of a group as an icon of `side` pixels; no icon for good parts."""
    if group is Group.GOOD:
        return QIcon()
    pixmap = QPixmap(QSize(side, side) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_badge(painter, QRect(0, 0, side, side), group, colours)
    painter.end()
    return QIcon(pixmap)


def _fill(painter: QPainter, colour: str, outline: str) -> None:
    painter.setBrush(QColor(colour))
    painter.setPen(QPen(QColor(outline), 1))
