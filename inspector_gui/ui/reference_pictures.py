"""Pictures of references, read by the recorder's thread and kept at hand."""

from collections import OrderedDict
from typing import Any

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from inspector_gui.core.types import RGB
from inspector_gui.session import Session
from inspector_gui.workers.recorder import Store

_AT_HAND = 24
_LONGEST_SIDE = 1024
"""Larger references are shrunk to this: they are shown beside a part, and many are kept."""


class ReferencePictures(QObject):
    """One picture is read at a time and always the newest wish, so a fast feed queues nothing."""

    arrived = Signal()

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures: OrderedDict[str, RGB | None] = OrderedDict()
        self._wanted: tuple[str, ...] = ()
        self._is_reading = False

    def want(self, hashes: tuple[str, ...]) -> None:
        """Read these pictures as soon as possible, in place of those wanted before."""
        self._wanted = hashes
        self._read_next()

    def get(self, sha256: str) -> RGB | None:
        """Return a picture (uint8, H x W x 3, RGB), None where it is not (yet) at hand."""
        if sha256 not in self._pictures:
            return None
        self._pictures.move_to_end(sha256)
        return self._pictures[sha256]

    def _read_next(self) -> None:
        missing = next((sha for sha in self._wanted if sha not in self._pictures), None)
        if missing is None or self._is_reading:
            return
        self._is_reading = True
        sha256 = missing

        def work(store: Store) -> RGB:
            return _small_picture(store, sha256)

        def keep(picture: Any) -> None:
            if isValid(self):
                self._keep(sha256, picture)

        self._session.ask(work, then=keep, otherwise=lambda _: keep(None))

    def _keep(self, sha256: str, picture: RGB | None) -> None:
        self._is_reading = False
        self._pictures[sha256] = picture
        while len(self._pictures) > _AT_HAND:
            self._pictures.popitem(last=False)
        if sha256 in self._wanted:
            self.arrived.emit()
        self._read_next()


def _small_picture(store: Store, sha256: str) -> RGB:
    from inspector_gui.core.images import decode, thumbnail

    return thumbnail(decode(store.workspace.images.read(sha256)), _LONGEST_SIDE)
