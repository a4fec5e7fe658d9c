"""Who is nearest to whom in a reference set, kept up to date as pictures come and go.

Every picture lists a few of its nearest references with exact squared distances. A picture that
is added is compared with all others once, O(N D); one that is removed leaves the lists it was in,
and only lists that run short are made again. So leave-one-out scores (DN2, equation 1) follow a
set without comparing all pairs anew.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from inspector_gui.core.neighbours import Ints
from inspector_gui.core.sets.neighbour_lists import Doubles, NeighbourLists, nearest_by_products
from inspector_gui.core.types import Floats

LARGEST = 50_000
"""References a table is meant for; of a larger set it holds a fixed sample (see `sampled_keys`)."""
LISTED = 10
TURN_SECONDS = 0.04

_PRODUCTS_AT_ONCE = 150_000_000  # of a block: some 10 ms
_LARGEST_FEATURE = 1e15  # whose square float32 still holds


@dataclass(frozen=True)
class Neighbour:
    """A reference near a picture: its key and the squared distance of their features."""

    key: str
    distance: float


@dataclass(frozen=True, eq=False)
class Listed:
    """The neighbours of many pictures at once.

    `rows`: int64, N x count, places of the neighbours in the table's `references`, nearest first,
    -1 where there is none. `distances`: float64, N x count, squared, infinite where there is none.
    """

    keys: tuple[str, ...]
    rows: Ints
    distances: Doubles


def sampled_keys(keys: Iterable[str], *, most: int = LARGEST) -> list[str]:
    """Return the keys a table should hold: all, sorted, or the `most` lowest of a larger set.

    Keys are content hashes, so the lowest are a random sample that does not depend on any order
    and changes by one picture at most when one comes or goes. Scores against a sample are larger
    than against the whole set: compare them only with each other.
    """
    return sorted(keys)[:most]


class NeighbourTable:
    """The nearest references of every picture of a set.

    References (`counts=True`) are neighbours of others; other pictures (validation, known bad)
    have neighbours but are nobody's. Features are float32 vectors of one length; those that are
    no finite numbers are not compared and are named in `unusable`.

    `k`: the scores that can be asked for; each list holds `max(10, 2 k)` neighbours so that it
    survives removals. Work that is not done yet (`pending`) is done by `step`, a turn at a time.
    Not thread-safe.
    """

    def __init__(self, k: int = 2) -> None:
        if k < 1:
            raise ValueError(f"k = {k}")
        self.k = k
        self._listed = max(LISTED, 2 * k)
        self._references = NeighbourLists(self._listed)
        self._others = NeighbourLists(self._listed)
        self._unusable: set[str] = set()
        self._serial = 0
        self._origin: Floats | None = None

    def __len__(self) -> int:
        """Return the number of references that are compared."""
        return len(self._references)

    def __contains__(self, key: object) -> bool:
        return key in self._references.row or key in self._others.row or key in self._unusable

    @property
    def references(self) -> tuple[str, ...]:
        """Keys of the references that are compared, in no particular order."""
        return tuple(self._references.keys)

    @property
    def others(self) -> tuple[str, ...]:
        """Keys of the other pictures that are compared, in no particular order."""
        return tuple(self._others.keys)

    @property
    def unusable(self) -> frozenset[str]:
        """Keys whose features are no finite numbers."""
        return frozenset(self._unusable)

    @property
    def pending(self) -> int:
        """Number of pictures whose neighbours are still to be found."""
        return self._references.pending + self._others.pending

    def vector(self, key: str) -> Floats:
        """Return the features of a picture: float32, D; `KeyError` if they are not compared."""
        rows = self._side_of(key)
        return np.asarray(rows.vectors[rows.row[key]], np.float32)

    def add(self, key: str, vector: Floats, *, counts: bool = True) -> None:
        """Add a picture and find its neighbours at once: O(N D). A known key is left alone."""
        rows = self._references if counts else self._others
        if self._append(key, vector, counts=counts):
            self._settle(rows, np.array([len(rows) - 1]))

    def extend(self, vectors: Mapping[str, Floats], *, counts: bool = True) -> None:
        """Add many pictures; their neighbours are found by `step`."""
        for key, vector in vectors.items():
            self._append(key, vector, counts=counts)

    def remove(self, key: str) -> None:
        """Take a picture out; lists that run short by it become `pending`.

        Raises `KeyError` for a picture that is not in the table.
        """
        if key in self._unusable:
            self._unusable.remove(key)
            return
        rows = self._side_of(key)
        gone, last = rows.row[key], len(rows) - 1
        rows.swap_out(key)
        if rows is self._references:
            for side in (self._references, self._others):
                short = min(self.k, len(self._references) - (side is self._references))
                side.forget(gone, last, short)

    def step(self, seconds: float = TURN_SECONDS) -> bool:
        """Do pending work for about `seconds`; returns whether some is left."""
        end = time.perf_counter() + seconds
        for rows in (self._references, self._others):
            while rows.pending:
                size = max(1, len(self._references) * rows.vectors.shape[1])
                self._settle(rows, rows.first_pending(max(1, _PRODUCTS_AT_ONCE // size)))
                if time.perf_counter() >= end:
                    return self.pending > 0
        return False

    def finish(self) -> None:
        """Do all pending work."""
        while self.step():
            pass

    def neighbours(self, key: str) -> tuple[Neighbour, ...]:
        """Return the listed nearest references of a picture, nearest first; none if not compared.

        At least k, or all there are; a reference is not its own neighbour. Finishes pending work.
        """
        self.finish()
        if key in self._unusable:
            return ()
        rows = self._side_of(key)
        row = rows.row[key]
        count, ids, distances = (rows.lists[name][row] for name in ("count", "ids", "distances"))
        pairs = zip(ids[:count], distances[:count], strict=True)
        found = [Neighbour(self._references.keys[i], float(d)) for i, d in pairs]
        return tuple(sorted(found, key=lambda n: (n.distance, n.key)))

    def listed(self, count: int, *, counts: bool = True) -> "Listed":
        """Return the lists of all references (or of all others), cut to `count` neighbours.

        Finishes pending work.
        """
        self.finish()
        rows = self._references if counts else self._others
        width = min(count, self._listed)
        is_there = np.arange(width) < rows.lists["count"][:, None]
        return Listed(
            tuple(rows.keys),
            np.where(is_there, rows.lists["ids"][:, :width], -1).astype(np.int64),
            np.where(is_there, rows.lists["distances"][:, :width], np.inf),
        )

    def leave_one_out(self, k: int | None = None) -> dict[str, float]:
        """Return DN2's score of every reference against all others, by key.

        The mean of the k smallest squared distances (the table's own k by default), itself
        excluded by its index, so duplicates count; k is cut to the number of others. A single
        reference has no score. Finishes pending work.
        """
        return self._scores(self._references, k)

    def other_scores(self, k: int | None = None) -> dict[str, float]:
        """Return DN2's score of every picture that is no reference, by key."""
        return self._scores(self._others, k)

    def _scores(self, rows: NeighbourLists, k: int | None) -> dict[str, float]:
        k = self.k if k is None else k
        if not 1 <= k <= self.k:
            raise ValueError(f"k = {k} of a table for {self.k}")
        self.finish()
        means = rows.mean_of_nearest(k)
        return {key: float(m) for key, m in zip(rows.keys, means, strict=True) if np.isfinite(m)}

    def _side_of(self, key: str) -> NeighbourLists:
        return self._references if key in self._references.row else self._others

    def _append(self, key: str, vector: Floats, *, counts: bool) -> bool:
        """Take a picture in without its neighbours; False if there is nothing to compare."""
        if key in self:
            return False
        vector = np.asarray(vector, np.float32)
        if self._origin is not None and vector.shape != self._origin.shape:
            raise ValueError(f"features {vector.shape} do not fit {self._origin.shape}")
        if not (np.abs(vector) < _LARGEST_FEATURE).all():
            self._unusable.add(key)
            return False
        if self._origin is None:
            self._origin = vector.copy()  # products round less around one of the pictures
        self._serial += 1
        rows = self._references if counts else self._others
        rows.append(key, vector, vector - self._origin, self._serial)
        return True

    def _settle(self, rows: NeighbourLists, block: Ints) -> None:
        """Find the neighbours of some pictures, and show new references to the settled lists."""
        references = self._references
        distances, slack = references.distances_to(rows, block)
        if rows is references:
            self._announce(block, distances, slack)
            distances[np.arange(len(block)), block] = np.inf
        available = len(references) - (rows is references)
        wanted = min(self._listed, available)
        for row, approximate, room in zip(block, distances, slack, strict=True):
            ids, exact = nearest_by_products(
                rows.vectors[row], references.vectors, approximate, wanted, room
            )
            rows.fill(int(row), ids, exact, is_all=wanted == available)
        rows.lists["settled_at"][block] = self._serial

    def _announce(self, block: Ints, distances: Floats, slack: Floats) -> None:
        """Enter new references (`block`) into the settled lists that were made before they came.

        `distances`: from `block` to all references, by products, off by `slack` at most.
        """
        references = self._references
        is_new = ~references.lists["is_announced"][block]
        block, distances, slack = block[is_new], distances[is_new], slack[is_new]
        references.lists["is_announced"][block] = True
        references.enter(references, block, distances, slack)
        self._others.enter(references, block, *self._others.distances_to(references, block))
