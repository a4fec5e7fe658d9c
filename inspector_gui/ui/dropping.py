"""What people drop: the files they name, and the sign that they may be let go here."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.theme import HEADING_PX, Theme

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})
_REFERENCES = "application/x-inspector-references"


def local_paths(mime: QMimeData) -> list[Path]:
    """Return the files and folders of this computer that are named."""
    return [Path(url.toLocalFile()) for url in mime.urls() if url.isLocalFile()]


def has_pictures(mime: QMimeData) -> bool:
    """Return whether there may be something to check."""
    return bool(local_paths(mime)) or mime.hasImage()


def is_video(path: Path) -> bool:
    """Return whether a path is called like a video file."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def references_as_mime(image_ids: Sequence[int]) -> QMimeData:
    """Return references on their way from one group of the set to another."""
    mime = QMimeData()
    mime.setData(_REFERENCES, ",".join(map(str, image_ids)).encode())
    return mime


def dragged_references(mime: QMimeData) -> frozenset[int]:
    """Return the ids of the references that are dragged, none where it is something else."""
    if not mime.hasFormat(_REFERENCES):
        return frozenset()
    return frozenset(int(number) for number in bytes(mime.data(_REFERENCES).data()).split(b","))


class DropHint(QWidget):
    """Lies over a panel while pictures are dragged over it; `above` stays visible."""

    def __init__(
        self, text: str, theme: Theme, parent: QWidget, *, above: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._text = text
        self._above = above
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def appear(self) -> None:
        """Cover the panel."""
        parent = self.parentWidget()
        if parent is not None:
            self.setGeometry(parent.rect())
        self.raise_()
        if self._above is not None:
            self._above.raise_()
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
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(self.rect().adjusted(12, 0, -12, 0), int(flags), self._text)
