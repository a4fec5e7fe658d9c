"""The ablations of the DN2 paper (arXiv 2002.10445) on one data set, as points of curves.

Depth of the network (figure 1), number of neighbours, number of references (figure 5), impurity
of the references with and without cleaning, k-means centres in place of references (table 6). A
data set of classes is measured one-class and averaged over its classes, as in the paper.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import UnreadableImage, display_name, read_image
from inspector_gui.core.measuring import problems as dn2
from inspector_gui.core.measuring.class_data import ClassData, read_class_data
from inspector_gui.core.measuring.datasets import Dataset, read_dataset
from inspector_gui.core.measuring.evaluation import FeatureBank, Report, go_on, learn_all
from inspector_gui.core.measuring.problems import Problem
from inspector_gui.core.measuring.protocols import ONE_CLASS, class_features, problems_of
from inspector_gui.core.measuring.variation import DRAWS, mean_known, spread, wanted_contaminants
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Progress, Scoring

DEPTH, NEIGHBOURS, REFERENCES = "depth", "neighbours", "references"
IMPURITY, CLEANED, CENTROIDS = "impurity", "impurity, cleaned", "centroids"

KS = (1, 2, 3, 5, 10, 20, 50, 100)
COUNTS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4)
CLEAN = 0.5
"""Fraction of the references that cleaning drops; the paper's."""
CENTRES = (1, 3, 5, 10)
ALL = "all"

Areas = list[float | None]


@dataclass(frozen=True)
class Point:
    """A measured setting: the area under the ROC curve, averaged over classes and draws.

    `draws` are the areas of random draws, each averaged over classes; empty where nothing is drawn.
    """

    ablation: str
    backbone: str
    k: int
    setting: str | int | float
    image_auroc: float | None
    draws: tuple[float | None, ...] = ()

    @property
    def spread(self) -> float | None:
        """Standard deviation over random draws; None where nothing is drawn."""
        return spread(self.draws)

    def as_json(self) -> dict[str, object]:
        """Return the point as a JSON-able mapping."""
        return {
            "ablation": self.ablation,
            "backbone": self.backbone,
            "k_used": self.k,
            "setting": self.setting,
            "image_auroc": self.image_auroc,
            "image_auroc_std": self.spread,
            "n_draws": len(self.draws),
        }


@dataclass(frozen=True, eq=False)
class Bench:
    """Problems of a data set by one backbone, and how to go on."""

    problems: Sequence[Problem]
    scoring: Scoring
    seed: int = 0
    report: Report = lambda _: None
    should_stop: ShouldStop = lambda: False

    def point(self, ablation: str, setting: str | int | float, draws: Sequence[Areas]) -> Point:
        """Return the point of draws, each with an area for every problem."""
        means = tuple(mean_known(areas) for areas in draws)
        drawn = means if len(means) > 1 else ()
        compared = self.fewest
        if ablation in (REFERENCES, CENTROIDS) and isinstance(setting, int):
            compared = setting
        k = min(self.scoring.k, compared)
        return Point(ablation, self.scoring.backbone, k, setting, mean_known(means), drawn)

    def areas(self, problems: Iterable[Problem]) -> Areas:
        """Return the area under the ROC curve of every problem."""
        found: Areas = []
        for problem in problems:
            go_on(self.should_stop)
            found.append(dn2.auroc(problem, self.scoring.k))
        return found

    @property
    def fewest(self) -> int:
        """References of the problem that has the fewest."""
        return min(len(problem.references) for problem in self.problems)


def read_any(folder: Path) -> Dataset | ClassData:
    """Return a data set in MVTec layout or one of classes; `KnownError` where it is neither."""
    if not folder.is_dir():
        raise KnownError(f"{display_name(folder)} is not a folder.")
    if (folder / "train" / "good").is_dir():
        dataset = read_dataset(folder)
        if not any(s.is_bad for s in dataset.test) or all(s.is_bad for s in dataset.test):
            raise KnownError(
                f"{dataset.name} has not both good and defective test pictures, so nothing can be "
                "told apart."
            )
        return replace(dataset, name=display_name(dataset.name))
    return read_class_data(folder)


