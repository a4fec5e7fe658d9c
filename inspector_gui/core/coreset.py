"""The greedy k-centre choice of PatchCore (Roth et al. 2022, algorithm 1), quick and exact.

Each pick is the row farthest from all picks before it. The plain algorithm measures all rows
after every pick; here a row is only measured when it may be the next pick:

- A row's distance to the picks only shrinks. So one that was measured against the first few picks
  has an upper bound, and while that is below the distance of the next pick it can wait. Many rows
  end nearer than the last pick before they were ever compared with all, and wait for ever.
- Rows that may be next are put on a short list. The plain algorithm runs on that list alone while
  its farthest row is farther than the bound of every row that waits.
- A row that comes to the list catches up with all picks it missed in one matrix product. That
  only tells which pick may be nearest; the distance itself is summed over differences.

Every distance that decides is the float32 number that the plain algorithm computes for the same
pair, so the picks are the same, ties and rounding included.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import faiss
import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from inspector_gui.core.errors import Cancelled
from inspector_gui.core.neighbours import Ints, ShouldStop, float_distances
from inspector_gui.core.types import Floats

Places = npt.NDArray[np.int32]

_LISTED = 8192  # rows on the short list: their features stay near the processor
_ROWS, _PICKS = 1024, 4096  # of one matrix product: 16 MB a thread
_MOST_WORKERS = 8
_ROUNDING = 2.0**-22  # a dimension, of the norms: above what float32 products are off by
_STEPS = 64  # of the short list between looks at what has left it
_CROWDED = 0.8  # of the short list: while more of it may be next, it is kept as it is
_TAKEN, _NOTHING = np.float32(-1), np.float32(0)


@dataclass(frozen=True, eq=False)
class Cover:
    """How far a greedy choice has come: all that continuing it needs beside the rows.

    `chosen`: int64, M rows in the order of their choice. For every one of N rows `distances`
    (float32) has the squared distance to the nearest of the first `seen` (int32) picks, and
    `nearest` (int32) which of them that is; -1 where none was seen.
    """

    chosen: Ints
    distances: Floats
    seen: Places
    nearest: Places

    @property
    def radius(self) -> float:
        """The largest squared distance of a row to its nearest pick, as `greedy` left it."""
        left = np.delete(self.distances, self.chosen)
        return float(left.max(initial=0))

    def without(self, rows: slice) -> "Cover":
        """Return the cover of the other rows by the other picks.

        Rows whose nearest pick has gone are measured again when the choice goes on.
        """
        count = rows.stop - rows.start
        gone = (self.chosen >= rows.start) & (self.chosen < rows.stop)
        left = np.delete(np.arange(len(self.distances)), rows)
        lost = np.append(gone, np.False_)[self.nearest[left]]
        before = np.concatenate([[0], np.cumsum(gone)]).astype(np.int32)
        distances, seen, nearest = self.distances[left], self.seen[left], self.nearest[left]
        nearest = nearest - before[nearest]
        seen = seen - before[seen]
        distances[lost], seen[lost], nearest[lost] = np.inf, 0, -1
        chosen = self.chosen[~gone]
        return Cover(chosen - count * (chosen >= rows.stop), distances, seen, nearest)

    def with_rows(self, count: int) -> "Cover":
        """Return the cover with `count` more rows at the end that no pick was compared with."""
        return Cover(
            self.chosen,
            np.concatenate([self.distances, np.full(count, np.inf, np.float32)]),
            np.concatenate([self.seen, np.zeros(count, np.int32)]),
            np.concatenate([self.nearest, np.full(count, -1, np.int32)]),
        )


def no_cover(count: int) -> Cover:
    """Return the cover of `count` rows by no picks."""
    nothing = np.empty(0, np.float32)
    empty = Cover(np.empty(0, np.int64), nothing, nothing.astype(np.int32), nothing.astype("i4"))
    return empty.with_rows(count)


def plain_greedy(rows: Floats, count: int, *, start: int = 0) -> Ints:
    """Return the greedy choice by its definition, one pass over all rows for every pick.

    What `greedy` is tested against. `rows`: float32, N x D. Result: int64, `count` in order.
    """
    distances = np.full(len(rows), np.inf, np.float32)
    chosen = np.empty(count, np.int64)
    for step in range(count):
        row = start if step == 0 else int(distances.argmax())
        chosen[step] = row
        np.minimum(distances, float_distances(rows[row], rows), out=distances)
        distances[chosen[: step + 1]] = _TAKEN
    return chosen


def greedy(
    rows: Floats,
    count: int,
    *,
    cover: Cover | None = None,
    start: int = 0,
    report: Callable[[int], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Cover:
    """Choose until `count` rows are chosen, going on from `cover`; return how far it came.

    `rows`: float32, N x D, in memory or mapped from a file: some thousand are copied at a time.
    The first pick of all is `start`; each next one is the row with the largest squared distance
    to its nearest pick, the lowest of equal ones. So the first c of them are the choice for c.
    `report` is told how many are chosen. Raises `ValueError` for a count, a start or a cover that
    does not fit the rows, `Cancelled` once `should_stop` is true.
    """
    cover = no_cover(len(rows)) if cover is None else cover
    if rows.ndim != 2 or len(cover.distances) != len(rows):
        raise ValueError(f"a cover of {len(cover.distances)} rows for {rows.shape}")
    if not (0 < count <= len(rows) and 0 <= start < len(rows)):
        raise ValueError(f"{count} from row {start} of {len(rows)}")
    return _Greedy(rows, count, cover, report, should_stop).run(start)


class _Greedy:
    def __init__(
        self,
        rows: Floats,
        count: int,
        cover: Cover,
        report: Callable[[int], None],
        should_stop: ShouldStop,
    ) -> None:
        self._rows, self._count = rows, count
        self._report, self._should_stop = report, should_stop
        self._distances, self._seen = cover.distances.copy(), cover.seen.copy()
        self._nearest = cover.nearest.copy()
        self._middle = np.asarray(rows[:: max(1, len(rows) // _ROWS)].mean(axis=0), np.float32)
        width = rows.shape[1]
        self._picks = np.empty((max(count, len(cover.chosen)), width), np.float32)
        self._factors = np.empty((len(self._picks), width + 1), np.float32)
        self._longest = 0.0  # squared, of the picks
        self._chosen: list[int] = []
        for first in range(0, len(cover.chosen), _ROWS):
            self._add(cover.chosen[first : first + _ROWS])

    def run(self, start: int) -> Cover:
        # Threads of our own: those inside products and pairs take longer to meet than they save
        # where other programs are busy, too.
        with (
            threadpool_limits(limits=1, user_api="blas"),
            ThreadPoolExecutor(
                _workers(), initializer=faiss.omp_set_num_threads, initargs=(1,)
            ) as self._pool,
        ):
            if not self._chosen:
                self._pick(np.array([start]))
            listed, floor = self._short_list()
            while len(self._chosen) < self._count and len(listed):
                self._choose_among(listed, floor)
                listed, floor = self._short_list()
        self._add_equal_ones()
        chosen = np.array(self._chosen, np.int64)
        return Cover(chosen, self._distances, self._seen, self._nearest)

    def _add_equal_ones(self) -> None:
        """Choose what is left where every row equals a pick: the lowest rows."""
        missing = self._count - len(self._chosen)
        if missing > 0:
            self._pick(np.setdiff1d(np.arange(len(self._rows)), self._chosen)[:missing])

    def _pick(self, rows: Ints) -> None:
        """Choose rows; each is its own nearest pick."""
        first = len(self._chosen)
        self._add(rows)
        self._distances[rows] = 0
        self._nearest[rows] = np.arange(first, len(self._chosen))
        self._seen[rows] = self._nearest[rows] + 1

    def _add(self, rows: Ints) -> None:
        """Append picks, and what products with them need: [-2 c, |c|^2] of the centred c."""
        place = slice(len(self._chosen), len(self._chosen) + len(rows))
        picks = self._picks[place] = self._rows[rows]
        centred = picks - self._middle
        squares = np.einsum("nd,nd->n", centred, centred)
        self._factors[place, :-1] = -2 * centred
        self._factors[place, -1] = squares
        self._longest = max(self._longest, float(squares.max()))
        self._chosen += rows.tolist()

    def _go_on(self) -> None:
        if self._should_stop():
            raise Cancelled
        self._report(len(self._chosen))

    def _short_list(self) -> tuple[Ints, np.float32]:
        """Return rows compared with all picks, ascending, and the bound of all others.

        No row is listed where the others, too, equal a pick.
        """
        bounds = self._distances.copy()
        bounds[self._chosen] = _TAKEN
        order = np.argsort(-bounds, kind="stable")
        fresh = np.empty(0, np.int64)
        taken = 0
        while True:
            self._go_on()
            batch = order[taken : taken + max(_LISTED, taken // 2)]
            taken += len(batch)
            batch = batch[bounds[batch] > 0]
            self._catch_up(np.sort(batch))
            floor = max(bounds[order[taken]], np.float32(0)) if taken < len(order) else _NOTHING
            fresh = np.concatenate([fresh, batch])
            listed = fresh[self._distances[fresh] > floor]
            if len(listed) > _LISTED:
                listed, floor = self._farthest(listed, floor)
                return np.sort(listed), floor
            if len(listed) >= _LISTED // 4 or floor <= 0:
                return np.sort(listed), floor

    def _farthest(self, rows: Ints, floor: np.float32) -> tuple[Ints, np.float32]:
        """Return the farthest of rows, a short list of them, and the bound of all others."""
        values = self._distances[rows]
        place = len(rows) - _LISTED - 1
        bound = np.float32(np.partition(values, place)[place])
        if values.max() == bound:  # more than a short list of equal ones: all may be next
            return rows, floor
        return rows[values > bound], bound

    def _choose_among(self, listed: Ints, floor: np.float32) -> None:
        """Run the plain algorithm on listed rows while the farthest is beyond `floor`."""
        rows, distances = self._rows[listed], self._distances[listed]
        nearest = self._nearest[listed]
        while len(self._chosen) < self._count:
            farthest = int(distances.argmax())
            if distances[farthest] <= floor:
                break
            pick = len(self._chosen)
            self._pick(listed[farthest : farthest + 1])
            found = float_distances(rows[farthest], rows)
            is_closer = found < distances
            distances[is_closer] = found[is_closer]
            nearest[is_closer] = pick
            distances[farthest] = _TAKEN
            if pick % _STEPS == 0:
                self._go_on()
                stays = distances > floor
                if np.count_nonzero(stays) < _CROWDED * len(listed):
                    self._note(listed[~stays], distances[~stays], nearest[~stays])
                    listed, rows = listed[stays], rows[stays]
                    distances, nearest = distances[stays], nearest[stays]
                if not len(listed):
                    return
        self._note(listed, distances, nearest)

    def _note(self, rows: Ints, distances: Floats, nearest: Places) -> None:
        """Keep what the short list found out about rows it was not left with as picks."""
        is_left = distances >= 0
        rows = rows[is_left]
        self._distances[rows], self._nearest[rows] = distances[is_left], nearest[is_left]
        self._seen[rows] = len(self._chosen)

    def _catch_up(self, rows: Ints) -> None:
        """Compare rows with all picks that they have not seen."""
        seen = self._seen[rows]
        work: list[Future[None]] = []
        for first in np.unique(seen):
            group = rows[seen == first]
            for at in range(0, len(group) if first < len(self._chosen) else 0, _ROWS):
                work.append(self._pool.submit(self._compare, group[at : at + _ROWS], int(first)))
        for done in work:
            done.result()
        self._seen[rows] = len(self._chosen)

    def _compare(self, rows: Ints, first: int) -> None:
        """Bring the distances of rows up to date with the picks from number `first` on.

        Runs beside others, each with rows of its own.
        """
        values = np.ascontiguousarray(self._rows[rows])
        factors = np.ones((len(rows), values.shape[1] + 1), np.float32)
        centred = np.subtract(values, self._middle, out=factors[:, :-1])
        squares = np.einsum("nd,nd->n", centred, centred)
        slack = _ROUNDING * values.shape[1] * (squares + np.float32(self._longest))
        for begin in range(first, len(self._chosen), _PICKS):
            picks = slice(begin, min(begin + _PICKS, len(self._chosen)))
            products = factors @ self._factors[picks].T
            least = products.min(axis=1)
            closer = np.flatnonzero(least + squares - slack < self._distances[rows])
            if not len(closer):
                continue
            reach = np.minimum(
                least[closer] + 2 * slack[closer],
                self._distances[rows[closer]] - squares[closer] + slack[closer],
            )
            if len(closer) < len(rows):
                products = products[closer]
            places = np.flatnonzero(products <= reach[:, None])
            who, which = np.divmod(places, products.shape[1])
            exact = self._true_distances(values, closer[who], self._picks[picks], which)
            order = np.lexsort((which, exact, who))
            who, which, exact = who[order], which[order], exact[order]
            is_first = np.concatenate([[True], who[1:] != who[:-1]])
            of, exact = rows[closer[who[is_first]]], exact[is_first]
            is_closer = exact < self._distances[of]
            of = of[is_closer]
            self._distances[of] = exact[is_closer]
            self._nearest[of] = which[is_first][is_closer] + begin

    @staticmethod
    def _true_distances(rows: Floats, of: Ints, picks: Floats, to: Ints) -> Floats:
        """Return squared distances of pairs as `float_distances` computes them."""
        distances = np.empty(len(of), np.float32)
        of, to = of.astype(np.int64), to.astype(np.int64)
        arrays = (faiss.swig_ptr(a) for a in (rows, of, picks, to, distances))
        faiss.pairwise_indexed_L2sqr(rows.shape[1], len(of), *arrays)  # type: ignore[attr-defined]
        return distances


def _workers() -> int:
    return min(os.cpu_count() or 1, _MOST_WORKERS)
