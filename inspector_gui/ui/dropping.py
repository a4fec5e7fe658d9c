"""What people drop: the files they name, and the sign that they may be let go here."""

from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.theme import HEADING_PX, Theme


def local_paths(mime: QMimeData) -> list[Path]:
    """Return the files and folders of this computer that are named."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def has_pictures(mime: QMimeData) -> bool:
    """Return whether there may be something to check."""
    return bool(local_paths(mime)) or mime.hasImage()


class DropHint(QWidget):
    """Lies over a panel while pictures are dragged over it."""

    def __init__(self, text: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._text = text
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def appear(self) -> None:
        """Cover the panel."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = self._theme.colours
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colours.card)
        veil.setAlpha(230)
        painter.setBrush(veil)
        painter.setPen(QPen(QColor(colours.accent), 3, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(4, 4, -4, -4), 9, 9)
        font = painter.font()
        font.setPixelSize(HEADING_PX)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
