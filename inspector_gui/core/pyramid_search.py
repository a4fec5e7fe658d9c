"""SPADE's map: the exact nearest gallery features of every place of a part.

Feature of a place: its fine, middle and coarse feature, the coarser ones upsampled by nearest
(Cohen & Hoshen 2020, section 3.3; the upsampling is ours). Three searches find the same neighbours
and return the same bits: compiled code in all cores, numpy until that is there, and a GPU.
"""

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from inspector_gui.core.compiled import CompiledSearch
from inspector_gui.core.neighbours import Ints, ShouldStop
from inspector_gui.core.pyramid import (
    MOST_BYTES,
    Doubles,
    Levels,
    PyramidGallery,
    PyramidShape,
    nested,
    padding,
    query_tiles,
    shape_of,
)
from inspector_gui.core.types import Floats, Inside

_PRODUCTS = 4  # times the memory of the levels, with the matrices that numpy searches
_GROUP = 16  # query cells that share what they read of the gallery
if TYPE_CHECKING:  # torch is imported where there is a GPU alone
    from inspector_gui.core.pyramid_device import DeviceSearch

_EARLIER = 2**62  # taken off the numbers of earlier pieces: below all others, in the same order
_PAIRS = 600_000  # of coarse cells a call: some 10 ms, a fifth of a second where no bound helps


@dataclass(frozen=True, eq=False)
class FoundPlaces:
    """The kappa nearest places of every place, nearest first; rows along the hierarchy.

    `distances`: float64, places x kappa, inf where the search was stopped, NaN on padding.
    `numbers`: int64, the same shape: places of the gallery (see `pyramid`), -1 where nothing was
    searched.
    """

    distances: Doubles
    numbers: Ints
    shape: PyramidShape

    @property
    def map(self) -> Floats:
        """Mean distance of each place, h x w of the finest grid; 0 where it was stopped.

        NaN on padding.
        """
        means = self.distances.mean(axis=1)
        means[np.isinf(means)] = 0
        return np.asarray(self.shape.grid(means), np.float32)

    def matches(self, row: int, column: int) -> list[tuple[int, int, int]]:
        """Return reference, row and column of the places nearest to one, nearest first."""
        width = 4 * self.shape.width
        order = self.shape.grid(np.arange(len(self.numbers)))
        position = np.empty(order.size, np.int64)
        position[order.ravel()] = np.arange(order.size)
        found = []
        for number in self.numbers[int(order[row, column])]:
            reference, place = divmod(int(number), order.size)
            found.append((reference, *divmod(int(position[place]), width)))
        return found


def nearest_places(
    levels: Levels,
    gallery: PyramidGallery,
    *,
    inside: Inside | None = None,
    kappa: int = 1,
    skip: int | None = None,
    should_stop: ShouldStop = lambda: False,
    compiled: CompiledSearch | None = None,
    device: "DeviceSearch | None" = None,
) -> Floats:
    """Return SPADE's map: for every fine place the mean squared distance to its kappa nearest.

    See `find_places`. Result: float32, h x w of the finest grid.
    """
    found = find_places(
        levels,
        gallery,
        inside=inside,
        kappa=kappa,
        skip=skip,
        should_stop=should_stop,
        compiled=compiled,
        device=device,
    )
    return found.map


def find_places(
    levels: Levels,
    gallery: PyramidGallery,
    *,
    inside: Inside | None = None,
    kappa: int = 1,
    skip: int | None = None,
    should_stop: ShouldStop = lambda: False,
    compiled: CompiledSearch | None = None,
    device: "DeviceSearch | None" = None,
) -> FoundPlaces:
    """Find the kappa nearest gallery places of every place; exact, whichever search it is.

    `levels`: h x w x C each, strides 4, 8, 16; places outside of `inside` are padding and are not
    searched for (None: there is none), nor is padding of references found. `skip` leaves out one
    reference of the gallery, by its index; the numbers count it nevertheless. A kappa above the
    number of places is cut to it. `should_stop` is asked between groups of cells. A `device`
    searches where there is one, else `compiled` code, else numpy. A gallery of more than
    `MOST_BYTES` is searched in pieces, each going on from what those before found.
    """
    shape = shape_of(levels)
    if shape != gallery.shape:
        raise ValueError(f"a part of {shape} does not fit a gallery of {gallery.shape}")
    kappa = min(kappa, sum(reference.count for reference in gallery.without(skip)))
    seen = _cut(levels, shape, inside)
    places = 16 * shape_of(seen).cells
    distances = np.full((places, kappa), np.inf)
    numbers = np.full((places, kappa), -1, np.int64)
    if device is not None:
        device.search(seen, gallery, distances, numbers, skip=skip, should_stop=should_stop)
    else:
        _search_in_pieces(seen, gallery, skip, should_stop, compiled, distances, numbers)
    found = FoundPlaces(distances, numbers, shape)
    return found if inside is None else _laid_back(found, inside)


def _search_in_pieces(
    levels: Levels,
    gallery: PyramidGallery,
    skip: int | None,
    should_stop: ShouldStop,
    compiled: CompiledSearch | None,
    distances: Doubles,
    numbers: Ints,
) -> None:
    """Write what compiled code or numpy finds, one piece of the gallery after the other."""
    most_bytes = MOST_BYTES if compiled is not None else MOST_BYTES // _PRODUCTS
    for first, piece in gallery.pieces(most_bytes):
        own = skip - first if skip is not None else None
        if own is not None and not 0 <= own < len(piece.references):
            own = None
        if not piece.without(own):
            continue
        numbers[numbers >= 0] -= _EARLIER
        if compiled is None:
            _search_by_products(levels, piece, own, should_stop, distances, numbers)
        else:
            _search_compiled(compiled, levels, piece, own, should_stop, distances, numbers)
        numbers[numbers >= 0] += first * 16 * gallery.shape.cells
        numbers[numbers < -1] += _EARLIER
        if piece is not gallery and should_stop():
            distances[:], numbers[:] = np.inf, -1  # of some references alone
            break


