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

from inspector_gui.core.types import Bools, Floats

Ints = npt.NDArray[np.int64]
_QUERY_BLOCK = 128  # middle cells whose bounds are held at once: some ten MB
_DENSE_SHARE = 0.1  # of pairs left by the bounds, from which products of everything are quicker
_DENSE_CELLS = 8
_MOST_TIES = 32
_ROUNDING = 4e-5  # of the norms: twice the worst case of float32 sums over some 200 products

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
    def centre(self) -> tuple[Floats, Floats]:
        """Mean middle and fine feature of one reference: products round less around them."""
        cells = self.shape[1] * self.shape[2]
        return self.middle[:cells].mean(axis=0), self.fine[:cells].mean(axis=(0, 1))

    @cached_property
    def bound_rows(self) -> Floats:
        """Rows [-2 g, |g|^2] of centred g: times [q, 1] they give |q - g|^2 - |q|^2."""
        width = self.middle.shape[1]
        rows = np.empty((len(self.middle), width + 1), np.float32)
        centred = np.subtract(self.middle, self.centre[0], out=rows[:, :width])
        rows[:, width] = np.einsum("md,md->m", centred, centred)
        centred *= -2
        return rows

    @cached_property
    def fine_products(self) -> Floats:
        """Centred fine children, M x 4 x C1."""
        return self.fine - self.centre[1]

    @cached_property
    def fine_norms(self) -> Floats:
        """|g|^2 of the centred fine children, M x 4."""
        fine = self.fine_products
        return np.asarray(np.einsum("mfc,mfc->mf", fine, fine), np.float32)

    @cached_property
    def largest_norm(self) -> float:
        """Largest |g|^2 that enters a product, for the slack of the bounds."""
        return float(self.bound_rows[:, -1].max(initial=0) + self.fine_norms.max(initial=0))

    @cached_property
    def _places(self) -> tuple[Floats, Floats]:
        """Centred features by place: references x middle cells x D (times -2), x fine cells x C."""
        references, height, width = self.shape
        middle = self.bound_rows.reshape(references, height * width, -1)[:, :, :-1]
        return middle, self.fine_products.reshape(references, height * width * 4, -1)

    @cached_property
    def _sums(self) -> tuple[tuple[Floats, Floats], ...]:
        """Over references: the sum of each place's features and of their squared length."""
        norms = self.bound_rows[:, -1] * 4, self.fine_norms
        return tuple(
            (values.sum(axis=0), squares.reshape(self.shape[0], -1).sum(axis=0))
            for values, squares in zip(self._places, norms, strict=True)
        )

    def spread(self, *, skip: int | None = None) -> Floats:
        """Return how much the references' features vary at each fine place: float32, h x w.

        The variance over references (without the one at index `skip`), summed over features.
        """
        references, height, width = self.shape
        count = references - (skip is not None)
        variances = []
        for values, (total, square) in zip(self._places, self._sums, strict=True):
            if skip is not None:
                total = total - values[skip]
                square = square - np.einsum("pd,pd->p", values[skip], values[skip])
            variances.append(square / count - np.einsum("pd,pd->p", total, total) / count**2)
        of_middle, of_fine = variances
        cells = of_fine.reshape(-1, 4) + of_middle[:, None] / 4
        grid = cells.reshape(height, width, 2, 2).transpose(0, 2, 1, 3)
        return np.asarray(grid.reshape(2 * height, 2 * width), np.float32)


def pyramid_gallery(levels: Sequence[tuple[Floats, Floats, Floats]]) -> PyramidGallery:
    """Lay out references' levels (each h x w x C, strides 4, 8, 16) for `nearest_places`."""
    fine, middle, coarse = levels[0]
    (height, width, middle_width), coarse_width = middle.shape, coarse.shape[2]
    cells = height * width
    middles = np.empty((len(levels), cells, middle_width + coarse_width), np.float32)
    fines = np.empty((len(levels), cells, 4, fine.shape[2]), np.float32)
    for row, of_reference in enumerate(levels):
        _lay_out(of_reference, middles[row], fines[row])
    shape = (len(levels), height, width)
    return PyramidGallery(
        middles.reshape(-1, middles.shape[2]), fines.reshape(-1, *fines.shape[2:]), shape
    )


