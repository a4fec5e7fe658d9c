"""Learning curves: what more references would bring, measured on those there are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inspector_gui.core.calibration import MIN_REFERENCES, suggest_limits
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.sets.cleaning import centre_and_spread
from inspector_gui.core.sets.subsets import Report, ShouldStop, SubsetScore, drawn
from inspector_gui.core.types import Progress

DRAWS = 5
MOST_SCORED = 100
"""References, good and bad pictures that are scored at each point where there are more."""

_STEPS = (5, 7, 10, 15, 20, 30)  # and ten times these, and so on


@dataclass(frozen=True)
class LearningPoint:
    """What `references` references do, over several random draws of them.

    `auroc`: mean, smallest and largest over the draws; None without known bad pictures.
    `median` and `spread` (robust standard deviation): of the scores of good pictures that are not
    among the references, averaged over the draws. `limit`: the limit that would be suggested from
    those references, as a multiple of `median`; about the room between an ordinary good part and
    the limit. `above`: share of those good pictures above that limit.
    """

    references: int
    draws: int
    goods: int
    median: float
    spread: float
    limit: float
    above: float
    auroc: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class LearningCurve:
    """Points from few references to all; `goods` says which good pictures were scored."""

    points: tuple[LearningPoint, ...]
    goods: str
    n_bad: int
    seed: int

    def as_json(self) -> dict[str, object]:
        """Return the curve as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "LearningCurve":
        """Return the curve that `as_json` wrote."""
        points = tuple(
            LearningPoint(**{**p, "auroc": p["auroc"] and tuple(p["auroc"])})
            for p in value["points"]
        )
        return cls(points, str(value["goods"]), int(value["n_bad"]), int(value["seed"]))


def sizes_up_to(count: int) -> list[int]:
    """Return the numbers of references on a curve: 5, 7, 10, 15, 20, 30, 50, ... and `count`."""
    return [*_sizes_below(count), count]


def _sizes_below(count: int) -> Iterator[int]:
    scale = 1
    while True:
        for size in _STEPS:
            if size * scale >= count:
                return
            yield size * scale
        scale *= 10


def learning_curve(
    count: int,
    score: SubsetScore,
    *,
    validation: Sequence[int] = (),
    bad: Sequence[int] = (),
    draws: int = DRAWS,
    most: int = MOST_SCORED,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> LearningCurve:
    """Measure how a set would do with fewer of its `count` references.

    `score` is the recipe's method (see `SubsetScore`). Good pictures are those of `validation`,
    or else references that were not drawn; with all references drawn, these are scored
    leave-one-out. At most `most` of each kind are scored. Random draws and choices depend on
    `seed` alone. An estimate: draws overlap, so the points are not independent. Raises
    `KnownError` for fewer than six references, `Cancelled` once `should_stop` is true.
    """
    if count <= MIN_REFERENCES:
        raise KnownError(
            f"A learning curve needs more than {MIN_REFERENCES} references; there are {count}."
        )
    some_bad = drawn(bad, most, seed=seed)
    some_good = drawn(validation, most, seed=seed)
    random = np.random.default_rng(seed)
    sizes = sizes_up_to(count)
    points = []
    for done, size in enumerate(sizes):
        report(Progress("learning curve", done, len(sizes)))
        results = []
        for _ in range(draws if size < count else 1):
            if should_stop():
                raise Cancelled
            order = random.permutation(count)
            rows = tuple(sorted(order[:size].tolist()))
            rest = order[size:].tolist() or order.tolist()
            goods = some_good or drawn(rest, most, seed=seed)
            own = drawn(rows, most, seed=seed)
            results.append(_one_draw(score, rows, own, goods, some_bad))
        points.append(_point(size, results))
    report(Progress("learning curve", len(sizes), len(sizes)))
    name = "validation" if validation else "left out references"
    return LearningCurve(tuple(points), name, len(some_bad), seed)


@dataclass(frozen=True)
class _Draw:
    goods: int
    median: float
    spread: float
    limit: float
    above: float
    auroc: float | None


def _one_draw(
    score: SubsetScore, rows: tuple[int, ...], own: list[int], goods: list[int], bad: list[int]
) -> _Draw:
    from inspector_gui.core.measuring.metrics import image_auroc  # loads scikit-learn

    of_goods = np.array([score(picture, rows) for picture in goods])
    of_own = [score(picture, rows) for picture in own]
    limit = suggest_limits(of_own, gallery="").fail_from
    median, spread = centre_and_spread(of_goods.tolist())
    auroc = None
    if bad:
        scores = np.concatenate([of_goods, [score(picture, rows) for picture in bad]])
        auroc = image_auroc(np.arange(len(scores)) >= len(goods), scores)
    above = float((of_goods > limit).mean())
    return _Draw(len(goods), median, spread, limit / max(median, 1e-12), above, auroc)


def _point(size: int, results: list[_Draw]) -> LearningPoint:
    def mean(name: str) -> float:
        return float(np.mean([getattr(result, name) for result in results]))

    areas = [result.auroc for result in results if result.auroc is not None]
    return LearningPoint(
        references=size,
        draws=len(results),
        goods=results[0].goods,
        median=mean("median"),
        spread=mean("spread"),
        limit=mean("limit"),
        above=mean("above"),
        auroc=(float(np.mean(areas)), min(areas), max(areas)) if areas else None,
    )