def _seen_cells(shape: PyramidShape, inside: Inside) -> tuple[slice, slice]:
    """Return the rows and columns of coarse cells that show any of the picture."""
    top, left, bottom, right = inside
    return slice(top // 4, -(-bottom // 4)), slice(left // 4, -(-right // 4))


def _cut(levels: Levels, shape: PyramidShape, inside: Inside | None) -> Levels:
    """Return the coarse cells of a part that show any of its picture, on all levels."""
    if inside is None:
        return levels
    rows, columns = _seen_cells(shape, inside)
    fine, middle, coarse = (
        level[f * rows.start : f * rows.stop, f * columns.start : f * columns.stop]
        for level, f in zip(levels, (4, 2, 1), strict=True)
    )
    return fine, middle, coarse


def _laid_back(found: FoundPlaces, inside: Inside) -> FoundPlaces:
    """Return what was found for `_cut` cells on the whole grid, and nothing on padding."""
    shape, kappa = found.shape, found.distances.shape[1]
    rows, columns = _seen_cells(shape, inside)
    cells = np.arange(shape.cells).reshape(shape.height, shape.width)[rows, columns].ravel()
    distances = np.full((shape.cells, 16, kappa), np.nan)
    numbers = np.full((shape.cells, 16, kappa), -1, np.int64)
    distances[cells] = found.distances.reshape(-1, 16, kappa)
    numbers[cells] = found.numbers.reshape(-1, 16, kappa)
    outside = padding(shape, inside).reshape(shape.cells, 16)
    distances[outside], numbers[outside] = np.nan, -1
    return FoundPlaces(distances.reshape(-1, kappa), numbers.reshape(-1, kappa), shape)


def _search_by_products(
    levels: Levels,
    gallery: PyramidGallery,
    skip: int | None,
    should_stop: ShouldStop,
    distances: Doubles,
    numbers: Ints,
) -> None:
    from inspector_gui.core.pyramid_products import COARSE_PAIRS, QUERY_CELLS, search_cells

    cells = gallery.shape.cells
    kappa = min(distances.shape[1], sum(own.count for own in gallery.without(skip)))
    skipped = slice(0, 0) if skip is None else slice(skip * 4 * cells, (skip + 1) * 4 * cells)
    coarse, middle, fine = nested(levels)
    if should_stop():
        return
    gallery.products.prepare()
    block = max(1, min(QUERY_CELLS, COARSE_PAIRS // (cells * len(gallery.references))))
    for start in range(0, len(coarse), block):
        if should_stop():
            return
        part = slice(start, start + block)
        rows = slice(16 * start, 16 * (start + block))
        query = coarse[part], middle[part], fine[part]
        found = search_cells(query, gallery.products, skipped, kappa)
        distances[rows], numbers[rows] = _nearer((distances[rows], numbers[rows]), found)


def _nearer(earlier: tuple[Doubles, Ints], found: tuple[Doubles, Ints]) -> tuple[Doubles, Ints]:
    """Return the nearest of two lists for every place, as many as in the earlier one."""
    distances, numbers = (np.concatenate(both, axis=1) for both in zip(earlier, found, strict=True))
    order = np.lexsort((numbers, distances), axis=1)[:, : earlier[0].shape[1]]
    return np.take_along_axis(distances, order, 1), np.take_along_axis(numbers, order, 1)


def _search_compiled(
    compiled: CompiledSearch,
    levels: Levels,
    gallery: PyramidGallery,
    skip: int | None,
    should_stop: ShouldStop,
    distances: Doubles,
    numbers: Ints,
) -> None:
    """Search in all cores; each group of query cells is its own, whichever core takes it."""
    shape, own = gallery.shape, shape_of(levels)
    laid_out = [reference.laid_out for reference in gallery.without(skip)]
    query = query_tiles(levels, own)
    addresses = np.array([[a.ctypes.data for a in level] for level in laid_out], np.int64)
    threads = usable_cores()
    padded = shape.padded_cells * len(laid_out)
    group = min(_GROUP, -(-own.cells // (3 * threads)), _PAIRS // padded)
    group = max(4, group // 4 * 4)
    starts = iter(range(0, own.cells, group))
    is_stopped = threading.Event()

    def work(is_asked: bool) -> None:
        bounds = np.empty(group * padded, np.float32)
        for start in starts:
            if is_stopped.is_set() or (is_asked and should_stop()):
                is_stopped.set()
                return
            part = range(start, min(start + group, own.cells))
            compiled.search(query, addresses, shape, part, bounds, distances, numbers)

    others = [threading.Thread(target=work, args=(False,)) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    try:
        work(True)
    except BaseException:
        is_stopped.set()
        raise
    finally:
        for thread in others:
            thread.join()
    _renumber(numbers, shape, skip)


def _renumber(numbers: Ints, shape: PyramidShape, skip: int | None) -> None:
    """Renumber places without the cells that fill up tiles, and with the reference left out."""
    is_found = numbers >= 0
    cells, within = np.divmod(numbers[is_found], 16)
    references, cells = np.divmod(cells, shape.padded_cells)
    if skip is not None:
        references += references >= skip
    numbers[is_found] = (references * shape.cells + cells) * 16 + within


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
