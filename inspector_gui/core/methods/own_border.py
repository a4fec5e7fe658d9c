"""The weight of the border where pictures keep their shape, and their borders lie anywhere. Ours.

`border` weighs the border of the input. A padded picture ends elsewhere, and so do the references:
here places are compared by where they are on their own picture, and the weight is laid over that
part of the input that shows the part. It comes from at most 48 references, evenly spread over the
set, and not from the neighbours of each part, since these have other shapes as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector_gui.core.features import Gallery
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Floats, Inside

MOST_REFERENCES = 48
_FEWEST = 5  # references, below which their spread says nothing
_BAND = 6 / 56  # of the grid's shorter side, as in `border`

Doubles = npt.NDArray[np.float64]
Levels = Sequence[Floats | Doubles]


@dataclass(frozen=True, eq=False)
class OwnBorder:
    """How much the features of a gallery's references vary at each place of their pictures.

    `rows` are the references looked at, `totals` the sums of their features on every level, each
    picture stretched over the whole grid, and `squares` the sums of squared lengths (fine grid).
    """

    gallery: Gallery
    rows: tuple[int, ...]
    totals: tuple[Doubles, ...]
    squares: Doubles

    def weight(self, inside: Inside | None, *, skip: int | None = None) -> Floats:
        """Return the weight of every fine place: float32, h x w, in (0, 1], 1 on padding.

        `inside` says where the weighed picture is (None: everywhere), `skip` leaves out one
        reference by its row in the gallery (leave-one-out).
        """
        height, width = self.squares.shape
        totals, squares, count = self.totals, self.squares, len(self.rows)
        if skip in self.rows:
            own = _stretched(self.gallery, skip)
            totals = tuple(total - level for total, level in zip(totals, own, strict=True))
            squares, count = squares - _squared(own), count - 1
        if count < _FEWEST:
            return np.ones((height, width), np.float32)
        spread = np.maximum(squares / count - _squared(totals) / count**2, 0)
        whole = weight_of(spread.astype(np.float32))
        if inside is None:
            return whole
        top, left, bottom, right = inside
        weight = np.ones((height, width), np.float32)
        rows, columns = _places(bottom - top, 0, height), _places(right - left, 0, width)
        weight[top:bottom, left:right] = whole[np.ix_(rows, columns)]
        return weight


def own_border(gallery: Gallery) -> OwnBorder:
    """Return how a gallery's references vary; reads the pyramids of a few of them."""
    step = max(1, -(-len(gallery) // MOST_REFERENCES))
    rows = tuple(range(0, len(gallery), step))
    totals: tuple[Doubles, ...] = ()
    squares = np.zeros((0, 0))
    for row in rows:
        levels = _stretched(gallery, row)
        if not totals:
            totals = tuple(np.zeros(level.shape) for level in levels)
            squares = np.zeros(levels[0].shape[:2])
        for total, level in zip(totals, levels, strict=True):
            total += level
        squares += _squared(levels)
    return OwnBorder(gallery, rows, totals, squares)


def weight_of(spread: Floats) -> Floats:
    """Return the weight of places whose features vary so much (both float32, h x w); see `border`.

    A grid too small for a border has the weight 1.
    """
    height, width = spread.shape
    band = max(1, round(_BAND * min(height, width)))
    if min(height, width) <= 2 * band + 1:
        return np.ones((height, width), np.float32)
    spread = spread + spread[::-1]  # mirrored: steadier with few references
    spread = np.ascontiguousarray(spread + spread[:, ::-1])
    spread = np.asarray(cv2.GaussianBlur(spread, (0, 0), 1.0, borderType=cv2.BORDER_REFLECT))
    rows = np.clip(np.arange(height), band, height - 1 - band)
    columns = np.clip(np.arange(width), band, width - 1 - band)
    inside = spread[band:-band, band:-band].mean()
    ordinary = np.maximum(spread[np.ix_(rows, columns)], inside)
    return np.asarray(1 / np.maximum(spread / np.maximum(ordinary, 1e-12), 1), np.float32)


def _stretched(gallery: Gallery, row: int) -> tuple[Floats, ...]:
    """Return a reference's levels with its picture, not its padding, over the whole grids."""
    levels, inside = gallery.levels(row), gallery.inside(row)
    if inside is None:
        return levels
    top, left, bottom, right = inside
    found = []
    for number, level in enumerate(levels):
        height, width = level.shape[:2]
        stride = 2**number  # in cells of the finest grid
        rows = _places(height, top // stride, -(-bottom // stride))
        columns = _places(width, left // stride, -(-right // stride))
        found.append(level[np.ix_(rows, columns)])
    return tuple(found)


def _places(count: int, first: int, last: int) -> npt.NDArray[np.int64]:
    """Return which of the cells `first` .. `last` - 1 are nearest to `count` spread over them."""
    return (first + (np.arange(count) + 0.5) * (last - first) / count).astype(np.int64)


def _squared(levels: Levels) -> Doubles:
    """Return the squared length of the joint feature of every fine place: float64, h x w."""
    height, width = levels[0].shape[:2]
    total = np.zeros((height, width))
    for level in levels:
        factor = height // level.shape[0]
        own = np.einsum("hwc,hwc->hw", level, level, dtype=np.float64)
        total += own.repeat(factor, 0).repeat(factor, 1)
    return total
