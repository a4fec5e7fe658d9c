"""Several methods on the same parts, side by side: what each says, where they disagree. Values.

Scores of methods differ in scale and sign, so methods are compared by multiples of their limits.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import Any

from inspector_gui.core.decision import decide
from inspector_gui.core.types import Decision, Limits, Outcome, Scoring, Verdict

MOST_PARTS = 200
"""Pictures of each source that are compared where there are more: of inspected parts the newest."""
FEWEST_METHODS = 2
MAPS = "maps.zip"
"""The file beside a comparison with the maps it has come by, named by `map_name`."""


class Agreement(Enum):
    """What two methods make of one part: whether each fails it."""

    NEITHER_FAILS = auto()
    BOTH_FAIL = auto()
    ONLY_FIRST_FAILS = auto()
    ONLY_SECOND_FAILS = auto()

    @property
    def is_agreed(self) -> bool:
        """Whether both say the same."""
        return self in (Agreement.NEITHER_FAILS, Agreement.BOTH_FAIL)


@dataclass(frozen=True)
class Candidate:
    """A picture that is to be compared, and where it is.

    With a `path` it is that file, and it must still have the content `sha256` where one is named;
    without, it is the workspace's file of this name. `purpose` is "validation" or "bad" for
    pictures of the set, "" for others; `row_id` is the part's row in the history, None: none.
    """

    name: str
    sha256: str = ""
    path: str = ""
    purpose: str = ""
    row_id: int | None = None

    @property
    def key(self) -> str:
        """Names the picture among those that are compared."""
        return self.sha256 or self.path


@dataclass(frozen=True)
class Contender:
    """A method that is to take part: what people call it, and its scoring.

    `limits` are those that are saved where it is the recipe of the set (`is_own`), None: they are
    suggested from the references as the window does.
    """

    name: str
    scoring: Scoring
    is_own: bool = False
    limits: Limits | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Contender":
        """Return what `asdict` made; raises `TypeError` or `KeyError` for anything else."""
        limits = value["limits"]
        return cls(
            str(value["name"]),
            Scoring(**value["scoring"]),
            bool(value["is_own"]),
            None if limits is None else Limits(**limits),
        )


@dataclass(frozen=True)
class Opinion:
    """What one method says of one part: its raw score, and the nearest references (hashes)."""

    score: float
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """How a method was run: by which limits, against how many references, how long a part took.

    `seconds`: median time for features and score of a part, without reading it, on `device`; None
    where it could not be measured. `failure` is the sentence that says why it could not run;
    `limits` are None then.
    """

    contender: Contender
    limits: Limits | None = None
    among: int = 0
    seconds: float | None = None
    device: str = ""
    failure: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Ran":
        """Return what `asdict` made."""
        limits = value["limits"]
        return cls(
            Contender.from_json(value["contender"]),
            None if limits is None else Limits(**limits),
            int(value["among"]),
            value["seconds"],
            str(value["device"]),
            str(value["failure"]),
        )


@dataclass(frozen=True)
class ComparedPart:
    """A picture with the opinions on it, one for each method that was asked; None: it has none."""

    candidate: Candidate
    opinions: tuple[Opinion | None, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "ComparedPart":
        """Return what `asdict` made."""
        opinions = (
            None if one is None else Opinion(float(one["score"]), tuple(one["nearest"]))
            for one in value["opinions"]
        )
        return cls(Candidate(**value["candidate"]), tuple(opinions))


@dataclass(frozen=True)
class SideBySide:
    """What came of running methods on parts. `gone`: why pictures could not be read, one each."""

    methods: tuple[Ran, ...]
    parts: tuple[ComparedPart, ...]
    gone: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the comparison as a JSON-able mapping."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "SideBySide":
        """Return the comparison that `as_json` wrote."""
        return cls(
            tuple(Ran.from_json(one) for one in value["methods"]),
            tuple(ComparedPart.from_json(one) for one in value["parts"]),
            tuple(value["gone"]),
        )

    @cached_property
    def usable(self) -> tuple[int, ...]:
        """Which of `methods` ran."""
        return tuple(n for n, method in enumerate(self.methods) if not method.failure)

    @cached_property
    def _decisions(self) -> Mapping[str, tuple[Decision | None, ...]]:
        """What every method decides on every part, by its key; looked up often."""
        limits = [method.limits for method in self.methods]
        return {
            part.candidate.key: tuple(
                None if opinion is None or limit is None else decide(opinion.score, limit)
                for opinion, limit in zip(part.opinions, limits, strict=True)
            )
            for part in self.parts
        }

    @cached_property
    def disagreeing(self) -> frozenset[str]:
        """The keys of the parts on which methods disagree."""
        return frozenset(
            part.candidate.key
            for part in self.parts
            if len({decision.outcome for decision in self.decisions(part)}) > 1
        )

    def decision(self, part: ComparedPart, method: int) -> Decision | None:
        """Return what a method decides on a part, None where it says nothing of it."""
        return self._decisions[part.candidate.key][method]

    def decisions(self, part: ComparedPart) -> list[Decision]:
        """Return the decisions of all methods that have one on a part."""
        return [one for one in self._decisions[part.candidate.key] if one is not None]

    def agreement(self, part: ComparedPart, first: int, second: int) -> Agreement | None:
        """Return what two methods make of a part, None where one of them says nothing of it."""
        one, other = self.decision(part, first), self.decision(part, second)
        if one is None or other is None:
            return None
        match one.outcome is Outcome.FAIL, other.outcome is Outcome.FAIL:
            case True, True:
                return Agreement.BOTH_FAIL
            case True, False:
                return Agreement.ONLY_FIRST_FAILS
            case False, True:
                return Agreement.ONLY_SECOND_FAILS
        return Agreement.NEITHER_FAILS

    def agreements(self, first: int, second: int) -> Mapping[Agreement, int]:
        """Return how many parts two methods make what of; 0 where none."""
        counts = Counter(self.agreement(part, first, second) for part in self.parts)
        return {agreement: counts[agreement] for agreement in Agreement}

    def judged_by(self, limits: Limits) -> "SideBySide":
        """Return the comparison with other limits for the set's own recipe; no score changes."""
        methods = tuple(
            replace(one, limits=limits) if one.contender.is_own and not one.failure else one
            for one in self.methods
        )
        return replace(self, methods=methods)


