"""What the lot check says of a lot: its score, its kinds of parts, and why in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from inspector_gui.core.types import Outcome


@dataclass(frozen=True)
class KindCount:
    """How many parts of a kind a lot has, and how many usual lots have: `fewest` to `most`."""

    kind: str
    expected: float
    fewest: int
    most: int
    found: int

    @property
    def is_over(self) -> bool:
        """Whether there are more than in usual lots."""
        return self.found > self.most

    @property
    def is_under(self) -> bool:
        """Whether there are fewer than in usual lots."""
        return self.found < self.fewest

    @property
    def range(self) -> str:
        """The usual number in words: "2" or "1 to 3"."""
        if self.fewest == self.most:
            return str(self.most)
        return f"{self.fewest} to {self.most}"


@dataclass(frozen=True)
class LotResult:
    """What a model says of a lot. `member_kinds` has "" for parts unlike every reference."""

    score: float
    multiple: float
    outcome: Outcome
    kinds: tuple[KindCount, ...]
    member_kinds: tuple[str, ...]
    reason: str

    @property
    def unknown(self) -> int:
        """Number of parts that are unlike every reference."""
        return self.member_kinds.count("")


def oddities_of(kinds: Sequence[KindCount], unknown: int) -> tuple[str, ...]:
    """Say which kinds are not as often in a lot as in usual ones; `unknown` parts have none."""
    said = [f"{k.found} × {k.kind}, expected {k.range}" for k in kinds if k.is_over]
    for kind in kinds:
        if kind.is_under and kind.found == 0:
            said.append(f"{kind.kind} is missing")
        elif kind.is_under:
            said.append(f"only {kind.found} × {kind.kind}, expected {kind.range}")
    if unknown == 1:
        said.append("1 part is unlike every reference")
    elif unknown:
        said.append(f"{unknown} parts are unlike every reference")
    return tuple(said)


def reason_of(outcome: Outcome, oddities: Sequence[str]) -> str:
    """Return the sentence for a decision on a lot."""
    text = "; ".join(oddities)
    if outcome is Outcome.PASS:
        return "Every kind is there as often as expected."
    if not oddities:
        return "The kinds are there as often as expected, but together the parts look unusual."
    if outcome is Outcome.UNSURE:
        return f"{text}. The lot's mean is below its limit: look at it."
    return f"{text}."
