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
    query_tiles,
    shape_of,
)
from inspector_gui.core.types import Floats

_PRODUCTS = 4  # times the memory of the levels, with the matrices that numpy searches
_GROUP = 16  # query cells that share what they read of the gallery
if TYPE_CHECKING:  # torch is imported where there is a GPU alone
    from inspector_gui.core.pyramid_device import DeviceSearch

_EARLIER = 2**62  # taken off the numbers of earlier pieces: below all others, in the same order
_PAIRS = 600_000  # of coarse cells a call: some 10 ms, a fifth of a second where no bound helps


@dataclass(frozen=True, eq=False)
class FoundPlaces:
    """The kappa nearest places of every place, nearest first; rows along the hierarchy.

    `distances`: float64, places x kappa, inf where the search was stopped. `numbers`: int64, the
    same shape: places of the gallery (see `pyramid`), -1 where the search was stopped.
    """

    distances: Doubles
    numbers: Ints
    shape: PyramidShape

    @property
    def map(self) -> Floats:
        """Mean distance of each place, h x w of the finest grid; 0 where it was stopped."""
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
    kappa: int = 1,
    skip: int | None = None,
    should_stop: ShouldStop = lambda: False,
    compiled: CompiledSearch | None = None,
    device: "DeviceSearch | None" = None,
) -> FoundPlaces:
    """Find the kappa nearest gallery places of every place; exact, whichever search it is.

    `levels`: h x w x C each, strides 4, 8, 16. `skip` leaves out one reference of the gallery, by
    its index; the numbers count it nevertheless. A kappa above the number of places is cut to it.
    `should_stop` is asked between groups of cells. A `device` searches where there is one, else
    `compiled` code, else numpy. A gallery of more than `MOST_BYTES` is searched in pieces, each
    going on from what those before found.
    """
    shape = shape_of(levels)
    if shape != gallery.shape:
        raise ValueError(f"a part of {shape} does not fit a gallery of {gallery.shape}")
    places = 16 * shape.cells
    kappa = min(kappa, places * len(gallery.without(skip)))
    distances = np.full((places, kappa), np.inf)
    numbers = np.full((places, kappa), -1, np.int64)
    if device is not None:
        device.search(levels, gallery, distances, numbers, skip=skip, should_stop=should_stop)
        return FoundPlaces(distances, numbers, shape)
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
        numbers[numbers >= 0] += first * places
        numbers[numbers < -1] += _EARLIER
        if piece is not gallery and should_stop():
            distances[:], numbers[:] = np.inf, -1  # of some references alone
            break
    return FoundPlaces(distances, numbers, shape)


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
    kappa = min(distances.shape[1], 16 * cells * len(gallery.without(skip)))
    skipped = slice(0, 0) if skip is None else slice(skip * 4 * cells, (skip + 1) * 4 * cells)
    coarse, middle, fine = nested(levels)
    if should_stop():
        return
    gallery.products.prepare()
    block = max(1, min(QUERY_CELLS, COARSE_PAIRS // (cells * len(gallery.references))))
    for start in range(0, cells, block):
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
    shape = gallery.shape
    laid_out = [reference.laid_out for reference in gallery.without(skip)]
    query = query_tiles(levels, shape)
    addresses = np.array([[a.ctypes.data for a in level] for level in laid_out], np.int64)
    threads = usable_cores()
    padded = shape.padded_cells * len(laid_out)
    group = min(_GROUP, -(-shape.cells // (3 * threads)), _PAIRS // padded)
    group = max(4, group // 4 * 4)
    starts = iter(range(0, shape.cells, group))
    is_stopped = threading.Event()

    def work(is_asked: bool) -> None:
        bounds = np.empty(group * padded, np.float32)
        for start in starts:
            if is_stopped.is_set() or (is_asked and should_stop()):
                is_stopped.set()
                return
            part = range(start, min(start + group, shape.cells))
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
