"""What the health window says of a set: values made of a report and the set as it is now.

A report may be older than the set. What it says of pictures that were left out or moved since is
not said any more, so that the window follows at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from PySide6.QtCore import QCoreApplication

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.sets.health import HealthReport
from inspector_gui.core.sets.trust import ENOUGH_REFERENCES, trust_of
from inspector_gui.core.types import Limits, Purpose, ReferenceImage, ReferenceSet

_MOST_BESIDE = 3
_MOST_SIZES = 12


class Kind(Enum):
    """What a finding or a line of the summary is about."""

    SUSPECT = auto()
    DUPLICATES = auto()
    LEAK = auto()
    MIXED = auto()
    UNCOMPARED = auto()
    ENOUGH = auto()
    """How many good parts there are; nothing to look at."""


class Level(Enum):
    """How much a line matters."""

    GOOD = auto()
    NOTE = auto()
    WARN = auto()
    BAD = auto()


@dataclass(frozen=True)
class Picture:
    """A picture of the set with what is said below it."""

    image: ReferenceImage
    caption: str


@dataclass(frozen=True)
class Finding:
    """One thing to look at: what it is called, what is known, the pictures to see side by side.

    `images`: those it is about; of duplicates the first is the one that stays.
    """

    kind: Kind
    title: str
    detail: str
    sentence: str
    images: tuple[ReferenceImage, ...]
    beside: tuple[Picture, ...]


@dataclass(frozen=True)
class Line:
    """One line of the summary; without an `action` there is nothing to do."""

    level: Level
    text: str
    action: str = ""
    kind: Kind | None = None
    explanation: str = ""


@dataclass(frozen=True)
class Facts:
    """A set as it is now with the newest report of it, and what belongs to both.

    `own_scores`: leave-one-out scores of the recipe's own method by content hash, as far as they
    are known; `fine`: hashes of suspects that a person has looked at and found good. `is_current`:
    whether the report is of the set as it is now.
    """

    current: ReferenceSet
    report: HealthReport
    limits: Limits | None = None
    own_scores: Mapping[str, float] = field(default_factory=dict)
    fine: frozenset[str] = frozenset()
    is_current: bool = True

    @cached_property
    def included(self) -> dict[str, ReferenceImage]:
        """The pictures that count, by content hash."""
        return {image.sha256: image for image in self.current.images if image.included}

    @cached_property
    def references(self) -> dict[str, ReferenceImage]:
        """The references that count, by content hash."""
        return {image.sha256: image for image in self.current.included}

    @cached_property
    def unseen(self) -> int:
        """How many references the report does not know yet; 0 once it is of the set as it is."""
        if self.is_current:
            return 0
        return len(self.references.keys() - self.report.scores.keys() - {*self.report.uncompared})

    @cached_property
    def suspects(self) -> tuple[Finding, ...]:
        """References that stand out, worst first."""
        return tuple(self._suspects())

    @cached_property
    def duplicates(self) -> tuple[Finding, ...]:
        """Groups of references that show the same part."""
        return tuple(self._duplicates())

    @cached_property
    def leaks(self) -> tuple[Finding, ...]:
        """Pairs of pictures that show one part and serve two purposes."""
        return tuple(self._leaks())

    @cached_property
    def mixed(self) -> tuple[Finding, ...]:
        """Sizes, where there are several, and places whose pictures look different."""
        return (*self.sizes, *self.origins)

    @cached_property
    def sizes(self) -> tuple[Finding, ...]:
        """The sizes of pictures where there are several, the commonest first."""
        return tuple(self._sizes())

    @cached_property
    def origins(self) -> tuple[Finding, ...]:
        """Places whose pictures look different."""
        return tuple(self._origins())

    @cached_property
    def uncompared(self) -> tuple[Finding, ...]:
        """Pictures without usable features."""
        known = [self.included[sha] for sha in self.report.uncompared if sha in self.included]
        sentence = _tr("Its features could not be computed. Check the file, or leave it out.")
        return tuple(
            Finding(Kind.UNCOMPARED, i.name, _tr("no features"), sentence, (i,), (Picture(i, ""),))
            for i in known
        )

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of a kind."""
        return {
            Kind.SUSPECT: self.suspects,
            Kind.DUPLICATES: self.duplicates,
            Kind.LEAK: self.leaks,
            Kind.MIXED: self.mixed,
            Kind.UNCOMPARED: self.uncompared,
            Kind.ENOUGH: (),
        }[kind]

    def count(self, kind: Kind) -> int:
        """Return how many findings of a kind there are, listed one by one or together."""
        if kind is Kind.MIXED:
            return (len(self.by_size) if self.sizes else 0) + len(self.origins)
        return len(self.of(kind))

    def how_far(self, sha256: str, sigmas: float) -> str:
        """Say by how much a reference stands out; in multiples of the limit where that is known."""
        text = _tr("{:.1f} σ above usual").format(sigmas)
        own = self.own_scores.get(sha256)
        if own is None or self.limits is None:
            return text
        return _tr("{} · {:.2f} × limit").format(text, self.limits.relative(own))

    def _suspects(self) -> Iterator[Finding]:
        sentence = _tr(
            "It resembles the other good parts less than they resemble each other. Compare it "
            "with the references nearest to it: is this part good?"
        )
        for ranked in self.report.suspects:
            image = self.references.get(ranked.sha256)
            if image is None or ranked.sha256 in self.fine:
                continue
            far = self.how_far(ranked.sha256, ranked.sigmas)
            near = [self.references[n.key] for n in ranked.nearest if n.key in self.references]
            beside = [Picture(image, _tr("suspect: {}").format(image.name))]
            beside += [Picture(i, _tr("near: {}").format(i.name)) for i in near[:_MOST_BESIDE]]
            yield Finding(Kind.SUSPECT, image.name, far, sentence, (image,), tuple(beside))

    def _duplicates(self) -> Iterator[Finding]:
        for group in self.report.duplicates:
            found = [self.references[sha] for sha in group.hashes if sha in self.references]
            images = tuple(sorted(found, key=lambda image: image.id))
            if len(images) < 2:
                continue
            how = _tr("same pixels") if group.is_exact else _tr("nearly the same")
            sentence = _tr(
                "These {} references show one part. Doubles make the suggested limit too low. "
                "{} was added first and stays."
            ).format(len(images), images[0].name)
            beside = [Picture(images[0], _tr("stays: {}").format(images[0].name))]
            beside += [Picture(i, _tr("double: {}").format(i.name)) for i in images[1:]]
            detail = _tr("{} times · {}").format(len(images), how)
            yield Finding(Kind.DUPLICATES, images[0].name, detail, sentence, images, tuple(beside))

    def _leaks(self) -> Iterator[Finding]:
        for leak in self.report.leaks:
            reference, other = self.references.get(leak.reference), self.included.get(leak.other)
            if reference is None or other is None or other.purpose is not leak.purpose:
                continue
            how = _tr("same pixels") if leak.is_exact else _tr("nearly the same")
            sentence = _tr(
                "One part is a reference and {} as well, so figures measured with it flatter. "
                "Keep it in one group."
            ).format(_role(leak.purpose))
            beside = (
                Picture(reference, _tr("reference: {}").format(reference.name)),
                Picture(other, f"{_role(leak.purpose)}: {other.name}"),
            )
            detail = _tr("and {} · {}").format(_role(leak.purpose), how)
            yield Finding(Kind.LEAK, reference.name, detail, sentence, (reference, other), beside)

    @cached_property
    def by_size(self) -> dict[tuple[int, int], list[ReferenceImage]]:
        """Pictures by width and height, as far as these are known."""
        found: dict[tuple[int, int], list[ReferenceImage]] = {}
        for image in self.included.values():
            if image.width > 0 and image.height > 0:
                found.setdefault((image.width, image.height), []).append(image)
        return found

    def _sizes(self) -> Iterator[Finding]:
        if len(self.by_size) < 2:
            return
        sentence = _tr(
            "Pictures are resized to one square before they are compared: another size changes "
            "fine detail, another shape stretches the part. Take all pictures alike."
        )
        ordered = sorted(self.by_size.items(), key=lambda item: (-len(item[1]), item[0]))
        for (width, height), images in ordered[:_MOST_SIZES]:
            yield _group(_tr("{} × {} pixels").format(width, height), sentence, images)
        if rest := ordered[_MOST_SIZES:]:
            others = [image for _, images in rest for image in images]
            yield _group(_tr("{} other sizes").format(len(rest)), sentence, others)

    def _origins(self) -> Iterator[Finding]:
        for origin in self.report.origins:
            images = [i for i in self.references.values() if i.origin == origin.name]
            if not origin.is_apart or not images:
                continue
            sentence = _tr(
                "Pictures from here look different: of their nearest references {:.0%} come from "
                "here as well, {:.0%} would be expected. Check camera, light and kind of part."
            ).format(origin.together, origin.expected)
            yield _group(_tr("from {}").format(origin.name), sentence, images)


