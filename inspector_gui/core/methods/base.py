"""What every method can do; the engine and the evaluation know no more than this."""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.opencv import cv2
from inspector_gui.core.places import Box
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import Floats, Progress, Scores, Scoring

SIGMA_SIDE = 224  # smoothing is given in pixels of a 224 x 224 input


class Method(Protocol):
    """Scores parts against a gallery: a changed gallery counts at once (see also `Fitted`)."""

    has_map: bool

    @property
    def scoring(self) -> Scoring:
        """The recipe's scoring that it goes by."""
        ...

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


@runtime_checkable
class Fitted(Protocol):
    """A method that has something to work out of a gallery before its first score."""

    def fit(
        self,
        gallery: Gallery,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        should_stop: ShouldStop = lambda: False,
    ) -> object:
        """Work it out; what scores would otherwise do at the first one. May take minutes."""
        ...


@runtime_checkable
class Gated(Protocol):
    """A method that may pass a part without its map."""

    def score_with_map(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """Score one part as `Method.score` does, with its map in any case."""
        ...


def score_with_map(
    method: Method,
    features: Features,
    gallery: Gallery,
    *,
    exclude: int | None = None,
    should_stop: ShouldStop = lambda: False,
) -> Scores:
    """Score a part by a method, past its gate: what limits and comparisons are made from."""
    score = method.score_with_map if isinstance(method, Gated) else method.score
    return score(features, gallery, exclude=exclude, should_stop=should_stop)


def fit(
    method: Method,
    gallery: Gallery,
    *,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> None:
    """Let a method work out of a gallery what it has to; most have nothing."""
    if isinstance(method, Fitted):
        method.fit(gallery, report=report, should_stop=should_stop)


def leave_one_out(
    method: Method, gallery: Gallery, row: int, *, should_stop: ShouldStop = lambda: False
) -> Scores:
    """Score a reference against all others of its own gallery, excluded by its row."""
    features = Features(gallery.pooled_of([row])[0], gallery.levels(row), gallery.inside(row))
    return score_with_map(method, features, gallery, exclude=row, should_stop=should_stop)


def require_references(gallery: Gallery, exclude: int | None) -> None:
    """Raise `KnownError` where nothing would be left to compare with."""
    if len(gallery) - (exclude is not None) < 1:
        raise KnownError("There is no reference to compare with; add pictures of good parts.")


def anomaly_map(patches: Floats, scoring: Scoring) -> Floats:
    """Return the map on the network's input: upsampled bilinearly, then Gaussian smoothed.

    `patches`: float32, the grid of the method's map; NaN where padding was not inspected, all
    around a rectangle. Result: float32, height x width of the input, with the map's minimum on
    padding. Sigma is `scoring.sigma` pixels of a 224 x 224 input, scaled with the side of a square
    that is as large as the input (SPADE section 3.3).
    """
    inside = inspected(patches)
    values = patches[inside]
    height, width = scoring.input_height, scoring.input_width
    rows, columns = (
        _scaled(inside[0], height / len(patches)),
        _scaled(inside[1], width / patches.shape[1]),
    )
    size = columns.stop - columns.start, rows.stop - rows.start
    upsampled = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    sigma = scoring.sigma * math.sqrt(height * width) / SIGMA_SIDE
    if sigma > 0:
        upsampled = cv2.GaussianBlur(upsampled, (0, 0), sigmaX=sigma, borderType=cv2.BORDER_REFLECT)
    if upsampled.shape == (height, width):
        return np.asarray(upsampled, np.float32)
    whole = np.full((height, width), upsampled.min(), np.float32)
    whole[rows, columns] = upsampled
    return whole


def inspected_map(patches: Floats, scoring: Scoring, height: int, width: int) -> tuple[Floats, Box]:
    """Return what `anomaly_map` has of an H x W picture, and the part of the picture it is of.

    Float32, in pixels of the network's input, without padding; the part in pixels of the picture.
    """
    place = Geometry.of(scoring).placement(height, width)
    whole = anomaly_map(patches, scoring)
    return whole[slice(*place.rows), slice(*place.columns)], Box(*place.area)


def _scaled(cells: slice, stride: float) -> slice:
    return slice(round(cells.start * stride), round(cells.stop * stride))


def inspected(patches: Floats) -> tuple[slice, slice]:
    """Return the rows and columns of patch distances that are known; all others are NaN."""
    known = ~np.isnan(patches)
    if known.all():
        return slice(0, patches.shape[0]), slice(0, patches.shape[1])
    rows, columns = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
