"""The live picture of a camera, small: pulled when it is time to draw, never pushed."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRect, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from inspector_gui.core.types import RGB, Frame
from inspector_gui.ui.theme import Theme

_PERIOD_MS = 33
_HEIGHT = 124


class LivePreview(QWidget):
    """Shows what `newest` returns, while it runs and can be seen."""

    def __init__(self, newest: Callable[[], Frame | None], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._newest = newest
        self._theme = theme
        self._pixels: RGB | None = None
        self._image = QImage()
        self._timer = QTimer(self)
        self._timer.setInterval(_PERIOD_MS)
        self._timer.timeout.connect(self._pull)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Live picture"))
        self.setToolTip(self.tr("The newest picture of the camera, judged or not"))

    @property
    def image(self) -> QImage:
        """What is shown; null where nothing came yet."""
        return self._image

    @property
    def is_running(self) -> bool:
        """Whether frames are being pulled."""
        return self._timer.isActive()

    def run(self, runs: bool) -> None:
        """Start or stop pulling frames."""
        if runs and not self._timer.isActive():
            self._timer.start()
        elif not runs and self._timer.isActive():
            self._timer.stop()

    def clear(self) -> None:
        """Show nothing."""
        self._image, self._pixels = QImage(), None
        self.update()

    def _pull(self) -> None:
        frame = self._newest() if self.isVisible() else None
        if frame is None:
            return
        # Every n-th pixel is enough here and costs one small copy of a large picture.
        height, width = frame.image.shape[:2]
        room = max(1, round(self.height() * self.devicePixelRatioF()))
        step = max(1, min(height // room, width // room))
        pixels = np.ascontiguousarray(frame.image[::step, ::step])
        self._pixels = pixels  # the QImage borrows its memory
        self._image = QImage(
            pixels.data,
            pixels.shape[1],
            pixels.shape[0],
            pixels.strides[0],
            QImage.Format.Format_RGB888,
        )
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image.isNull():
            painter.fillRect(self.rect(), QColor(self._theme.colours.field))
            painter.setPen(QColor(self._theme.colours.muted))
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("Waiting for a picture")
            )
            return
        fitted = QSize(self._image.size())
        fitted.scale(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRect(
            (self.width() - fitted.width()) // 2,
            (self.height() - fitted.height()) // 2,
            fitted.width(),
            fitted.height(),
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self._image)
