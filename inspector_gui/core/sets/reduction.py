"""A few features that stand for many: k-means with its medoids, and the greedy coreset."""

import faiss
import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.neighbours import Ints, squared_distances
from inspector_gui.core.types import Floats

ITERATIONS = 50
REDOS = 5
"""K-means starts this often from other centres and keeps the best, while that is quick."""

_QUICK_PRODUCTS = 1 << 22  # rows x centres up to which all redos together take about a second
_MOST_ROWS = 200_000  # that k-means learns from: more move no centre of some thousand
_CANDIDATES = 32  # members nearest a centre among which its medoid almost always is
_ROUNDING = 2.0**-22  # a dimension, of the norms: above what float32 products are off by


def centroids(features: Floats, count: int, *, seed: int = 0) -> Floats:
    """Return the centres of k-means (Lloyd's, by faiss): float32, C x D.

    `features`: float32, N x D; C is `count`, cut to N. The same input and seed give the same
    centres. Raises `KnownError` for no features, a count below 1, or features that are no numbers.
    """
    count = _checked(features, count)
    shift = _middle(features)  # float32 sums lose digits far from the origin
    shifted = np.ascontiguousarray(features - shift, np.float32)
    quick = len(features) * count <= _QUICK_PRODUCTS
    kmeans = faiss.Kmeans(
        features.shape[1],
        count,
        niter=ITERATIONS,
        nredo=REDOS if quick else 1,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=-(-_MOST_ROWS // count),
    )
    kmeans.train(shifted)
    return np.asarray(np.asarray(kmeans.centroids, np.float32) + shift, np.float32)


def medoids(features: Floats, count: int, *, seed: int = 0) -> Ints:
    """Return the rows of the members that stand for the centres of k-means, sorted: int64, C.

    Each centre gets the member nearest to it. Where two centres share one, the closer centre
    keeps it and the other takes its nearest member that is left, so there are always C different
    rows. Arguments and errors as in `centroids`.
    """
    centres = centroids(features, count, seed=seed)
    shift = _middle(features)
    rows = np.ascontiguousarray(features - shift, np.float32)
    shown = min(_CANDIDATES, len(features))
    _, found = faiss.knn(np.ascontiguousarray(centres - shift, np.float32), rows, shown)
    offers = []
    for centre, members in enumerate(found):
        distances = squared_distances(centres[centre], features[members])
        offers += [
            (float(d), int(m), centre) for d, m in zip(distances, members, strict=True) if m >= 0
        ]
    taken: dict[int, int] = {}
    served: set[int] = set()
    for _, member, centre in sorted(offers):
        if member not in taken and centre not in served:
            taken[member] = centre
            served.add(centre)
    for centre in set(range(len(centres))) - served:  # among many equal members
        left = np.setdiff1d(np.arange(len(features)), list(taken))
        nearest = left[squared_distances(centres[centre], features[left]).argmin()]
        taken[int(nearest)] = centre
    return np.array(sorted(taken), np.int64)


def coreset(features: Floats, count: int, *, start: int = 0) -> Ints:
    """Return rows by the greedy k-centre rule, in the order of their choice: int64, C.

    The first is `start`; each next one is the row that is farthest (squared distance) from those
    chosen, the lowest of equal ones. So the first c of them are the choice for c. `features`:
    float32, N x D; C is `count`, cut to N. Errors as in `centroids`, and `ValueError` for a start
    that is no row.

    Every step costs one matrix-vector product in float32; rows that rounding cannot tell from the
    farthest are compared by their true distances, so the choice is that of the plain algorithm.
    """
    count = _checked(features, count)
    if not 0 <= start < len(features):
        raise ValueError(f"row {start} of {len(features)}")
    shifted = np.ascontiguousarray(features - _middle(features), np.float32)
    norms = np.einsum("nd,nd->n", shifted, shifted)
    slack = _ROUNDING * features.shape[1] * (norms + norms.max())
    nearest = np.full(len(features), np.inf, np.float32)
    exact = _TrueDistances(features, count)
    for step in range(count):
        row = start if step == 0 else _farthest(nearest, slack, exact)
        exact.choose(row)
        products = shifted @ (-2 * shifted[row])
        np.minimum(nearest, products + norms + norms[row], out=nearest)
        nearest[exact.chosen] = -np.inf
    return np.array(exact.chosen, np.int64)


class _TrueDistances:
    """Squared distances to the nearest chosen row in float64, worked out for rows asked for."""

    def __init__(self, features: Floats, count: int) -> None:
        self._features = features
        self._smallest = np.full(len(features), np.inf)
        self._seen = np.zeros(len(features), np.int64)
        self._centres = np.empty((count, features.shape[1]), np.float32)
        self.chosen: list[int] = []

    def choose(self, row: int) -> None:
        self._centres[len(self.chosen)] = self._features[row]
        self.chosen.append(row)

    def of(self, row: int) -> float:
        new = self._centres[self._seen[row] : len(self.chosen)]
        if len(new):
            found = squared_distances(self._features[row], new).min()
            self._smallest[row] = min(self._smallest[row], found)
            self._seen[row] = len(self.chosen)
        return float(self._smallest[row])


def _farthest(nearest: Floats, slack: Floats, exact: _TrueDistances) -> int:
    """Return the row with the largest true distance, the lowest of equal ones."""
    possible = np.flatnonzero(nearest + slack >= (nearest - slack).max())
    if len(possible) == 1:
        return int(possible[0])
    return max((int(row) for row in possible), key=lambda row: (exact.of(row), -row))


def _middle(features: Floats) -> Floats:
    return np.asarray(features.mean(axis=0, dtype=np.float64), np.float32)


def _checked(features: Floats, count: int) -> int:
    """Return `count` cut to the number of rows; raises what `centroids` names."""
    if features.ndim != 2:
        raise ValueError(f"expected N x D features, got {features.shape}")
    if len(features) == 0:
        raise KnownError("There is no picture to choose from; add pictures of good parts.")
    if count < 1:
        raise KnownError(f"At least one picture has to stay; {count} is too few.")
    if not np.isfinite(features).all():
        raise KnownError(
            "The features of a picture are no numbers; remove that picture or compute its "
            "features again."
        )
    return min(count, len(features))
