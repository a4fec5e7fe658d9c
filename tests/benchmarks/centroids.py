"""k-means centroids against full kNN on the ten kinds of drawn parts as classes.

Like table 6 of the DN2 paper: every kind in turn is normal, the area under the ROC curve is the
average over kinds (one-class). Kinds of parts are easily told apart, so two harder problems stand
beside it: all kinds but one normal (multimodal), and good against defective parts of one kind.
Then the time of a single query, full kNN with more and more references against centroids.

    python tests/benchmarks/centroids.py [--json FILE] [--size 112] [--train 60] [--test 30]
"""

import argparse
import json
from functools import partial
from pathlib import Path

import numpy as np
from table import median_seconds, show

from inspector_gui import paths
from inspector_gui.core.features import Extractor, Features, PooledGallery
from inspector_gui.core.measuring.class_data import ClassData, LabelledPictures
from inspector_gui.core.measuring.problems import Problem, auroc, with_centroids
from inspector_gui.core.measuring.protocols import (
    MULTIMODAL,
    ONE_CLASS,
    class_features,
    problems_of,
)
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.sets import reduction
from inspector_gui.core.types import Floats, Scoring
from inspector_gui.demo.parts import PART_KINDS, defects_for, draw_part

CENTRES = (1, 3, 5, 10)
SEEDS = 5
COPIES = (1, 10, 100)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as one object")
    parser.add_argument("--rounds", type=int, default=101, help="queries that are timed; odd")
    parser.add_argument("--size", type=int, default=112, help="side of the drawn parts in pixels")
    parser.add_argument("--train", type=int, default=60, help="references of a kind")
    parser.add_argument("--test", type=int, default=30, help="test pictures of a kind")
    given = parser.parse_args()
    scoring = scoring_for("dn2", runtime="openvino")
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    features = class_features(drawn(given.size, given.train, given.test), extractor)
    one_class = problems_of(features, ONE_CLASS)
    problems = {
        "one-class": one_class,
        "multimodal": problems_of(features, MULTIMODAL),
        "defects": defect_problems(one_class, extractor, size=given.size, count=given.test),
    }
    rows = [measured(problems, scoring, centroids) for centroids in (None, *CENTRES)]
    title = f"{given.train} + {given.test} pictures of each kind: average AUROC %, k = {scoring.k}"
    show(title, rows, None)
    times = timed(features.train, features.test[0], scoring, rounds=given.rounds)
    show("Seconds of a query", times, None)
    if given.json is not None:
        found = {"areas": rows, "times": times}
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def drawn(size: int, train: int, test: int) -> ClassData:
    """Draw good parts of every kind: training pictures first."""

    def pictures(first: int, count: int) -> LabelledPictures:
        images = [
            draw_part(kind, seed=first + number, size=size).image
            for kind in PART_KINDS
            for number in range(count)
        ]
        labels = np.repeat(np.arange(len(PART_KINDS)), count).astype(np.int64)
        return LabelledPictures(np.stack(images), labels)

    return ClassData(
        "drawn parts", PART_KINDS, "drawn", pictures(0, train), pictures(500_000, test)
    )


def defect_problems(
    one_class: list[Problem], extractor: Extractor, *, size: int, count: int
) -> list[Problem]:
    """Return good against defective parts for every kind; defects take turns."""
    problems = []
    for problem in one_class:
        defects = defects_for(problem.name)
        parts = [
            draw_part(problem.name, seed=700_000 + n, size=size, defect=defects[n % len(defects)])
            for n in range(count)
        ]
        bads = np.stack([extractor.extract(part.image).pooled for part in parts])
        goods = problem.queries[~problem.bad]
        bad = np.repeat([False, True], [len(goods), len(bads)])
        queries = np.concatenate([goods, bads])
        problems.append(Problem(problem.name, problem.references, queries, bad))
    return problems


def measured(
    problems: dict[str, list[Problem]], scoring: Scoring, centroids: int | None
) -> dict[str, object]:
    """Return areas averaged over kinds, and over seeds of k-means with their spread."""
    row: dict[str, object] = {"centroids": "all" if centroids is None else str(centroids)}
    for name, of_kinds in problems.items():
        seeds = range(1 if centroids is None else SEEDS)
        areas = [100 * average(of_kinds, scoring, centroids, seed) for seed in seeds]
        row[name] = float(np.mean(areas))
        row[f"± {name}"] = float(np.std(areas))
    return row


def timed(
    references: Floats, query: Floats, scoring: Scoring, *, rounds: int
) -> list[dict[str, object]]:
    """Return the time of a query with full kNN and with centroids, and how they compare.

    More references than were drawn are copies, shifted by a little noise: only the time counts.
    """
    empty = np.empty((0, 0, 0), np.float32)
    part = Features(query, (empty, empty, empty))
    method, random = make_method(scoring), np.random.default_rng(0)
    ten = PooledGallery(reduction.centroids(references, CENTRES[-1]))
    centred = median_seconds(partial(method.score, part, ten), rounds=rounds)
    rows: list[dict[str, object]] = []
    for copies in COPIES:
        more = np.tile(references, (copies, 1))
        more += 0.01 * random.standard_normal(more.shape, np.float32)
        every = PooledGallery(more)
        full = median_seconds(partial(method.score, part, every), rounds=rounds)
        rows.append(
            {
                "references": len(more),
                "full kNN": full,
                f"{CENTRES[-1]} centroids": centred,
                "times faster": full / centred,
            }
        )
    return rows


def average(problems: list[Problem], scoring: Scoring, centroids: int | None, seed: int) -> float:
    """Return the area under the ROC curve, averaged over kinds."""
    found = [
        auroc(p if centroids is None else with_centroids(p, centroids, seed=seed), scoring.k)
        for p in problems
    ]
    return float(np.mean([area for area in found if area is not None]))


if __name__ == "__main__":
    main()
