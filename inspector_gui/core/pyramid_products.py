"""The search of SPADE's map in numpy: what answers until the compiled search is there.

D = D_fine + D_middle with both >= 0 (the middle part is the middle and the coarse level
together), so a middle cell whose distance alone exceeds what a query's children have already
found cannot hold any of their nearest. Bounds and candidates come from matrix products around a
common centre, with an allowance for their rounding; the distances that are returned are the true
ones, summed in the order of the compiled search, so both return the same bits.
"""

import numpy as np

from inspector_gui.core.neighbours import Ints
from inspector_gui.core.pyramid import Doubles, Levels, ProductGallery, with_coarse
from inspector_gui.core.types import Floats

QUERY_CELLS = 8  # coarse cells searched at once
COARSE_PAIRS = 40_000  # compared at once: bounds of some MB, and less than a fifth of a second
_DENSE_SHARE = 0.1  # of pairs left by the bounds, from which products of everything are quicker
_DENSE_CELLS = 8
_MOST_TIES = 256  # places of one query that products cannot tell apart and that are all measured
_MEASURED = 16384  # candidates whose distances are summed at once
_ROUNDING = 4e-5  # of the norms: twice the worst case of float32 sums over some 200 products


def search_cells(
    query: Levels, gallery: ProductGallery, skipped: slice, kappa: int
) -> tuple[Doubles, Ints]:
    """Return distances and numbers of the kappa nearest places of each place of some cells.

    `query` as `pyramid.nested` returns it; `skipped` middle cells do not count. Results: 16 x
    cells rows, kappa columns, nearest first; among equal distances the lowest number.
    """
    coarse, of_middle, of_fine = query
    middle = with_coarse(of_middle, coarse)
    fine = np.ascontiguousarray(of_fine.reshape(-1, 4, of_fine.shape[3]))
    ones = np.ones((len(middle), 1), np.float32)
    centred, fine_centred = middle - gallery.centre[0], fine - gallery.centre[1]
    bounds = np.concatenate([centred, ones], axis=1) @ gallery.bound_rows.T
    bounds[:, skipped] = np.inf
    if gallery.padding is not None:
        bounds[:, gallery.padding.all(axis=1)] = np.inf
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
    rows, numbers = np.concatenate(who), np.concatenate(where)
    return _nearest_first(rows, numbers, query, gallery, kappa)


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


def _slack(middle: Floats, fine: Floats, gallery: ProductGallery) -> Floats:
    """Return how far rounding can take a distance by products from the true one, twice; Q."""
    norms = np.einsum("qd,qd->q", middle, middle)
    norms += np.einsum("qfc,qfc->qf", fine, fine).max(axis=1)
    return np.asarray(_ROUNDING * (norms + gallery.largest_norm), np.float32)


def _upper_bounds(fine: Floats, bounds: Floats, gallery: ProductGallery, kappa: int) -> Floats:
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
    if gallery.padding is not None:
        found[np.broadcast_to(gallery.padding[first][:, :, None], found.shape)] = np.inf
    found += np.take_along_axis(bounds, first, axis=1)[:, :, None, None]
    places = found.transpose(0, 2, 1, 3).reshape(len(fine), 4, -1)
    return np.asarray(_kth_smallest(places, kappa, axis=2).max(axis=1), np.float32)


def _kth_smallest(values: Floats, kappa: int, *, axis: int = -1) -> Floats:
    if kappa == 1:
        return np.asarray(values.min(axis=axis), np.float32)
    parted = np.partition(values, kappa - 1, axis=axis)
    return np.asarray(parted.take(kappa - 1, axis=axis), np.float32)


def _nearest_first(
    who: Ints, where: Ints, query: Levels, gallery: ProductGallery, kappa: int
) -> tuple[Doubles, Ints]:
    """Return the true distances and numbers of the kappa nearest candidates of every place.

    `who`: number of a place of the query, `where`: of the gallery, one pair a candidate; each
    place has kappa candidates at least.
    """
    distances = np.empty(len(who))
    for start in range(0, len(who), _MEASURED):
        part = slice(start, start + _MEASURED)
        distances[part] = _true_distances(who[part], where[part], query, gallery)
    order = np.lexsort((where, distances, who))
    starts = np.searchsorted(who[order], np.arange(16 * len(query[0])))
    nearest = order[starts[:, None] + np.arange(kappa)]
    return distances[nearest], where[nearest]


def _true_distances(who: Ints, where: Ints, query: Levels, gallery: ProductGallery) -> Doubles:
    """Return squared distances as `pyramid_kernel` sums them: level by level, in double."""
    coarse, middle, fine = query
    of_middle = middle.reshape(-1, middle.shape[2])
    of_fine = fine.reshape(-1, fine.shape[3])
    others = gallery.fine.reshape(-1, fine.shape[3])
    by_coarse = summed(coarse[who >> 4], gallery.coarse[where >> 4])
    theirs = gallery.middle[where >> 2, : middle.shape[2]]
    by_middle = summed(of_middle[who >> 2], theirs)
    return summed(of_fine[who], others[where]) + (by_middle + by_coarse)


def summed(first: Floats, second: Floats) -> Doubles:
    """Return row by row the squared distance, every fourth channel in one strand of a sum."""
    difference = first.astype(np.float64) - second
    squares = np.square(difference, out=difference)
    sums = np.zeros((len(squares), 4))
    for channel in range(squares.shape[1]):
        sums[:, channel & 3] += squares[:, channel]
    return np.asarray((sums[:, 0] + sums[:, 1]) + (sums[:, 2] + sums[:, 3]))
