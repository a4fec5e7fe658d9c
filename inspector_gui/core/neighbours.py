"""Exact nearest neighbours: of whole pictures (DN2) and of every place in a pyramid (SPADE).

All distances are squared Euclidean. Matrix products only choose neighbours; the distances that
are returned are summed over the differences themselves, so they do not depend on how a product
was blocked, nor on the order of the gallery (except between neighbours at equal distance).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
import numpy.typing as npt

from inspector_gui.core.types import Floats

Ints = npt.NDArray[np.int64]
_QUERY_BLOCK = 128  # middle cells whose bounds are held at once: a few ten MB
_BOUND_SLACK = 4e-6  # of the norms: rounding of a float32 product, so that no bound is too high

ShouldStop = Callable[[], bool]


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
    extra = wanted + (exclude is not None)
    _, found = faiss.knn(query[None], np.ascontiguousarray(gallery, np.float32), extra)
    candidates = found[0][found[0] != exclude] if exclude is not None else found[0]
    exact = squared_distances(query, gallery[candidates])
    return np.asarray(candidates[np.argsort(exact, kind="stable")][:wanted], np.int64)


def squared_distances(query: Floats, rows: Floats) -> npt.NDArray[np.float64]:
    """Return the exact squared distances from one vector (D) to others (N x D) as float64."""
    difference = rows.astype(np.float64) - query.astype(np.float64)
    return np.asarray(np.einsum("nd,nd->n", difference, difference), np.float64)


@dataclass(frozen=True, eq=False)
class PyramidGallery:
    """All places of some references, laid out for the search.

    A *middle cell* is a place of the stride-8 grid: its feature is its own level's concatenated
    with the stride-16 feature above it (nearest upsampling), and it has 2 x 2 fine children.

    `middle`: float32, M x (C2 + C3). `fine`: float32, M x 4 x C1. `shape`: (references, h, w) of
    the middle grid, M = their product.
    """

    middle: Floats
    fine: Floats
    shape: tuple[int, int, int]

    @cached_property
    def bound_matrix(self) -> Floats:
        """Columns [-2 g; |g|^2]: one product with [q, 1] gives |q - g|^2 - |q|^2."""
        norms = np.einsum("md,md->m", self.middle, self.middle)
        return np.concatenate([-2 * self.middle, norms[:, None]], axis=1).T.copy()

    @cached_property
    def largest_norm(self) -> float:
        """Largest |g|^2, for the rounding slack of the bounds."""
        return float(self.bound_matrix[-1].max(initial=0))

    @cached_property
    def fine_norms(self) -> Floats:
        """|g|^2 of the fine children, M x 4."""
        return np.asarray(np.einsum("mfc,mfc->mf", self.fine, self.fine), np.float32)


def pyramid_gallery(levels: Sequence[tuple[Floats, Floats, Floats]]) -> PyramidGallery:
    """Lay out references' levels (each h x w x C, strides 4, 8, 16) for `nearest_places`."""
    middles, fines = zip(*(_cells(level) for level in levels), strict=True)
    height, width = levels[0][1].shape[:2]
    return PyramidGallery(
        np.concatenate(middles), np.concatenate(fines), (len(levels), height, width)
    )


