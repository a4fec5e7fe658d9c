"""A large input in tiles: the network sees one after another, and only their centres are kept.

A feature depends on what is around its place, up to the receptive field of its layer, and near
the border of a tile the network sees zeros instead. So tiles overlap, each place is taken from
the tile in which it is farthest from a border, and every tile has the same size: memory is
that of one tile, however large the input. Tiles end at the input's own border where it ends.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inspector_gui.core.types import RGB, Floats

STRIDES = (4, 8, 16)
MARGIN = 160
"""Pixels at least between what is kept of a tile and a border that is not the input's own.

The receptive field at stride 16 is 339 pixels of efficientnet_lite0, so 169 to each side, and 267
of wide_resnet50_2. On a photograph the features of lite0 differed from those of the whole by 6e-5
of their length at most with this margin, 2e-2 with 128 and 0.6 with 32.
"""

Run = Callable[[RGB], tuple[Floats, ...]]
"""A piece of the input (uint8, h x w x 3) to its levels (1 x C x h x w each) and global feature."""


@dataclass(frozen=True)
class Span:
    """A tile along one axis: it covers `start` .. `stop`, of which `first` .. `last` is kept."""

    start: int
    stop: int
    first: int
    last: int


def spans(length: int, tile: int) -> tuple[Span, ...]:
    """Return tiles that cover `length` pixels; all multiples of 32, so that grids nest."""
    if length <= tile:
        return (Span(0, length, 0, length),)
    starts = [*range(0, length - tile, tile - 2 * MARGIN), length - tile]
    between = [(right + left + tile) // 2 for left, right in pairwise(starts)]
    firsts, lasts = (0, *between), (*between, length)
    return tuple(
        Span(start, start + tile, first, last)
        for start, first, last in zip(starts, firsts, lasts, strict=True)
    )


def run_in_tiles(picture: RGB, tile: int, run: Run) -> tuple[Floats, ...]:
    """Return what `run` would return of a whole picture, computed tile by tile.

    `picture`: uint8, H x W x 3, sides multiples of 32. The levels are the whole picture's but for
    what lies beyond `MARGIN`; the global feature is the mean of the tiles', weighted by the area
    that is kept of each.
    """
    height, width = picture.shape[:2]
    rows, columns = spans(height, tile), spans(width, tile)
    if len(rows) == len(columns) == 1:
        return run(picture)
    whole: list[Floats] = []
    pooled: Floats | None = None
    for row in rows:
        for column in columns:
            *levels, of_tile = run(picture[row.start : row.stop, column.start : column.stop])
            share = (row.last - row.first) * (column.last - column.first) / (height * width)
            pooled = of_tile * np.float32(share) + (0 if pooled is None else pooled)
            if not whole:
                whole = [
                    np.empty((1, level.shape[1], height // s, width // s), np.float32)
                    for s, level in zip(STRIDES, levels, strict=True)
                ]
            for s, level, target in zip(STRIDES, levels, whole, strict=True):
                kept = level[:, :, _cells(row, s, row.start), _cells(column, s, column.start)]
                target[:, :, _cells(row, s, 0), _cells(column, s, 0)] = kept
    assert pooled is not None
    return (*whole, pooled)


def _cells(span: Span, stride: int, origin: int) -> slice:
    return slice((span.first - origin) // stride, (span.last - origin) // stride)
