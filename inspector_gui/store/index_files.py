"""The index of a feature folder on disk: one file, and a small one that says what it covers."""

import hashlib
import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from inspector_gui.core.index import IndexFacts, VectorIndex, open_index
from inspector_gui.store.files import disk_error, write_whole
from inspector_gui.store.picture_rows import Keys

_FORMAT = 1
_META, _NAME = "pooled.index.json", "pooled-{}.ivf"


@dataclass(frozen=True)
class _Described:
    """What the small file says: the large one's name and size, the rows it was made of."""

    file: str
    size: int
    digest: str
    facts: IndexFacts


class IndexFiles:
    """Opens and replaces the index of one feature folder.

    The small file names the large one and is written last, so the two always belong together. An
    index that is damaged, of another format or of other rows counts as none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: bytes = b""
        self._index: VectorIndex | None = None

    def open(self, keys: Keys, width: int) -> VectorIndex | None:
        """Return the index of the first rows of a folder with these hashes, or None.

        `width`: values of a row. Maps the file once, and again when another one took its place.
        """
        try:
            described = (self._folder / _META).read_bytes()
        except OSError:
            self._read, self._index = b"", None
            return None
        if described != self._read:
            self._read, self._index = described, None
            with suppress(OSError, ValueError, TypeError, KeyError):
                self._index = self._open(_parsed(described), keys, width)
        return self._index

    def write(self, index: VectorIndex, keys: Keys) -> None:
        """Put an index of the first rows into the folder's place; `keys`: their hashes.

        Raises `KnownError` where the disk is full; the old index is still there then.
        """
        name = _NAME.format(secrets.token_hex(4))
        temporary = self._folder / f".{name}.tmp"
        try:
            with temporary.open("wb") as file:
                index.write(file)
                file.flush()
                os.fsync(file.fileno())
            size = temporary.stat().st_size
            temporary.replace(self._folder / name)
            described = {
                "format": _FORMAT,
                "file": name,
                "bytes": size,
                "digest": _digest(keys, index.facts.rows),
                "facts": asdict(index.facts),
            }
            write_whole(self._folder / _META, json.dumps(described, indent=2).encode())
        except BaseException as error:
            for path in (temporary, self._folder / name):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise disk_error(error, self._folder) from error
            raise
        self._remove_but(name)

    def remove(self) -> None:
        """Delete the index of a folder that is begun anew; without one nothing happens."""
        with suppress(OSError):
            (self._folder / _META).unlink(missing_ok=True)
        self._remove_but("")

    def _remove_but(self, name: str) -> None:
        for pattern in (_NAME.format("*"), f".{_NAME.format('*')}.tmp"):
            for path in self._folder.glob(pattern):
                if path.name != name:
                    with suppress(OSError):  # some systems keep a file that is mapped
                        path.unlink()

    def _open(self, described: _Described, keys: Keys, width: int) -> VectorIndex | None:
        path, facts = self._folder / described.file, described.facts
        if facts.width != width or facts.rows > len(keys) or path.parent != self._folder:
            return None
        if path.stat().st_size != described.size:
            return None
        if _digest(keys, facts.rows) != described.digest:
            return None
        return open_index(path, facts)


def _parsed(data: bytes) -> _Described:
    values = json.loads(data)
    if values["format"] != _FORMAT:
        raise ValueError(f"format {values['format']}")
    facts = IndexFacts(**values["facts"])
    return _Described(str(values["file"]), int(values["bytes"]), str(values["digest"]), facts)


def _digest(keys: Keys, rows: int) -> str:
    return hashlib.sha256(keys[:rows].data).hexdigest()
