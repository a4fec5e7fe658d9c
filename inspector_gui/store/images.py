"""Picture files of a workspace, named by the SHA-256 of their bytes, each with a thumbnail."""

import hashlib
from contextlib import suppress
from pathlib import Path

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import (
    SUFFIXES,
    UnreadableImage,
    read_bytes,
    read_image,
    thumbnail,
)
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB
from inspector_gui.store.files import disk_error, write_whole

THUMBNAIL_SIDE = 160
"""Longer side of a stored thumbnail, in pixels."""
_UNKNOWN_SUFFIX = ".bin"


class ImageStore:
    """`images/ab/ab….png` and `thumbnails/ab/ab….jpg` below one folder.

    A file never changes once it is there, so every method may be called from any thread.
    """

    def __init__(self, folder: Path) -> None:
        self._images = folder / "images"
        self._thumbnails = folder / "thumbnails"
        try:
            self._images.mkdir(parents=True, exist_ok=True)
            self._thumbnails.mkdir(exist_ok=True)
        except OSError as error:
            raise disk_error(error, folder) from error

    def add(self, data: bytes, image: RGB, suffix: str) -> str:
        """Keep a picture file and return the SHA-256 of its bytes, 64 hexadecimal digits.

        `image` is what `data` decodes to (uint8, H x W x 3, RGB), `suffix` the ending of its file
        name with the dot. A file that is already there stays untouched. Raises `KnownError` where
        the disk is full or refuses; no half-written file is left then.
        """
        sha256 = hashlib.sha256(data).hexdigest()
        if self._find(sha256) is None:
            write_whole(self._images / sha256[:2] / (sha256 + known_suffix(suffix)), data)
        if not self._thumbnail_path(sha256).exists():
            self._write_thumbnail(sha256, thumbnail(image, THUMBNAIL_SIDE))
        return sha256

    def path(self, sha256: str) -> Path:
        """Return the file of a picture; raises `KnownError` where it is missing."""
        path = self._find(sha256)
        if path is None:
            raise KnownError(
                f"The picture {sha256[:12]} is missing from {self._images}. "
                "Put the file back from a copy of the workspace."
            )
        return path

    def read(self, sha256: str) -> bytes:
        """Return the bytes of a picture file; raises `KnownError` where that is impossible."""
        return read_bytes(self.path(sha256))

    def thumbnail(self, sha256: str) -> RGB:
        """Return a small picture: uint8, h x w x 3, RGB, longer side at most 160 pixels.

        A missing or damaged thumbnail file is made again from the picture. Raises `KnownError`
        where the picture itself is missing or unreadable.
        """
        try:
            return read_image(self._thumbnail_path(sha256))
        except UnreadableImage:
            small = thumbnail(read_image(self.path(sha256)), THUMBNAIL_SIDE)
        with suppress(KnownError):  # a full disk must not cost the view
            self._write_thumbnail(sha256, small)
        return small

    def _write_thumbnail(self, sha256: str, small: RGB) -> None:
        write_whole(self._thumbnail_path(sha256), encode_jpeg(small), durable=False)

    def _find(self, sha256: str) -> Path | None:
        return next((self._images / sha256[:2]).glob(f"{sha256}.*"), None)

    def _thumbnail_path(self, sha256: str) -> Path:
        return self._thumbnails / sha256[:2] / f"{sha256}.jpg"


def known_suffix(suffix: str) -> str:
    """Return `suffix` in lower case where it names a kind of picture, else `.bin`."""
    lower = suffix.lower()
    return lower if lower in SUFFIXES else _UNKNOWN_SUFFIX


def encode_jpeg(image: RGB) -> bytes:
    """Return `image` (uint8, H x W x 3, RGB) as a JPEG file, for small pictures of pictures."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, 88]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
    assert done
    return np.asarray(data, np.uint8).tobytes()
