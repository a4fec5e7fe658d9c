"""Some rows of a feature folder as a gallery: copied to memory while few, mapped when many."""

import math
from collections.abc import Sequence

import numpy as np

from inspector_gui.core.features import EXACT, FeatureShape, PooledGallery
from inspector_gui.core.index import (
    TAIL_BUDGET,
    RowSearch,
    VectorIndex,
    exact_seconds,
    exceeds_budget,
)
from inspector_gui.core.neighbours import Ints
from inspector_gui.core.types import Floats, Inside


class StoredGallery:
    """Some rows of a feature folder, in a fixed order; stays valid while the folder grows.

    Up to `LATENCY_BUDGET` the global features are copied to memory and searched exactly; above
    it they stay in the file and an index is used where there is one. Levels stay in the file.

    `pooled`: float32, S x D, and `levels`: float32, S x V, are maps of all rows of the folder
    (V = 0: global features alone); `rows` are those chosen; `index` covers the first of them.
    """

    def __init__(
        self,
        pooled: Floats,
        levels: Floats,
        rows: Ints,
        shape: FeatureShape,
        *,
        index: VectorIndex | None = None,
        allow_approximate: bool = True,
    ) -> None:
        self._stored, self._levels, self.rows, self._shape = pooled, levels, rows, shape
        self._index = index
        self.allow_approximate = allow_approximate
        """Whether a large gallery may be searched through an index."""
        self._few: PooledGallery | None = None
        self._many: RowSearch | None = None
        if exceeds_budget(len(rows), shape.pooled) and _are_different(rows, len(pooled)):
            self._many = RowSearch(pooled, rows, index if allow_approximate else None)
        else:
            self._few = PooledGallery(np.ascontiguousarray(pooled[rows], np.float32))

    @property
    def pooled(self) -> Floats:
        """See `Gallery.pooled`: of a large gallery a new copy at every call."""
        if self._few is not None:
            return self._few.pooled
        return np.ascontiguousarray(self._stored[self.rows], np.float32)

    @property
    def search(self) -> str:
        """See `Gallery.search`."""
        if self._many is None or self._index is None or not self.allow_approximate:
            return EXACT
        recall = math.floor(1000 * self._index.facts.recall) / 1000
        return f"approximate (IVF, recall {recall:.3f})"

    @property
    def wants_index(self) -> bool:
        """Whether exact search takes longer than its budget, so that building an index pays."""
        if self._many is None or not self.allow_approximate:
            return False
        if self._index is None:
            return True
        return exact_seconds(self._many.tail, self._shape.pooled) > TAIL_BUDGET

    def __len__(self) -> int:
        return len(self.rows)

    def pooled_of(self, rows: Sequence[int] | Ints) -> Floats:
        """See `Gallery.pooled_of`."""
        return np.asarray(self._stored[self.rows[np.asarray(rows, np.int64)]], np.float32)

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        """See `Gallery.nearest`."""
        searched = self._many or self._few
        assert searched is not None
        return searched.nearest(query, k, exclude=exclude)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        """Return views into the file's map (read-only, float32, h x w x C each), finest first.

        They are empty where the folder keeps global features alone.
        """
        if not 0 <= row < len(self.rows):
            raise IndexError(f"row {row} of a gallery of {len(self.rows)}")
        values = self._levels[self.rows[row]]
        views: list[Floats] = []
        begin = 0
        for height, width, channels in self._shape.levels or ((0, 0, 0),) * 3:
            end = begin + height * width * channels
            views.append(values[begin:end].reshape(height, width, channels))
            begin = end
        fine, middle, coarse = views
        return fine, middle, coarse

    def inside(self, row: int) -> Inside | None:
        """See `Gallery.inside`."""
        if not self._shape.is_padded:
            return None
        top, left, bottom, right = (int(v) for v in self._levels[self.rows[row], -4:])
        whole = (0, 0, *self._shape.levels[0][:2])
        return None if (top, left, bottom, right) == whole else (top, left, bottom, right)


def _are_different(rows: Ints, count: int) -> bool:
    """Whether each of some rows, out of `count`, is named once."""
    is_named = np.zeros(count, np.bool_)
    is_named[rows] = True
    return int(np.count_nonzero(is_named)) == len(rows)
