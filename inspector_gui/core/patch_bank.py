"""The memory bank of PatchCore: patches chosen greedily from the references, searched exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from inspector_gui.core.coreset import Cover, greedy
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Gallery
from inspector_gui.core.neighbours import Ints, ShouldStop, float_distances, smallest
from inspector_gui.core.patches import patch_area, patches_of
from inspector_gui.core.types import Floats, Progress

_BLOCK = 4096  # patches of the bank in one product: 13 MB for the places of a 224 x 224 input
_ROUNDING = 2.0**-22  # a dimension, of the norms: above what float32 products are off by


@dataclass(frozen=True, eq=False)
class PatchBank:
    """Chosen patches of R references and how they were chosen.

    `vectors`: float32, M x D, in the order of their `places`; may be a map of a file. `cover` is
    the greedy choice among all patches, reference after reference, and can be gone on with.
    `areas`: int64, R x 4, the patches that each reference has (see `patches.patch_area`).
    """

    vectors: Floats
    cover: Cover
    areas: Ints

    @cached_property
    def places(self) -> Ints:
        """Which of all patches, reference after reference, each vector is: int64, M, ascending."""
        return np.sort(self.cover.chosen)

    @cached_property
    def starts(self) -> Ints:
        """Where each reference's vectors begin: int64, R + 1."""
        return np.searchsorted(self.places, self._offsets).astype(np.int64)

    def origin(self, vector: int) -> tuple[int, tuple[int, int]]:
        """Return the reference's index, and the row and column of its grid, of a vector."""
        index = int(np.searchsorted(self.starts, vector, side="right")) - 1
        top, left, _, right = (int(side) for side in self.areas[index])
        place = int(self.places[vector] - self._offsets[index])
        row, column = divmod(place, right - left)
        return index, (top + row, left + column)

    @cached_property
    def _offsets(self) -> Ints:
        return offsets_of(self.areas)

    @cached_property
    def _norms(self) -> Floats:
        return np.asarray(np.einsum("md,md->m", self.vectors, self.vectors), np.float32)

    def __len__(self) -> int:
        return len(self.vectors)

    def parts(self, skip: int | None) -> tuple[slice, ...]:
        """Return where the vectors are, without those of the reference at index `skip`."""
        if skip is None:
            return (slice(0, len(self)),)
        return slice(0, int(self.starts[skip])), slice(int(self.starts[skip + 1]), len(self))

    def nearest(
        self,
        queries: Floats,
        *,
        skip: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> tuple[Floats, Ints]:
        """Return the squared distance to each query's nearest vector, and which that is.

        `queries`: float32, Q x D; results float32 and int64, Q. `skip` leaves out the patches of
        one reference by its index. Exact: products only tell which vectors may be nearest, the
        distances are summed over differences in double precision. Once `should_stop` is true the
        rest is not searched and distances are infinite where nothing was.

        Raises `KnownError` where no vector is left.
        """
        parts = self.parts(skip)
        if sum(part.stop - part.start for part in parts) == 0:
            raise KnownError("There is no reference to compare with; add pictures of good parts.")
        squares = np.einsum("qd,qd->q", queries, queries)
        slack = _ROUNDING * queries.shape[1] * (squares + self._norms.max())
        doubled = -2 * queries
        best = np.full(len(queries), np.inf, np.float32)
        found: list[tuple[Ints, Ints, Floats]] = []
        for part in parts:
            for first in range(part.start, part.stop, _BLOCK):
                if should_stop():
                    break
                block = slice(first, min(first + _BLOCK, part.stop))
                products = doubled @ self.vectors[block].T
                products += self._norms[block]
                np.minimum(best, products.min(axis=1), out=best)
                reach = best + 2 * slack
                places = np.flatnonzero(products <= reach[:, None])
                who, which = np.divmod(places, products.shape[1])
                found.append((who, which + first, products.ravel()[places]))
        return self._decided(queries, best + 2 * slack, found)

    def _decided(
        self, queries: Floats, reach: Floats, found: list[tuple[Ints, Ints, Floats]]
    ) -> tuple[Floats, Ints]:
        """Return the truly nearest of the candidates within reach: query, vector, product."""
        distances = np.full(len(queries), np.inf, np.float32)
        nearest = np.full(len(queries), -1, np.int64)
        if not found:
            return distances, nearest
        who, which, products = (np.concatenate(values) for values in zip(*found, strict=True))
        possible = products <= reach[who]
        who, which = who[possible], which[possible]
        difference = queries[who].astype(np.float64) - self.vectors[which]
        exact = np.einsum("nd,nd->n", difference, difference)
        order = np.lexsort((which, exact, who))
        first = order[np.flatnonzero(np.diff(who[order], prepend=-1))]
        distances[who[first]], nearest[who[first]] = exact[first], which[first]
        return distances, nearest

    def neighbours(self, vector: int, count: int, *, skip: int | None = None) -> Ints:
        """Return the `count` vectors nearest to one of them (itself among them): int64."""
        indices = np.concatenate([np.arange(part.start, part.stop) for part in self.parts(skip)])
        distances = float_distances(self.vectors[vector], self.vectors)[indices]
        return np.asarray(indices[smallest(distances, min(count, len(indices)))], np.int64)


def choose_patches(
    gallery: Gallery,
    share: float,
    *,
    order: Sequence[int] | None = None,
    cover: Cover | None = None,
    folder: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> PatchBank:
    """Choose a share of the references' patches by the greedy k-centre rule, from the first on.

    `order`: the rows of the gallery whose patches count (None: all), in the order of the bank.
    `cover` goes on from an earlier choice among these patches (see `Cover.without`, `with_rows`);
    what it chose stays chosen. `folder` is where patches are kept meanwhile.

    Raises `KnownError` without references, `Cancelled` once `should_stop` is true.
    """
    order = list(range(len(gallery))) if order is None else list(order)
    if not order:
        raise KnownError("There is no reference to compare with; add pictures of good parts.")
    areas = areas_of(gallery, order)
    total = int(offsets_of(areas)[-1])
    count = max(1, round(share * total), 0 if cover is None else len(cover.chosen))
    with patches_of(gallery, order, folder=folder, report=report, should_stop=should_stop) as rows:
        chosen = greedy(
            rows,
            count,
            cover=cover,
            report=partial(_told, report, count),
            should_stop=should_stop,
        )
        report(Progress("patches chosen", count, count))
        return PatchBank(np.ascontiguousarray(rows[np.sort(chosen.chosen)]), chosen, areas)


def areas_of(gallery: Gallery, rows: Sequence[int]) -> Ints:
    """Return the patches that some references have: int64, len(rows) x 4 (see `patch_area`)."""
    areas = [patch_area(gallery.levels(row), gallery.inside(row)) for row in rows]
    return np.array(areas, np.int64).reshape(len(rows), 4)


def offsets_of(areas: Ints) -> Ints:
    """Return where each reference's patches begin among those of all: int64, R + 1."""
    counts = (areas[:, 2] - areas[:, 0]) * (areas[:, 3] - areas[:, 1])
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _told(report: Callable[[Progress], None], total: int, done: int) -> None:
    report(Progress("patches chosen", min(done, total - 1), total))
