"""Search among a million references: ours against faiss's flat index and a numpy product.

The references are the global features of 20,000 drawn parts (ten kinds, 96 px, default network),
expanded: a new row is a real one plus a random combination of the differences to its 40 nearest
real neighbours of the same kind, with weights drawn from N(0, 1/40), so that its mean squared
distance from the real row is that to those neighbours. Queries are parts drawn with other seeds:
good ones, expanded good ones, and defective ones. None is a member.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from table import median_seconds, show

from inspector_gui import paths
from inspector_gui.cli import index as index_command
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.core.features import Extractor, Features, FeatureShape
from inspector_gui.core.neighbours import squared_distances
from inspector_gui.core.types import Floats, Scoring
from inspector_gui.demo.parts import PART_KINDS, defects_for, draw_part
from inspector_gui.store.features_cache import FeatureStore
from inspector_gui.store.stored_gallery import StoredGallery

SIDE = 96
REAL, HELD_OUT, DEFECTIVE = 2000, 50, 20  # parts of each kind
NEIGHBOURS = 40
K = 2
NO_LEVELS = (np.empty((0, 0, 0), np.float32),) * 3


def main() -> None:
    """Fill a folder in a child process, open it in this one, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as a list of objects")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of slow things; odd")
    parser.add_argument("--rows", type=int, default=1_000_000, help="references")
    given = parser.parse_args()
    drawn = drawn_features()
    with tempfile.TemporaryDirectory(prefix="inspector-") as name:
        folder = Path(name)
        child = multiprocessing.get_context("spawn").Process(target=fill, args=(folder, given.rows))
        child.start()
        child.join()
        assert child.exitcode == 0
        facts = measure_set(folder, given.rows, drawn)
        searches = measure_searches(folder, given.rows, drawn, given.rounds)
    show(f"{given.rows} references of {drawn['real'].shape[2]} values", searches, None)
    show("The set", [{"measured": key, "value": value} for key, value in facts.items()], None)
    if given.json is not None:
        given.json.write_text(json.dumps([*searches, facts], indent=2) + "\n", encoding="utf-8")


def drawn_features() -> dict[str, Floats]:
    """Return global features of drawn parts by kind: kinds x parts x D; kept in the cache."""
    file = paths.cache_folder() / "benchmarks" / f"drawn-parts-{SIDE}-{REAL}-{HELD_OUT}.npz"
    if not file.exists():
        extractor = Extractor(
            Scoring(), weights_folder=paths.weights_folder(), cache=paths.networks_folder()
        )

        def feature(kind: str, seed: int, defect: str | None = None) -> Floats:
            part = draw_part(kind, seed=seed, size=SIDE, defect=defect)
            return extractor.extract(part.image).pooled

        seeds = range(REAL + HELD_OUT)
        good = np.stack([[feature(kind, seed) for seed in seeds] for kind in PART_KINDS])
        bad = np.stack(
            [
                [
                    feature(
                        kind, REAL + HELD_OUT + n, defects_for(kind)[n % len(defects_for(kind))]
                    )
                    for n in range(DEFECTIVE)
                ]
                for kind in PART_KINDS
            ]
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, real=good[:, :REAL], held_out=good[:, REAL:], defective=bad)
    with np.load(file) as saved:
        return dict(saved)


def expanded(points: Floats, among: Floats, count: int, random: np.random.Generator) -> Floats:
    """Return `count` new points around `points`, by the rule above; `among` has neighbours."""
    _, found = faiss.knn(points, among, NEIGHBOURS + 1)
    is_member = bool((among[found[0, 0]] == points[0]).all())
    found = found[:, 1:] if is_member else found[:, :-1]
    new = np.empty((count, points.shape[1]), np.float32)
    for start in range(0, count, 500):
        chosen = np.arange(start, min(start + 500, count)) % len(points)
        weights = random.normal(0, NEIGHBOURS**-0.5, (len(chosen), NEIGHBOURS))
        differences = among[found[chosen]] - points[chosen, None]
        moved = np.matmul(weights[:, None].astype(np.float32), differences)[:, 0]
        new[start : start + len(chosen)] = points[chosen] + moved
    return new


def fill(folder: Path, rows: int) -> None:
    """Write the references into a feature folder and build its index, as the program does."""
    random = np.random.default_rng(0)
    real = drawn_features()["real"]
    of_kind = rows // len(real)
    with FeatureStore(folder, FeatureShape(real.shape[2])) as store:
        for number, points in enumerate(real):
            more = expanded(points, points, max(0, of_kind - len(points)), random)
            for place, row in enumerate(np.concatenate([points[:of_kind], more])):
                store.append(sha(number * of_kind + place), Features(row, NO_LEVELS))
    began = time.perf_counter()
    index_command.run(folder, ProgressStyle.NONE)
    (folder / "seconds").write_text(str(time.perf_counter() - began))


def sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def measure_set(folder: Path, rows: int, drawn: dict[str, Floats]) -> dict[str, float | str]:
    """Open the set as the program does, and add and take out references."""
    shas = sorted(map(sha, range(rows)))
    query = drawn["held_out"][0, 0]
    shape = FeatureShape(len(query))
    before = anonymous_mb()
    began = time.perf_counter()
    store = FeatureStore(folder, shape)
    gallery = store.gallery(shas)
    opened = time.perf_counter() - began
    gallery.nearest(query, K)
    first = time.perf_counter() - began - opened
    memory = anonymous_mb() - before
    adding, removing = [], []
    new = expanded(drawn["held_out"][1], drawn["real"][1], 21, np.random.default_rng(2))
    for number, point in enumerate(new):
        began = time.perf_counter()
        store.append(sha(rows + number), Features(point, NO_LEVELS))
        larger = store.changed(gallery, added=[sha(rows + number)])
        best = int(larger.nearest(point, K)[0])
        adding.append(time.perf_counter() - began)
        assert (larger.pooled_of([best])[0] == point).all()
        began = time.perf_counter()
        gallery = store.changed(larger, removed=[sha(rows + number)])
        again = int(gallery.nearest(point, K)[0])
        removing.append(time.perf_counter() - began)
        assert (gallery.pooled_of([again])[0] != point).any()
    store.close()
    return {
        "search": gallery.search,
        "open_seconds": opened,
        "first_query_ms": 1000 * first,
        "add_one_ms": 1000 * statistics.median(adding),
        "add_one_worst_ms": 1000 * max(adding),
        "exclude_one_ms": 1000 * statistics.median(removing),
        "raw_mb": rows * shape.pooled * 4 / 1e6,
        "index_mb": next(folder.glob("pooled-*.ivf")).stat().st_size / 1e6,
        "anonymous_mb": memory,
        "build_seconds": float((folder / "seconds").read_text()),
        "local_dimension_real": local_dimension(np.concatenate(list(drawn["real"]))),
        "local_dimension_expanded": local_dimension(gallery.pooled),
    }


def measure_searches(
    folder: Path, rows: int, drawn: dict[str, Floats], rounds: int
) -> list[dict[str, object]]:
    """Compare answers and times of the ways to search, query by query."""
    random = np.random.default_rng(1)
    good = np.concatenate(list(drawn["held_out"]))
    pairs = zip(drawn["held_out"], drawn["real"], strict=True)
    more = np.concatenate([expanded(h, r, HELD_OUT, random) for h, r in pairs])
    bad = np.concatenate(list(drawn["defective"]))
    shas = sorted(map(sha, range(rows)))
    with FeatureStore(folder, FeatureShape(good.shape[1])) as store:
        whole = store.gallery(shas)
        half = store.gallery([s for s in shas if int(s[:2], 16) % 2])
        refused = store.gallery(shas, allow_approximate=False)
    vectors = whole.pooled
    flat = faiss.IndexFlatL2(vectors.shape[1])
    flat.add(vectors)
    norms = np.einsum("nd,nd->n", vectors, vectors)

    def product(query: Floats) -> object:
        return np.argpartition(norms - 2 * (vectors @ query), K)[:K]

    found = []
    for name, gallery, queries in (
        ("good parts", whole, good),
        ("expanded good parts", whole, more),
        ("defective parts", whole, bad),
        ("half the references excluded", half, good),
    ):
        true = flat if gallery is whole else faiss.IndexFlatL2(vectors.shape[1])
        if gallery is not whole:
            true.add(gallery.pooled)
        found.append(compared(f"ours: {name}", gallery, queries, true.search(queries, K)[1]))
    slow: dict[str, Callable[[], object]] = {
        "exact without an index (refused)": lambda: refused.nearest(good[0], K),
        "faiss IndexFlatL2": lambda: flat.search(good[:1], K),
        "numpy product": lambda: product(good[0]),
    }
    ours = float(str(found[0]["median_ms"]))
    for name, work in slow.items():
        median = 1000 * median_seconds(work, rounds=rounds)
        found.append(
            {
                "search": name,
                "median_ms": median,
                "p99_ms": None,
                "recall_at_2": 1.0,
                "worst_score_error": 0.0,
                "ratio_to_ours": median / ours,
            }
        )
    return found


def compared(
    name: str, gallery: StoredGallery, queries: Floats, true: np.ndarray
) -> dict[str, object]:
    """Measure a gallery query by query; `true`: Q x K rows. Scores are DN2's mean distance."""
    gallery.nearest(queries[0], K)
    seconds, hits, errors = [], [], []
    for query, wanted in zip(queries, true, strict=True):
        began = time.perf_counter()
        rows = gallery.nearest(query, K)
        seconds.append(time.perf_counter() - began)
        hits.append(len(set(rows.tolist()) & set(wanted.tolist())) / K)
        score, best = (
            float(squared_distances(query, gallery.pooled_of(r)).mean()) for r in (rows, wanted)
        )
        errors.append(score / best - 1)
    median = statistics.median(seconds)
    return {
        "search": name,
        "median_ms": 1000 * median,
        "p99_ms": 1000 * float(np.quantile(seconds, 0.99)),
        "recall_at_2": statistics.fmean(hits),
        "worst_score_error": max(errors),
        "ratio_to_ours": 1.0,
    }


def local_dimension(points: Floats, *, near: int = 10, sample: int = 300) -> float:
    """Return the median of Levina and Bickel's estimate (NIPS 2004) at a sample of points."""
    chosen = np.random.default_rng(3).choice(len(points), min(sample, len(points)), replace=False)
    squared, _ = faiss.knn(points[chosen], points, near + 1)
    distances = np.sqrt(np.maximum(squared[:, 1:], 1e-12))
    return float(np.median(1 / np.log(distances[:, -1:] / distances[:, :-1]).mean(axis=1)))


def anonymous_mb() -> float:
    """Return the resident memory of this process that is no file's (Linux)."""
    status = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return next(int(s.split()[1]) for s in status if s.startswith("RssAnon:")) * 1024 / 1e6


if __name__ == "__main__":
    main()
