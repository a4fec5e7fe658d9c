"""The values of the lot check: its settings, the kinds of references, and the lots."""

from dataclasses import dataclass
from enum import StrEnum

from inspector_gui.core.lots.groups import NamePattern, kind_of, kinds_of_origins
from inspector_gui.core.lots.result import LotResult
from inspector_gui.core.types import InspectionRow, Outcome, ReferenceSet
from inspector_gui.session.lot_forming import Forming


class KindsFrom(StrEnum):
    """What tells the kind of a reference."""

    ORIGIN = "origin"
    NAMES = "names"
    CLUSTERS = "clusters"


class UsualFrom(StrEnum):
    """Where usual lots come from: drawn from single references, or as references came in."""

    DRAWN = "drawn"
    ORIGIN = "origin"
    NAMES = "names"
    EVERY = "every"


@dataclass(frozen=True)
class LotSettings:
    """How lots are formed and what a usual one is.

    `every` is the number of parts of the feed in a lot (0: as in a usual one), `counts` how many
    parts of which kind a drawn lot has; a kind that is not named has one. Patterns: see
    `NamePattern`, "" for the usual reading of names.
    """

    forming: Forming = Forming.EVERY
    every: int = 0
    part_pattern: str = ""
    kinds: KindsFrom = KindsFrom.ORIGIN
    kind_pattern: str = ""
    clusters: int = 2
    usual: UsualFrom = UsualFrom.DRAWN
    lot_pattern: str = ""
    lot_every: int = 5
    counts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class ReferenceKind:
    """A kind of references: how many there are (None: not known yet) and one as an example."""

    name: str
    references: int | None
    example: str | None


@dataclass(frozen=True, eq=False)
class Lot:
    """Parts that form a lot. Without `result` the remark says why it is not judged."""

    id: int
    name: str
    rows: tuple[InspectionRow, ...]
    is_complete: bool
    result: LotResult | None = None
    remark: str = ""

    @property
    def all_parts_pass(self) -> bool:
        """Whether every part was judged good by itself."""
        return all(row.outcome is Outcome.PASS for row in self.rows)

    @property
    def sentence(self) -> str:
        """The reason of the decision, or why there is none."""
        if self.result is None:
            return self.remark
        if self.result.outcome is not Outcome.PASS and self.all_parts_pass:
            return f"{self.result.reason} Every part passes by itself: it is the lot that is odd."
        if self.result.outcome is Outcome.PASS and not self.all_parts_pass:
            return f"{self.result.reason} Not every part passes by itself."
        return self.result.reason


def kind_rule(settings: LotSettings) -> tuple[object, ...]:
    """Return what the kinds of references depend on."""
    return settings.kinds, settings.kind_pattern, settings.clusters


def kinds_of(current: ReferenceSet, settings: LotSettings) -> tuple[ReferenceKind, ...]:
    """Return the kinds of a set's references, by name; raises `KnownError` for a bad pattern.

    Clusters are not known before their study.
    """
    images = current.included
    if not images:
        return ()
    match settings.kinds:
        case KindsFrom.CLUSTERS:
            numbers = range(1, settings.clusters + 1)
            return tuple(ReferenceKind(f"kind {n}", None, None) for n in numbers)
        case KindsFrom.NAMES:
            pattern = pattern_of(settings.kind_pattern)
            names = [kind_of(image.name, pattern) for image in images]
        case KindsFrom.ORIGIN:
            names = kinds_of_origins([image.origin for image in images])
    examples: dict[str, str] = {}
    counts: dict[str, int] = {}
    for name, image in zip(names, images, strict=True):
        examples.setdefault(name, image.sha256)
        counts[name] = counts.get(name, 0) + 1
    return tuple(
        ReferenceKind(name, counts[name], examples[name]) for name in sorted(counts, key=natural)
    )


def pattern_of(text: str) -> NamePattern | None:
    """Return the pattern that a person typed, None for the usual reading of names."""
    return NamePattern(text) if text else None


def natural(name: str) -> tuple[str, int]:
    """Return a sort key by which kind 2 comes before kind 10."""
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)
