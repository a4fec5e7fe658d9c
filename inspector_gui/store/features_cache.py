"""Features of pictures on disk: packed, append-only, memory-mapped. One thread writes a folder."""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from filelock import FileLock

from inspector_gui.core.features import Features, FeatureShape, feature_shape
from inspector_gui.core.method_options import compares_levels
from inspector_gui.core.neighbours import Ints
from inspector_gui.core.types import Floats, Scoring
from inspector_gui.store.feature_rows import (
    FLOAT,
    HASHES,
    LEVELS,
    META,
    POOLED,
    columns_of,
    files_of,
    levels_row,
    meta_of,
    row_bytes,
    stored_shape,
)
from inspector_gui.store.files import disk_error, write_whole
from inspector_gui.store.index_files import IndexFiles
from inspector_gui.store.picture_rows import Keys, PictureRows, keys_of
from inspector_gui.store.stored_gallery import StoredGallery

_LOCK = ".lock"
_BORROWED_AT_ONCE = 16_384


def features_folder(root: Path, scoring: Scoring) -> Path:
    """Return the folder below `root` that keeps the features of a scoring.

    A method that compares global features alone has a folder of its own, a thousandth of the
    size.
    """
    ending = "" if compares_levels(scoring) else "-pooled"
    return root / f"{scoring.features_key}{ending}"


def networks_beside(root: Path) -> Path:
    """Return the folder of the networks that belong to int8 recipes, beside that of features."""
    return root.with_name("networks")


def open_store(root: Path, scoring: Scoring) -> "FeatureStore":
    """Open the features of a scoring below `root`, for writing.

    Global features that the full folder of the same key has are taken over, so nothing is
    computed twice. Raises `KnownError` where the disk refuses.
    """
    folder, full = features_folder(root, scoring), root / scoring.features_key
    shape = feature_shape(scoring)
    if folder == full:
        return FeatureStore(folder, shape)
    store = FeatureStore(folder, FeatureShape(shape.pooled))
    try:
        if (full / META).exists():
            store.borrow(FeatureReader(full))
    except BaseException:
        store.close()
        raise
    return store


