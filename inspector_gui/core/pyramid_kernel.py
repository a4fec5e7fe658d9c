"""The compiled search of SPADE's map, written for numba: native code, free of Python.

Only the process that compiles imports this (see `compiled`). One call searches a group of the
query's coarse cells among all coarse cells of the gallery:

D(p, q) = D_coarse + D_middle + D_fine with every term >= 0 (the levels are upsampled by nearest).
So a pair of coarse cells (16 x 16 places) whose coarse distance alone exceeds what all places of
the query's cell have already found is passed over; so is a pair of middle cells (4 x 4 places) by
coarse + middle. Bounds are sums over differences in float32, so their rounding is relative to
themselves: the limits are widened by more than it. A pair of places that no bound excludes gets
its true distance at once, in double precision and in a fixed order, and only true distances are
returned. So neither rounding nor the order of the search shows in the result.
"""

from typing import Any, TypeAlias

import numpy as np
from numba import cfunc, float32, njit, types

from inspector_gui.core.vector_tiles import (
    coarse_tiles,
    floats_at,
    lanes_below,
    offset,
    pair_tile,
    trailing_zeros,
)

_PROBES = 16  # coarse cells looked into first: the tighter the first limits, the less is left
_WIDER = 2.4e-7  # four times what a float32 sum can lose with each term
_LIMITS = 96  # numbers kept for a query cell: 4 fine tiles, a middle tile, its coarse limit
_MIDDLE, _COARSE = 64, 80

# Pointers, which know no length.
Floats: TypeAlias = Any
Doubles: TypeAlias = Any
Integers: TypeAlias = Any

_FLOATS, _DOUBLES, _INTEGERS = (
    types.CPointer(kind) for kind in (types.float32, types.float64, types.int64)
)
_SIGNATURE = types.void(
    _FLOATS,
    _FLOATS,
    _FLOATS,
    _INTEGERS,
    _INTEGERS,
    _DOUBLES,
    _INTEGERS,
    _FLOATS,
    _FLOATS,
    _INTEGERS,
)


@njit(error_model="numpy")
def _true_distance(
    first: Floats, i: int, step_i: int, second: Floats, j: int, step_j: int, channels: int
) -> float:
    """Return the squared distance of two features, summed in double precision in four strands."""
    a = b = c = d = 0.0
    for _ in range(0, channels, 4):
        x = np.float64(first[i]) - np.float64(second[j])
        y = np.float64(first[i + step_i]) - np.float64(second[j + step_j])
        z = np.float64(first[i + 2 * step_i]) - np.float64(second[j + 2 * step_j])
        w = np.float64(first[i + 3 * step_i]) - np.float64(second[j + 3 * step_j])
        a, b, c, d = a + x * x, b + y * y, c + z * z, d + w * w
        i += 4 * step_i
        j += 4 * step_j
    return (a + b) + (c + d)


@njit(error_model="numpy")
def _insert(
    distances: Doubles, places: Integers, first: int, kappa: int, distance: float, place: int
) -> bool:
    """Put a place among the kappa nearest, which are sorted; return whether it belongs there."""
    slot = first + kappa - 1
    if distance > distances[slot] or (distance == distances[slot] and place > places[slot]):
        return False
    while slot > first and (
        distances[slot - 1] > distance
        or (distances[slot - 1] == distance and places[slot - 1] > place)
    ):
        distances[slot] = distances[slot - 1]
        places[slot] = places[slot - 1]
        slot -= 1
    distances[slot] = distance
    places[slot] = place
    return True


@njit(error_model="numpy")
def _tighten(limits: Floats, distances: Doubles, query: int, kappa: int, wider: float) -> None:
    """Bring the limits of a query cell up to date with what its places have found."""
    whole = float32(0)
    for cell in range(4):
        largest = float32(0)
        for child in range(4):
            place = (query * 4 + cell) * 4 + child
            limit = float32(distances[(place + 1) * kappa - 1] * wider)
            for other in range(4):
                limits[cell * 16 + child * 4 + other] = limit
            largest = max(largest, limit)
        for other in range(4):
            limits[_MIDDLE + cell * 4 + other] = largest
        whole = max(whole, largest)
    limits[_COARSE] = whole


@njit(error_model="numpy")
def _look_closer(
    query: int,
    cell: int,
    left: int,
    own: tuple[Floats, Floats, Floats],
    addresses: Integers,
    before: int,
    widths: tuple[int, int, int],
    nearest: tuple[Doubles, Integers, int, float],
    limits: Floats,
    tiles: Floats,
) -> None:
    """Search the pairs of middle cells that are left within a pair of coarse cells, as bits."""
    q_coarse, q_middle, q_fine = own
    g_coarse, g_middle = floats_at(addresses[0]), floats_at(addresses[1])
    g_fine = floats_at(addresses[2])
    (c3, c2, c1), (distances, places, kappa, wider) = widths, nearest
    coarse = -1.0
    for lane in range(16):
        if not (left >> lane) & 1 or tiles[lane] > limits[_MIDDLE + lane]:
            continue
        mine, other = query * 4 + (lane >> 2), cell * 4 + (lane & 3)
        q_at, g_at = mine * c1 * 16, other * c1 * 4
        hits = pair_tile(
            q_fine, q_at, g_fine, g_at, c1, tiles[lane], limits, (lane >> 2) * 16, tiles, 16
        )
        if hits == 0:
            continue
        if coarse < 0:
            column = (cell >> 4) * c3 * 16 + (cell & 15)
            coarse = _true_distance(q_coarse, query * c3, 1, g_coarse, column, 16, c3)
        row, column = query * c2 * 16 + (lane & 12), cell * c2 * 4 + (lane & 3)
        middle = _true_distance(q_middle, row, 16, g_middle, column, 4, c2)
        is_nearer = False
        for pair in range(16):
            if not (hits >> pair) & 1:
                continue
            fine = _true_distance(q_fine, q_at + (pair & 12), 16, g_fine, g_at + (pair & 3), 4, c1)
            first = (mine * 4 + (pair >> 2)) * kappa
            place = before * 16 + other * 4 + (pair & 3)
            if _insert(distances, places, first, kappa, fine + (middle + coarse), place):
                is_nearer = True
        if is_nearer:
            _tighten(limits, distances, query, kappa, wider)


