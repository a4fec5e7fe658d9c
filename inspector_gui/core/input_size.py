"""An input size chosen from the sizes of the pictures of good parts and no more; on request alone.

The rule: pictures keep their shape (others than the usual one are padded, which is never scored).
The input has the median aspect ratio of the references, and the pixels of a square whose side is
half that of the median picture, but 224 at least and 384 at most: a defect of a few pixels is not
averaged away, and live use stays possible, since the time that SPADE takes grows with the square
of the number of pixels (by (384 / 224)^4, nearly 9 times, from the least to the most). Sides are
multiples of 32, rounded so that no pixels are lost. An aspect ratio beyond 8 : 1 counts as that.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

from inspector_gui.core.types import KEEP, Scoring

LEAST, MOST = 224, 384
SHRUNK_BY = 2
MOST_OBLONG = 8
_MULTIPLE = 32


def has_chosen_input(scoring: Scoring) -> bool:
    """Return whether somebody chose how pictures are brought to the network's input."""
    plain = Scoring()
    names = ("preset", "size", "height", "crop", "fit", "tiles")
    return any(getattr(scoring, name) != getattr(plain, name) for name in names)


def fitted(scoring: Scoring, sizes: Sequence[tuple[int, int]]) -> Scoring:
    """Return a scoring with the input that the rule chooses for pictures of these sizes.

    `sizes`: height and width in pixels of each reference. Without any the scoring is unchanged.
    """
    if not sizes:
        return scoring
    aspect = math.exp(_median([math.log(width / height) for height, width in sizes]))
    aspect = min(max(aspect, 1 / MOST_OBLONG), MOST_OBLONG)
    side = _median([math.sqrt(height * width) for height, width in sizes]) / SHRUNK_BY
    height, width = _input(min(max(side, LEAST), MOST), aspect)
    return replace(scoring, size=width, height=0 if height == width else height, fit=KEEP)


def _input(side: float, aspect: float) -> tuple[int, int]:
    """Return the height and width, multiples of 32, nearest to an area and an aspect ratio."""

    def around(wanted: float) -> tuple[int, int]:
        below = max(1, math.floor(wanted / _MULTIPLE + 1e-9))
        return below * _MULTIPLE, max(below, math.ceil(wanted / _MULTIPLE - 1e-9)) * _MULTIPLE

    tall, wide = around(side / math.sqrt(aspect)), around(side * math.sqrt(aspect))
    enough = [
        (height, width)
        for height, width in itertools.product(tall, wide)
        if height * width >= side * side - 1
    ]

    def error(size: tuple[int, int]) -> float:
        height, width = size
        return abs(math.log(width / height / aspect)) + math.log(height * width / side**2)

    return min(enough, key=error)


def _median(values: Sequence[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
