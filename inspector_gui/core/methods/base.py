"""What every method can do; the engine and the evaluation know no more than this."""

import math
from typing import Protocol

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Floats, Scores, Scoring

FINEST_STRIDE = 4  # pixels of the input to a cell of the finest grid
SIGMA_SIDE = 224  # smoothing is given in pixels of a 224 x 224 input


class Method(Protocol):
    """Scores parts against a gallery. Nothing is fitted: a changed gallery counts at once."""

    has_map: bool

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """Score one part; `exclude` leaves a gallery row out (leave-one-out)."""
        ...


def leave_one_out(
    method: Method, gallery: Gallery, row: int, *, should_stop: ShouldStop = lambda: False
) -> Scores:
    """Score a reference against all others of its own gallery, excluded by its row."""
    features = Features(gallery.pooled_of([row])[0], gallery.levels(row), gallery.inside(row))
    return method.score(features, gallery, exclude=row, should_stop=should_stop)


def require_references(gallery: Gallery, exclude: int | None) -> None:
    """Raise `KnownError` where nothing would be left to compare with."""
    if len(gallery) - (exclude is not None) < 1:
        raise KnownError("There is no reference to compare with; add pictures of good parts.")


def anomaly_map(patches: Floats, scoring: Scoring) -> Floats:
    """Return the map on the network's input: upsampled bilinearly, then Gaussian smoothed.

    `patches`: float32, h x w of the finest grid (stride 4); NaN where padding was not inspected,
    all around a rectangle. Result: float32, 4 h x 4 w, with the map's minimum on padding. Sigma is
    `scoring.sigma` pixels of a 224 x 224 input, scaled with the side of a square that is as large
    as the input (SPADE section 3.3).
    """
    inside = inspected(patches)
    values = patches[inside]
    height, width = (FINEST_STRIDE * side for side in patches.shape)
    size = (FINEST_STRIDE * values.shape[1], FINEST_STRIDE * values.shape[0])
    upsampled = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    sigma = scoring.sigma * math.sqrt(height * width) / SIGMA_SIDE
    if sigma > 0:
        upsampled = cv2.GaussianBlur(upsampled, (0, 0), sigmaX=sigma, borderType=cv2.BORDER_REFLECT)
    if upsampled.shape == (height, width):
        return np.asarray(upsampled, np.float32)
    whole = np.full((height, width), upsampled.min(), np.float32)
    rows, columns = (slice(FINEST_STRIDE * s.start, FINEST_STRIDE * s.stop) for s in inside)
    whole[rows, columns] = upsampled
    return whole


def inspected(patches: Floats) -> tuple[slice, slice]:
    """Return the rows and columns of patch distances that are known; all others are NaN."""
    known = ~np.isnan(patches)
    if known.all():
        return slice(0, patches.shape[0]), slice(0, patches.shape[1])
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
