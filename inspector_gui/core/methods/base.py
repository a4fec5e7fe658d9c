"""What every method can do; the engine and the evaluation know no more than this."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.opencv import cv2
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
    features = Features(gallery.pooled_of([row])[0], gallery.levels(row))
    return method.score(features, gallery, exclude=row, should_stop=should_stop)


def require_references(gallery: Gallery, exclude: int | None) -> None:
    """Raise `KnownError` where nothing would be left to compare with."""
    if len(gallery) - (exclude is not None) < 1:
        raise KnownError("There is no reference to compare with; add pictures of good parts.")


def anomaly_map(patches: Floats, scoring: Scoring) -> Floats:
    """Return the map on the network's input: upsampled bilinearly, then Gaussian smoothed.

    `patches`: float32, h x w of the finest grid. Result: float32, input side x input side. Sigma is
    `scoring.sigma` pixels of a 224 x 224 input, scaled with the input (SPADE section 3.3).
    """
    side = scoring.input_side
    upsampled = cv2.resize(patches, (side, side), interpolation=cv2.INTER_LINEAR)
    sigma = scoring.sigma * side / SIGMA_SIDE
    if sigma > 0:
        upsampled = cv2.GaussianBlur(upsampled, (0, 0), sigmaX=sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(upsampled, np.float32)
