"""Slimming a reference set: which references stay, and what that measurably costs.

`faiss` and `sklearn` are loaded where they are used: the window reads the values from here.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.sets.subsets import Report, ShouldStop, SubsetScore, drawn
from inspector_gui.core.types import Floats, Progress

MOST_SCORED = 500
"""References that are scored for the comparison where there are more: a fixed random choice."""

TIMED = 15
_WARM = 2

How = Literal["medoids", "coreset"]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SlimmingCost:
    """What fewer references cost, measured; nothing is changed yet.

    `agreement`: Spearman's rank correlation of the leave-one-out scores of the same references
    against all and against those that stay (None where all are equal). `ratio`: the median of
    score after / score before; above 1, so limits have to be made anew. `auroc_before` and
    `auroc_after`: between known bad pictures and `goods` ("validation", or "left out references"
    that do not stay; "" and None without either). `seconds_*`: median time to score one picture;
    `bytes_*`: features held. `scored`: references behind `agreement` and `ratio`.
    """

    before: int
    after: int
    scored: int
    agreement: float | None
    ratio: float | None
    auroc_before: float | None
    auroc_after: float | None
    goods: str
    seconds_before: float
    seconds_after: float
    bytes_before: int
    bytes_after: int

    def as_json(self) -> dict[str, object]:
        """Return the cost as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SlimmingCost":
        """Return the cost that `as_json` wrote."""
        return cls(**value)


@dataclass(frozen=True)
class Slimming:
    """A proposal: content hashes of the references that stay, how they were chosen, the cost."""

    how: str
    seed: int
    kept: tuple[str, ...]
    cost: SlimmingCost

    def as_json(self) -> dict[str, object]:
        """Return the proposal as a JSON-able mapping."""
        return asdict(self) | {"kept": list(self.kept)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Slimming":
        """Return the proposal that `as_json` wrote."""
        cost = SlimmingCost.from_json(value["cost"])
        return cls(str(value["how"]), int(value["seed"]), tuple(value["kept"]), cost)


def plan(
    features: Floats, count: int, *, how: How = "medoids", seed: int = 0
) -> npt.NDArray[np.int64]:
    """Return the rows of the references that stay, sorted: int64, `count` of N.

    `features`: float32, N x D. "medoids": the members nearest the centres of k-means, which follow
    where references are many (DN2 section 4.4, with a picture for each centre). "coreset": greedy
    k-centre from the member nearest the mean, which keeps the rare ones. Raises `KnownError` for a
    count below `MIN_REFERENCES` or not below N, and for features that are no numbers.
    """
    from inspector_gui.core.sets.reduction import coreset, medoids

    if count < MIN_REFERENCES:
        raise KnownError(f"At least {MIN_REFERENCES} references have to stay; {count} is too few.")
    if count >= len(features):
        raise KnownError(
            f"There are only {len(features)} references; choose a number below that to slim."
        )
    if how == "medoids":
        return medoids(features, count, seed=seed)
    start = int(medoids(features, 1)[0])
    return np.sort(coreset(features, count, start=start))


def cost(
    kept: Sequence[int],
    count: int,
    score: SubsetScore,
    *,
    bytes_per_reference: int,
    validation: Sequence[int] = (),
    bad: Sequence[int] = (),
    most: int = MOST_SCORED,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> SlimmingCost:
    """Measure what it costs to keep only the references `kept` of `count`.

    `score` is the recipe's method (see `SubsetScore`); `validation` and `bad` are numbers of other
    pictures. Every reference is scored against all and against those kept, each time without
    itself; at most `most` of them, chosen by `seed`, and as many good and bad ones of the others.
    `bytes_per_reference`: of its features as the method holds them. Raises `KnownError` where
    fewer than two references stay, `Cancelled` once `should_stop` is true.
    """
    if len(kept) < 2:
        raise KnownError("At least two references have to stay, or nothing can be compared.")
    everything, slim = tuple(range(count)), tuple(sorted(kept))
    sample = drawn(everything, most, seed=seed)
    left_out = sorted(set(everything) - set(slim))
    goods, name = (validation, "validation") if validation else (left_out, "left out references")
    judged = [*drawn(goods, most, seed=seed), *drawn(bad, most, seed=seed)] if bad and goods else []
    pictures = list(dict.fromkeys([*sample, *judged]))
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    for turn, (rows, scores) in enumerate(((everything, before), (slim, after))):
        for done, picture in enumerate(pictures):
            if should_stop():
                raise Cancelled
            report(Progress("slimming", turn * len(pictures) + done, 2 * len(pictures)))
            scores[picture] = score(picture, rows)
    report(Progress("slimming", 2 * len(pictures), 2 * len(pictures)))
    old = np.array([before[picture] for picture in sample])
    new = np.array([after[picture] for picture in sample])
    is_positive = old > 0
    has_ratio = bool(is_positive.any() and not (old < 0).any())  # scores with a sign have none
    return SlimmingCost(
        before=count,
        after=len(slim),
        scored=len(sample),
        agreement=rank_correlation(old, new),
        ratio=float(np.median(new[is_positive] / old[is_positive])) if has_ratio else None,
        auroc_before=_auroc(judged, before, set(bad)),
        auroc_after=_auroc(judged, after, set(bad)),
        goods=name if judged else "",
        seconds_before=_seconds(score, sample, everything),
        seconds_after=_seconds(score, sample, slim),
        bytes_before=count * bytes_per_reference,
        bytes_after=len(slim) * bytes_per_reference,
    )


def rank_correlation(one: Doubles, other: Doubles) -> float | None:
    """Return Spearman's rank correlation (equal values share their mean rank); None if constant."""
    if len(one) < 2 or not np.ptp(one) or not np.ptp(other):
        return None
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Doubles) -> Doubles:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], np.float64)


def _auroc(judged: list[int], scores: Mapping[int, float], bad: set[int]) -> float | None:
    from inspector_gui.core.measuring.metrics import image_auroc

    if not judged:
        return None
    is_bad = np.array([picture in bad for picture in judged])
    return image_auroc(is_bad, np.array([scores[picture] for picture in judged]))


def _seconds(score: SubsetScore, pictures: Sequence[int], rows: tuple[int, ...]) -> float:
    """Return the median time to score one picture, once the method knows the references."""
    times = []
    for number in range(_WARM + TIMED):
        began = time.perf_counter()
        score(pictures[number % len(pictures)], rows)
        if number >= _WARM:
            times.append(time.perf_counter() - began)
    return float(np.median(times))