def summary(facts: Facts) -> tuple[Line, ...]:
    """Return what is to be said of a set, the gravest first, what is fine last but one."""
    lines = tuple(_to_act_on(facts))
    return (*lines, *_fine(facts), _trust(facts))


def _to_act_on(facts: Facts) -> Iterator[Line]:
    look, count = _tr("Look"), len(facts.references)
    if count < MIN_REFERENCES:
        text = _count(count, _tr("reference"), _tr("references"))
        text = _tr("{}: too few to judge parts ({} are needed)").format(text, MIN_REFERENCES)
        yield Line(Level.BAD, text)
    elif count < ENOUGH_REFERENCES:
        text = _tr("{} references judge only roughly").format(count)
        yield Line(Level.WARN, text, _tr("How many?"), Kind.ENOUGH)
    if suspects := len(facts.suspects):
        text = _count(suspects, _tr("suspect"), _tr("suspects"))
        yield Line(Level.WARN, text, look, Kind.SUSPECT)
    scores = facts.report.scores
    if len(scores) > 1 and not any(scores.values()):
        yield Line(Level.WARN, _tr("All references look identical"), look, Kind.DUPLICATES)
    elif doubles := sum(len(group.images) - 1 for group in facts.duplicates):
        text = _count(doubles, _tr("duplicate"), _tr("duplicates"))
        if doubles > (parts := len(facts.duplicates)):
            of_parts = _count(parts, _tr("part"), _tr("parts"))
            text = _tr("{} of {}").format(text, of_parts)
        yield Line(Level.WARN, text, look, Kind.DUPLICATES)
    for purpose in (Purpose.VALIDATION, Purpose.BAD):
        if shared := sum(leak.images[1].purpose is purpose for leak in facts.leaks):
            text = _tr("1 part is") if shared == 1 else _tr("{} parts are").format(shared)
            text = _tr("{} reference and {}").format(text, _role(purpose))
            yield Line(Level.WARN, text, look, Kind.LEAK)
    if facts.sizes:
        text = _tr("{} sizes mixed").format(len(facts.by_size))
        yield Line(Level.WARN, text, look, Kind.MIXED)
    for origin in facts.origins:
        text = _tr("Pictures {} look different").format(origin.title)
        yield Line(Level.WARN, text, look, Kind.MIXED)
    if lost := len(facts.uncompared):
        text = _count(lost, _tr("picture"), _tr("pictures"))
        text = _tr("{} could not be compared").format(text)
        yield Line(Level.BAD, text, look, Kind.UNCOMPARED)


