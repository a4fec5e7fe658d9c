"""The health of a set, kept up to date in the engine's thread a piece at a time.

The table of neighbours outlives a change of the set: only pictures that came or went are compared.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inspector_gui.core.types import Purpose

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.sets.health import HealthReport
    from inspector_gui.core.sets.table import NeighbourTable
    from inspector_gui.workers.gallery_work import GalleryWork

_READ_AT_ONCE = 500
_KEPT_SHARE = 0.5
"""Of a table's pictures must stay for it to be changed rather than begun anew."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """A report and what it belongs to (see `Setup.health_key`)."""

    key: str
    report: HealthReport


class HealthWork:
    """Follows one setup after the other; `step` until it returns None or a report."""

    def __init__(self) -> None:
        self._table: NeighbourTable | None = None
        self._features_key = ""
        self._work: GalleryWork | None = None
        self._purposes: dict[str, Purpose] = {}
        self._to_add: deque[str] = deque()
        self._is_due = False

    def follow(self, work: GalleryWork) -> None:
        """Begin with a setup whose features are all there (or unreadable)."""
        from inspector_gui.core.sets.table import NeighbourTable, sampled_keys

        self._work = work
        setup = work.setup
        absent = frozenset(work.features.missing(i.sha256 for i in setup.images))
        chosen = {i.sha256: i.purpose for i in setup.images if i.sha256 not in absent}
        references = (sha for sha, purpose in chosen.items() if purpose is Purpose.REFERENCE)
        compared = frozenset(sampled_keys(references))
        wanted = {s: p for s, p in chosen.items() if p is not Purpose.REFERENCE or s in compared}
        staying = {sha for sha, purpose in self._purposes.items() if wanted.get(sha) is purpose}
        is_new = (
            self._table is None
            or self._features_key != setup.scoring.features_key
            or len(staying) < _KEPT_SHARE * len(self._purposes)
        )
        if is_new:
            self._table, self._purposes, staying = NeighbourTable(), {}, set()
            self._features_key = setup.scoring.features_key
        assert self._table is not None
        for sha in [sha for sha in self._purposes if sha not in staying]:
            del self._purposes[sha]
            if sha in self._table:
                self._table.remove(sha)
        self._to_add = deque(sha for sha in wanted if sha not in staying)
        self._is_due = True

    def leave(self) -> None:
        """Stop following; the table stays for the next setup."""
        self._work = None
        self._to_add.clear()
        self._is_due = False

    def step(self) -> Assessment | bool:
        """Do the next piece; returns the report when it is made, else whether there may be more."""
        if self._work is None or self._table is None or not self._is_due:
            return False
        if self._to_add:
            self._add_next(self._work, self._table)
            return True
        if self._table.step():
            return True
        self._is_due = False
        return self._assess(self._work, self._table)

    def _add_next(self, work: GalleryWork, table: NeighbourTable) -> None:
        of = {image.sha256: image.purpose for image in work.setup.images}
        batch = [self._to_add.popleft() for _ in range(min(_READ_AT_ONCE, len(self._to_add)))]
        vectors = work.features.gallery(batch).pooled
        for counts in (True, False):
            chosen = {
                sha: vector
                for sha, vector in zip(batch, vectors, strict=True)
                if (of[sha] is Purpose.REFERENCE) == counts
            }
            if len(batch) == 1:
                for sha, vector in chosen.items():
                    table.add(sha, vector, counts=counts)
            else:
                table.extend(chosen, counts=counts)
        self._purposes |= {sha: of[sha] for sha in batch}

    def _assess(self, work: GalleryWork, table: NeighbourTable) -> Assessment:
        from inspector_gui.core.sets.health import assess

        own_scores = {**work.setup.known_scores, **work.scores}
        report = assess(work.setup.images, table, own_scores=own_scores)
        return Assessment(work.setup.health_key, report)
