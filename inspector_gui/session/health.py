"""The health of the current set: what the engine found out beside judging."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.digests import digest_of
from inspector_gui.core.types import Purpose, ReferenceSet

if TYPE_CHECKING:  # its imports come after the window
    from inspector_gui.core.sets.health import HealthReport


class HealthDesk(QObject):
    """Holds the newest report and the scores of pictures that are no references."""

    changed = Signal()
    """There is another report, or none, or other scores."""

    def __init__(self) -> None:
        super().__init__()
        self._set: ReferenceSet | None = None
        self.report: HealthReport | None = None
        """Of the current set as it was a moment ago; see `is_current`."""
        self.assessed_at = 0.0
        """When `report` came: seconds since the epoch."""
        self.key = ""
        """What a report of the set as it is now belongs to (see `key_of`)."""
        self._of = ""
        self._scores: dict[str, float] = {}

    @property
    def is_current(self) -> bool:
        """Whether the report is of the set as it is now; else a new one is being made."""
        return self.report is not None and self._of == self.key

    def scores_of(self, purpose: Purpose) -> dict[str, float]:
        """Return the scores of validation or known bad pictures against the current gallery."""
        if self._set is None:
            return {}
        hashes = (image.sha256 for image in self._set.of(purpose))
        return {h: self._scores[h] for h in hashes if h in self._scores}

    def load(self, key: str, current: ReferenceSet | None, scores: Mapping[str, float]) -> None:
        """Take over what is remembered of a set that became current or was changed.

        `key`: that of `key_of`, which takes a while for thousands of pictures.
        """
        if current is None or self._set is None or current.id != self._set.id:
            self.report = None
        self._set, self.key = current, key
        self._scores = dict(scores)
        self.changed.emit()

    def scored(self, fingerprint: str, scores: Mapping[str, float]) -> None:
        """Take new scores of pictures that are no references."""
        if self._set is not None and fingerprint == self._set.fingerprint:
            self._scores |= scores
            self.changed.emit()

    def assessed(self, key: str, report: HealthReport) -> None:
        """Take a new report; one of another set is dropped."""
        if self._set is not None and key.split(":")[0] == str(self._set.id):
            self.report, self._of, self.assessed_at = report, key, time.time()
            self.changed.emit()


def key_of(current: ReferenceSet) -> str:
    """Return what a report belongs to: a set with its included pictures and their purposes."""
    pictures = sorted((i.sha256, i.purpose) for i in current.images if i.included)
    return f"{current.id}:{current.scoring.features_key}:{digest_of(pictures)}"
