"""The pictures of one setup in the engine's thread: features, gallery, and scores against it.

Every method does one piece of work, so that a frame never waits for more than one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import AUTOMATIC, Limits, ReferenceImage, Scoring
from inspector_gui.workers.trained import judges_pictures, rows_for_limits

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.features import Extractor, Features
    from inspector_gui.core.methods.base import Method
    from inspector_gui.store.features_cache import FeatureStore
    from inspector_gui.store.stored_gallery import StoredGallery

log = logging.getLogger(__name__)

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Setup:
    """What the engine shall judge by: one reference set under one scoring.

    `hashes` are the included references in canonical order, `others` the included pictures of
    other purposes; `images` has the facts of all of them. `read_image` returns the bytes of one and
    may be called from any thread; `known_scores` are scores against exactly this gallery that were
    computed before, `health_key` names what a report of the set's health belongs to.
    """

    set_id: int
    scoring: Scoring
    hashes: tuple[str, ...]
    fingerprint: str
    features_folder: Path
    read_image: Callable[[str], bytes]
    limits: Limits | None = None
    known_scores: Mapping[str, float] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    images: tuple[ReferenceImage, ...] = ()
    health_key: str = ""


class GalleryWork:
    """What there is to do for a setup before and beside judging, a piece at a time.

    `missing` and `others_missing` are pictures whose features are still to be computed, `to_score`
    rows of the gallery and `others_to_score` other pictures whose scores are.
    """

    def __init__(
        self,
        setup: Setup,
        features: FeatureStore,
        method: Method,
        *,
        before: GalleryWork | None = None,
    ) -> None:
        self.setup = setup
        self.features = features
        self.method = method
        self.missing = deque(features.missing(setup.hashes))
        self.others_missing = deque(features.missing(setup.others))
        self.to_score: deque[int] = deque()
        self.others_to_score: deque[str] = deque()
        self.sample = 0
        self.scores: dict[str, float] = {}
        self.other_scores: dict[str, float] = {}
        self.unreadable: list[str] = []
        self.hashes: tuple[str, ...] = ()
        self.gallery: StoredGallery
        self.lay_out(before if before is not None and before.features is features else None)

    def lay_out(self, before: GalleryWork | None = None) -> None:
        """Line up the features that are there; what to score follows once they all are.

        From the gallery of `before` only what differs is looked up. Raises `KnownError` where too
        few references are readable.
        """
        absent = frozenset(self.features.missing(self.setup.hashes))
        hashes = self.hashes = tuple(h for h in self.setup.hashes if h not in absent)
        self.gallery = self._gallery(before)
        if self.missing:
            return
        self.features.flush()
        if len(hashes) < MIN_REFERENCES <= len(self.setup.hashes):
            raise KnownError("Too many references are unreadable; add their pictures again.")
        if len(hashes) < MIN_REFERENCES:
            return
        known = self.setup.known_scores
        rows = rows_for_limits(self.method, hashes, self.setup.fingerprint)
        self.sample = len(rows)
        if not all(hashes[row] in known for row in rows):
            self.to_score = deque(rows)
        self.others_to_score = deque(h for h in self.setup.others if h not in known)

    def _gallery(self, before: GalleryWork | None) -> StoredGallery:
        allowed = self.setup.scoring.search == AUTOMATIC
        if before is None:
            return self.features.gallery(self.hashes, allow_approximate=allowed)
        now, then = frozenset(self.hashes), frozenset(before.hashes)
        added, removed = tuple(now - then), tuple(then - now)
        return self.features.changed(before.gallery, added=added, removed=removed)

    def open_bank(self) -> bool:
        """Let the method use the memory bank that is on disk; False where it needs one first."""
        from inspector_gui.core.methods.patchcore import Patchcore
        from inspector_gui.store.bank_files import BankFiles

        method = self.method
        if not isinstance(method, Patchcore) or method.is_fitted(self.gallery):
            return True
        stored = BankFiles(self.features.folder, self.setup.scoring).open(self.hashes)
        if stored is None:
            return False
        method.use(self.gallery, stored.bank, stored.rows(self.hashes))
        return True

    def open_index(self) -> None:
        """Search by an index that was made meanwhile."""
        self.gallery = self._gallery(self)

    @property
    def total(self) -> int:
        """How many pictures need features for parts to be judged."""
        return len(self.setup.hashes)

    def index(self, extractor: Extractor) -> None:
        """Compute the features of the next reference; one that cannot be read is left out.

        Raises `KnownError` where too few are left or the disk is full.
        """
        self._index(self.missing.popleft(), extractor)
        if not self.missing:
            self.lay_out()

    def index_other(self, extractor: Extractor) -> None:
        """Compute the features of the next other picture, as `index` does."""
        self._index(self.others_missing.popleft(), extractor)
        if not self.others_missing:
            self.features.flush()

    def take_unreadable(self) -> str:
        """Return a sentence about the pictures that could not be read so far, and forget them."""
        told, self.unreadable = self.unreadable, []
        if len(told) > 1:
            return f"{len(told)} pictures are left out. {told[0]}"
        return f"{told[0]} It is left out." if told else ""

    def _index(self, sha: str, extractor: Extractor) -> None:
        from inspector_gui.core.images import decode

        try:
            image = decode(self.setup.read_image(sha), name=f"The reference {sha[:12]}")
        except KnownError as error:
            log.info("%s", error)
            self.unreadable.append(str(error))
        else:
            self.features.append(sha, extractor.extract(image))

    def calibrate(self, extractor: Extractor, should_stop: ShouldStop) -> bool:
        """Score the next reference against the others; returns whether that was the last."""
        from inspector_gui.core.methods.base import leave_one_out

        row = self.to_score[0]
        if judges_pictures(self.method):
            score = self._score(self.hashes[row], extractor, should_stop, row=row)
        else:
            score = leave_one_out(self.method, self.gallery, row, should_stop=should_stop).image
        if should_stop():
            return False
        if score is not None:
            self.scores[self.hashes[row]] = score
        self.to_score.popleft()
        return not self.to_score

    def score_other(self, extractor: Extractor, should_stop: ShouldStop) -> bool:
        """Score the next picture of another purpose; returns whether that was the last."""
        sha = self.others_to_score[0]
        score = self._score(sha, extractor, should_stop)
        if should_stop():
            return False
        if score is not None:
            self.other_scores[sha] = score
        self.others_to_score.popleft()
        return not self.others_to_score

    def _score(
        self, sha: str, extractor: Extractor, should_stop: ShouldStop, *, row: int | None = None
    ) -> float | None:
        """Return the score of a picture; None for an unreadable one, which has been said."""
        from inspector_gui.core.methods.base import score_with_map

        features = self._features_of(sha, extractor)
        if features is None:
            return None
        scores = score_with_map(
            self.method, features, self.gallery, exclude=row, should_stop=should_stop
        )
        return scores.image

    def _features_of(self, sha: str, extractor: Extractor) -> Features | None:
        from inspector_gui.core.features import Features
        from inspector_gui.core.images import decode

        if sha not in self.features:
            return None
        if judges_pictures(self.method):
            return extractor.extract(decode(self.setup.read_image(sha)))
        one = self.features.gallery((sha,))
        return Features(one.pooled[0], one.levels(0), one.inside(0))
