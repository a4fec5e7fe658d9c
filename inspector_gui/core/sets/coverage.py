"""What a reference set covers: kinds of good parts with their sizes, and maps of the features.

`sklearn` and `faiss` are loaded where they are used: the window reads the values from here.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Floats

MOST_CLUSTERS = 8
CLEAR_SILHOUETTE = 0.25
"""Below this mean silhouette there is no structure to speak of (Kaufman, Rousseeuw 1990)."""

THIN = 2.0
"""A cluster is thin where its members' nearest neighbours are so many times as far as usual."""

MOST_MAPPED = 5000
"""t-SNE maps a fixed random sample of a larger set; PCA maps all."""

_CLUSTER_SAMPLE = 2000
_PERPLEXITY = 30.0  # the usual value; a third of the pictures where they are few
_LEAST_FOR_TSNE = 5
_DIMENSIONS_BEFORE_TSNE = 50

MapKind = Literal["pca", "tsne"]


@dataclass(frozen=True)
class Cluster:
    """Good parts that resemble each other: their rows, and the row that stands for them.

    `nearest`: median squared distance of a member to its nearest reference of the whole set.
    `is_thin`: fewer than five members, or `nearest` is more than twice the set's: a part like
    these finds no close reference, so it needs more pictures.
    """

    rows: tuple[int, ...]
    medoid: int
    nearest: float
    is_thin: bool

    def as_json(self) -> dict[str, object]:
        """Return the cluster as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Cluster":
        """Return the cluster that `as_json` wrote."""
        return cls(**{**value, "rows": tuple(value["rows"])})


@dataclass(frozen=True, eq=False)
class MapOfFeatures:
    """Pictures as points of a plane. `points`: float32, n x 2; `rows`: which row each one is.

    `rows` are all pictures, or a sample of a set that is too large for t-SNE. Where t-SNE was
    asked for and the pictures are too few or all alike, `kind` says "pca".
    """

    kind: str
    rows: tuple[int, ...]
    points: Floats

    def as_json(self) -> dict[str, object]:
        """Return the map as a JSON-able mapping."""
        return {"kind": self.kind, "rows": list(self.rows), "points": self.points.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "MapOfFeatures":
        """Return the map that `as_json` wrote."""
        points = np.array(value["points"], np.float32).reshape(-1, 2)
        return cls(str(value["kind"]), tuple(int(r) for r in value["rows"]), points)


def clusters_of(features: Floats, *, seed: int = 0) -> tuple[Cluster, ...]:
    """Return the kinds of good parts in a set, the largest first.

    `features`: float32, N x D. K-means with 2 to 8 centres; the number with the largest mean
    silhouette is taken, and one if that is below 0.25 or there are fewer than six pictures. Centres
    are found on a fixed random sample of 2,000 pictures of a larger set. Raises `KnownError` for
    features that are no numbers.
    """
    _check(features)
    if not len(features):
        return ()
    nearest = _nearest_distances(features)
    labels = _labels(features, seed)
    usual = float(np.median(nearest))
    found = [
        _cluster(features, np.flatnonzero(labels == n), nearest, usual) for n in np.unique(labels)
    ]
    return tuple(sorted(found, key=lambda cluster: (-len(cluster.rows), cluster.rows)))


def map_of(features: Floats, kind: MapKind = "pca", *, seed: int = 0) -> MapOfFeatures:
    """Return pictures (float32, N x D) as points of a plane, similar ones close together.

    "pca": the two leading principal components, of any number of pictures. "tsne": as in the
    paper's figure 6 (van der Maaten, Hinton 2008), of at most 5,000 pictures, with a perplexity of
    30 or a third of their number; takes up to minutes. The same input and seed give the same map.
    Raises `KnownError` for features that are no numbers.
    """
    _check(features)
    rows = np.arange(len(features))
    if kind == "tsne" and len(features) > MOST_MAPPED:
        rows = np.sort(np.random.default_rng(seed).permutation(len(features))[:MOST_MAPPED])
    chosen = features[rows].astype(np.float64)
    if kind == "tsne" and (len(rows) < _LEAST_FOR_TSNE or not np.ptp(chosen, axis=0).any()):
        kind = "pca"
    principal = _principal(chosen, 2 if kind == "pca" else _DIMENSIONS_BEFORE_TSNE)
    points = principal if kind == "pca" else _tsne(principal, seed)
    return MapOfFeatures(kind, tuple(rows.tolist()), points.astype(np.float32))


def _cluster(
    features: Floats, rows: npt.NDArray[np.int64], nearest: npt.NDArray[np.float64], usual: float
) -> Cluster:
    members = features[rows].astype(np.float64)
    from_centre = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
    distance = float(np.median(nearest[rows]))
    is_thin = len(rows) < MIN_REFERENCES or distance > THIN * usual
    return Cluster(tuple(rows.tolist()), int(rows[from_centre.argmin()]), distance, is_thin)


def _labels(features: Floats, seed: int) -> npt.NDArray[np.int64]:
    """Return the cluster of every row, by the number of clusters that fits best."""
    from sklearn.metrics import pairwise_distances, silhouette_score

    from inspector_gui.core.neighbours import squared_distances
    from inspector_gui.core.sets.reduction import centroids

    order = np.random.default_rng(seed).permutation(len(features))
    sample = features[np.sort(order[:_CLUSTER_SAMPLE])]

    def closest(centres: Floats, rows: Floats) -> npt.NDArray[np.int64]:
        distances = np.stack([squared_distances(centre, rows) for centre in centres])
        return np.asarray(distances.argmin(axis=0), np.int64)

    apart = pairwise_distances(sample.astype(np.float64))
    best, clearest = features[:1], CLEAR_SILHOUETTE
    for count in range(2, min(MOST_CLUSTERS, len(sample) // 3) + 1):
        centres = centroids(sample, count, seed=seed)
        labels = closest(centres, sample)
        if len(np.unique(labels)) < 2:
            continue
        score = float(silhouette_score(apart, labels, metric="precomputed"))
        if score > clearest:
            best, clearest = centres, score
    return closest(best, features)


def _nearest_distances(features: Floats) -> npt.NDArray[np.float64]:
    """Return each row's squared distance to its nearest other row; 0 for a single one."""
    from inspector_gui.core.sets.table import NeighbourTable

    table = NeighbourTable(1)
    keys = [str(row) for row in range(len(features))]
    table.extend(dict(zip(keys, features, strict=True)))
    scores = table.leave_one_out()
    return np.array([scores.get(key, 0.0) for key in keys])


def _principal(values: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.float64]:
    """Return the leading principal components, N x count, each with its largest entry positive."""
    from sklearn.decomposition import PCA

    result = np.zeros((len(values), count))
    some = min(count, *values.shape)
    if len(values) > 1 and np.ptp(values, axis=0).any():
        found = PCA(some, svd_solver="covariance_eigh").fit_transform(values - values.mean(axis=0))
        largest = found[np.abs(found).argmax(axis=0), np.arange(some)]
        result[:, :some] = found * np.where(largest < 0, -1, 1)
    return result


def _tsne(values: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    from sklearn.manifold import TSNE

    perplexity = min(_PERPLEXITY, (len(values) - 1) / 3)
    model = TSNE(perplexity=perplexity, init="pca", learning_rate="auto", random_state=seed)
    return np.asarray(model.fit_transform(values), np.float64)


def _check(features: Floats) -> None:
    if features.ndim != 2:
        raise ValueError(f"expected N x D features, got {features.shape}")
    if not np.isfinite(features).all():
        raise KnownError(
            "The features of a picture are no numbers; remove that picture or compute its "
            "features again."
        )
