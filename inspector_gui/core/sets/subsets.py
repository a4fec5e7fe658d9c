"""Scores against some of the references only: what slimming and learning curves are measured by.

Pictures are numbered: the references from 0, then any others (validation, known bad).
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from inspector_gui.core.types import Floats, Progress

Report = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


class SubsetScore(Protocol):
    """Scores a picture against a choice of references by one method."""

    def __call__(self, picture: int, rows: Sequence[int]) -> float:
        """Return the score of `picture` against the references `rows`.

        Where the picture is itself among them it is left out by its number, so that its
        duplicates count; something else is always left.
        """
        ...


class Dn2OfSubset:
    """DN2's score: the mean squared distance to the k nearest of the chosen references.

    `features`: float32, N x D, of all pictures by their number. A k above the number of
    references is cut to it. The features of the last choice are kept together,
    so pass the same sequence, unchanged, while scoring against it.
    """

    def __init__(self, features: Floats, k: int = 2) -> None:
        self._features = features
        self._k = k
        self._rows: Sequence[int] = ()
        self._place: dict[int, int] = {}
        self._chosen = features[:0]

    def __call__(self, picture: int, rows: Sequence[int]) -> float:
        from inspector_gui.core.neighbours import nearest, squared_distances

        if self._rows is not rows:
            self._rows = rows
            self._place = {row: place for place, row in enumerate(rows)}
            self._chosen = np.ascontiguousarray(self._features[list(rows)], np.float32)
        own = self._place.get(picture)
        found = nearest(self._features[picture], self._chosen, self._k, exclude=own)
        return float(squared_distances(self._features[picture], self._chosen[found]).mean())


def drawn(numbers: Sequence[int], most: int, *, seed: int) -> list[int]:
    """Return all numbers, or a fixed random choice of `most` of more, in order."""
    if len(numbers) <= most:
        return list(numbers)
    order = np.random.default_rng(seed).permutation(len(numbers))[:most]
    return sorted(numbers[place] for place in order)
