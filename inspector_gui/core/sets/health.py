"""How healthy a reference set is: who stands out, what is there twice, how far to trust it.

Everything here looks at good parts alone and at what is known of the files; it proposes, and a
person decides. Scores are DN2's, leave-one-out, so they are an estimate (see METHODS "Deciding").
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.sets.cleaning import STANDS_OUT, multiples
from inspector_gui.core.sets.provenance import (
    Origin,
    Size,
    mixed_origins,
    mixed_sizes,
    origins_of,
    sizes_of,
)
from inspector_gui.core.sets.trust import ENOUGH_REFERENCES, Trust, trust_of
from inspector_gui.core.types import Purpose, ReferenceImage

if TYPE_CHECKING:  # the window reads reports, and must not load what searches
    from inspector_gui.core.sets.table import Listed, Neighbour, NeighbourTable

NEAR = 0.12
"""Two pictures show the same part where their squared distance is at most this part of the median
distance from a reference to its tenth neighbour (the last, in smaller sets).

The tenth, so that ten pictures of every part do not pass for ten parts. On real photographs
different parts keep to 0.14 and more, pictures saved again as JPEG or moved by a pixel to 0.08
(magnetic tiles: to 0.32, so there it finds those that are hardly changed).
"""

_NEIGHBOURS = 10
_SHOWN_NEIGHBOURS = 3


@dataclass(frozen=True)
class Ranked:
    """A reference with its leave-one-out score, and by how much it stands out.

    `sigmas`: robust standard deviations above the median score; of the method's own scores where
    these stand out more. `nearest`: its nearest references, nearest first.
    """

    sha256: str
    score: float
    sigmas: float
    nearest: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Duplicates:
    """References that show the same part; `is_exact` where all are the same pixels.

    `distance`: the largest squared distance by which one of them was joined to the others.
    """

    hashes: tuple[str, ...]
    is_exact: bool
    distance: float


@dataclass(frozen=True)
class Leak:
    """The same part in two purposes, so a measurement with it would flatter."""

    reference: str
    other: str
    purpose: Purpose
    is_exact: bool
    distance: float


@dataclass(frozen=True)
class HealthReport:
    """What is to be said of a reference set; `warnings` are sentences to act on.

    `scores`: leave-one-out of references, `other_scores`: of validation and known bad pictures.
    `ranked`: all references, worst first; `suspects` those that stand out. `uncompared`: content
    hashes of pictures without features, or whose features are no numbers.
    """

    scores: Mapping[str, float]
    other_scores: Mapping[str, float]
    ranked: tuple[Ranked, ...]
    suspects: tuple[Ranked, ...]
    duplicates: tuple[Duplicates, ...]
    leaks: tuple[Leak, ...]
    sizes: tuple[Size, ...]
    origins: tuple[Origin, ...]
    uncompared: tuple[str, ...]
    trust: Trust
    warnings: tuple[str, ...] = ()


def assess(
    images: Iterable[ReferenceImage],
    table: NeighbourTable,
    *,
    own_scores: Mapping[str, float] | None = None,
) -> HealthReport:
    """Return the health of a set; never raises for what a set may hold, however little that is.

    `images`: of all purposes; excluded ones do not count. `table` holds references as such and
    the pictures of other purposes beside them; its pending work is finished first. `own_scores`:
    leave-one-out scores of the recipe's method by content hash, of some references or all.

    Near duplicates between pictures that are both no references are not looked for.
    """
    included = [image for image in images if image.included]
    by_hash = {i.sha256: i for i in included if i.purpose is Purpose.REFERENCE}
    others = [i for i in included if i.purpose is not Purpose.REFERENCE]
    scores = {k: v for k, v in table.leave_one_out().items() if k in by_hash}
    listed, crossings = table.listed(_NEIGHBOURS), table.listed(1, counts=False)
    near = _near_distance(listed)
    ranked = _ranked(scores, own_scores or {}, listed)
    compared = {*table.references, *table.others}
    validation = sum(i.purpose is Purpose.VALIDATION for i in others)
    wanted = {i.sha256 for i in others}
    report = HealthReport(
        scores=scores,
        other_scores={k: v for k, v in table.other_scores().items() if k in wanted},
        ranked=ranked,
        suspects=tuple(r for r in ranked if r.sigmas > STANDS_OUT),
        duplicates=_duplicates(by_hash, listed, near),
        leaks=_leaks(by_hash, others, crossings, listed.keys, near),
        sizes=sizes_of(included),
        origins=origins_of(by_hash, listed),
        uncompared=tuple(sorted({i.sha256 for i in included} - compared)),
        trust=trust_of(len(by_hash), validation),
    )
    return replace(report, warnings=tuple(_warnings(report)))


def _warnings(report: HealthReport) -> Iterator[str]:
    """Say what a person should act on, the gravest first."""
    count = report.trust.references
    if not count:
        yield "There is no reference; add pictures of good parts."
    elif count < MIN_REFERENCES:
        yield (
            f"{_counted(count, 'reference')} cannot judge parts; add good parts until there are "
            f"at least {MIN_REFERENCES}."
        )
    elif count < ENOUGH_REFERENCES:
        yield f"{count} references judge only roughly; add good parts, {ENOUGH_REFERENCES} or more."
    if report.uncompared:
        number = _counted(len(report.uncompared), "picture")
        yield f"{number} could not be compared: without usable features. Check or remove them."
    if len(report.scores) > 1 and not any(report.scores.values()):
        yield "All references look identical to the network; add pictures of other good parts."
    elif report.duplicates:
        pictures = sum(len(d.hashes) for d in report.duplicates)
        yield (
            f"{pictures} references show only {_counted(len(report.duplicates), 'part')}; "
            "exclude the doubles, which make the suggested limit too low."
        )
    if report.leaks:
        yield (
            f"{_counted(len(report.leaks), 'picture')} for validation or of bad parts "
            "also show parts that are references, so figures measured with them flatter; "
            "keep each part in one group."
        )
    if report.suspects:
        if len(report.suspects) == 1:
            yield "1 reference stands out from the others; look whether this part is good."
        else:
            yield (
                f"{len(report.suspects)} references stand out from the others; look whether these "
                "parts are good."
            )
    yield from mixed_sizes(report.sizes)
    yield from mixed_origins(report.origins)


def _counted(count: int, thing: str) -> str:
    return f"1 {thing}" if count == 1 else f"{count} {thing}s"


def _near_distance(listed: Listed) -> float:
    """Return the squared distance up to which two pictures show the same part."""
    counts = np.isfinite(listed.distances).sum(axis=1)
    if not counts.any():
        return 0.0
    farthest = listed.distances[np.arange(len(counts)), np.maximum(counts - 1, 0)]
    return NEAR * float(np.median(farthest[counts > 0]))


def _ranked(
    scores: Mapping[str, float], own_scores: Mapping[str, float], listed: Listed
) -> tuple[Ranked, ...]:
    from inspector_gui.core.sets.table import Neighbour

    sigmas, own = multiples(scores), multiples(own_scores)
    place = {key: row for row, key in enumerate(listed.keys)}
    shown = listed.rows[:, :_SHOWN_NEIGHBOURS].tolist()
    distances = listed.distances[:, :_SHOWN_NEIGHBOURS].tolist()
    found = []
    for key, score in scores.items():
        pairs = zip(shown[place[key]], distances[place[key]], strict=True)
        nearest = tuple(Neighbour(listed.keys[row], d) for row, d in pairs if row >= 0)
        found.append(Ranked(key, score, max(sigmas[key], own.get(key, -math.inf)), nearest))
    return tuple(sorted(found, key=lambda r: (-r.sigmas, -r.score, r.sha256)))


def _duplicates(
    by_hash: Mapping[str, ReferenceImage], listed: Listed, near: float
) -> tuple[Duplicates, ...]:
    """Join references of equal pixels and those nearer than `near` into groups."""
    groups = _Groups()
    by_pixels: dict[str, str] = {}
    for key, image in by_hash.items():
        if image.pixels:
            groups.join(by_pixels.setdefault(image.pixels, key), key, 0.0)
    for row, column in zip(*np.nonzero(listed.distances <= near), strict=True):
        pair = listed.keys[row], listed.keys[listed.rows[row, column]]
        if all(key in by_hash for key in pair):
            groups.join(*pair, float(listed.distances[row, column]))
    found = []
    for hashes, distance in groups.found():
        pixels = {by_hash[key].pixels for key in hashes}
        found.append(Duplicates(hashes, len(pixels) == 1 and "" not in pixels, distance))
    return tuple(sorted(found, key=lambda d: (not d.is_exact, d.distance, d.hashes)))


class _Groups:
    """Things that were joined pair by pair, directly or through others."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._links: list[tuple[str, float]] = []

    def join(self, first: str, second: str, distance: float) -> None:
        a, b = self._root(first), self._root(second)
        if a != b:
            self._parent[max(a, b)] = min(a, b)
            self._links.append((first, distance))

    def _root(self, key: str) -> str:
        parent = self._parent.setdefault(key, key)
        while parent != key:
            self._parent[key] = self._parent[parent]
            key, parent = parent, self._parent[parent]
        return key

    def found(self) -> list[tuple[tuple[str, ...], float]]:
        """Return each group of two or more, and the largest distance that joined it."""
        members: dict[str, list[str]] = defaultdict(list)
        farthest: dict[str, float] = {}
        for key in list(self._parent):
            members[self._root(key)].append(key)
        for key, distance in self._links:
            root = self._root(key)
            farthest[root] = max(distance, farthest.get(root, 0.0))
        return [(tuple(sorted(k)), farthest[root]) for root, k in members.items() if len(k) > 1]


def _leaks(
    by_hash: Mapping[str, ReferenceImage],
    others: Sequence[ReferenceImage],
    crossings: Listed,
    references: tuple[str, ...],
    near: float,
) -> tuple[Leak, ...]:
    by_pixels = {image.pixels: key for key, image in by_hash.items() if image.pixels}
    nearest = {
        key: (references[row], distance)
        for key, row, distance in zip(
            crossings.keys, crossings.rows[:, 0].tolist(), crossings.distances[:, 0], strict=True
        )
        if row >= 0 and distance <= near
    }
    found = []
    for image in others:
        same = image.sha256 if image.sha256 in by_hash else by_pixels.get(image.pixels)
        if same is not None:
            found.append(Leak(same, image.sha256, image.purpose, True, 0.0))
        elif image.sha256 in nearest:
            reference, distance = nearest[image.sha256]
            found.append(Leak(reference, image.sha256, image.purpose, False, float(distance)))
    return tuple(sorted(found, key=lambda k: (not k.is_exact, k.distance, k.other)))
