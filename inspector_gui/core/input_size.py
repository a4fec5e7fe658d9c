"""The input size of the default recipe, chosen from its references' sizes and no more.

The rule, fixed before any test picture was scored by it: the input has the median aspect ratio of
the references and about the pixels of a square of 384, so that a defect of a few pixels is not
averaged away and live use stays possible. Small pictures are enlarged at most twice; of large
ones, beyond 1536 pixels, a quarter of the side is seen, up to 512: they take longer to decode as
well. Sides are multiples of 64, which two scales of averaged features need.

Pictures of nearly the median shape are brought to it. Others keep their shape and are padded,
which is never scored. Where most are such, the set has no shape to keep: they are brought to a
square, since padding each differently would make good parts differ.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from inspector_gui.core.method_options import AUTOMATIC_PRESET
from inspector_gui.core.types import KEEP, SQUASH, Scoring

LEAST, USUAL, MOST = 128, 384, 512
MOST_ENLARGED = 2
SHRUNK_BY = 4
MOST_OBLONG = 8
SAME_SHAPE = 1.1
"""Aspect ratios that differ by less are of one shape."""
_MULTIPLE = 64


def fitted(scoring: Scoring, sizes: Sequence[tuple[int, int]]) -> Scoring:
    """Return the default recipe with the input that pictures of these sizes choose.

    `sizes`: height and width in pixels of each reference. Without any, and for every other recipe,
    the scoring is returned unchanged.
    """
    if scoring.preset != AUTOMATIC_PRESET or not sizes:
        return scoring
    shapes = [math.log(width / height) for height, width in sizes]
    shape = _median(shapes)
    others = sum(abs(one - shape) > math.log(SAME_SHAPE) for one in shapes)
    have_one = others <= len(sizes) / 2
    longest = math.log(MOST_OBLONG)
    aspect = math.exp(min(max(shape, -longest), longest)) if have_one else 1.0
    side = _median([math.sqrt(height * width) for height, width in sizes])
    wanted = min(USUAL, max(LEAST, side * MOST_ENLARGED))
    wanted = max(wanted, min(MOST, side / SHRUNK_BY))
    height, width = _input(wanted, aspect)
    fit = KEEP if have_one and others else SQUASH
    return replace(scoring, size=width, height=0 if height == width else height, fit=fit)


def _input(side: float, aspect: float) -> tuple[int, int]:
    """Return the height and width, multiples of 64, nearest to an area and an aspect ratio."""
    tall = max(1, round(side / math.sqrt(aspect) / _MULTIPLE)) * _MULTIPLE
    around = (tall - _MULTIPLE, tall, tall + _MULTIPLE)
    sizes = [
        (height, max(1, round(height * aspect / _MULTIPLE)) * _MULTIPLE)
        for height in around
        if height > 0
    ]

    def error(size: tuple[int, int]) -> float:
        height, width = size
        # Twice the area costs as much as a shape that is wrong by a quarter.
        area = abs(math.log(height * width / side**2)) * math.log(1.25) / math.log(2)
        return abs(math.log(width / height / aspect)) + area

    return min(sizes, key=error)


def _median(values: Sequence[float]) -> float:
    ordered, middle = sorted(values), len(values) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
