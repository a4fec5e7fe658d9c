"""Why a part was flagged, found out in the engine's thread: one question at a time, in short turns.

The newest question counts. It waits for the gallery it was asked about, and goes behind parts that
are to be judged, though not for longer than a moment while a feed keeps the engine busy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import ALL_REFERENCES, RGB

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.explanation import Explainer, Explanation
    from inspector_gui.core.features import Extractor, Features
    from inspector_gui.core.places import Place
    from inspector_gui.workers.gallery_work import GalleryWork, Setup

_TURN_SECONDS = 0.05
_PATIENCE = 0.25
"""Seconds that a question waits behind parts before it takes turns with them."""


@dataclass(frozen=True, eq=False)
class Question:
    """Which place of which part is to be explained, and by which gallery.

    `image` is the part's picture (uint8, H x W x 3, RGB); `point` lies in it (x, y in its pixels),
    None for the whole part. `nearest` are the content hashes of the references it was compared
    with, nearest first. `fingerprint` and `features_folder` name the gallery (see `Setup`).
    """

    number: int
    image: RGB
    point: tuple[float, float] | None
    nearest: tuple[str, ...]
    fingerprint: str
    features_folder: Path

    def is_about(self, setup: Setup) -> bool:
        """Whether the gallery of `setup` is the one that was asked about."""
        same_place = self.features_folder == setup.features_folder
        return same_place and self.fingerprint == setup.fingerprint


@dataclass(frozen=True, eq=False)
class Answer:
    """The explanation of a question, or the sentence that says why there is none.

    `hashes` are the references of the explanation's matches, in their order, `gone` how many of
    those that the part was compared with are no longer in the gallery, `grid` the rows and columns
    of the grid that places are cells of.
    """

    number: int
    explanation: Explanation | None = None
    hashes: tuple[str, ...] = ()
    gone: int = 0
    grid: tuple[int, int] = (0, 0)
    sentence: str = ""


class Explaining:
    """The question in hand."""

    def __init__(self) -> None:
        self._question: Question | None = None
        self._asked_at = 0.0
        self._explainer: Explainer | None = None
        self._work: GalleryWork | None = None
        self._gone = 0
        self._grid = (0, 0)
        self._features: tuple[RGB, Extractor, Features] | None = None

    def ask(self, question: Question | None) -> None:
        """Answer this question in place of any other; None: none."""
        self._question, self._explainer = question, None
        self._asked_at = time.monotonic()
        if question is None:
            self._features = None

    def is_wanted(self, setup: Setup) -> bool:
        """Whether there is a question about the gallery of `setup`."""
        return self._question is not None and self._question.is_about(setup)

    def is_urgent(self, setup: Setup) -> bool:
        """Whether a question about this gallery has waited long enough behind parts."""
        return self.is_wanted(setup) and time.monotonic() - self._asked_at > _PATIENCE

    def forget_gallery(self) -> None:
        """Begin anew where a question was being answered from a gallery that is gone."""
        self._explainer = self._work = None

    def step(self, work: GalleryWork, extractor: Extractor) -> Answer | None:
        """Work for a moment; the answer once there is one.

        Call it only where `is_wanted`.
        """
        question = self._question
        assert question is not None
        try:
            if self._explainer is None or self._work is not work:
                self._begin(question, work, extractor)
            found = self._explain_for(_TURN_SECONDS)
        except KnownError as error:
            self._question = self._explainer = None
            return Answer(question.number, sentence=str(error))
        if found is None:
            return None
        self._question = self._explainer = None
        hashes = tuple(work.hashes[match.row] for match in found.matches)
        return Answer(question.number, found, hashes, self._gone, self._grid)

    def give_up(self, sentence: str) -> Answer | None:
        """Answer the question in hand with a sentence."""
        question, self._question, self._explainer = self._question, None, None
        return None if question is None else Answer(question.number, sentence=sentence)

    def _begin(self, question: Question, work: GalleryWork, extractor: Extractor) -> None:
        from inspector_gui.core.explain import explained_area, explained_grid, explainer_of
        from inspector_gui.core.places import input_area, place_at

        self._work = work
        features = self._features_of(question.image, extractor)
        row_of = {sha: row for row, sha in enumerate(work.hashes)}
        rows = [row_of[sha] for sha in question.nearest if sha in row_of]
        # A bank is of all references there are now, whatever the part was compared with then.
        by_rows = work.setup.scoring.method != "patchcore"
        self._gone = len(question.nearest) - len(rows) if by_rows else 0
        if not rows and by_rows and question.point is not None:
            raise KnownError(
                "None of the references that this part was compared with is in the set any more. "
                "Check the picture again."
            )
        if work.setup.scoring.k == ALL_REFERENCES:  # of which only the nearest are remembered
            rows += sorted(set(range(len(work.hashes))) - set(rows))
        place: Place | None = None
        self._grid = explained_grid(work.method, features)
        if question.point is not None and features.levels[0].size:
            area = input_area(work.setup.scoring, *question.image.shape[:2])
            place = place_at(*question.point, area, self._grid)
            if place is None:
                raise KnownError("This place was not inspected: it is outside the crop.")
            top, left, bottom, right = explained_area(work.method, features)
            # The far edge of a padded picture belongs to its last cell, too.
            place = min(max(place[0], top), bottom - 1), min(max(place[1], left), right - 1)
        self._explainer = explainer_of(work.method, features, work.gallery, rows, place)

    def _features_of(self, image: RGB, extractor: Extractor) -> Features:
        """Return the features of a part; kept while the same part is asked about."""
        kept = self._features
        if kept is None or kept[0] is not image or kept[1] is not extractor:
            kept = self._features = (image, extractor, extractor.extract(image))
        return kept[2]

    def _explain_for(self, seconds: float) -> Explanation | None:
        assert self._explainer is not None
        until = time.monotonic() + seconds
        while (found := self._explainer.step()) is None:
            if time.monotonic() > until:
                return None
        return found