def _cells(levels: tuple[Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    fine, middle, coarse = levels
    height, width = middle.shape[:2]
    upsampled = coarse.repeat(2, axis=0).repeat(2, axis=1)
    cells = np.concatenate([middle, upsampled], axis=2).reshape(height * width, -1)
    children = fine.reshape(height, 2, width, 2, -1).transpose(0, 2, 1, 3, 4)
    return cells, np.ascontiguousarray(children.reshape(height * width, 4, -1))


def nearest_places(
    levels: tuple[Floats, Floats, Floats],
    gallery: PyramidGallery,
    *,
    kappa: int = 1,
    should_stop: ShouldStop = lambda: False,
) -> Floats:
    """Return SPADE's map: for every fine place the mean squared distance to its kappa nearest.

    Feature of a place: its fine, middle and coarse feature, the coarser ones upsampled by nearest
    (Cohen & Hoshen 2020, section 3.3; the upsampling is ours). Result: float32, h x w of the
    finest grid, exact. `should_stop` is asked between blocks; once it is true the rest stays 0.

    kappa = 1 uses bounds: D = D_fine + D_middle with both >= 0, so a middle cell whose distance
    alone exceeds what a query's children have already found cannot hold their nearest.
    """
    middle, fine = _cells(levels)
    count = len(middle)
    result = np.zeros((count, 4), np.float32)
    for start in range(0, count, _QUERY_BLOCK):
        if should_stop():
            break
        block = slice(start, min(start + _QUERY_BLOCK, count))
        search = _block_by_bounds if kappa == 1 else _block_by_all
        result[block] = search(middle[block], fine[block], gallery, kappa)
    height, width = levels[1].shape[:2]
    grid = result.reshape(height, width, 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(2 * height, 2 * width))


def _block_by_bounds(middle: Floats, fine: Floats, gallery: PyramidGallery, kappa: int) -> Floats:
    """Distances (Q x 4) of the fine children of Q middle cells to their single nearest place."""
    ones = np.ones((len(middle), 1), np.float32)
    norms = np.einsum("qd,qd->q", middle, middle)
    bounds = np.concatenate([middle, ones], axis=1) @ gallery.bound_matrix
    first = bounds.argmin(axis=1)
    here = np.arange(len(middle))
    fine_norms = np.einsum("qfc,qfc->qf", fine, fine)
    upper = (bounds[here, first][:, None] + _fine(fine, gallery.fine[first]).min(axis=2)).max(1)
    upper += _BOUND_SLACK * (norms + gallery.largest_norm + fine_norms.max(axis=1))
    best = np.empty((len(middle), 4), np.int64)
    for q in here:
        cells = np.flatnonzero(bounds[q] <= upper[q])
        children = gallery.fine[cells].reshape(-1, fine.shape[2])
        distances = children @ (-2 * fine[q].T)  # (4 cells) x 4
        distances += gallery.fine_norms[cells].reshape(-1, 1)
        distances.reshape(len(cells), 4, 4)[...] += bounds[q, cells][:, None, None]
        places = distances.argmin(axis=0)
        best[q] = cells[places >> 2] * 4 + (places & 3)
    return _exact(middle, fine, gallery, best)


def _fine(a: Floats, b: Floats) -> Floats:
    """Pairwise squared distances of children: Q x 4 x C, Q x 4 x C -> Q x 4 x 4."""
    difference = a[:, :, None, :] - b[:, None, :, :]
    return np.asarray(np.einsum("qijc,qijc->qij", difference, difference), np.float32)


def _exact(middle: Floats, fine: Floats, gallery: PyramidGallery, best: Ints) -> Floats:
    """Sum the differences to chosen fine places (`best`: cell * 4 + child, Q x 4)."""
    cells, children = best >> 2, best & 3
    of_middle = gallery.middle[cells] - middle[:, None, :]
    of_fine = gallery.fine[cells, children] - fine
    total = np.einsum("qfd,qfd->qf", of_middle, of_middle)
    return np.asarray(total + np.einsum("qfc,qfc->qf", of_fine, of_fine), np.float32)


def _block_by_all(middle: Floats, fine: Floats, gallery: PyramidGallery, kappa: int) -> Floats:
    """As `_block_by_bounds` for any kappa: every place is compared, a few queries at a time."""
    result = np.empty((len(middle), 4), np.float32)
    kappa = min(kappa, 4 * len(gallery.middle))
    for q in range(len(middle)):
        coarse = squared_distances(middle[q], gallery.middle)
        for child in range(4):
            difference = gallery.fine - fine[q, child]
            total = np.einsum("mfc,mfc->mf", difference, difference) + coarse[:, None]
            smallest = np.partition(total.ravel(), kappa - 1)[:kappa]
            result[q, child] = np.sort(smallest).mean()
    return result
