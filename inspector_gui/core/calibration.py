"""Limits from pictures of good parts alone."""

from collections.abc import Sequence

import numpy as np

from inspector_gui.core.digests import digest_of
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Limits

LEAVE_ONE_OUT_SAMPLE = 200
"""References that are scored for the suggestion where there are more: a fixed random choice."""

MIN_REFERENCES = 5
"""Fewer references than this judge nothing in the window."""

LEAVE_ONE_OUT, HELD_OUT = "leave-one-out", "held-out"
"""How references were scored: each against all others, or by what was not trained on them."""

SPREADS = 4.0
"""How many robust standard deviations above the median the suggested limit lies.

Maxima of maps have a long upper tail, and the spread of some thirty scores is itself uncertain by
a fifth: with 3, several good parts in a hundred would be flagged.
"""

PIXEL_SHARE = 0.5
"""Regions are outlined from half way between an ordinary good part and the limit."""

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LEAST_ROOM = 0.01  # of the median, between an ordinary good part and the limit
_LEAST_SPREAD = 0.05  # of the median, where the references are nearly the same picture


def suggest_limits(scores: Sequence[float], *, gallery: str, kind: str = LEAVE_ONE_OUT) -> Limits:
    """Suggest limits from scores of references: leave-one-out or, of a trained method, held out.

    Rule: median + 4 robust standard deviations (1.4826 x the median absolute deviation), which
    single bad or doubled references hardly move. An estimate without a guarantee: the scores are
    those of the references themselves. `kind` says in the rule which they are. Raises `KnownError`
    for fewer than two scores.
    """
    if len(scores) < 2:
        raise KnownError("A limit needs at least two pictures of good parts.")
    values = np.asarray(scores, np.float64)
    centre = float(np.median(values))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(values - centre)))
    spread = max(spread, _LEAST_SPREAD * abs(centre), 1e-9)
    rule = f"median + {SPREADS:g} robust σ of {len(values)} {kind} scores, an estimate"
    return limits_at(centre, centre + SPREADS * spread, rule=rule, gallery=gallery)


def limits_at(centre: float, fail_from: float, *, rule: str, gallery: str) -> Limits:
    """Return limits with the fail limit at a raw score and the pixel limit in its proportion.

    The fail limit stays a hundredth of the centre above it, so that multiples keep a meaning.
    """
    fail_from = max(fail_from, centre + max(_LEAST_ROOM * abs(centre), 1e-9))
    return Limits(
        centre=centre,
        unsure_from=fail_from,
        fail_from=fail_from,
        pixel=centre + PIXEL_SHARE * (fail_from - centre),
        rule=rule,
        gallery=gallery,
    )


BY_HAND = "set by hand"
"""The rule of limits that a person chose; they are kept when a new suggestion comes."""


def follows_suggestion(limits: Limits | None) -> bool:
    """Return whether limits are renewed by themselves when the references change."""
    return limits is None or not limits.rule.startswith(BY_HAND)


def sampled_rows(count: int, fingerprint: str) -> list[int]:
    """Return the gallery rows to score leave-one-out: all, or the same choice for a gallery."""
    if count <= LEAVE_ONE_OUT_SAMPLE:
        return list(range(count))
    ranked = sorted(range(count), key=lambda row: digest_of([fingerprint, row]))
    return sorted(ranked[:LEAVE_ONE_OUT_SAMPLE])
