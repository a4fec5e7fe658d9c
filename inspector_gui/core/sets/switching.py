"""What another scoring would do to the scores and decisions of a set's own pictures: values.

`sklearn` and `faiss` are not loaded: the window reads the values from here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inspector_gui.core.calibration import suggest_limits
from inspector_gui.core.decision import decide
from inspector_gui.core.sets.slimming import rank_correlation
from inspector_gui.core.types import Limits

MOST_SCORED = 60
"""Pictures of each purpose that are scored for the comparison where there are more."""
MOST_AMONG = 500
"""References that pictures are compared with where there are more: a fixed random choice."""


@dataclass(frozen=True)
class Scored:
    """One picture's score by both scorings; that of a reference is its leave-one-out score.

    `purpose` is "reference", "validation" or "bad".
    """

    sha256: str
    name: str
    purpose: str
    before: float
    after: float


@dataclass(frozen=True)
class Changed:
    """A picture that would be decided otherwise: outcomes, and multiples of the limit."""

    sha256: str
    name: str
    purpose: str
    before: str
    after: str
    multiple_before: float
    multiple_after: float


@dataclass(frozen=True)
class Measured:
    """What judging by one scoring takes: median seconds a picture, and on what."""

    seconds: float
    device: str


@dataclass(frozen=True)
class Switch:
    """What another scoring does, measured; nothing is changed yet.

    `counts`: scored pictures by purpose; `among`: references they were compared with. `typical` and
    `largest`: median and maximum of |after - before| / before over all of them, `largest_of` names
    the picture (None, "" where no score is above 0). Of a method whose scores have a sign
    (`is_signed`) the change is relative to the way from an ordinary good part to the limit instead.
    `agreement`: Spearman's rank correlation of both scores (None where all are equal). `rule` says
    by which limits is decided.
    """

    counts: Mapping[str, int]
    among: int
    typical: float | None
    largest: float | None
    largest_of: str
    agreement: float | None
    rule: str
    changed: tuple[Changed, ...]
    before: Measured
    after: Measured
    is_signed: bool = False

    @property
    def decided(self) -> int:
        """How many pictures were decided both ways."""
        return sum(self.counts.values())

    def as_json(self) -> dict[str, object]:
        """Return the comparison as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Switch":
        """Return the comparison that `as_json` wrote."""
        parts = {
            "changed": tuple(Changed(**one) for one in value["changed"]),
            "before": Measured(**value["before"]),
            "after": Measured(**value["after"]),
        }
        return cls(**(dict(value) | parts))


def switch(
    scored: Sequence[Scored],
    *,
    among: int,
    before: Measured,
    after: Measured,
    by_hand: Limits | None = None,
) -> Switch:
    """Compare two scorings by the scores of the same pictures.

    Decisions are by the limits that each scoring's leave-one-out scores here suggest, as the limit
    follows them after a switch, or by the one set `by_hand`, which stays. Raises `KnownError` for
    fewer than two references.
    """
    old = np.array([one.before for one in scored])
    new = np.array([one.after for one in scored])
    references = [one for one in scored if one.purpose == "reference"]
    limits_before = by_hand or suggest_limits([one.before for one in references], gallery="")
    limits_after = by_hand or suggest_limits([one.after for one in references], gallery="")
    is_signed = bool((old < 0).any())
    way = limits_before.fail_from - limits_before.centre
    against = np.full(len(old), way) if is_signed else old
    counts = against > 0
    change = np.abs(new - old)[counts] / against[counts]
    largest = int(change.argmax()) if len(change) else None
    names = [one.name for one, is_counted in zip(scored, counts, strict=True) if is_counted]
    changed = (_changed(one, limits_before, limits_after) for one in scored)
    return Switch(
        counts=dict(Counter(one.purpose for one in scored)),
        among=among,
        typical=None if largest is None else float(np.median(change)),
        largest=None if largest is None else float(change[largest]),
        largest_of="" if largest is None else names[largest],
        agreement=rank_correlation(old, new),
        rule="the limit set by hand" if by_hand else "the limits that these references suggest",
        changed=tuple(one for one in changed if one is not None),
        before=before,
        after=after,
        is_signed=is_signed,
    )


def _changed(one: Scored, limits_before: Limits, limits_after: Limits) -> Changed | None:
    before, after = decide(one.before, limits_before), decide(one.after, limits_after)
    if before.outcome is after.outcome:
        return None
    return Changed(
        one.sha256,
        one.name,
        one.purpose,
        before.outcome.value,
        after.outcome.value,
        limits_before.relative(one.before),
        limits_after.relative(one.after),
    )