@dataclass(frozen=True)
class Tally:
    """What a method decided on how many parts, and how often it was wrong where that is known.

    `false_alarms` of `good` parts did not pass, `missed` of `bad` parts passed.
    """

    judged: int
    failed: int
    good: int
    false_alarms: int
    bad: int
    missed: int


def tally(found: SideBySide, method: int, is_bad: Mapping[str, bool]) -> Tally:
    """Count a method's decisions; `is_bad` says by key which parts are known to be what."""
    decided = [
        (decision.outcome, is_bad.get(part.candidate.key))
        for part in found.parts
        if (decision := found.decision(part, method)) is not None
    ]
    return Tally(
        judged=len(decided),
        failed=sum(outcome is Outcome.FAIL for outcome, _ in decided),
        good=sum(bad is False for _, bad in decided),
        false_alarms=sum(bad is False and out is not Outcome.PASS for out, bad in decided),
        bad=sum(bad is True for _, bad in decided),
        missed=sum(bad is True and out is Outcome.PASS for out, bad in decided),
    )


def known_to_be_bad(
    candidate: Candidate, *, verdict: Verdict = Verdict.NONE, truth: bool | None = None
) -> bool | None:
    """Return what is known of a part: what a person says, else its purpose, else a drawn truth."""
    if verdict in (Verdict.ACCEPT, Verdict.REJECT):
        return verdict is Verdict.REJECT
    if candidate.purpose:
        return candidate.purpose == "bad"
    return truth


def different(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return candidates without those whose content came before; purposes are carried over.

    A part of the history that is a validation or known bad picture as well is one part: with its
    row, and with what is known of it.
    """
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        before = found.get(candidate.key)
        if before is None:
            found[candidate.key] = candidate
        elif candidate.purpose and not before.purpose:
            found[candidate.key] = replace(before, purpose=candidate.purpose)
    return tuple(found.values())


def map_name(method: int, key: str) -> str:
    """Return what the map of a method (by its place) on a part (by its key) is called."""
    return f"{method}-{key}"