def _lay_out(levels: tuple[Floats, Floats, Floats], cells: Floats, children: Floats) -> None:
    """Write the middle cells (M x D) and their fine children (M x 4 x C) of one picture."""
    fine, middle, coarse = levels
    height, width, channels = middle.shape
    cells.reshape(height, width, -1)[:, :, :channels] = middle
    by_coarse = cells.reshape(height // 2, 2, width // 2, 2, -1)
    by_coarse[..., channels:] = coarse[:, None, :, None, :]
    by_child = children.reshape(height, width, 2, 2, -1)
    by_child[...] = fine.reshape(height, 2, width, 2, -1).transpose(0, 2, 1, 3, 4)


def nearest_places(
    levels: tuple[Floats, Floats, Floats],
    gallery: PyramidGallery,
    *,
    kappa: int = 1,
    skip: int | None = None,
    should_stop: ShouldStop = lambda: False,
) -> Floats:
    """Return SPADE's map: for every fine place the mean squared distance to its kappa nearest.

    Feature of a place: its fine, middle and coarse feature, the coarser ones upsampled by nearest
    (Cohen & Hoshen 2020, section 3.3; the upsampling is ours). Result: float32, h x w of the
    finest grid, exact. `skip` leaves out one reference of the gallery, by its index.
    `should_stop` is asked between blocks; once it is true the rest stays 0.

    D = D_fine + D_middle with both >= 0, so a middle cell whose distance alone exceeds what a
    query's children have already found cannot hold any of their nearest.
    """
    query = pyramid_gallery([levels])
    middle, fine = query.middle, query.fine
    count = len(middle)
    result = np.zeros((count, 4), np.float32)
    cells = gallery.shape[1] * gallery.shape[2]
    skipped = slice(0, 0) if skip is None else slice(skip * cells, (skip + 1) * cells)
    kappa = min(kappa, 4 * (len(gallery.middle) - (skipped.stop - skipped.start)))
    for start in range(0, count, _QUERY_BLOCK):
        if should_stop():
            break
        block = slice(start, min(start + _QUERY_BLOCK, count))
        result[block] = _search_block(middle[block], fine[block], gallery, skipped, kappa)
    height, width = levels[1].shape[:2]
    grid = result.reshape(height, width, 2, 2).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(2 * height, 2 * width))


def _search_block(
    middle: Floats, fine: Floats, gallery: PyramidGallery, skipped: slice, kappa: int
) -> Floats:
    """Return the mean distance to the kappa nearest places for the children of Q middle cells.

    `middle`: Q x D, `fine`: Q x 4 x C; `skipped` middle cells do not count. Result: Q x 4.
    """
    ones = np.ones((len(middle), 1), np.float32)
    centred, fine_centred = middle - gallery.centre[0], fine - gallery.centre[1]
    bounds = np.concatenate([centred, ones], axis=1) @ gallery.bound_rows.T
    bounds[:, skipped] = np.inf
    slack = _slack(centred, fine_centred, gallery)
    upper = _upper_bounds(fine, bounds, gallery, kappa) + slack
    survives = bounds <= upper[:, None]
    is_sparse = np.count_nonzero(survives) < _DENSE_SHARE * survives.size
    who, where = [], []
    for q in range(len(middle)) if is_sparse else ():
        cells = np.flatnonzero(survives[q])
        children = gallery.fine_products[cells].reshape(-1, fine.shape[2])
        distances = _product(fine_centred[q], children)  # 4 x (4 cells)
        distances += gallery.fine_norms[cells].ravel()
        distances.reshape(4, len(cells), 4)[...] += bounds[q, cells][:, None]
        child, places = _within_rounding(distances, kappa, slack[q])
        who.append(q * 4 + child)
        where.append(cells[places >> 2] * 4 + (places & 3))
    for first in () if is_sparse else range(0, len(middle), _DENSE_CELLS):
        chunk = slice(first, first + _DENSE_CELLS)
        queries = fine_centred[chunk].reshape(-1, fine.shape[2])
        distances = _product(queries, gallery.fine_products.reshape(-1, fine.shape[2]))
        distances += gallery.fine_norms.ravel()
        distances.reshape(-1, 4, len(gallery.middle), 4)[...] += bounds[chunk, None, :, None]
        child, places = _within_rounding(distances, kappa, slack[chunk].repeat(4)[:, None])
        who.append(4 * first + child)
        where.append(places)
    found = _mean_of_nearest(
        np.concatenate(who), np.concatenate(where), middle, fine, gallery, kappa
    )
    return found.reshape(len(middle), 4)


