"""Features of pictures on disk: packed, append-only, memory-mapped. Owned by one thread."""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np

from inspector_gui.core.features import Features, FeatureShape
from inspector_gui.core.types import Floats
from inspector_gui.store.files import disk_error, write_whole

_FORMAT = 1
_HASH_BYTES = 32
_FLOAT = np.dtype("<f4")
_POOLED, _LEVELS, _HASHES, _META = "pooled.f32", "levels.f32", "hashes.bin", "meta.json"


class StoredGallery:
    """Some rows of a feature store, in a fixed order; stays valid while the store grows.

    `pooled`: float32, N x D, in memory. The levels stay in the file.
    """

    def __init__(
        self, pooled: Floats, levels: Floats, rows: Sequence[int], shape: FeatureShape
    ) -> None:
        self._pooled = pooled
        self._levels = levels
        self._rows = tuple(rows)
        self._shapes = shape.levels

    @property
    def pooled(self) -> Floats:
        return self._pooled

    def __len__(self) -> int:
        return len(self._rows)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        """Return views into the file's map (read-only, float32, h x w x C each), finest first."""
        if not 0 <= row < len(self._rows):
            raise IndexError(f"row {row} of a gallery of {len(self._rows)}")
        values = self._levels[self._rows[row]]
        views: list[Floats] = []
        begin = 0
        for height, width, channels in self._shapes:
            end = begin + height * width * channels
            views.append(values[begin:end].reshape(height, width, channels))
            begin = end
        fine, middle, coarse = views
        return fine, middle, coarse


class FeatureStore:
    """The features of many pictures under one `Scoring.features_key`, keyed by SHA-256.

    A row is written as levels, pooled, hash; it counts once its hash is complete, so a killed
    program leaves no half row. A folder made for other shapes is emptied and begun anew. One
    process and one thread may use a folder at a time. Raises `KnownError` where the disk refuses.
    """

    def __init__(self, folder: Path, shape: FeatureShape) -> None:
        if len(shape.levels) != 3:
            raise ValueError(f"expected 3 levels, got {len(shape.levels)}")
        self._folder = folder
        self._shape = shape
        self._level_values = shape.values - shape.pooled
        self._files: dict[str, BinaryIO] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._begin_anew_unless_shapes_match()
            for name in (_LEVELS, _POOLED, _HASHES):
                path = folder / name
                path.touch()
                self._files[name] = path.open("rb+", buffering=0)
            self._count = self._complete_rows()
            self._rows = self._read_hashes()
            self._mapped_pooled = self._map(_POOLED, shape.pooled)
            self._mapped_levels = self._map(_LEVELS, self._level_values)
        except OSError as error:
            self.close()
            raise disk_error(error, folder) from error

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def missing(self, shas: Iterable[str]) -> tuple[str, ...]:
        """Return those of `shas` that have no features here yet, in order, each once."""
        return tuple(sha for sha in dict.fromkeys(shas) if sha not in self._rows)

    def append(self, sha256: str, features: Features) -> None:
        """Add the features of a picture; does nothing where they are there already.

        Raises `ValueError` for other shapes or dtypes than the store's, `KnownError` where the
        disk is full; the store is as before then.
        """
        self._check(features)
        key = bytes.fromhex(sha256)
        if len(key) != _HASH_BYTES:
            raise ValueError(f"expected a SHA-256, got {sha256!r}")
        if sha256 in self._rows:
            return
        row = self._count
        levels = np.concatenate([level.ravel() for level in features.levels], dtype=_FLOAT)
        try:
            self._write(_LEVELS, row, levels.tobytes())
            self._write(_POOLED, row, features.pooled.astype(_FLOAT).tobytes())
            self._write(_HASHES, row, key)
        except OSError as error:
            raise disk_error(error, self._folder) from error
        self._rows[sha256] = row
        self._count += 1

    def gallery(self, shas: Sequence[str]) -> StoredGallery:
        """Return the features of `shas` as a gallery with rows in this order.

        Only `pooled` is copied to memory. Raises `KeyError` for a picture without features.
        """
        rows = [self._rows[sha] for sha in shas]
        if len(self._mapped_levels) < self._count:
            self._mapped_pooled = self._map(_POOLED, self._shape.pooled)
            self._mapped_levels = self._map(_LEVELS, self._level_values)
        pooled = np.ascontiguousarray(self._mapped_pooled[rows], np.float32)
        return StoredGallery(pooled, self._mapped_levels, rows, self._shape)

    def flush(self) -> None:
        """Wait until the disk has every row; raises `KnownError` where it refuses."""
        try:
            for name in (_LEVELS, _POOLED, _HASHES):
                os.fsync(self._files[name].fileno())
        except OSError as error:
            raise disk_error(error, self._folder) from error

    def close(self) -> None:
        """Let go of the files; may be called twice. Galleries handed out stay valid."""
        for file in self._files.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begin_anew_unless_shapes_match(self) -> None:
        wanted = {
            "format": _FORMAT,
            "pooled": self._shape.pooled,
            "levels": [list(level) for level in self._shape.levels],
        }
        meta = self._folder / _META
        with suppress(OSError, ValueError):
            if json.loads(meta.read_bytes()) == wanted:
                return
        for name in (_HASHES, _POOLED, _LEVELS):
            (self._folder / name).unlink(missing_ok=True)
        write_whole(meta, json.dumps(wanted).encode())

    def _complete_rows(self) -> int:
        sizes = {name: os.fstat(file.fileno()).st_size for name, file in self._files.items()}
        count = min(size // self._row_bytes(name) for name, size in sizes.items())
        for name, file in self._files.items():
            if sizes[name] != count * self._row_bytes(name):
                file.truncate(count * self._row_bytes(name))
        return count

    def _read_hashes(self) -> dict[str, int]:
        data = self._files[_HASHES].read(self._count * _HASH_BYTES)
        keys = (data[row * _HASH_BYTES : (row + 1) * _HASH_BYTES] for row in range(self._count))
        return {key.hex(): row for row, key in enumerate(keys)}

    def _row_bytes(self, name: str) -> int:
        if name == _HASHES:
            return _HASH_BYTES
        return _FLOAT.itemsize * (self._shape.pooled if name == _POOLED else self._level_values)

    def _write(self, name: str, row: int, data: bytes) -> None:
        file = self._files[name]
        # A failed row leaves a tail behind, so a row's place follows from its number.
        file.seek(row * self._row_bytes(name))
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]

    def _map(self, name: str, columns: int) -> Floats:
        if self._count == 0:
            return np.empty((0, columns), np.float32)
        shape = (self._count, columns)
        mapped: Floats = np.memmap(self._folder / name, dtype=_FLOAT, mode="r", shape=shape)
        return np.asarray(mapped)

    def _check(self, features: Features) -> None:
        shapes = tuple(level.shape for level in features.levels)
        if features.pooled.shape != (self._shape.pooled,) or shapes != self._shape.levels:
            raise ValueError(f"expected {self._shape}, got {features.pooled.shape} {shapes}")
        if any(a.dtype != np.float32 for a in (features.pooled, *features.levels)):
            raise ValueError("expected float32 features")
