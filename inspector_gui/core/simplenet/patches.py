"""From the levels of the pyramid to SimpleNet's patch features, as weights that anything can apply.

The authors' code takes the p x p neighbourhood of every place (zeros beyond the border), brings the
coarser levels to the grid of the finest one bilinearly, flattens each neighbourhood channel by
channel, averages it adaptively to D values a level, and all levels together to D values again. Each
of these steps is linear and the bilinear one acts on places alone, so all averages are one
convolution with fixed weights on the level's own grid, followed by the resizing: the same numbers
without the p * p copies. The weights fall into small groups of channels (for 512 channels, p = 3
and D = 1536: three values of every two channels). With a dimension of 0, for networks with few
channels, each channel is averaged on its own and all are kept (METHODS "Common").
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector_gui.core.simplenet.hyperparameters import Hyperparameters
from inspector_gui.core.types import Floats


@dataclass(frozen=True, eq=False)
class LevelPooling:
    """The patch features that come of one level: a grouped convolution with zeros beyond borders.

    `level`: 0 is the finest. `kernel`: float32, outputs x channels of a group x p x p. Its outputs
    are the features `first` .. `first` + outputs; where those of two levels overlap they add up.
    """

    level: int
    kernel: Floats
    groups: int
    first: int

    @property
    def outputs(self) -> int:
        """How many features it gives."""
        return len(self.kernel)


@dataclass(frozen=True, eq=False)
class PatchPooling:
    """How patch features of `dimension` values come of some levels, the finest chosen one first."""

    levels: tuple[LevelPooling, ...]
    dimension: int

    @property
    def finest(self) -> int:
        """The level whose grid the features have."""
        return self.levels[0].level


def patch_pooling(channels: Sequence[int], chosen: Hyperparameters) -> PatchPooling:
    """Return the pooling of hyperparameters for levels of some channels, finest first.

    A dimension above what a level has repeats its values, as the authors' code does: ResNet-18, or
    a neighbourhood of one place.
    """
    numbers = [int(level) - 1 for level in chosen.levels.split(",")]
    places = chosen.neighbourhood**2
    if chosen.dimension == 0:
        return _kept(channels, numbers, chosen.neighbourhood)
    found = []
    for order, number in enumerate(numbers):
        first, rows = _rows(channels[number] * places, chosen.dimension, order, len(numbers))
        kernel, groups = _grouped(rows, channels[number], chosen.neighbourhood)
        found.append(LevelPooling(number, kernel, groups, first))
    return PatchPooling(tuple(found), chosen.dimension)


def _kept(channels: Sequence[int], numbers: Sequence[int], side: int) -> PatchPooling:
    found, first = [], 0
    for number in numbers:
        kernel = np.full((channels[number], 1, side, side), 1 / side**2, np.float32)
        found.append(LevelPooling(number, kernel, channels[number], first))
        first += channels[number]
    return PatchPooling(tuple(found), first)


def _bin(number: int, values: int, bins: int) -> range:
    """Return which of `values` an adaptive average over `bins` puts into one of them."""
    return range(number * values // bins, -(-(number + 1) * values // bins))


def _rows(
    values: int, dimension: int, order: int, count: int
) -> tuple[int, list[dict[int, float]]]:
    """Return the first feature that the level at `order` of `count` adds to, and all its weights.

    A weight is of a value of the flattened neighbourhood, of which there are `values`.
    """
    own = range(order * dimension, (order + 1) * dimension)
    first = None
    rows: list[dict[int, float]] = []
    for feature in range(dimension):
        stacked = _bin(feature, count * dimension, dimension)
        shared = range(max(stacked.start, own.start), min(stacked.stop, own.stop))
        if not shared:
            continue
        first = feature if first is None else first
        row: dict[int, float] = {}
        for place in shared:
            inner = _bin(place - own.start, values, dimension)
            for value in inner:
                row[value] = row.get(value, 0.0) + 1 / (len(stacked) * len(inner))
        rows.append(row)
    assert first is not None
    return first, rows


def _grouped(rows: list[dict[int, float]], channels: int, side: int) -> tuple[Floats, int]:
    """Return rows of weights as the kernel of a convolution in as many groups as there can be."""
    places = side * side
    for groups in sorted(_divisors(math.gcd(channels, len(rows))), reverse=True):
        own, outputs = channels // groups, len(rows) // groups
        if all(
            own * (number // outputs) <= min(row) // places
            and max(row) // places < own * (number // outputs + 1)
            for number, row in enumerate(rows)
        ):
            break
    kernel = np.zeros((len(rows), own * places), np.float32)
    for number, row in enumerate(rows):
        begin = own * places * (number // outputs)
        kernel[number, np.array(list(row)) - begin] = list(row.values())
    return kernel.reshape(len(rows), own, side, side), groups


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]