def _product(queries: Floats, rows: Floats) -> Floats:
    return np.asarray((-2 * queries) @ rows.T, np.float32)


def _within_rounding(
    distances: Floats, kappa: int, slack: Floats | np.float32
) -> tuple[Ints, Ints]:
    """Return the places (row, column) among which each row's kappa nearest are.

    `distances`: R x N by products, `slack` how far these may be off. Of more than `_MOST_TIES`
    places that cannot be told apart the nearest by products are taken: their true distances
    differ by less than rounding.
    """
    reach = _kth_smallest(distances, kappa)[:, None] + slack
    rows, places = np.nonzero(distances <= reach)
    most = kappa + _MOST_TIES
    if len(places) > most:
        counts = np.bincount(rows, minlength=len(distances))
        for row in np.flatnonzero(counts > most):
            nearest_by_products = np.argpartition(distances[row], most)[:most]
            others = rows != row
            rows = np.concatenate([rows[others], np.full(most, row)])
            places = np.concatenate([places[others], nearest_by_products])
    return rows, places


def _slack(middle: Floats, fine: Floats, gallery: PyramidGallery) -> Floats:
    """Return how far rounding can take a distance by products from the true one, twice; Q."""
    norms = np.einsum("qd,qd->q", middle, middle)
    norms += np.einsum("qfc,qfc->qf", fine, fine).max(axis=1)
    return np.asarray(_ROUNDING * (norms + gallery.largest_norm), np.float32)


def _upper_bounds(fine: Floats, bounds: Floats, gallery: PyramidGallery, kappa: int) -> Floats:
    """Return, for each of Q middle cells, what none of its children's kappa nearest exceeds.

    In units of `bounds`, that is less the query's own norm.
    """
    probes = -(-kappa // 4)  # cells with four places each, so kappa places at least
    if probes == 1:
        first = bounds.argmin(axis=1)[:, None]
    else:
        first = np.argpartition(bounds, probes - 1, axis=1)[:, :probes]
    difference = fine[:, None, :, None, :] - gallery.fine[first][:, :, None, :, :]
    found = np.einsum("qpijc,qpijc->qpij", difference, difference)
    found += np.take_along_axis(bounds, first, axis=1)[:, :, None, None]
    places = found.transpose(0, 2, 1, 3).reshape(len(fine), 4, -1)
    return np.asarray(_kth_smallest(places, kappa, axis=2).max(axis=1), np.float32)


def _kth_smallest(values: Floats, kappa: int, *, axis: int = -1) -> Floats:
    if kappa == 1:
        return np.asarray(values.min(axis=axis), np.float32)
    parted = np.partition(values, kappa - 1, axis=axis)
    return np.asarray(parted.take(kappa - 1, axis=axis), np.float32)


def _mean_of_nearest(
    who: Ints, where: Ints, middle: Floats, fine: Floats, gallery: PyramidGallery, kappa: int
) -> Floats:
    """Average the kappa smallest true distances of every child among its candidates.

    `who`: cell * 4 + child of a query, `where`: of the gallery, one pair a candidate; each child
    has kappa candidates at least. Result: float32, 4 Q.
    """
    of_middle = gallery.middle[where >> 2] - middle[who >> 2]
    of_fine = gallery.fine[where >> 2, where & 3] - fine[who >> 2, who & 3]
    distances = np.einsum("nd,nd->n", of_middle, of_middle)
    distances += np.einsum("nc,nc->n", of_fine, of_fine)
    order = np.lexsort((distances, who))
    starts = np.searchsorted(who[order], np.arange(4 * len(middle)))
    nearest_first = order[starts[:, None] + np.arange(kappa)]
    return np.asarray(distances[nearest_first].mean(axis=1), np.float32)
