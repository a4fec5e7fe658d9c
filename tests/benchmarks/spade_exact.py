"""SPADE's exact search against faiss on concatenated features, on real photographs.

    python tests/benchmarks/spade_exact.py [--json FILE] [--dataset cookie] [--levels raw]

Every test picture that is taken is compared with its K nearest references, as the method does.
The searches take turns within a round, so that other work on this computer meets both alike. Rows
of magnetic_tile with another K, or with fewer references (evenly spread), tell how time grows;
`--no-growth` leaves them out. Stage 1, which chooses the K, is timed apart. Photographs are
development data.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import faiss
import numpy as np
from photograph_sets import folder_of
from table import median_seconds, parser_of, show

from inspector_gui import paths
from inspector_gui.core.compiled import CompiledSearch, code_folder, compile_search, load_search
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import list_images, read_image
from inspector_gui.core.neighbours import nearest
from inspector_gui.core.pyramid import PyramidGallery, pyramid_gallery
from inspector_gui.core.pyramid_search import nearest_places
from inspector_gui.core.types import Floats, Scoring

Levels = tuple[Floats, Floats, Floats]
DATASETS = ("cookie", "magnetic_tile", "hazelnut_toy")
GROWING = "magnetic_tile"
"""The data set that is large enough to show how time grows."""
PARTS = 3
"""Test pictures of each data set, spread evenly over its folders."""
SAMPLES = 12
"""Places of a part that are checked against all distances in double precision; of large K fewer."""


@dataclass(frozen=True)
class Dataset:
    """Features of one data set."""

    name: str
    pooled: Floats
    references: list[Levels]
    parts: list[tuple[Floats, Levels]]


def main() -> None:
    """Measure raw and scaled levels at K = 50, and larger K where there are references."""
    parser = parser_of(__doc__ or "", rounds=5)
    parser.add_argument("--dataset", action="append", help="can be given again; all if left out")
    parser.add_argument("--levels", choices=("raw", "scaled"), help="both if left out")
    parser.add_argument("--growth", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    compile_search(code_folder())
    search = load_search(code_folder())
    assert search is not None
    chosen = {name: features_of(name) for name in given.dataset or DATASETS}
    rows: list[dict[str, object]] = [
        measured(data, k=50, levels=levels, search=search, rounds=given.rounds)
        for data in chosen.values()
        for levels in ([given.levels] if given.levels else ["raw", "scaled"])
    ]
    if given.growth and GROWING in chosen:
        whole = chosen[GROWING]
        count = len(whole.references)
        settings = [(k, whole) for k in (10, 100, count)]
        settings += [(50, some_of(whole, share)) for share in (count // 8, count // 3)]
        rows += [
            measured(
                data, k=k, levels=given.levels or "raw", search=search, rounds=min(3, given.rounds),
                is_growth=True,
            )
            for k, data in settings
        ]  # fmt: skip
    show("SPADE map, all places of 56 x 56, exact", rows, given.json)


def features_of(name: str) -> Dataset:
    """Return the features of a data set's references and of some of its test pictures."""
    folder = folder_of(name)
    extractor = Extractor(
        Scoring(), weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    references = [
        extractor.extract(read_image(p)) for p in list_images([folder / "train" / "good"])
    ]
    tests = sorted((folder / "test").rglob("*.*"))
    parts = [extractor.extract(read_image(p)) for p in tests[:: len(tests) // PARTS][:PARTS]]
    return Dataset(
        name,
        np.stack([f.pooled for f in references]),
        [f.levels for f in references],
        [(f.pooled, f.levels) for f in parts],
    )


def some_of(data: Dataset, count: int) -> Dataset:
    """Return a data set with so many of its references, evenly spread."""
    rows = np.linspace(0, len(data.references) - 1, count).round().astype(int)
    return replace(data, pooled=data.pooled[rows], references=[data.references[r] for r in rows])


def scales_of(references: Sequence[Levels]) -> list[np.float32]:
    """Return factors after which every level varies alike, summed over its channels."""
    some = references[:: max(1, len(references) // 50)]
    features = [np.concatenate([r[n].reshape(-1, r[n].shape[2]) for r in some]) for n in range(3)]
    return [np.float32(1 / np.sqrt(level.var(axis=0).sum())) for level in features]


def measured(
    data: Dataset,
    *,
    k: int,
    levels: str,
    search: CompiledSearch,
    rounds: int,
    is_growth: bool = False,
) -> dict[str, object]:
    """Return one row: medians over rounds of the time for a part, averaged over parts."""
    one = np.float32(1)
    scales = scales_of(data.references) if levels == "scaled" else [one, one, one]
    ours, theirs, first, choosing, worst, against_double = [], [], [], [], 0.0, 0.0
    for pooled, own in data.parts[: 1 if is_growth else PARTS]:
        chosen = sorted(int(row) for row in nearest(pooled, data.pooled, k))
        choosing.append(median_seconds(partial(nearest, pooled, data.pooled, k), rounds=5))
        query = scaled(own, scales)
        references = [scaled(data.references[row], scales) for row in chosen]
        gallery = pyramid_gallery(references)
        rows = np.concatenate([concatenated(r) for r in references])
        index = faiss.IndexFlatL2(rows.shape[1])
        index.add(rows)
        wanted = concatenated(query)

        def by_us(query: Levels = query, gallery: PyramidGallery = gallery) -> Floats:
            return nearest_places(query, gallery, compiled=search)

        def by_faiss(index: faiss.IndexFlatL2 = index, wanted: Floats = wanted) -> Floats:
            return np.asarray(index.search(wanted, 1)[0])

        first.append(seconds_of(by_us))
        found, flat = by_us(), by_faiss()
        worst = max(worst, difference(found.ravel(), flat.ravel()))
        samples = max(3, SAMPLES * 50 // max(50, len(references)))
        places = np.random.default_rng(0).choice(len(wanted), samples, replace=False)
        exact = np.array([in_double(wanted[place], rows) for place in places])
        against_double = max(against_double, difference(found.ravel()[places], exact))
        times = [(seconds_of(by_us), seconds_of(by_faiss)) for _ in range(rounds)]
        ours.append(statistics.median(own for own, _ in times))
        theirs.append(statistics.median(flat for _, flat in times))
    return {
        "dataset": data.name,
        "k": k,
        "references": len(data.references),
        "levels": levels,
        "stage1_seconds": statistics.mean(choosing),
        "seconds": statistics.mean(ours),
        "faiss_seconds": statistics.mean(theirs),
        "ratio": statistics.mean(theirs) / statistics.mean(ours),
        "lowest_ratio": min(flat / own for own, flat in zip(ours, theirs, strict=True)),
        "first_seconds": statistics.mean(first),
        "max_relative_difference": worst,
        "difference_from_double": against_double,
    }


def scaled(levels: Levels, scales: Sequence[np.float32]) -> Levels:
    """Return levels times one factor each."""
    fine, middle, coarse = (level * scale for level, scale in zip(levels, scales, strict=True))
    return fine, middle, coarse


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long a piece of work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def difference(found: Floats, wanted: Floats) -> float:
    """Return the largest difference, relative to each value (to a thousandth of their mean)."""
    floor = 1e-3 * float(np.mean(wanted))
    return float(np.max(np.abs(found - wanted) / np.maximum(wanted, floor)))


def in_double(place: Floats, rows: Floats) -> float:
    """Return the smallest squared distance in double precision."""
    blocks = (rows[start : start + 8192] for start in range(0, len(rows), 8192))
    return min(float(np.square(b.astype(np.float64) - place).sum(axis=1).min()) for b in blocks)


def concatenated(levels: Levels) -> Floats:
    """Return the 3136 x 176 features of all fine places, coarser levels repeated."""
    fine, middle, coarse = levels
    repeated = [fine, middle.repeat(2, 0).repeat(2, 1), coarse.repeat(4, 0).repeat(4, 1)]
    return np.ascontiguousarray(np.concatenate(repeated, axis=2).reshape(fine.shape[0] ** 2, -1))


if __name__ == "__main__":
    main()
