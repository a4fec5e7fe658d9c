"""DN2 on global features with known answers: what the paper's protocols and ablations measure.

Many pictures are scored at once here; the scores are those of `methods.dn2`, summed over the
differences themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import faiss
import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring import metrics
from inspector_gui.core.measuring.variation import available_contaminants, wanted_contaminants
from inspector_gui.core.sets import cleaning, reduction
from inspector_gui.core.types import Bools, Floats

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_QUERIES_AT_ONCE = 256
_VALUES_AT_ONCE = 13_000_000  # whose differences are held in float64: 100 MB
_MORE = 8  # neighbours that a product may have put out of order


@dataclass(frozen=True, eq=False)
class Problem:
    """References, and queries of which is known whether they are bad.

    `references`: float32, N x D. `queries`: float32, Q x D. `bad`: bool, Q. `strange`: float32,
    S x D, bad pictures that are no queries, None where a data set has bad queries only.
    """

    name: str
    references: Floats
    queries: Floats
    bad: Bools
    strange: Floats | None = None


def nearest_distances(
    queries: Floats, references: Floats, k: int, *, is_own: bool = False
) -> Doubles:
    """Return the squared distances to the k nearest references, nearest first: float64, Q x k.

    `is_own`: queries are the references themselves, each left out by its row (leave-one-out), so
    that duplicates count. k is cut to the number of references there are; `KnownError` for none.
    """
    k = min(k, len(references) - is_own)
    if k < 1:
        raise KnownError("There is no reference to compare with; add pictures of good parts.")
    gallery = np.ascontiguousarray(references, np.float32)
    found = np.empty((len(queries), k))
    at_once = max(1, min(_QUERIES_AT_ONCE, _VALUES_AT_ONCE // (k * gallery.shape[1])))
    for start in range(0, len(queries), at_once):
        block = np.ascontiguousarray(queries[start : start + at_once], np.float32)
        _, rows = faiss.knn(block, gallery, min(k + is_own + _MORE, len(gallery)))
        difference = gallery[rows].astype(np.float64) - block[:, None].astype(np.float64)
        distances = np.einsum("qkd,qkd->qk", difference, difference)
        if is_own:
            own = np.arange(start, start + len(block))
            distances[rows == own[:, None]] = np.inf
        found[start : start + len(block)] = np.sort(distances, axis=1)[:, :k]
    return found


def scores(problem: Problem, k: int) -> Doubles:
    """Return DN2's score of every query: float64, Q."""
    return np.asarray(nearest_distances(problem.queries, problem.references, k).mean(axis=1))


def auroc(problem: Problem, k: int) -> float | None:
    """Return the area under the ROC curve of DN2; None unless there are good and bad queries."""
    return metrics.image_auroc(problem.bad, scores(problem, k))


def aurocs_by_k(problem: Problem, ks: Sequence[int]) -> list[float | None]:
    """Return the area under the ROC curve for several numbers of neighbours, by one search."""
    distances = nearest_distances(problem.queries, problem.references, max(ks))
    return [metrics.image_auroc(problem.bad, distances[:, :k].mean(axis=1)) for k in ks]


def with_shots(problem: Problem, count: int, *, seed: int | Sequence[int]) -> Problem:
    """Return the problem with `count` of its references, drawn at random."""
    if not 1 <= count <= len(problem.references):
        raise KnownError(
            f"{count} references cannot be drawn for {problem.name}: there are "
            f"{len(problem.references)}."
        )
    rows = np.random.default_rng(seed).permutation(len(problem.references))[:count]
    return replace(problem, references=problem.references[np.sort(rows)])


def with_centroids(problem: Problem, count: int, *, seed: int) -> Problem:
    """Return the problem with k-means centres in place of references (paper, table 6)."""
    centres = reduction.centroids(problem.references, count, seed=seed)
    return replace(problem, references=centres)


def with_reserve(problem: Problem, count: int, *, seed: int) -> Problem:
    """Return a problem whose `strange` are bad queries, drawn at random, that left the queries.

    At most half of the bad queries are taken. Raises `KnownError` where there are fewer than two.
    """
    bad = np.flatnonzero(problem.bad)
    count = min(count, available_contaminants(problem.name, bads=len(bad)))
    rows = np.random.default_rng(seed).permutation(bad)[:count]
    return replace(
        problem,
        queries=np.delete(problem.queries, rows, axis=0),
        bad=np.delete(problem.bad, rows),
        strange=problem.queries[rows],
    )


def contaminated(
    problem: Problem, share: float, *, seed: int | Sequence[int]
) -> tuple[Problem, int]:
    """Mix strange pictures into the references; returns how many there are too.

    They follow the good ones. With one seed, a larger share keeps what a smaller one has. Fewer
    are taken where there are not enough; `KnownError` where the share is less than one picture.
    """
    if problem.strange is None:
        raise ValueError(f"{problem.name} has no bad pictures to mix in; see with_reserve")
    count = wanted_contaminants(share, goods=len(problem.references))
    order = np.random.default_rng(seed).permutation(len(problem.strange))
    taken = problem.strange[order[:count]]
    return replace(problem, references=np.concatenate([problem.references, taken])), len(taken)


def rows_kept(references: Floats, fraction: float, *, k: int) -> Ints:
    """Return the rows left when a fraction of references is dropped: int64, in order.

    Dropped are those that score highest against all others (leave-one-out), as in the paper.
    """
    alone = nearest_distances(references, references, k, is_own=True).mean(axis=1)
    plan = cleaning.plan({f"{row:09d}": float(s) for row, s in enumerate(alone)}, fraction)
    return np.asarray(sorted(int(name) for name in plan.kept), np.int64)
