"""Reduction: our coreset against the plain greedy rule, same picks; the table of neighbours."""

import time

import numpy as np
from table import median_seconds, options, show

from inspector_gui.core.neighbours import squared_distances
from inspector_gui.core.sets.reduction import coreset
from inspector_gui.core.sets.table import NeighbourTable
from inspector_gui.core.types import Floats

ROWS, WIDTH, CHOSEN, SAMPLED = 10_000, 320, 100, 50


def main() -> None:
    """Take 10,000 features of 320 values, correlated as those of a network are."""
    given = options(__doc__ or "")
    features = correlated(ROWS)
    rounds = max(3, given.rounds // 3)
    picks = coreset(features, CHOSEN).tolist()
    assert picks == plain_coreset(features, CHOSEN)
    ours = median_seconds(lambda: coreset(features, CHOSEN), rounds=rounds)
    plain = median_seconds(lambda: plain_coreset(features, CHOSEN), rounds=1)
    rows: list[dict[str, object]] = [
        {"what": f"coreset of {CHOSEN} (ours)", "seconds": ours, "ratio_to_ours": 1.0},
        {"what": f"coreset of {CHOSEN}, plain", "seconds": plain, "ratio_to_ours": plain / ours},
        *table_rows(features),
    ]
    show(f"{ROWS} x {WIDTH} features", rows, given.json)


def table_rows(features: Floats) -> list[dict[str, object]]:
    """Measure the table: built at once, one picture more, one less; and a loop over pictures."""
    table = NeighbourTable()
    table.extend({f"{row:06d}": vector for row, vector in enumerate(features[:-SAMPLED])})
    began, turns = time.perf_counter(), []
    while True:
        turn = time.perf_counter()
        goes_on = table.step()
        turns.append(time.perf_counter() - turn)
        if not goes_on:
            break
    build = time.perf_counter() - began
    adding, removing, looping = [], [], []
    for place in range(SAMPLED):
        new = features[-1 - place]
        began = time.perf_counter()
        table.add(f"new {place}", new)
        adding.append(time.perf_counter() - began)
        began = time.perf_counter()
        table.remove(f"{place * 97:06d}")
        table.finish()
        removing.append(time.perf_counter() - began)
        began = time.perf_counter()
        distances = squared_distances(new, features)
        np.partition(distances, 2)[:2].mean()
        looping.append(time.perf_counter() - began)
    loop = float(np.median(looping)) * len(features)
    figures = {
        "table, built (ours)": build,
        "table, longest turn of the building": max(turns),
        "table, one picture more, median": float(np.median(adding)),
        "table, one picture less, median": float(np.median(removing)),
        f"loop over pictures, from {SAMPLED}": loop,
    }
    return [
        {"what": name, "seconds": seconds, "ratio_to_ours": seconds / build}
        for name, seconds in figures.items()
    ]


def correlated(count: int) -> Floats:
    """Return features with 20 main directions, and some noise in all."""
    random = np.random.default_rng(0)
    main = random.normal(size=(count, 20)) @ random.normal(size=(20, WIDTH))
    return (main + 0.3 * random.normal(size=(count, WIDTH)) + 5).astype(np.float32)


def plain_coreset(features: Floats, count: int) -> list[int]:
    """Greedy k-centre with one full pass of exact distances a step."""
    chosen = [0]
    nearest = squared_distances(features[0], features)
    while len(chosen) < count:
        nearest[chosen[-1]] = -1
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, squared_distances(features[chosen[-1]], features))
    return chosen


if __name__ == "__main__":
    main()
