"""Maps of many parts in one file, for looking at: written one after the other, read one by one."""

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from inspector_gui.core.types import Floats
from inspector_gui.store.files import disk_error

MOST_BYTES = 64_000_000
"""Of an archive, which is read whole; further maps are left out."""


class MapArchive:
    """A new file of maps; `add` raises `KnownError` where the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        try:
            self._file = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as error:
            raise disk_error(error, path.parent) from error

    def add(self, name: str, patches: Floats | None) -> None:
        """Add a map (float32, h x w; None: there is none) unless the archive is full."""
        if patches is None or self._size + patches.nbytes > MOST_BYTES:
            return
        packed = io.BytesIO()
        np.save(packed, np.asarray(patches, np.float32), allow_pickle=False)
        try:
            self._file.writestr(name, packed.getvalue())
        except OSError as error:
            raise disk_error(error, self._path.parent) from error
        self._size += patches.nbytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def map_in(archive: bytes, name: str) -> Floats | None:
    """Return a map (float32, h x w) out of the bytes of an archive, None where it has none."""
    with suppress(KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile):
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            packed = file.read(name)
        return np.asarray(np.load(io.BytesIO(packed), allow_pickle=False), np.float32)
    return None
