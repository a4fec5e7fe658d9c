"""The ablations of the SPADE paper (arXiv 2005.02357) on one data set in MVTec layout.

Which levels of the pyramid are compared, alone and together (table 6), and whether the K references
that a part is compared with are its nearest ones or drawn at random (table 7). A draw is one choice
of K for all test pictures. To draw is a matter of this ablation alone; no recipe can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inspector_gui.core.features import Extractor
from inspector_gui.core.measuring.datasets import Dataset
from inspector_gui.core.measuring.evaluation import (
    Evaluation,
    FeatureBank,
    Report,
    Training,
    judge,
    learn_all,
)
from inspector_gui.core.measuring.variation import mean_known, spread
from inspector_gui.core.methods import make_method
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Progress, Scoring

LEVELS, NEAREST, RANDOM = "levels", "nearest references", "random references"

CHOICES = ("1", "2", "3", "1,2", "1,3", "2,3", "1,2,3")
KS = (1, 5, 10, 20, 50, 100)
DRAWS = 3
"""Of K references, for one point; fewer than for global features, since maps take longer."""

Area = Callable[[Evaluation], float | None]
METRICS: dict[str, Area] = {
    "image_auroc": lambda found: found.image_auroc,
    "stage1_auroc": lambda found: found.stage1_auroc,
    "pixel_auroc": lambda found: found.pixel.auroc if found.pixel else None,
    "aupro": lambda found: found.pixel.aupro if found.pixel else None,
}


@dataclass(frozen=True)
class MapPoint:
    """A measured setting: each metric of `METRICS` for every draw, or once where none is drawn."""

    ablation: str
    levels: str
    k: int
    areas: dict[str, tuple[float | None, ...]]

    def mean(self, metric: str) -> float | None:
        """Return a metric's mean over draws; None where it is unknown."""
        return mean_known(self.areas[metric])

    def spread(self, metric: str) -> float | None:
        """Return a metric's standard deviation over draws; None where nothing is drawn."""
        return spread(self.areas[metric])

    def as_json(self) -> dict[str, object]:
        """Return the point as a JSON-able mapping."""
        found: dict[str, object] = {
            "ablation": self.ablation,
            "levels": self.levels,
            "k_used": self.k,
            "n_draws": len(self.areas["image_auroc"]) if self.ablation == RANDOM else 0,
        }
        for metric in METRICS:
            found[metric] = self.mean(metric)
            found[f"{metric}_std"] = self.spread(metric)
        return found


@dataclass(frozen=True, eq=False)
class _Bench:
    """Measures settings one after the other, so that the maps of one alone are in memory."""

    dataset: Dataset
    scoring: Scoring
    extractor: Extractor
    bank: FeatureBank
    hashes: tuple[str, ...]
    report: Report
    should_stop: ShouldStop
    _known: dict[tuple[str, int], Evaluation] = field(default_factory=dict, init=False)

    def among_all(self, levels: str, k: int, report: Report) -> Evaluation:
        """Return what a part's k nearest references give; measured once."""
        k = min(k, len(self.hashes))
        if (levels, k) not in self._known:
            self._known[levels, k] = self.measured(self.hashes, levels, k, report)
        report(Progress("", 1, 1))
        return self._known[levels, k]

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Why test pictures are not measured; the same for every setting."""
        return next(iter(self._known.values())).unreadable

    def measured(self, hashes: Sequence[str], levels: str, k: int, report: Report) -> Evaluation:
        """Return what k nearest of these references give, named by their hashes."""
        scoring = replace(self.scoring, levels=levels, k=k)
        gallery = self.bank.gallery(tuple(sorted(hashes)))
        training = Training(make_method(scoring), gallery, len(hashes), 0)
        return judge(
            self.dataset, [training], scoring=scoring, extractor=self.extractor, report=report,
            should_stop=self.should_stop,
        )[0]  # fmt: skip

    def counted(self, what: str, number: int, settings: int) -> Report:
        """Return how the test pictures of a setting count in the progress of an ablation."""
        return lambda progress: self.report(
            Progress(what, number * progress.total + progress.done, settings * progress.total)
        )


def ablate_maps(
    dataset: Dataset,
    *,
    scoring: Scoring,
    extractor: Extractor,
    bank: FeatureBank,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> tuple[list[MapPoint], tuple[str, ...]]:
    """Return the points of both ablations by one network, and what was unreadable.

    `scoring` is SPADE's; its K serves the levels. `seed` is that of the random references. A K that
    is not below the number of references is measured as all of them. Raises `KnownError` for an
    unreadable reference or a mask that does not fit, `Cancelled` once `should_stop` is true.
    """
    found = learn_all(dataset, bank, extractor, report=report, should_stop=should_stop)
    hashes = tuple(found.files)
    bench = _Bench(dataset, scoring, extractor, bank, hashes, report, should_stop)
    points = [*_by_levels(bench), *_by_neighbours(bench), *_by_chance(bench, seed)]
    return points, bench.unreadable


def _by_levels(bench: _Bench) -> list[MapPoint]:
    points = []
    for number, levels in enumerate(CHOICES):
        report = bench.counted(LEVELS, number, len(CHOICES))
        found = bench.among_all(levels, bench.scoring.k, report)
        points.append(_point(LEVELS, levels, found.k_used, [found]))
    return points


def _by_neighbours(bench: _Bench) -> list[MapPoint]:
    ks = [*_ks(bench), len(bench.hashes)]
    points = []
    for number, k in enumerate(ks):
        report = bench.counted(NEAREST, number, len(ks))
        found = bench.among_all(bench.scoring.levels, k, report)
        points.append(_point(NEAREST, bench.scoring.levels, k, [found]))
    return points


def _by_chance(bench: _Bench, seed: int) -> list[MapPoint]:
    ks, levels = _ks(bench), bench.scoring.levels
    points = []
    for place, k in enumerate(ks):
        draws = []
        for draw in range(DRAWS):
            report = bench.counted(RANDOM, place * DRAWS + draw, len(ks) * DRAWS)
            rows = np.random.default_rng([seed, draw]).permutation(len(bench.hashes))[:k]
            drawn = [bench.hashes[row] for row in rows]
            draws.append(bench.measured(drawn, levels, k, report))
        points.append(_point(RANDOM, levels, k, draws))
    return points


def _ks(bench: _Bench) -> list[int]:
    return [k for k in KS if k < len(bench.hashes)]


def _point(ablation: str, levels: str, k: int, draws: Sequence[Evaluation]) -> MapPoint:
    areas = {name: tuple(area(found) for found in draws) for name, area in METRICS.items()}
    return MapPoint(ablation, levels, k, areas)
