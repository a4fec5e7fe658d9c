"""Lists of nearest references that are mended, not made anew, when references come and go."""

from typing import Any

import numpy as np
import numpy.typing as npt

from inspector_gui.core.neighbours import Ints, squared_distances
from inspector_gui.core.types import Floats

_PAIRS_AT_ONCE = 4096
_ROUNDING = 2.0**-22  # a dimension, of the norms: above what float32 products are off by
_FIRST_ROWS = 64

Doubles = npt.NDArray[np.float64]


class NeighbourLists:
    """Pictures with their vectors and their lists of nearest references, densely numbered.

    `listed` is the longest a list gets. The `ids` of a list are rows of the references, nearest
    first; the first `count` of them hold. A list is true within its radius: every reference
    nearer than that, of those that were there when it was made or were announced since, is in it.
    """

    def __init__(self, listed: int) -> None:
        self.keys: list[str] = []
        self.row: dict[str, int] = {}
        self._all_vectors = np.empty((0, 0), np.float32)
        self._all_shifted = np.empty((0, 0), np.float32)
        self._all_lists = np.zeros(
            0,
            [
                ("norm", np.float32),
                ("count", np.int32),
                ("ids", np.int32, listed),
                ("distances", np.float64, listed),
                ("radius", np.float64),
                ("born_at", np.int64),  # serial numbers of the table
                ("settled_at", np.int64),  # 0: pending
                ("is_announced", np.bool_),
            ],
        )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def vectors(self) -> Floats:
        return self._all_vectors[: len(self.keys)]

    @property
    def shifted(self) -> Floats:
        return self._all_shifted[: len(self.keys)]

    @property
    def lists(self) -> npt.NDArray[np.void]:
        return self._all_lists[: len(self.keys)]

    @property
    def pending(self) -> int:
        return int(np.count_nonzero(self.lists["settled_at"] == 0))

    def first_pending(self, count: int) -> Ints:
        return np.flatnonzero(self.lists["settled_at"] == 0)[:count]

    def append(self, key: str, vector: Floats, shifted: Floats, serial: int) -> None:
        row = len(self)
        if row == len(self._all_lists):
            capacity = max(_FIRST_ROWS, row * 3 // 2)
            self._all_vectors = _grown(self._all_vectors, (capacity, len(vector)), row)
            self._all_shifted = _grown(self._all_shifted, (capacity, len(vector)), row)
            self._all_lists = _grown(self._all_lists, (capacity,), row)
        self.row[key] = row
        self.keys.append(key)
        self.vectors[row], self.shifted[row] = vector, shifted
        self.lists[row] = np.zeros((), self.lists.dtype)
        self.lists["norm"][row] = shifted @ shifted
        self.lists["born_at"][row] = serial

    def swap_out(self, key: str) -> None:
        """Remove a picture; the last one takes its row."""
        gone, last = self.row.pop(key), len(self) - 1
        for values in (self.vectors, self.shifted, self.lists):
            values[gone] = values[last]
        moved = self.keys.pop()
        if gone != last:
            self.keys[gone] = moved
            self.row[moved] = gone

    def forget(self, gone: int, last: int, least: int) -> None:
        """Drop a reference from all lists, call `last` by its row; short lists become pending."""
        lists = self.lists
        ids = lists["ids"]
        listed = np.arange(ids.shape[1]) < lists["count"][:, None]
        hit = (ids == gone) & listed
        touched = np.flatnonzero(hit.any(axis=1))
        order = np.argsort(hit[touched], axis=1, kind="stable")
        for name in ("ids", "distances"):
            lists[name][touched] = np.take_along_axis(lists[name][touched], order, axis=1)
        lists["count"][touched] -= 1
        ids[ids == last] = gone
        lists["settled_at"][touched[lists["count"][touched] < least]] = 0

    def distances_to(self, rows: "NeighbourLists", block: Ints) -> tuple[Floats, Floats]:
        """Return squared distances from some rows of `rows` to all of these, by products.

        float32, block x rows; and how far each row of them can be off.
        """
        if not len(self):
            return np.empty((len(block), 0), np.float32), np.zeros(len(block), np.float32)
        norms, own = rows.lists["norm"][block], self.lists["norm"]
        distances = (-2 * rows.shifted[block]) @ self.shifted.T
        distances += own
        distances += norms[:, None]
        slack = _ROUNDING * self.shifted.shape[1] * (norms + own.max())
        return distances, np.asarray(slack, np.float32)

    def enter(
        self, references: "NeighbourLists", block: Ints, distances: Floats, slack: Floats
    ) -> None:
        """Put new references where they belong in the lists that were made before they came."""
        lists = self.lists
        settled_at, born_at = lists["settled_at"], references.lists["born_at"][block]
        unaware = (settled_at > 0) & (settled_at < born_at[:, None])
        near = unaware & (distances <= lists["radius"] + slack[:, None])
        for place in np.flatnonzero(near.any(axis=1)):
            new, touched = int(block[place]), np.flatnonzero(near[place])
            exact = squared_distances(references.vectors[new], self.vectors[touched])
            for row, distance in zip(touched, exact, strict=True):
                self._insert(int(row), new, float(distance))

    def _insert(self, row: int, new: int, distance: float) -> None:
        a_list = self.lists[row]
        count, ids, distances = int(a_list["count"]), a_list["ids"], a_list["distances"]
        if distance >= a_list["radius"]:
            return
        place = int(np.searchsorted(distances[:count], distance, side="right"))
        if count == len(ids):
            a_list["radius"] = max(distance, distances[-1])
            if place == count:
                return
        else:
            a_list["count"] = count + 1
        ids[place + 1 :] = ids[place:-1].copy()
        distances[place + 1 :] = distances[place:-1].copy()
        ids[place], distances[place] = new, distance

    def fill(self, row: int, ids: Ints, distances: Doubles, *, is_all: bool) -> None:
        """Write a list anew; `is_all` where it holds every reference there is."""
        a_list = self.lists[row]
        a_list["count"] = len(ids)
        a_list["ids"][: len(ids)], a_list["distances"][: len(ids)] = ids, distances
        a_list["radius"] = np.inf if is_all else distances[-1]

    def mean_of_nearest(self, k: int) -> Doubles:
        """Return the mean of the k smallest distances of every picture; NaN without any."""
        counts = np.minimum(self.lists["count"], k)
        nearest = np.where(np.arange(k) < counts[:, None], self.lists["distances"][:, :k], 0)
        means = np.full(len(self), np.nan)
        np.divide(nearest.sum(axis=1), counts, out=means, where=counts > 0)
        return means


def nearest_by_products(
    query: Floats, rows: Floats, approximate: Floats, wanted: int, slack: float
) -> tuple[Ints, Doubles]:
    """Return the `wanted` nearest rows and their true distances, nearest first.

    `approximate`: distances by products, off by `slack` at most.
    """
    if wanted == 0:
        return np.empty(0, np.int64), np.empty(0)
    reach = np.partition(approximate, wanted - 1)[wanted - 1] + 2 * slack
    candidates = np.flatnonzero(approximate <= reach)
    if len(candidates) > _PAIRS_AT_ONCE:
        candidates = candidates[np.argsort(approximate[candidates], kind="stable")]
    best, exact = np.empty(0, np.int64), np.empty(0)
    for start in range(0, len(candidates), _PAIRS_AT_ONCE):
        some = candidates[start : start + _PAIRS_AT_ONCE]
        if start and exact[-1] <= max(approximate[some[0]] - slack, 0):
            break
        best = np.concatenate([best, some])
        exact = np.concatenate([exact, squared_distances(query, rows[some])])
        order = np.argsort(exact, kind="stable")[:wanted]
        best, exact = best[order], exact[order]
    return best, exact


def _grown(values: npt.NDArray[Any], shape: tuple[int, ...], used: int) -> npt.NDArray[Any]:
    grown = np.zeros(shape, values.dtype)
    if used:
        grown[:used] = values[:used]
    return grown
