"""SPADE's maps at two scales: of the features, and of the features averaged over 2 x 2 cells. Ours.

A map of fine cells finds small defects, and has the noise of fine cells; one of cells twice as
large finds broad ones. Their weighted geometric mean is the map of both: it is high where both
scales find something unusual, its order does not depend on the units of either, and every
distance still belongs to a place of a reference. The fine map counts twice: it alone knows where
a small defect is.
"""

import numpy as np
import numpy.typing as npt

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Floats, Inside

Levels = tuple[Floats, Floats, Floats]
Distances = Floats | npt.NDArray[np.float64]


def halved(levels: Levels) -> Levels:
    """Return levels (float32, h x w x C each, h and w even) averaged over 2 x 2 cells."""
    fine, middle, coarse = (_halved(level) for level in levels)
    return fine, middle, coarse


def halved_inside(inside: Inside | None) -> Inside | None:
    """Return which averaged cells show any of a picture that was at `inside`."""
    if inside is None:
        return None
    top, left, bottom, right = inside
    return top // 2, left // 2, -(-bottom // 2), -(-right // 2)


def joined(fine: Floats, coarse: Floats) -> Floats:
    """Return the weighted geometric mean of the maps of two scales, on the grid of the fine one.

    Float32, h x w and h / 2 x w / 2; what is NaN (padding) in the fine one stays so. The coarse
    one is brought to the fine grid bilinearly, from its own places alone.
    """
    known = ~np.isnan(coarse)
    if not known.all():
        rows, columns = np.flatnonzero(known.any(axis=1)), np.flatnonzero(known.any(axis=0))
        content = coarse[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        around = [
            (int(ends[0]), side - 1 - int(ends[-1]))
            for ends, side in zip((rows, columns), coarse.shape, strict=True)
        ]
        coarse = np.pad(content, around, mode="edge")
    size = fine.shape[1], fine.shape[0]
    grown = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return geometric_mean(fine, grown).astype(np.float32)


def geometric_mean(fine: Distances, coarse: Distances) -> npt.NDArray[np.float64]:
    """Return the weighted geometric mean of distances at the two scales."""
    return np.cbrt(np.multiply(fine, fine, dtype=np.float64) * coarse)


def _halved(level: Floats) -> Floats:
    rows = level[::2] + level[1::2]
    return np.asarray((rows[:, ::2] + rows[:, 1::2]) * np.float32(0.25), np.float32)
