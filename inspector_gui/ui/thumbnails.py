"""Small pictures for lists: loaded when they are painted, and only so many kept."""

from collections import OrderedDict
from collections.abc import Hashable

import numpy as np
from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPixmap
from shiboken6 import isValid

from inspector_gui.core.types import RGB
from inspector_gui.session import Session
from inspector_gui.workers.recorder import Store

_KEPT = 600
_BATCH = 8
_LONGEST_QUEUE = 160


def pixmap_of(image: RGB) -> QPixmap:
    """Return a picture (uint8, H x W x 3, RGB) as a pixmap with its own memory."""
    rows = np.ascontiguousarray(image)
    height, width = rows.shape[:2]
    picture = QImage(rows.data, width, height, rows.strides[0], QImage.Format.Format_RGB888)
    return QPixmap.fromImage(picture)


def draw_cropped(painter: QPainter, pixmap: QPixmap, target: QRect) -> None:
    """Fill `target` with the middle of a pixmap, keeping its proportions."""
    size = QSize(target.size()).scaled(pixmap.size(), Qt.AspectRatioMode.KeepAspectRatio)
    source = QRect(
        (pixmap.width() - size.width()) // 2,
        (pixmap.height() - size.height()) // 2,
        size.width(),
        size.height(),
    )
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawPixmap(QRectF(target), pixmap, QRectF(source))


class PixmapCache:
    """The pixmaps that were used last."""

    def __init__(self, capacity: int = _KEPT) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Hashable, QPixmap] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> QPixmap | None:
        """Return a pixmap, None where it is not (or no longer) here."""
        pixmap = self._kept.get(key)
        if pixmap is not None:
            self._kept.move_to_end(key)
        return pixmap

    def put(self, key: Hashable, pixmap: QPixmap) -> None:
        """Keep a pixmap in place of the one that was not used for longest."""
        self._kept[key] = pixmap
        self._kept.move_to_end(key)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


class Thumbnails(QObject):
    """Thumbnails of references by hash, asked of the recorder a few at a time, newest wish first.

    What was wished for and scrolled away meanwhile is forgotten before it is loaded, so that
    running through thousands of pictures does not hold up what else has to be stored.
    """

    arrived = Signal(object)
    """The frozenset of hashes whose thumbnails are here now."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._cache = PixmapCache()
        self._wished: OrderedDict[str, None] = OrderedDict()
        self._asked: frozenset[str] = frozenset()
        self._unusable: set[str] = set()
        session.workspace_opened.connect(self._start_over)

    def get(self, sha256: str) -> QPixmap | None:
        """Return a thumbnail, or None and have it loaded."""
        pixmap = self._cache.get(sha256)
        if pixmap is None and sha256 not in self._asked and sha256 not in self._unusable:
            self._wished[sha256] = None
            self._wished.move_to_end(sha256)
            while len(self._wished) > _LONGEST_QUEUE:
                self._wished.popitem(last=False)
            self._ask_next()
        return pixmap

    def _start_over(self) -> None:
        """Forget wishes that were made of another workspace: nobody answers them."""
        self._wished.clear()
        self._unusable.clear()
        self._asked = frozenset()

    def _ask_next(self) -> None:
        if self._asked or not self._wished:
            return
        newest = [self._wished.popitem()[0] for _ in range(min(_BATCH, len(self._wished)))]
        self._asked = asked = frozenset(newest)

        def work(store: Store) -> dict[str, RGB | None]:
            from inspector_gui.core.errors import KnownError

            found: dict[str, RGB | None] = {}
            for sha256 in newest:
                try:
                    found[sha256] = store.workspace.images.thumbnail(sha256)
                except KnownError:
                    found[sha256] = None
            return found

        def then(found: dict[str, RGB | None]) -> None:
            if isValid(self):
                self._take(asked, found)

        def otherwise(_: str) -> None:
            if isValid(self):
                self._take(asked, dict.fromkeys(asked))

        self._session.ask(work, then=then, otherwise=otherwise)

    def _take(self, asked: frozenset[str], found: dict[str, RGB | None]) -> None:
        for sha256, image in found.items():
            if image is None:
                self._unusable.add(sha256)
            else:
                self._cache.put(sha256, pixmap_of(image))
        if asked == self._asked:
            self._asked = frozenset()
        self.arrived.emit(asked)
        self._ask_next()
