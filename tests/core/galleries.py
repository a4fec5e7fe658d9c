"""Small made-up feature pyramids, and SPADE's map by brute force in double precision."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.types import Floats, Inside

Levels = tuple[Floats, Floats, Floats]


def random_levels(
    rng: np.random.Generator,
    *,
    side: int = 2,
    channels: tuple[int, int, int] = (3, 4, 5),
    scales: tuple[float, float, float] = (1, 1, 1),
    offset: float = 0,
) -> Levels:
    """Return levels whose coarsest grid is `side` x `side`."""
    fine, middle, coarse = (
        (rng.normal(size=(side * f, side * f, c)) * scale + offset).astype(np.float32)
        for f, c, scale in zip((4, 2, 1), channels, scales, strict=True)
    )
    return fine, middle, coarse


def concatenated(levels: Levels) -> npt.NDArray[np.float64]:
    """Return the features of all fine places (places x channels), upsampled by nearest."""
    height, width = levels[0].shape[:2]
    grown = [np.kron(level, np.ones((height // level.shape[0],) * 2 + (1,))) for level in levels]
    return np.concatenate(grown, axis=2).reshape(height * width, -1)


def shown(inside: Inside | None, levels: Levels) -> npt.NDArray[np.bool_]:
    """Return which fine places (flat) show the picture."""
    height, width = levels[0].shape[:2]
    found = np.zeros((height, width), np.bool_)
    top, left, bottom, right = inside or (0, 0, height, width)
    found[top:bottom, left:right] = True
    return found.ravel()


def map_by_brute_force(
    query: Levels,
    references: Sequence[Levels],
    kappa: int,
    *,
    inside: Inside | None = None,
    insides: Sequence[Inside | None] | None = None,
) -> npt.NDArray[np.float64]:
    """Return the mean squared distance of every place to its kappa nearest of all references.

    Padding (outside of `inside`, and of each reference's) is NaN, and is nobody's neighbour.
    """
    places = concatenated(query)
    areas = insides or [None] * len(references)
    pairs = zip(references, areas, strict=True)
    gallery = np.concatenate([concatenated(r)[shown(area, r)] for r, area in pairs])
    distances = ((places[:, None, :] - gallery[None]) ** 2).sum(axis=2)
    nearest = np.sort(distances, axis=1)[:, :kappa].mean(axis=1)
    nearest[~shown(inside, query)] = np.nan
    return np.asarray(nearest.reshape(query[0].shape[:2]))


def ragged_levels(rng: np.random.Generator, rows: int, columns: int, **shape: Any) -> Levels:
    """Return levels whose coarsest grid is `rows` x `columns`."""
    fine, middle, coarse = random_levels(rng, side=max(rows, columns), **shape)
    return (
        fine[: 4 * rows, : 4 * columns],
        middle[: 2 * rows, : 2 * columns],
        coarse[:rows, :columns],
    )


def some_inside(rng: np.random.Generator, rows: int, columns: int) -> Inside:
    """Return where a picture may be on a fine grid of `rows` x `columns`: anywhere, any size."""
    top, left = int(rng.integers(rows)), int(rng.integers(columns))
    return top, left, int(rng.integers(top, rows)) + 1, int(rng.integers(left, columns)) + 1


def gallery_of(pooled: Sequence[Sequence[float]], *, seed: int = 0) -> FeatureList:
    """Return a gallery with these global features and random levels."""
    rng = np.random.default_rng(seed)
    rows = [np.asarray(p, np.float32) for p in pooled]
    assert all(a.shape == b.shape for a, b in pairwise(rows))
    return FeatureList(tuple(Features(row, random_levels(rng)) for row in rows))
