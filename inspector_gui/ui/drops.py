"""Widgets that take drops, and pictures that are dropped out of a browser."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QMimeData, QObject, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.dropping import DropHint

_ENCODED = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "image/bmp": ".bmp"}


def dropped_picture(mime: QMimeData) -> tuple[bytes, str] | None:
    """Return the bytes of a dropped picture's file and a name; None where there is none."""
    stem = next((Path(url.path()).stem for url in mime.urls() if url.path()), "") or "picture"
    for kind, suffix in _ENCODED.items():
        if mime.hasFormat(kind) and (data := mime.data(kind).data()):
            return bytes(data), stem + suffix
    image = mime.imageData() if mime.hasImage() else None
    if not isinstance(image, QImage) or image.isNull():
        return None
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data()), stem + ".png"


class DropTarget(QObject):
    """Makes a widget take drops: `accepts` looks at them, `take` gets what was let go."""

    def __init__(
        self,
        widget: QWidget,
        hint: DropHint,
        *,
        accepts: Callable[[QMimeData], bool],
        take: Callable[[QMimeData], None],
    ) -> None:
        super().__init__(widget)
        self._hint = hint
        self._accepts, self._take = accepts, take
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DragLeave:
            self._hint.hide()
            return True
        if isinstance(event, QDragEnterEvent) and event.type() == QEvent.Type.DragEnter:
            if self._accepts(event.mimeData()):
                accept_copy(event)
                self._hint.appear()
                return True
        elif isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._hint.hide()
            accept_copy(event)
            self._take(event.mimeData())
            return True
        return False


def accept_copy(event: QDropEvent) -> None:
    """Never accept a move: the file manager would delete the source."""
    event.setDropAction(Qt.DropAction.CopyAction)
    event.accept()