def _fine(facts: Facts) -> Iterator[Line]:
    """Say what was looked for and not found; not of references that were not looked at yet."""
    if facts.unseen:
        text = _count(facts.unseen, _tr("reference is"), _tr("references are"))
        yield Line(Level.NOTE, _tr("{} being looked at…").format(text))
        return
    words = {
        _tr("suspects"): facts.suspects,
        _tr("duplicates"): facts.duplicates,
        _tr("parts in two groups"): facts.leaks,
        _tr("mixed pictures"): facts.mixed,
    }
    clean = [word for word, found in words.items() if not found]
    if len(facts.references) < 2:
        return
    if len(clean) == len(words) and not facts.uncompared:
        text = _tr("Nothing found: no {}").format(_listed(clean))
        yield Line(Level.GOOD, text)
    elif clean:
        yield Line(Level.GOOD, _tr("No {}").format(_listed(clean)))


def _trust(facts: Facts) -> Line:
    goods = len(facts.current.of(Purpose.VALIDATION))
    explanation = trust_of(len(facts.references), goods).sentence
    if goods:
        text = _count(goods, _tr("validation part promises"), _tr("validation parts promise"))
        text = _tr("{} at best 1 false alarm in {}").format(text, goods + 1)
    else:
        text = _tr("No validation parts: no false-alarm rate can be promised")
    return Line(Level.NOTE, text, _tr("How many?"), Kind.ENOUGH, explanation)


def _group(title: str, sentence: str, images: list[ReferenceImage]) -> Finding:
    some = tuple(Picture(image, image.name) for image in images[: _MOST_BESIDE + 1])
    detail = _count(len(images), _tr("picture"), _tr("pictures"))
    return Finding(Kind.MIXED, title, detail, sentence, tuple(images), some)


def _count(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _listed(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return _tr("{} or {}").format(", ".join(words[:-1]), words[-1])


def _role(purpose: Purpose) -> str:
    words = {
        Purpose.REFERENCE: _tr("reference"),
        Purpose.VALIDATION: _tr("validation"),
        Purpose.BAD: _tr("known bad"),
    }
    return words[purpose]


def _tr(text: str) -> str:
    return QCoreApplication.translate("HealthFacts", text)
