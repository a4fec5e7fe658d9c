"""Pyramids of numbers, and galleries of them, to train on quickly."""

import numpy as np

from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.types import Floats

CHANNELS = (24, 40, 112)
"""Of efficientnet_lite0, so that hyperparameters and models fit a backbone there is."""


def pyramid(seed: int, *, side: int = 16, oddity: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Return levels (float32, h x w x C) that vary smoothly; `oddity` shifts one place."""
    draw = np.random.default_rng(seed)
    common = np.random.default_rng(0)
    levels = []
    for number, channels in enumerate(CHANNELS):
        grid = side >> number
        base = common.normal(size=(grid, grid, channels))
        level = base + 0.3 * draw.normal(size=(grid, grid, channels))
        level[grid // 2, grid // 2] += oddity
        levels.append(level.astype(np.float32))
    fine, middle, coarse = levels
    return fine, middle, coarse


def features(seed: int, *, side: int = 16, oddity: float = 0.0) -> Features:
    levels = pyramid(seed, side=side, oddity=oddity)
    pooled = np.repeat(levels[2].mean((0, 1)), 3)[:320].astype(np.float32)
    return Features(pooled, levels)


def gallery(count: int, *, side: int = 16) -> FeatureList:
    return FeatureList(tuple(features(seed, side=side) for seed in range(count)))
