"""Cleaning a reference set that may hold bad parts: who stands out, and who would go.

DN2, section 3.4 (Bergman, Cohen, Hoshen 2020): score every reference leave-one-out, drop the
highest-scoring fraction, which must exceed the contamination to expect, and go on as usual. The
estimates here look at those scores alone, never at known answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError

PAPER_FRACTION = 0.5
"""What the paper drops, whatever the contamination."""

LEAST_FRACTION = 0.2
"""What is proposed at least: an estimate misses bad parts that do not stand out."""

STANDS_OUT = 3.5
"""Robust standard deviations above the median from which a score stands out."""

_UNSEEN = 3.0
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_SPREAD = 0.05  # of the median, where the references are nearly the same picture


@dataclass(frozen=True)
class CleaningPlan:
    """Content hashes of the references that would go, worst first, and of those that stay."""

    fraction: float
    dropped: tuple[str, ...]
    kept: tuple[str, ...]


def centre_and_spread(scores: Sequence[float]) -> tuple[float, float]:
    """Return the median and the robust standard deviation (1.4826 x MAD) of scores.

    The spread is a twentieth of the median at least, as for the suggested limit.
    """
    values = np.asarray(scores, np.float64)
    centre = float(np.median(values))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(values - centre)))
    return centre, max(spread, _LEAST_SPREAD * abs(centre), 1e-9)


def multiples(scores: Mapping[str, float]) -> dict[str, float]:
    """Return how many robust standard deviations each score lies above their median."""
    if not scores:
        return {}
    centre, spread = centre_and_spread(list(scores.values()))
    return {key: (score - centre) / spread for key, score in scores.items()}


def estimate(scores: Mapping[str, float]) -> float:
    """Return the fraction of references that stand out: an estimate of the contamination.

    It counts leave-one-out scores above median + 3.5 robust standard deviations. Too low where bad
    parts resemble each other (then they are each other's neighbours) or are so many that they
    widen the spread; of good parts alone it is seldom above 0.05. 0 for fewer than three scores.
    """
    if len(scores) < 3:
        return 0.0
    return sum(multiple > STANDS_OUT for multiple in multiples(scores).values()) / len(scores)


def default_fraction(scores: Mapping[str, float]) -> float:
    """Return the fraction to propose: above the estimated contamination, 0.2 to 0.5.

    Three times the estimate, since it misses bad parts that do not stand out.
    """
    return min(PAPER_FRACTION, max(LEAST_FRACTION, _UNSEEN * estimate(scores)))


def plan(scores: Mapping[str, float], fraction: float) -> CleaningPlan:
    """Return who goes when the highest-scoring `fraction` is dropped; the set is not touched.

    `scores`: leave-one-out by content hash. The number is rounded up and cut so that
    `MIN_REFERENCES` stay; of equal scores the higher hash goes first. Raises `KnownError` for a
    fraction that is not above 0 and below 1, and for scores that are no numbers.
    """
    if not 0 < fraction < 1:
        raise KnownError(f"The fraction to drop must be above 0 and below 1, not {fraction:g}.")
    if not np.isfinite(list(scores.values())).all():
        raise KnownError("A reference has no score; compute its features again or remove it.")
    worst_first = sorted(scores, key=lambda key: (scores[key], key), reverse=True)
    wanted = int(np.ceil(round(fraction * len(scores), 9)))
    count = max(0, min(wanted, len(scores) - MIN_REFERENCES))
    return CleaningPlan(fraction, tuple(worst_first[:count]), tuple(sorted(worst_first[count:])))
