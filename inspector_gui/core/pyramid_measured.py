"""The true distances of candidates that products have found, read from the references' levels."""

from collections.abc import Iterator

import numpy as np

from inspector_gui.core.neighbours import Ints
from inspector_gui.core.pyramid import Doubles, Levels, PyramidGallery, PyramidShape, shape_of
from inspector_gui.core.pyramid_products import summed

_MEASURED = 65536  # candidates whose distances are summed at once


def nearest_first(
    who: Ints, where: Ints, levels: Levels, gallery: PyramidGallery, kappa: int
) -> tuple[Doubles, Ints]:
    """Return the true distances and numbers of the kappa nearest candidates of every place.

    `who`: number of a place of the part, `where`: of the gallery, one pair a candidate; each place
    has kappa candidates at least. Results: places x kappa, nearest first; among equal distances
    the lowest number.
    """
    distances = np.empty(len(who))
    by_reference = np.argsort(where // (16 * gallery.shape.cells), kind="stable")
    for some, reference, others in _by_reference(where[by_reference], gallery):
        rows = by_reference[some]
        distances[rows] = _true_distances(who[rows], others, levels, reference, gallery.shape)
    order = np.lexsort((where, distances, who))
    starts = np.searchsorted(who[order], np.arange(16 * shape_of(levels).cells))
    nearest = order[starts[:, None] + np.arange(kappa)]
    return distances[nearest], where[nearest]


def _by_reference(where: Ints, gallery: PyramidGallery) -> Iterator[tuple[slice, Levels, Ints]]:
    """Yield which candidates are of one reference, its levels, and their places in it."""
    places = 16 * gallery.shape.cells
    bounds = np.searchsorted(where, np.arange(len(gallery.references) + 1) * places)
    for number, reference in enumerate(gallery.references):
        levels = reference.levels if bounds[number] < bounds[number + 1] else None
        for start in range(bounds[number], bounds[number + 1], _MEASURED):
            some = slice(start, min(start + _MEASURED, bounds[number + 1]))
            assert levels is not None
            yield some, levels, where[some] - number * places


def _true_distances(
    who: Ints, where: Ints, levels: Levels, others: Levels, shape: PyramidShape
) -> Doubles:
    """Return squared distances of places as the other searches sum them: level by level."""
    mine, theirs = _rows_and_columns(who, shape_of(levels)), _rows_and_columns(where, shape)
    by_level = [
        summed(own[mine[0] // step, mine[1] // step], other[theirs[0] // step, theirs[1] // step])
        for own, other, step in zip(levels, others, (1, 2, 4), strict=True)
    ]
    fine, middle, coarse = by_level
    return np.asarray(fine + (middle + coarse))


def _rows_and_columns(places: Ints, shape: PyramidShape) -> tuple[Ints, Ints]:
    """Return where places, numbered along the hierarchy, are on the finest grid."""
    order = shape.grid(np.arange(16 * shape.cells))
    at = np.empty(order.size, np.int64)
    at[order.ravel()] = np.arange(order.size)
    rows, columns = np.divmod(at[places], order.shape[1])
    return rows, columns
