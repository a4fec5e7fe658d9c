"""Why a patch of a part is far from PatchCore's bank: the patches of good parts that come nearest.

As in `explain`, of one place alone and by brute force.
"""

from collections import deque

import numpy as np

from inspector_gui.core.explanation import (
    CANDIDATES,
    Explanation,
    Match,
    evenly_chosen,
    usual_of,
)
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.patchcore import GalleryBank
from inspector_gui.core.neighbours import squared_distances
from inspector_gui.core.patches import Levels, patch_area, patch_features
from inspector_gui.core.places import Place
from inspector_gui.core.types import Floats, Inside

_BLOCK_VALUES = 1_000_000  # of the bank in a step: some milliseconds


class PatchExplainer:
    """Compares one patch of a part with every patch of a bank, some of these a step.

    The distance is PatchCore's (Roth et al. 2022, equation 6, squared), summed over differences.
    What is usual: the distance of references' own patches at the same place to the bank without
    theirs, of at most 32 of the references that have one there, evenly chosen.
    """

    def __init__(
        self, features: Features, gallery: Gallery, bank: GalleryBank, place: Place
    ) -> None:
        query = _patch_at(features.levels, features.inside, place)
        if query is None:
            raise ValueError(f"place {place} of a grid of {features.levels[1].shape[:2]}")
        self._gallery, self._bank, self._place = gallery, bank, place
        self._query = query
        block = max(1, _BLOCK_VALUES // len(query))
        self._left = deque(range(0, len(bank.patches), block))
        self._block = block
        self._distances = np.empty(len(bank.patches), np.float64)
        there = [row for row in range(len(gallery)) if _has_patch(gallery, row, place)]
        self._own = deque(there[n] for n in evenly_chosen(len(there)))
        self._usual: list[float] = []

    def step(self) -> Explanation | None:
        """Compare with more patches, or another reference's; see `Explainer.step`."""
        if self._left:
            first = self._left.popleft()
            block = slice(first, first + self._block)
            vectors = self._bank.patches.vectors[block]
            self._distances[block] = squared_distances(self._query, vectors)
        elif self._own:
            self._usual.append(self._distance_to_others(self._own.popleft()))
        return None if self._left or self._own else self._explanation()

    def _distance_to_others(self, row: int) -> float:
        own = _patch_at(self._gallery.levels(row), self._gallery.inside(row), self._place)
        assert own is not None
        skip = self._bank.index_of(row)
        distances, _ = self._bank.patches.nearest(own[None], skip=skip)
        return float(distances[0])

    def _explanation(self) -> Explanation:
        usual = usual_of(np.array(self._usual)) if self._usual else None
        matches = self._matches()
        return Explanation(self._place, matches[0].distance, usual, matches)

    def _matches(self) -> tuple[Match, ...]:
        """Return the best patch of each reference that has one, closest first."""
        found: dict[int, Match] = {}
        for vector in np.argsort(self._distances, kind="stable"):
            row, place = self._bank.origin(int(vector))
            found.setdefault(row, Match(row, place, float(self._distances[vector])))
            if len(found) > CANDIDATES:
                break
        return tuple(found.values())


def _has_patch(gallery: Gallery, row: int, place: Place) -> bool:
    return _lies_in(patch_area(gallery.levels(row), gallery.inside(row)), place)


def _lies_in(area: Inside, place: Place) -> bool:
    top, left, bottom, right = area
    return top <= place[0] < bottom and left <= place[1] < right


def _patch_at(levels: Levels, inside: Inside | None, place: Place) -> Floats | None:
    """Return the patch at a place of a picture's grid, None where the picture has none."""
    area = patch_area(levels, inside)
    if not _lies_in(area, place):
        return None
    patches = patch_features(levels, inside)
    return np.asarray(patches[place[0] - area[0], place[1] - area[1]], np.float32)
