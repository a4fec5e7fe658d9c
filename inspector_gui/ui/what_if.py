"""What a limit would mean for everything inspected so far: pure and vectorised."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inspector_gui.core.types import InspectionRow, Limits

Doubles = npt.NDArray[np.float64]

_NONE: Doubles = np.zeros(0)
_BIN = 0.1
_LEAST_TOP, _MOST_TOP = 2.5, 3.5
_LEAST_BOTTOM, _MOST_BOTTOM = -0.5, -2.0
_STEP = 0.5  # the ends of the axis move in these steps, so it rarely changes during a feed


@dataclass(frozen=True, eq=False)
class Population:
    """Raw scores: of inspected parts (with their names) and of references left out in turn."""

    names: tuple[str, ...] = ()
    parts: Doubles = field(default_factory=lambda: _NONE)
    references: Doubles = field(default_factory=lambda: _NONE)


@dataclass(frozen=True)
class WhatIf:
    """What a limit makes of a population; `flips` names the parts that are decided otherwise."""

    inspected: int
    flagged: int
    flips: tuple[str, ...]
    references: int
    references_above: int


@dataclass(frozen=True, eq=False)
class Bars:
    """Counts per bin of `width` from `low` on; what lies outside is in the outermost bins."""

    low: float
    width: float
    references: npt.NDArray[np.int64]
    passed: npt.NDArray[np.int64]
    flagged: npt.NDArray[np.int64]
    is_cut: bool
    """Whether parts lie beyond the last bin."""


def population(
    rows: Iterable[InspectionRow], scoring_key: str, references: Mapping[str, float]
) -> Population:
    """Return the scores that can be compared: of one scoring, and of parts that have one."""
    scored = [(r.name, r.score) for r in rows if r.score is not None]
    keys = [r.scoring_key == scoring_key for r in rows if r.score is not None]
    kept = [pair for pair, is_kept in zip(scored, keys, strict=True) if is_kept]
    return Population(
        names=tuple(name for name, _ in kept),
        parts=np.array([score for _, score in kept], np.float64),
        references=np.array(list(references.values()), np.float64),
    )


def what_if(found: Population, saved: Limits, shown: Limits) -> WhatIf:
    """Return what `shown` would mean; flips are those against `saved`, furthest first."""
    flagged = _is_flagged(found.parts, shown)
    flips = np.flatnonzero(flagged != _is_flagged(found.parts, saved))
    flips = flips[np.argsort(-np.abs(found.parts[flips] - shown.fail_from), kind="stable")]
    return WhatIf(
        inspected=len(found.parts),
        flagged=int(flagged.sum()),
        flips=tuple(found.names[i] for i in flips),
        references=len(found.references),
        references_above=int(_is_flagged(found.references, shown).sum()),
    )


def axis_range(found: Population, base: Limits) -> tuple[float, float]:
    """Return the ends of the axis in multiples of the limit of `base`, whatever the outliers."""
    parts = _relative(found.parts, base)
    references = _relative(found.references, base)
    lowest = float(references.min()) if len(references) else 0.0
    highest = float(parts.max()) if len(parts) else 0.0
    bottom = np.floor((lowest - 0.05) / _STEP) * _STEP
    top = np.ceil((highest + 0.05) / _STEP) * _STEP
    return (
        float(np.clip(bottom, _MOST_BOTTOM, _LEAST_BOTTOM)),
        float(np.clip(top, _LEAST_TOP, _MOST_TOP)),
    )


def bars(found: Population, base: Limits, shown: Limits, ends: tuple[float, float]) -> Bars:
    """Return the histogram on the axis of `base`, parts divided by `shown`."""
    low, high = ends
    flagged = _is_flagged(found.parts, shown)
    parts = _relative(found.parts, base)
    return Bars(
        low=low,
        width=_BIN,
        references=_counts(_relative(found.references, base), low, high),
        passed=_counts(parts[~flagged], low, high),
        flagged=_counts(parts[flagged], low, high),
        is_cut=bool(len(parts)) and float(parts.max()) > high,
    )


def _relative(scores: Doubles, base: Limits) -> Doubles:
    return (scores - base.centre) / max(base.fail_from - base.centre, 1e-12)


def _is_flagged(scores: Doubles, limits: Limits) -> npt.NDArray[np.bool_]:
    """Return which scores are not passed by `core.decision.decide`: unsure or failed."""
    return np.asarray(scores >= min(limits.unsure_from, limits.fail_from))


def _counts(values: Doubles, low: float, high: float) -> npt.NDArray[np.int64]:
    count = round((high - low) / _BIN)
    bins = np.clip(np.floor((values - low) / _BIN + 1e-9), 0, count - 1).astype(np.int64)
    return np.bincount(bins, minlength=count)
