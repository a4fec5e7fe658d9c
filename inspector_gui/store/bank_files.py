"""Memory banks of PatchCore on disk: one file each, beside the features they were chosen from.

A bank is named by its share and its references. Where some references differ from those of a bank
that is there, the new bank goes on from it: the patches of references that left go, and are made
up for by the greedy choice among all others, with the new references' patches at its end.
So a grown bank covers every patch at most as badly as the greedy rule lets it, but it is not the
bank that a choice from nothing would have made: what was chosen earlier stays chosen, wherever
the new patches lie. After changes of a quarter of the references it is chosen from nothing.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspector_gui.core.coreset import Cover
from inspector_gui.core.digests import digest_of
from inspector_gui.core.features import Gallery
from inspector_gui.core.neighbours import Ints, ShouldStop
from inspector_gui.core.patch_bank import PatchBank, areas_of, choose_patches, offsets_of
from inspector_gui.core.types import Progress, Scoring
from inspector_gui.store.files import disk_error

_FORMAT = 2
_NAME = "patches-{}-{}.bank"
_KEPT = 4  # banks of one share: also those of what was undone, or of another set
_MOST_CHANGES = 0.25  # of the references, before a bank is chosen from nothing again
_ALIGNED = 64
_LENGTH_BYTES = 8


@dataclass(frozen=True, eq=False)
class StoredBank:
    """A bank, the references it is of in its own order, and how many of them came or went.

    Since it was chosen from nothing, that is.
    """

    bank: PatchBank
    hashes: tuple[str, ...]
    changes: int = 0

    def rows(self, hashes: Sequence[str]) -> Ints:
        """Return which row of a gallery of `hashes` each reference of the bank is."""
        row_of = {sha: row for row, sha in enumerate(hashes)}
        return np.array([row_of[sha] for sha in self.hashes], np.int64)


class BankFiles:
    """The banks in one feature folder for one share of the patches."""

    def __init__(self, folder: Path, scoring: Scoring) -> None:
        self._folder, self._share = folder, scoring.coreset

    def open(self, hashes: Sequence[str]) -> StoredBank | None:
        """Return the bank of exactly these references, mapped; None where there is none.

        A file that is damaged or of another format counts as none.
        """
        stored = read_bank(self._path(hashes))
        return stored if stored and sorted(stored.hashes) == sorted(hashes) else None

    def relative(self, hashes: Sequence[str]) -> StoredBank | None:
        """Return the bank that the one of these references can go on from, None for no such."""
        wanted = frozenset(hashes)
        best: StoredBank | None = None
        fewest = _MOST_CHANGES * len(wanted)
        for path in self._folder.glob(_NAME.format(self._key, "*")):
            stored = read_bank(path)
            if stored is None:
                continue
            changes = stored.changes + len(wanted.symmetric_difference(stored.hashes))
            if changes <= fewest and not wanted.isdisjoint(stored.hashes):
                best, fewest = stored, changes
        return best

    def make(
        self,
        gallery: Gallery,
        hashes: Sequence[str],
        *,
        report: Callable[[Progress], None] = lambda _: None,
        should_stop: ShouldStop = lambda: False,
    ) -> StoredBank:
        """Choose the bank of a gallery with these rows and write it; raises as `choose_patches`."""
        before = self.relative(hashes)
        order = tuple(hashes)
        cover, changes = None, 0
        if before is not None:
            cover, order = _carried_over(before, gallery, hashes)
            changes = before.changes + len(frozenset(hashes) ^ frozenset(before.hashes))
        row_of = {sha: row for row, sha in enumerate(hashes)}
        bank = choose_patches(
            gallery, self._share, order=[row_of[sha] for sha in order], cover=cover,
            folder=self._folder, report=report, should_stop=should_stop,
        )  # fmt: skip
        stored = StoredBank(bank, order, changes)
        self.write(stored)
        return stored

    def write(self, stored: StoredBank) -> None:
        """Write a bank whole; raises `KnownError` where the disk refuses.

        The oldest of more than four go.
        """
        path = self._path(stored.hashes)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("wb") as file:
                file.writelines(packed_bank(stored))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException as error:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise disk_error(error, self._folder) from error
            raise
        self._remove_oldest()

    @property
    def _key(self) -> str:
        return f"{self._share:g}"

    def _path(self, hashes: Sequence[str]) -> Path:
        return self._folder / _NAME.format(self._key, digest_of(sorted(hashes)))

    def _remove_oldest(self) -> None:
        with suppress(OSError):  # another process may remove the same, or map one
            paths = list(self._folder.glob(_NAME.format(self._key, "*")))
            paths.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for path in paths[_KEPT:]:
                path.unlink(missing_ok=True)


def packed_bank(stored: StoredBank) -> Iterator[bytes | memoryview]:
    """Yield the file of a bank piece by piece."""
    bank = stored.bank
    header = {
        "format": _FORMAT,
        "references": list(stored.hashes),
        "changes": stored.changes,
        "areas": bank.areas.tolist(),
        "width": bank.vectors.shape[1],
        "chosen": len(bank.cover.chosen),
    }
    data = json.dumps(header).encode()
    yield len(data).to_bytes(_LENGTH_BYTES, "little") + data
    written = _LENGTH_BYTES + len(data)
    for values, (dtype, _) in zip(_arrays(bank), _layout(header), strict=True):
        gap = -written % _ALIGNED
        yield bytes(gap)
        yield np.ascontiguousarray(values, dtype).data
        written += gap + values.size * np.dtype(dtype).itemsize


def read_bank(path: Path) -> StoredBank | None:
    """Return the bank in a file, mapped; None where it is damaged or of another format."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < length <= path.stat().st_size:
                return None
            header = json.loads(file.read(length))
        if header["format"] == _FORMAT:
            return _mapped(path, header, _LENGTH_BYTES + length)
    return None