@njit(error_model="numpy", inline="always")
def _look_into(
    query: int,
    cell: int,
    bound: float,
    own: tuple[Floats, Floats, Floats],
    addresses: Integers,
    before: int,
    widths: tuple[int, int, int],
    nearest: tuple[Doubles, Integers, int, float],
    limits: Floats,
    tiles: Floats,
) -> None:
    """Search the 16 x 16 places of a pair of coarse cells, whose own distance is `bound`.

    `before`: how many cells other references have before the one at `addresses`.
    """
    at, to = query * widths[1] * 16, cell * widths[1] * 4
    g_middle = floats_at(addresses[1])
    left = pair_tile(own[1], at, g_middle, to, widths[1], bound, limits, _MIDDLE, tiles, 0)
    if left != 0:
        _look_closer(query, cell, left, own, addresses, before, widths, nearest, limits, tiles)


@njit(error_model="numpy")
def _nearest_cells(bounds: Floats, cells: int, chosen: Integers) -> int:
    """Write the cells of the smallest bounds, ascending, into `chosen`; return how many."""
    count, worst = 0, float32(np.inf)
    for start in range(0, cells, 16):
        mask = lanes_below(bounds, start, worst)
        while mask != 0:
            cell = start + trailing_zeros(mask)
            mask &= mask - 1
            bound = bounds[cell]
            if bound >= worst:
                continue
            slot = min(count, _PROBES - 1)
            while slot > 0 and bounds[chosen[slot - 1]] > bound:
                chosen[slot] = chosen[slot - 1]
                slot -= 1
            chosen[slot] = cell
            count = min(count + 1, _PROBES)
            if count == _PROBES:
                worst = bounds[chosen[_PROBES - 1]]
    return count


def search(
    q_coarse: Floats,
    q_middle: Floats,
    q_fine: Floats,
    addresses: Integers,
    sizes: Integers,
    distances: Doubles,
    places: Integers,
    bounds: Floats,
    limits: Floats,
    chosen: Integers,
) -> None:
    """Search the cells `sizes[0]` to `sizes[1]` of a query; see `compiled.CompiledSearch`."""
    begin, end, references, kappa = sizes[0], sizes[1], sizes[2], sizes[3]
    padded, c3, c2, c1 = sizes[4], sizes[5], sizes[6], sizes[7]
    widths, own = (c3, c2, c1), (q_coarse, q_middle, q_fine)
    wider = 1.0 + (c1 + c2 + c3 + 8) * _WIDER
    nearest = (distances, places, kappa, wider)
    cells = references * padded
    tiles = offset(limits, (end - begin) * _LIMITS)
    for reference in range(references):
        g_coarse = floats_at(addresses[3 * reference])
        for block in range(0, padded, 16):
            for first in range(0, end - begin, 4):
                at, to = (begin + first) * c3, first * cells + reference * padded + block
                coarse_tiles(q_coarse, at, g_coarse, block * c3, c3, bounds, to, cells)
    for number in range(end - begin):
        query, row = begin + number, offset(bounds, number * cells)
        own_limits = offset(limits, number * _LIMITS)
        _tighten(own_limits, distances, query, kappa, wider)
        for probe in range(_nearest_cells(row, cells, chosen)):
            reference, cell = chosen[probe] // padded, chosen[probe] % padded
            bound, row[chosen[probe]] = row[chosen[probe]], np.nan
            data, before = offset(addresses, 3 * reference), reference * padded
            _look_into(query, cell, bound, own, data, before, widths, nearest, own_limits, tiles)
    for reference in range(references):
        data, before = offset(addresses, 3 * reference), reference * padded
        for number in range(end - begin):
            query, row = begin + number, offset(bounds, number * cells + before)
            own_limits = offset(limits, number * _LIMITS)
            for block in range(0, padded, 16):
                mask = lanes_below(row, block, own_limits[_COARSE])
                while mask != 0:
                    cell = block + trailing_zeros(mask)
                    mask &= mask - 1
                    bound = row[cell]
                    _look_into(
                        query, cell, bound, own, data, before, widths, nearest, own_limits, tiles
                    )


def compiled_search() -> Any:
    """Return the search as numba's C function, compiled for this processor."""
    return cfunc(_SIGNATURE, error_model="numpy")(search)