def problems_with(
    data: Dataset | ClassData,
    bank: FeatureBank,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> tuple[list[Problem], tuple[str, ...]]:
    """Compute features and return the problems of a data set, and what was unreadable.

    MVTec layout gives one problem; classes give the one-class problem of each.
    """
    if isinstance(data, ClassData):
        features = class_features(data, extractor, report=report, should_stop=should_stop)
        return problems_of(features, ONE_CLASS), features.unreadable
    references = learn_all(data, bank, extractor, report=report, should_stop=should_stop)
    pooled, bad, unreadable = [], [], []
    for done, sample in enumerate(data.test):
        go_on(should_stop)
        report(Progress("test pictures", done, len(data.test)))
        try:
            pooled.append(extractor.extract(read_image(sample.path)).pooled)
        except UnreadableImage as error:
            unreadable.append(str(error))
            continue
        bad.append(sample.is_bad)
    report(Progress("test pictures", len(data.test), len(data.test)))
    if not pooled:
        raise KnownError(f"No test picture of {data.name} is readable. {unreadable[0]}")
    gallery = bank.gallery(tuple(references.files)).pooled
    problem = Problem(data.name, gallery, np.stack(pooled), np.array(bad))
    return [problem], tuple(unreadable)


def depth(bench: Bench) -> Point:
    """Return the point of a backbone."""
    return bench.point(DEPTH, bench.scoring.backbone, [bench.areas(bench.problems)])


def ablate(bench: Bench) -> list[Point]:
    """Return the points of all ablations but depth, by one backbone."""
    return [*_neighbours(bench), *_references(bench), *_impurity(bench), *_centroids(bench)]


def _neighbours(bench: Bench) -> list[Point]:
    ks = [k for k in KS if k <= bench.fewest]
    by_problem = []
    for problem in _counted(bench, NEIGHBOURS, bench.problems):
        go_on(bench.should_stop)
        by_problem.append(dn2.aurocs_by_k(problem, ks))
    return [
        replace(bench.point(NEIGHBOURS, k, [list(areas)]), k=k)
        for k, areas in zip(ks, zip(*by_problem, strict=True), strict=True)
    ]


def _references(bench: Bench) -> list[Point]:
    points = []
    for count in _counted(bench, REFERENCES, [c for c in COUNTS if c < bench.fewest]):
        draws = [
            bench.areas(
                dn2.with_shots(problem, count, seed=[bench.seed, draw])
                for problem in bench.problems
            )
            for draw in range(DRAWS)
        ]
        points.append(bench.point(REFERENCES, count, draws))
    points.append(bench.point(REFERENCES, ALL, [bench.areas(bench.problems)]))
    return points


def _impurity(bench: Bench) -> list[Point]:
    """Return the points with and without cleaning; test pictures are the same for all of them.

    A share for which there are not enough bad pictures is left out, and all of them where a data
    set has too few to take some and test with others.
    """
    if any(p.strange is None and np.count_nonzero(p.bad) < 2 for p in bench.problems):
        return []
    most = [wanted_contaminants(SHARES[-1], goods=len(p.references)) for p in bench.problems]
    problems = [
        p if p.strange is not None else dn2.with_reserve(p, count, seed=bench.seed)
        for p, count in zip(bench.problems, most, strict=True)
    ]
    shares = [share for share in SHARES if all(_is_enough(p, share) for p in problems)]
    clean = [_cleaned(p, bench) for p in problems]
    points = [
        bench.point(IMPURITY, 0.0, [bench.areas(problems)]),
        bench.point(CLEANED, 0.0, [bench.areas(clean)]),
    ]
    for share in _counted(bench, IMPURITY, shares):
        impure_areas, cleaned_areas = [], []
        for draw in range(DRAWS):
            impure = [dn2.contaminated(p, share, seed=[bench.seed, draw])[0] for p in problems]
            impure_areas.append(bench.areas(impure))
            cleaned_areas.append(bench.areas(_cleaned(p, bench) for p in impure))
        points.append(bench.point(IMPURITY, share, impure_areas))
        points.append(bench.point(CLEANED, share, cleaned_areas))
    return points


def _is_enough(problem: Problem, share: float) -> bool:
    strange = 0 if problem.strange is None else len(problem.strange)
    goods = len(problem.references)
    return 1 <= round(share * goods / (1 - share)) <= strange


def _cleaned(problem: Problem, bench: Bench) -> Problem:
    rows = dn2.rows_kept(problem.references, CLEAN, k=bench.scoring.k)
    return replace(problem, references=problem.references[rows])


def _centroids(bench: Bench) -> list[Point]:
    points = []
    for count in _counted(bench, CENTROIDS, [c for c in CENTRES if c <= bench.fewest]):
        reduced = (dn2.with_centroids(p, count, seed=bench.seed) for p in bench.problems)
        points.append(bench.point(CENTROIDS, count, [bench.areas(reduced)]))
    points.append(bench.point(CENTROIDS, ALL, [bench.areas(bench.problems)]))
    return points


T = TypeVar("T")


def _counted(bench: Bench, what: str, items: Sequence[T]) -> Iterator[T]:
    """Yield the items of an ablation and report how many are done."""
    for done, item in enumerate(items):
        bench.report(Progress(what, done, len(items)))
        yield item
    bench.report(Progress(what, len(items), len(items)))