def _arrays(bank: PatchBank) -> tuple[np.ndarray, ...]:
    cover = bank.cover
    return bank.vectors, cover.chosen, cover.distances, cover.seen, cover.nearest


def _layout(header: dict[str, object]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return dtype and shape of the arrays in the file."""
    chosen, width = (int(str(header[name])) for name in ("chosen", "width"))
    patches = int(offsets_of(_areas(header))[-1])
    rest = (("<f4", (patches,)), ("<i4", (patches,)), ("<i4", (patches,)))
    return (("<f4", (chosen, width)), ("<i8", (chosen,)), *rest)


def _mapped(path: Path, header: dict[str, object], offset: int) -> StoredBank | None:
    """Return the bank in a file; raises what numpy does where the file is too short."""
    arrays = []
    for dtype, shape in _layout(header):
        offset += -offset % _ALIGNED
        array = np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape)
        arrays.append(np.asarray(array))
        offset += array.nbytes
    if path.stat().st_size != offset:
        return None
    vectors, *rest = arrays
    hashes = tuple(str(sha) for sha in header["references"])  # type: ignore[attr-defined]
    areas = _areas(header)
    if len(areas) != len(hashes):
        return None
    bank = PatchBank(vectors, Cover(*rest), areas)
    return StoredBank(bank, hashes, int(str(header["changes"])))


def _areas(header: dict[str, object]) -> Ints:
    return np.array(header["areas"], np.int64).reshape(-1, 4)


def _carried_over(
    before: StoredBank, gallery: Gallery, hashes: Sequence[str]
) -> tuple[Cover, tuple[str, ...]]:
    """Return what a bank knows of these references, and their order: new ones at the end.

    `hashes` are the rows of `gallery`.
    """
    cover, offsets = before.bank.cover, offsets_of(before.bank.areas)
    wanted = frozenset(hashes)
    for index in reversed(range(len(before.hashes))):
        if before.hashes[index] not in wanted:
            cover = cover.without(slice(int(offsets[index]), int(offsets[index + 1])))
    kept = tuple(sha for sha in before.hashes if sha in wanted)
    known = frozenset(kept)
    rows = [row for row, sha in enumerate(hashes) if sha not in known]
    new = tuple(hashes[row] for row in rows)
    return cover.with_rows(int(offsets_of(areas_of(gallery, rows))[-1])), kept + new
