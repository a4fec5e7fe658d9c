"""The compiled search of SPADE's map: written for numba, run as native code without Python.

Only the process that compiles imports numba (see `compiled`). One call searches a group of the
query's coarse cells in all coarse cells of the gallery:

D(p, q) = D_coarse + D_middle + D_fine with every term >= 0 (the levels are upsampled by nearest).
So a pair of coarse cells (16 x 16 places) whose coarse distance alone exceeds what all places of
the query's cell have already found is passed over; so is a pair of middle cells (4 x 4 places) by
coarse + middle. Bounds are sums over differences in float32, so their rounding is relative to
themselves: `slack` covers it. A pair of places that no bound excludes gets its true distance at
once, in double precision and in a fixed order, and only true distances are returned. So neither
rounding nor the order of the search shows in the result.

A tile is 16 numbers that one vector holds: 4 query cells against 4 gallery cells.
"""

import operator
from typing import Any

LANES = 16
_PROBES = 16  # coarse cells looked into first: the better the first finds, the more is excluded


def build() -> Any:
    """Return the numba `cfunc` of the search, compiled for this processor."""
    import numba
    from numba import types

    floats, integers, doubles = (
        types.CPointer(t) for t in (types.float32, types.int64, types.float64)
    )
    signature = types.void(*([floats] * 6), *([integers] * 2), *([doubles, integers, floats]))
    search = _source(numba)
    return numba.cfunc(signature, error_model="numpy")(search)


