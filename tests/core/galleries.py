"""Small made-up feature pyramids, and SPADE's map by brute force in double precision."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.types import Floats

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
    side = levels[0].shape[0]
    grown = [np.kron(level, np.ones((side // level.shape[0],) * 2 + (1,))) for level in levels]
    return np.concatenate(grown, axis=2).reshape(side * side, -1)


def map_by_brute_force(
    query: Levels, references: Sequence[Levels], kappa: int
) -> npt.NDArray[np.float64]:
    """Return the mean squared distance of every place to its kappa nearest of all references."""
    places = concatenated(query)
    gallery = np.concatenate([concatenated(r) for r in references])
    distances = ((places[:, None, :] - gallery[None]) ** 2).sum(axis=2)
    nearest = np.sort(distances, axis=1)[:, :kappa]
    side = query[0].shape[0]
    return np.asarray(nearest.mean(axis=1).reshape(side, side))


def gallery_of(pooled: Sequence[Sequence[float]], *, seed: int = 0) -> FeatureList:
    """Return a gallery with these global features and random levels."""
    rng = np.random.default_rng(seed)
    rows = [np.asarray(p, np.float32) for p in pooled]
    assert all(a.shape == b.shape for a, b in pairwise(rows))
    return FeatureList(tuple(Features(row, random_levels(rng)) for row in rows))
