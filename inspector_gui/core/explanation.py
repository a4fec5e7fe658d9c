"""What an explanation consists of, whatever was compared: values."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inspector_gui.core.places import Place

CANDIDATES = 5
"""References that are named after the closest one."""
HIGH = 0.95
"""Quantile of good parts that `Usual.high` is."""
_MOST_USUAL = 32  # references that what is usual is taken from; more hardly change a median

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Match:
    """A reference that came close: its gallery row, the place in it, the squared distance.

    `place` is None where whole pictures were compared.
    """

    row: int
    place: Place | None
    distance: float


@dataclass(frozen=True)
class Usual:
    """How far good parts are from the others: median and 95 % quantile over `count` of them."""

    median: float
    high: float
    count: int


@dataclass(frozen=True)
class Explanation:
    """What a place (None: the whole picture) of a part was compared with.

    `distance` is the mean squared distance to the kappa nearest (DN2: to the k nearest; PatchCore:
    to the nearest), so before the border's weight and before smoothing the value of the map.
    `matches` are of different references, closest first. `usual` is None where there are too few
    references to tell.
    At two scales (see `core.scales`) `distance` and `usual` are those of the weighted geometric
    mean, `matches` are of the fine scale, and `scales` says what each of the two found, the fine
    one first. The coarse one is of the cell that the place lies in, where the map goes over from
    cell to cell: they can differ by a tenth.
    """

    place: Place | None
    distance: float
    usual: Usual | None
    matches: tuple[Match, ...]
    scales: tuple["Explanation", ...] = ()

    @property
    def times_usual(self) -> float | None:
        """The distance as a multiple of the usual one; None where that is unknown or nothing."""
        if self.usual is None or self.usual.median <= 0:
            return None
        return self.distance / self.usual.median


class Explainer(Protocol):
    """Explains one place or part, a step at a time."""

    def step(self) -> Explanation | None:
        """Do a few milliseconds of work; the explanation once it is done, else None."""
        ...


def usual_of(values: Doubles) -> Usual:
    """Return what is usual by the distances of some good parts."""
    return Usual(float(np.median(values)), float(np.quantile(values, HIGH)), len(values))


def evenly_chosen(count: int) -> list[int]:
    """Return which of `count` references say what is usual: at most 32, none of a single one."""
    if count < 2:
        return []
    chosen = np.linspace(0, count - 1, min(count, _MOST_USUAL)).round().astype(int)
    return [int(n) for n in chosen]