class FeatureReader:
    """The features that a folder holds at this moment, keyed by SHA-256; changes no file.

    Raises `KnownError` for a folder without features.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shape = stored_shape(folder)
        self._open_rows()

    def __contains__(self, sha256: str) -> bool:
        return bool(self._pictures.find(keys_of([sha256]))[0] >= 0)

    def __len__(self) -> int:
        return self._count

    @property
    def folder(self) -> Path:
        """Where the features are."""
        return self._folder

    @property
    def shape(self) -> FeatureShape:
        """The shapes of one picture's features; no levels where only the global one is kept."""
        return self._shape

    @property
    def pooled(self) -> Floats:
        """The map of all global features: float32, S x D, read-only, in the order of writing."""
        self._follow()
        return self._mapped_pooled

    @property
    def keys(self) -> Keys:
        """The map of all pictures' hashes, in the order of writing."""
        self._follow()
        return self._mapped_keys

    def missing(self, shas: Iterable[str]) -> tuple[str, ...]:
        """Return those of `shas` that have no features here yet, in order, each once."""
        shas = tuple(shas)
        absent = np.flatnonzero(self._pictures.find(keys_of(shas)) < 0)
        return tuple(dict.fromkeys(shas[place] for place in absent))

    def gallery(self, shas: Sequence[str], *, allow_approximate: bool = True) -> StoredGallery:
        """Return the features of `shas` as a gallery with rows in this order.

        Raises `KeyError` for a picture without features.
        """
        return self._gallery(self._rows_of(shas), allow_approximate=allow_approximate)

    def changed(
        self, gallery: StoredGallery, *, added: Sequence[str] = (), removed: Sequence[str] = ()
    ) -> StoredGallery:
        """Return a gallery of this folder with some pictures more or fewer.

        Far quicker than `gallery` of all again. `gallery` is in canonical order (by hash, each
        picture once) and stays valid; so is the result. What it has already is not added again.
        Raises `KeyError` for an added picture without features and a removed one it lacks.
        """
        rows = gallery.rows
        for sha, row in zip(removed, self._rows_of(removed), strict=True):
            place = self._place(rows, row)
            if place == len(rows) or rows[place] != row:
                raise KeyError(sha)
            rows = np.delete(rows, place)
        for row in self._rows_of(added):
            place = self._place(rows, row)
            if place == len(rows) or rows[place] != row:
                rows = np.insert(rows, place, row)
        return self._gallery(rows, allow_approximate=gallery.allow_approximate)

    def _gallery(self, rows: Ints, *, allow_approximate: bool) -> StoredGallery:
        self._follow()
        return StoredGallery(
            self._mapped_pooled,
            self._mapped_levels,
            rows,
            self._shape,
            index=self._index.open(self._mapped_keys, self._shape.pooled),
            allow_approximate=allow_approximate,
        )

    def _rows_of(self, shas: Sequence[str]) -> Ints:
        rows = self._pictures.find(keys_of(shas))
        if len(rows) and rows.min() < 0:
            raise KeyError(shas[int(rows.argmin())])
        return rows

    def _place(self, rows: Ints, row: int) -> int:
        """Return where a row is, or would be, among rows in the order of their hashes."""
        keys = self.keys
        wanted = keys[row].tobytes()
        low, high = 0, len(rows)
        while low < high:
            middle = (low + high) // 2
            if keys[rows[middle]].tobytes() < wanted:
                low = middle + 1
            else:
                high = middle
        return low

    def _open_rows(self) -> None:
        self._count = self._complete_rows()
        self._index = IndexFiles(self._folder)
        self._map_all()
        self._pictures = PictureRows(self._mapped_keys)

    def _complete_rows(self) -> int:
        return min(
            (self._folder / name).stat().st_size // self._row_bytes(name) for name in self._names
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return files_of(self._shape)

    def _row_bytes(self, name: str) -> int:
        return row_bytes(self._shape, name)

    def _follow(self) -> None:
        """Map the files anew where rows were added."""
        if len(self._mapped_keys) < self._count:
            self._map_all()
            if self._pictures.wants_sorting():
                self._pictures = PictureRows(self._mapped_keys)

    def _map_all(self) -> None:
        self._mapped_pooled: Floats = self._map(POOLED, FLOAT)
        self._mapped_levels: Floats = self._map(LEVELS, FLOAT)
        self._mapped_keys: Keys = self._map(HASHES, np.dtype(np.uint8))

    def _map(self, name: str, dtype: np.dtype[Any]) -> Any:
        shape = (self._count, columns_of(self._shape, name))
        if 0 in shape:
            return np.empty(shape, dtype)
        return np.asarray(np.memmap(self._folder / name, dtype=dtype, mode="r", shape=shape))


class FeatureStore(FeatureReader):
    """The features of many pictures under one `Scoring.features_key`, for writing.

    A row is written as levels, pooled, hash; it counts once its hash is complete, so a killed
    program leaves no half row. A folder made for other shapes is emptied and begun anew. Several
    processes may write a folder (the window's engine, and a training): rows are added under a lock,
    after those that another one has added meanwhile. Raises `KnownError` where the disk refuses.
    """

    def __init__(self, folder: Path, shape: FeatureShape) -> None:
        if len(shape.levels) not in (0, 3):
            raise ValueError(f"expected 3 levels or none, got {len(shape.levels)}")
        self._folder = folder
        self._shape = shape
        self._files: dict[str, BinaryIO] = {}
        self._lock = FileLock(folder / _LOCK)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._begin_anew_unless_shapes_match()
                for name in self._names:
                    path = folder / name
                    path.touch()
                    self._files[name] = path.open("rb+", buffering=0)
                self._open_rows()
        except OSError as error:
            self.close()
            raise disk_error(error, folder) from error

    def append(self, sha256: str, features: Features) -> None:
        """Add the features of a picture; does nothing where they are there already.

        A folder of global features keeps nothing else of them. Raises `ValueError` for other
        shapes or dtypes than the store's, `KnownError` where the disk is full; the store is as
        before then.
        """
        self._check(features)
        key = keys_of([sha256])
        if self._pictures.find(key)[0] >= 0:
            return
        data = {POOLED: features.pooled.astype(FLOAT).tobytes(), HASHES: key.tobytes()}
        if self._shape.levels:
            data[LEVELS] = levels_row(features, self._shape)
        self._append_rows(data, key)

    def borrow(self, lender: FeatureReader) -> int:
        """Take over the global features that a reader has and this store lacks; return how many.

        This store keeps global features alone. Raises `KnownError` where the disk is full.
        """
        if self._shape.levels:
            raise ValueError("only global features can be borrowed")
        if lender.shape.pooled != self._shape.pooled:
            return 0
        new = np.flatnonzero(self._pictures.find(lender.keys) < 0)
        for start in range(0, len(new), _BORROWED_AT_ONCE):
            rows = new[start : start + _BORROWED_AT_ONCE]
            keys = lender.keys[rows]
            pooled = lender.pooled[rows].astype(FLOAT)
            self._append_rows({POOLED: pooled.tobytes(), HASHES: keys.tobytes()}, keys)
        return len(new)

    def flush(self) -> None:
        """Wait until the disk has every row; raises `KnownError` where it refuses."""
        try:
            for file in self._files.values():
                os.fsync(file.fileno())
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
        meta = self._folder / META
        wanted = meta_of(self._shape)
        with suppress(OSError, ValueError):
            if json.loads(meta.read_bytes()) == wanted:
                return
        IndexFiles(self._folder).remove()
        for bank in self._folder.glob("patches-*.bank"):
            bank.unlink()
        for name in (HASHES, POOLED, LEVELS):
            (self._folder / name).unlink(missing_ok=True)
        write_whole(meta, json.dumps(wanted).encode())

    def _complete_rows(self) -> int:
        sizes = {name: os.fstat(file.fileno()).st_size for name, file in self._files.items()}
        count = min(size // self._row_bytes(name) for name, size in sizes.items())
        for name, file in self._files.items():
            if sizes[name] != count * self._row_bytes(name):
                file.truncate(count * self._row_bytes(name))
        return count

    def _append_rows(self, data: dict[str, bytes], keys: Keys) -> None:
        try:
            with self._lock:
                self._catch_up()
                if self._pictures.find(keys).min() >= 0:
                    return
                for name in self._names:
                    self._write(name, self._count, data[name])
        except OSError as error:
            raise disk_error(error, self._folder) from error
        for key in keys:
            self._pictures.add(key.tobytes(), self._count)
            self._count += 1
        if self._pictures.wants_sorting():
            self._follow()

    def _catch_up(self) -> None:
        """Take in the rows that another process has added."""
        size = os.fstat(self._files[HASHES].fileno()).st_size
        if size // self._row_bytes(HASHES) > self._count:
            self._count = size // self._row_bytes(HASHES)
            self._map_all()
            self._pictures = PictureRows(self._mapped_keys)

    def _write(self, name: str, row: int, data: bytes) -> None:
        file = self._files[name]
        # A failed row leaves a tail behind, so a row's place follows from its number.
        file.seek(row * self._row_bytes(name))
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]

    def _check(self, features: Features) -> None:
        parts = (features.pooled, *(features.levels if self._shape.levels else ()))
        shapes = tuple(part.shape for part in parts)
        if shapes != ((self._shape.pooled,), *self._shape.levels):
            raise ValueError(f"expected {self._shape}, got {shapes}")
        if any(part.dtype != np.float32 for part in parts):
            raise ValueError("expected float32 features")
