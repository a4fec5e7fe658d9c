"""Search in large reference sets: an approximate index, and exact search without a copy in memory.

The index is an inverted file with 8-bit scalar quantisation (faiss `IndexIVFScalarQuantizer`). It
only names candidates: their distances are summed over the differences of the full float32 rows, as
in `neighbours`. Rows added after it was built are searched exactly beside it, rows that do not
count are masked, so neither ever builds it again.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
import numpy.typing as npt

from inspector_gui.core.neighbours import (
    Ints,
    float_distances,
    nearest_where,
    smallest,
    squared_distances_of,
)
from inspector_gui.core.types import Bools, Floats, Progress

LATENCY_BUDGET = 0.005
"""Seconds that the search for one part may take before an index is worth its approximation."""
TAIL_BUDGET = LATENCY_BUDGET / 5
"""Seconds for the rows that an index does not know yet before a new one is advised."""
_BYTES_PER_SECOND = 8e9
"""What one core reads while it compares: a constant, so that a set is searched alike everywhere."""

RECALL = 0.995
"""Share of the true neighbours that an index must find in the sample it is tuned on."""
_TUNED_FOR = (2, 50)  # neighbours: DN2's k and SPADE's K
_SAMPLE = 400
_STRANGE = 0.25
_CANDIDATES_PER_NEIGHBOUR = 2
_LEAST_CANDIDATES = 64
_TRAINED_ON = 64  # rows per cell, of which k-means moves the centres
_ROUNDS = 10
_BLOCK = 50_000

Report = Callable[[Progress], None]
Bits = npt.NDArray[np.uint8]


def exact_seconds(rows: int, width: int) -> float:
    """Return about how long exact search of `rows` x `width` float32 takes for one part."""
    return rows * width * 4 / _BYTES_PER_SECOND


def exceeds_budget(rows: int, width: int) -> bool:
    """Whether exact search would exceed `LATENCY_BUDGET`: above 31,250 rows of 320 values."""
    return exact_seconds(rows, width) > LATENCY_BUDGET


@dataclass(frozen=True)
class IndexFacts:
    """How an index was made, to be kept beside it.

    `rows` x `width`: the vectors it covers. `cells`: centres of k-means, of which the `probes`
    nearest are searched. `recall`: the smallest share of true neighbours found in the sample it
    was tuned on, which is lower than `RECALL` only where all cells are searched.
    """

    rows: int
    width: int
    cells: int
    probes: int
    recall: float
    seed: int


class VectorIndex:
    """An approximate index of the first rows of a matrix; finds candidates, not answers."""

    def __init__(self, index: faiss.IndexIVF, facts: IndexFacts) -> None:
        self._index: Any = index  # its stub knows the C++ arguments alone
        self._centres = np.asarray(index.quantizer.reconstruct_n(0, facts.cells), np.float32)
        self.facts = facts

    def candidates(
        self, query: Floats, count: int, *, mask: Bits | None = None, share: float = 1.0
    ) -> Ints:
        """Return `count` rows near a query (float32, D), in no order; fewer only if there are.

        `mask`: one bit a row, little end first; rows whose bit is not set never come back.
        `share`: the part of the rows that it leaves; the fewer they are, the more cells hold them.
        """
        facts = self.facts
        to_centres = float_distances(query, self._centres)
        probes = min(facts.cells, math.ceil(facts.probes / max(share, 1e-9)))
        while True:
            cells = smallest(to_centres, probes)
            cells = cells[np.argsort(to_centres[cells], kind="stable")]
            found = self._in_cells(
                query[None], cells[None], to_centres[cells][None], min(count, facts.rows), mask
            )[0]
            rows = found[(found >= 0) & (found < facts.rows)]
            if len(rows) >= count or probes >= facts.cells:
                return np.asarray(rows, np.int64)
            probes = min(facts.cells, probes * 4)

    def candidates_of_many(self, queries: Floats, count: int, *, probes: int) -> Ints:
        """Return rows near each query (Q x D) from the nearest `probes` cells: Q x count.

        A row of -1 stands for none.
        """
        distances, cells = faiss.knn(queries, self._centres, min(probes, self.facts.cells))
        return self._in_cells(queries, cells, distances, count, None)

    def _in_cells(
        self, queries: Floats, cells: Ints, distances: Floats, count: int, mask: Bits | None
    ) -> Ints:
        """Search given cells (Q x P) at given distances; faiss alone would choose them slowly."""
        chosen = faiss.SearchParametersIVF()
        selector = _selector(mask)  # the parameters do not keep it alive
        chosen.sel, chosen.nprobe = selector, cells.shape[1]
        near = np.empty((len(queries), count), np.float32)
        found = np.empty((len(queries), count), np.int64)
        arrays = (
            np.ascontiguousarray(queries, np.float32),
            np.ascontiguousarray(cells, np.int64),
            np.ascontiguousarray(distances, np.float32),
            near,
            found,
        )
        x, assigned, to_centres, nearest, labels = (faiss.swig_ptr(array) for array in arrays)
        self._index.search_preassigned_c(
            len(queries), x, count, assigned, to_centres, nearest, labels, False, chosen
        )
        return found

    def write(self, file: BinaryIO) -> None:
        """Write the index to a file; raises `OSError` where the disk refuses."""
        failed: list[OSError] = []

        def put(data: bytes) -> None:
            try:
                file.write(data)
            except OSError as error:
                failed.append(error)
                raise

        try:
            writer = faiss.PyCallbackIOWriter(put, 1 << 20)  # type: ignore[attr-defined]
            faiss.write_index(self._index, writer)
        except Exception:
            if failed:
                raise failed[0] from None
            raise


def open_index(path: Path, facts: IndexFacts) -> VectorIndex:
    """Map an index from its file; raises `ValueError` where it is damaged or another one."""
    try:
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC | faiss.IO_FLAG_READ_ONLY)
    except RuntimeError as error:
        raise ValueError(f"{path} is not an index") from error
    if not isinstance(index, faiss.IndexIVFScalarQuantizer):
        raise ValueError(f"{path} is another kind of index")
    if (index.ntotal, index.d, index.nlist) != (facts.rows, facts.width, facts.cells):
        raise ValueError(f"{path} does not hold what is said of it")
    return VectorIndex(index, facts)


def build_index(
    vectors: Floats,
    *,
    seed: int = 0,
    report: Report = lambda _: None,
) -> VectorIndex:
    """Build an index of vectors (float32, N x D, N >= 2; may be mapped) and tune it.

    Cells: the power of two nearest to twice the square root of N. Probes: the fewest, in steps of
    the square root of two, with which a sample finds `RECALL` of its 2 and of its 50 nearest rows.
    Half of the sample are rows, each left out of its own answer; half are rows moved a quarter of
    the way to another one drawn at random, since a defective part lies farther from its
    neighbours than they do from each other, and its neighbours are spread over more cells.
    """
    count, width = vectors.shape
    random = np.random.default_rng(seed)
    cells = min(2 ** round(np.log2(2 * np.sqrt(count))), count)
    quantiser = faiss.IndexFlatL2(width)
    index = faiss.IndexIVFScalarQuantizer(
        quantiser, width, cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_L2, True
    )
    index.cp.niter, index.cp.seed = _ROUNDS, seed
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, _TRAINED_ON
    chosen = np.sort(random.choice(count, min(count, _TRAINED_ON * cells), replace=False))
    report(Progress("cells", 0, 1))
    index.train(np.ascontiguousarray(vectors[chosen]))
    report(Progress("cells", 1, 1))
    for start in range(0, count, _BLOCK):
        report(Progress("rows", start, count))
        index.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
    report(Progress("rows", count, count))
    queries, excluded = _sample(vectors, random)
    true = _exact_neighbours(queries, excluded, vectors, report)
    probes, recall = 1, 0.0
    while True:
        made = VectorIndex(index, IndexFacts(count, width, cells, probes, recall, seed))
        recall = _recall(made, queries, true)
        if recall >= RECALL or probes == cells:
            return VectorIndex(index, replace(made.facts, recall=recall))
        probes = min(math.ceil(probes * 2**0.5), cells)


def _sample(vectors: Floats, random: np.random.Generator) -> tuple[Floats, Ints]:
    """Return queries (S x D) and the row that each leaves out (-1: none)."""
    rows = random.choice(len(vectors), min(_SAMPLE // 2, len(vectors)), replace=False)
    pairs = random.integers(0, len(vectors), (_SAMPLE // 2, 2))
    start, towards = vectors[pairs[:, 0]], vectors[pairs[:, 1]]
    strangers = start + np.float32(_STRANGE) * (towards - start)
    none = np.full(len(strangers), -1)
    return np.concatenate([vectors[rows], strangers]), np.concatenate([rows, none])


def _exact_neighbours(queries: Floats, excluded: Ints, vectors: Floats, report: Report) -> Ints:
    """Return the true neighbours of each query, nearest first: S x K, K the most tuned for."""
    count = len(vectors)
    most = min(max(_TUNED_FOR), count - 1)
    best = np.full((len(queries), most), np.inf, np.float32)
    rows = np.full((len(queries), most), -1, np.int64)
    for start in range(0, count, _BLOCK):
        report(Progress("sample", start, count))
        block = np.ascontiguousarray(vectors[start : start + _BLOCK])
        distances, found = faiss.knn(queries, block, min(most + 1, len(block)))
        distances[found + start == excluded[:, None]] = np.inf
        distances = np.concatenate([best, distances], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :most]
        best = np.take_along_axis(distances, order, axis=1)
        rows = np.take_along_axis(np.concatenate([rows, found + start], axis=1), order, axis=1)
    report(Progress("sample", count, count))
    return rows


def _recall(index: VectorIndex, queries: Floats, true: Ints) -> float:
    """Return the smallest share of true neighbours among the candidates, over `_TUNED_FOR`."""
    shares = []
    for k in {min(k, true.shape[1]) for k in _TUNED_FOR}:
        count = candidates_for(k) + 1
        found = index.candidates_of_many(queries, count, probes=index.facts.probes)
        hits = [np.isin(row[:k], near).mean() for row, near in zip(true, found, strict=True)]
        shares.append(float(np.mean(hits)))
    return min(shares)


def candidates_for(k: int) -> int:
    """Return how many candidates are compared exactly to find k neighbours."""
    return max(_LEAST_CANDIDATES, _CANDIDATES_PER_NEIGHBOUR * k)


class RowSearch:
    """Nearest neighbours among chosen rows of a large matrix, none of which is copied.

    `vectors`: float32, S x D, C-contiguous, usually mapped. `rows`: the chosen ones, each once,
    in the order in which answers count them. With an index its rows are searched through it, the
    others exactly; without one all exactly.
    """

    def __init__(self, vectors: Floats, rows: Ints, index: VectorIndex | None) -> None:
        covered = 0 if index is None else index.facts.rows
        if covered > len(vectors):
            raise ValueError(f"an index of {covered} rows for {len(vectors)}")
        self._vectors, self._rows, self._index, self._covered = vectors, rows, index, covered
        self._places = np.full(len(vectors), -1, np.int32)
        self._places[rows] = np.arange(len(rows), dtype=np.int32)
        self._indexed = int(np.count_nonzero(rows < covered))

    @property
    def tail(self) -> int:
        """Number of chosen rows that the index does not know."""
        return len(self._rows) - self._indexed

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        """Return places in `rows` of the k nearest, nearest first; as `neighbours.nearest`."""
        wanted = min(k, len(self._rows) - (exclude is not None))
        if wanted <= 0:
            return np.empty(0, np.int64)
        if query.shape != self._vectors.shape[1:]:
            raise ValueError(f"query {query.shape} does not fit rows of {self._vectors.shape[1]}")
        query = np.ascontiguousarray(query, np.float32)
        extra = wanted + (exclude is not None)
        places = np.arange(len(self._rows))
        if extra < len(places):
            places = self._candidates(query, extra)
        if exclude is not None:
            places = places[places != exclude]
        places.sort()  # so that among equal distances the first place wins
        exact = squared_distances_of(query, places, lambda some: self._vectors[self._rows[some]])
        return np.asarray(places[np.argsort(exact, kind="stable")][:wanted], np.int64)

    def _candidates(self, query: Floats, count: int) -> Ints:
        """Return places in `rows` among which the `count` nearest are, as far as is known."""
        found = [self._in_tail(query, count)]
        if self._index is not None and self._indexed:
            most, share = candidates_for(count), self._indexed / self._covered
            found.append(self._index.candidates(query, most, mask=self._index_mask, share=share))
        places = self._places[np.concatenate(found)].astype(np.int64)
        return places[places >= 0]

    def _in_tail(self, query: Floats, count: int) -> Ints:
        """Return the nearest chosen rows that are not in the index."""
        if self.tail == 0:
            return np.empty(0, np.int64)
        tail = self._vectors[self._covered :]
        return nearest_where(query, tail, count, self._tail_chosen) + self._covered

    @cached_property
    def _index_mask(self) -> Bits | None:
        return _mask(self._places[: self._covered] >= 0)

    @cached_property
    def _tail_chosen(self) -> Bools | None:
        chosen = self._places[self._covered :] >= 0
        return None if chosen.all() else chosen


def _mask(chosen: Bools) -> Bits | None:
    """Return one bit a row, little end first; None where all are chosen."""
    return None if chosen.all() else np.packbits(chosen, bitorder="little")


def _selector(mask: Bits | None) -> faiss.IDSelector | None:
    """Return what keeps faiss to the rows of a mask, which must outlive it."""
    return None if mask is None else faiss.IDSelectorBitmap(len(mask), faiss.swig_ptr(mask))
