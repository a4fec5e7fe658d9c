"""Exact nearest neighbours of whole pictures (DN2); those of every place: `pyramid_search`.

All distances are squared Euclidean and summed over the differences themselves, so they do not
depend on the order of the gallery (except between neighbours at equal distance).
"""

from collections.abc import Callable

import faiss
import numpy as np
import numpy.typing as npt

from inspector_gui.core.types import Bools, Floats

Ints = npt.NDArray[np.int64]

ShouldStop = Callable[[], bool]

_ROWS_AT_ONCE = 16384  # whose differences are held in float64


def nearest(query: Floats, gallery: Floats, k: int, *, exclude: int | None = None) -> Ints:
    """Return the rows of the k nearest gallery vectors, nearest first; fewer if there are fewer.

    `query`: float32, D. `gallery`: float32, N x D. `exclude` leaves one row out by its index
    (leave-one-out), so that its duplicates still count.
    """
    rows = len(gallery)
    wanted = min(k, rows - (exclude is not None))
    if wanted <= 0:
        return np.empty(0, np.int64)
    if query.shape != gallery.shape[1:]:
        raise ValueError(f"query {query.shape} does not fit gallery {gallery.shape}")
    distances = float_distances(query, gallery)
    if exclude is not None:
        distances[exclude] = np.inf
    candidates = smallest(distances, wanted)
    exact = squared_distances(query, gallery[candidates])
    return np.asarray(candidates[np.argsort(exact, kind="stable")], np.int64)


def nearest_where(query: Floats, gallery: Floats, k: int, chosen: Bools | None) -> Ints:
    """Return k rows near the query among the chosen ones (all: None), in ascending order.

    As `nearest`, but with distances rounded to float32: candidates for an exact comparison.
    """
    distances = float_distances(query, gallery)
    if chosen is not None:
        distances[~chosen] = np.inf
        k = min(k, int(np.count_nonzero(chosen)))
    return smallest(distances, min(k, len(distances)))


def smallest(values: Floats, count: int) -> Ints:
    """Return where the `count` smallest values are, ascending; among equal ones the first."""
    if count <= 0:
        return np.empty(0, np.int64)
    last = np.partition(values, count - 1)[count - 1]
    below = np.flatnonzero(values < last)
    level = np.flatnonzero(values == last)[: count - len(below)]
    return np.sort(np.concatenate([below, level])).astype(np.int64)


def float_distances(query: Floats, rows: Floats) -> Floats:
    """Return squared distances summed over differences in float32, by faiss in this thread.

    `faiss.knn` computes the same ones, but lets all cores meet for a single query, which takes
    longer than the distances where other threads are busy.
    """
    query = np.ascontiguousarray(query, np.float32)
    rows = np.ascontiguousarray(rows, np.float32)
    distances = np.empty(len(rows), np.float32)
    pointers = map(faiss.swig_ptr, (distances, query, rows))
    faiss.fvec_L2sqr_ny(*pointers, rows.shape[1], len(rows))  # type: ignore[attr-defined]
    return distances


def squared_distances(query: Floats, rows: Floats) -> npt.NDArray[np.float64]:
    """Return the exact squared distances from one vector (D) to others (N x D) as float64."""
    if len(rows) > _ROWS_AT_ONCE:
        parts = (slice(start, start + _ROWS_AT_ONCE) for start in _starts(len(rows)))
        return np.concatenate([squared_distances(query, rows[part]) for part in parts])
    difference = rows.astype(np.float64) - query.astype(np.float64)
    return np.asarray(np.einsum("nd,nd->n", difference, difference), np.float64)


def squared_distances_of(
    query: Floats, places: Ints, vectors_of: Callable[[Ints], Floats]
) -> npt.NDArray[np.float64]:
    """Return `squared_distances` to the vectors at some places, of which few are held at once."""
    parts = (places[start : start + _ROWS_AT_ONCE] for start in _starts(len(places)))
    found = [squared_distances(query, vectors_of(part)) for part in parts]
    return np.concatenate(found) if found else np.empty(0)


def _starts(count: int) -> range:
    return range(0, count, _ROWS_AT_ONCE)