def _source(numba: Any) -> Any:
    """Return the search as a Python function whose parts are compiled."""
    coarse_tile, pair_tile = _tiles()
    carray = numba.carray
    njit = numba.njit(error_model="numpy", inline="never")

    def true_distance(  # type: ignore[no-untyped-def]
        first, first_at, first_step, second, second_at, second_step, channels
    ):
        a = b = c = d = 0.0
        for channel in range(0, channels, 4):
            at, to = first_at + channel * first_step, second_at + channel * second_step
            x = numba.float64(first[at]) - numba.float64(second[to])
            at, to = at + first_step, to + second_step
            y = numba.float64(first[at]) - numba.float64(second[to])
            at, to = at + first_step, to + second_step
            z = numba.float64(first[at]) - numba.float64(second[to])
            at, to = at + first_step, to + second_step
            w = numba.float64(first[at]) - numba.float64(second[to])
            a, b, c, d = a + x * x, b + y * y, c + z * z, d + w * w
        return (a + b) + (c + d)

    true_distance = njit(true_distance)

    def insert(distances, places, at, kappa, distance, place):  # type: ignore[no-untyped-def]
        last = at + kappa - 1
        if distance > distances[last] or (distance == distances[last] and place > places[last]):
            return False
        for slot in range(at, last + 1):
            if distances[slot] == distance and places[slot] == place:
                return False
        slot = last
        while slot > at and (
            distances[slot - 1] > distance
            or (distances[slot - 1] == distance and places[slot - 1] > place)
        ):
            distances[slot] = distances[slot - 1]
            places[slot] = places[slot - 1]
            slot -= 1
        distances[slot] = distance
        places[slot] = place
        return True

    insert = njit(insert)

    def tighten(limits, distances, query, kappa, slack):  # type: ignore[no-untyped-def]
        # limits of one coarse cell: 4 x 16 of its fine tiles, 16 of its middle tile, itself.
        whole = numba.float32(0)
        for cell in range(4):
            largest = numba.float32(0)
            for child in range(4):
                place = (query * 4 + cell) * 4 + child
                limit = numba.float32(distances[(place + 1) * kappa - 1] * slack)
                for other in range(4):
                    limits[cell * 16 + child * 4 + other] = limit
                largest = max(largest, limit)
            for other in range(4):
                limits[64 + cell * 4 + other] = largest
            whole = max(whole, largest)
        limits[80] = whole

    tighten = njit(tighten)

    def look_into(  # type: ignore[no-untyped-def]
        query, cell, bound, q_coarse, q_middle, q_fine, g_coarse, g_middle, g_fine,
        channels, kappa, slack, limits, of_middle, of_fine, distances, places,
    ):
        c3, c2, c1 = channels
        left = pair_tile(
            q_middle, query * c2 * 16, g_middle, cell * c2 * 4, c2, bound, limits, 64, of_middle
        )
        if left == 0:
            return
        d_coarse = -1.0
        for lane in range(16):
            if not (left >> lane) & 1 or of_middle[lane] > limits[64 + lane]:
                continue
            mine, other = query * 4 + (lane >> 2), cell * 4 + (lane & 3)
            hits = pair_tile(
                q_fine, mine * c1 * 16, g_fine, other * c1 * 4, c1,
                of_middle[lane], limits, (lane >> 2) * 16, of_fine,
            )
            if hits == 0:
                continue
            if d_coarse < 0:
                d_coarse = true_distance(
                    q_coarse, query * c3, 1,
                    g_coarse, (cell >> 4) * c3 * 16 + (cell & 15), 16, c3,
                )
            d_middle = true_distance(
                q_middle, query * c2 * 16 + (lane & 12), 16,
                g_middle, cell * c2 * 4 + (lane & 3), 4, c2,
            )
            is_nearer = False
            for pair in range(16):
                if not (hits >> pair) & 1:
                    continue
                d_fine = true_distance(
                    q_fine, mine * c1 * 16 + (pair & 12), 16,
                    g_fine, other * c1 * 4 + (pair & 3), 4, c1,
                )
                is_nearer |= insert(
                    distances, places, (mine * 4 + (pair >> 2)) * kappa, kappa,
                    d_fine + (d_middle + d_coarse), other * 4 + (pair & 3),
                )
            if is_nearer:
                tighten(limits, distances, query, kappa, slack)

    look_into = njit(look_into)

    def nearest_probes(bounds, at, cells, probes, chosen):  # type: ignore[no-untyped-def]
        # Indices of the smallest bounds, ascending: inserted into a short sorted list.
        count = 0
        worst = numba.float32(numba.np.inf) if False else numba.float32(3e38)
        for cell in range(cells):
            bound = bounds[at + cell]
            if count == probes and bound >= worst:
                continue
            slot = count if count < probes else probes - 1
            while slot > 0 and bounds[at + chosen[slot - 1]] > bound:
                chosen[slot] = chosen[slot - 1]
                slot -= 1
            chosen[slot] = cell
            count = min(count + 1, probes)
            worst = bounds[at + chosen[count - 1]]
        return count

    nearest_probes = njit(nearest_probes)

    def search(  # type: ignore[no-untyped-def]
        q_coarse_at, q_middle_at, q_fine_at, g_coarse_at, g_middle_at, g_fine_at,
        sizes_at, work_at, distances_at, places_at, bounds_at,
    ):
        sizes = carray(sizes_at, 12)
        begin, end, queries, cells = sizes[0], sizes[1], sizes[2], sizes[3]
        c3, c2, c1 = sizes[4], sizes[5], sizes[6]
        kappa, skip_begin, skip_end, chunk = sizes[7], sizes[8], sizes[9], sizes[10]
        padded = (cells + 15) // 16 * 16
        group = (end - begin + 3) // 4 * 4
        q_coarse = carray(q_coarse_at, (queries + 3) // 4 * 4 * c3)
        q_middle = carray(q_middle_at, queries * c2 * 16)
        q_fine = carray(q_fine_at, queries * 4 * c1 * 16)
        g_coarse = carray(g_coarse_at, padded * c3)
        g_middle = carray(g_middle_at, cells * c2 * 4)
        g_fine = carray(g_fine_at, cells * 4 * c1 * 4)
        distances = carray(distances_at, queries * 16 * kappa)
        places = carray(places_at, queries * 16 * kappa)
        bounds = carray(bounds_at, group * padded + group * 96 + 32)
        chosen = carray(work_at, 64)
        limits_from = group * padded
        of_middle = bounds[limits_from + group * 96 : limits_from + group * 96 + 16]
        of_fine = bounds[limits_from + group * 96 + 16 : limits_from + group * 96 + 32]
        channels = (c3, c2, c1)
        slack = 1.0 + (c1 + c2 + c3 + 8) * 2.4e-7

        for block in range(padded // 16):
            for first in range(0, group, 4):
                coarse_tile(
                    q_coarse, (begin + first) * c3, g_coarse, block * c3 * 16, c3,
                    bounds, first * padded + block * 16, padded,
                )
        for number in range(end - begin):
            row = number * padded
            for cell in range(skip_begin, skip_end):
                bounds[row + cell] = numba.float32(numpy_inf)
            query = begin + number
            limits = bounds[limits_from + number * 96 : limits_from + number * 96 + 96]
            tighten(limits, distances, query, kappa, slack)
            probes = nearest_probes(bounds, row, cells, sizes[11], chosen)
            for probe in range(probes):
                cell = chosen[probe]
                if bounds[row + cell] <= limits[80]:
                    look_into(
                        query, cell, bounds[row + cell], q_coarse, q_middle, q_fine,
                        g_coarse, g_middle, g_fine, channels, kappa, slack,
                        limits, of_middle, of_fine, distances, places,
                    )
                bounds[row + cell] = numba.float32(numpy_inf)
        for start in range(0, cells, chunk):
            stop = min(cells, start + chunk)
            for number in range(end - begin):
                row = number * padded
                query = begin + number
                limits = bounds[limits_from + number * 96 : limits_from + number * 96 + 96]
                for cell in range(start, stop):
                    if bounds[row + cell] <= limits[80]:
                        look_into(
                            query, cell, bounds[row + cell], q_coarse, q_middle, q_fine,
                            g_coarse, g_middle, g_fine, channels, kappa, slack,
                            limits, of_middle, of_fine, distances, places,
                        )

    numpy_inf = float("inf")
    del operator
    return search
