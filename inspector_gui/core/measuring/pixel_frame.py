"""The frame that pixel metrics are taken on: anomaly maps and masks brought to the same pixels."""

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import read_image
from inspector_gui.core.measuring.datasets import Sample
from inspector_gui.core.methods.base import anomaly_map
from inspector_gui.core.opencv import cv2
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import Bools, Floats, Scoring

LONG_SIDE = 512
"""Pixel metrics are taken on the picture, shrunk so that its longer side is at most this."""
PAPER_SIDE = 256
"""Side of the square frame that the papers compare on."""


def map_on_frame(patches: Floats, scoring: Scoring, size: tuple[int, int]) -> Floats:
    """Return the anomaly map on the frame that pixel metrics are taken on (float32).

    `size`: height and width of the picture. What preprocessing cropped away was not inspected and
    is scored lowest of all.
    """
    return input_on_frame(anomaly_map(patches, scoring), scoring, size)


def input_on_frame(values: Floats, scoring: Scoring, size: tuple[int, int]) -> Floats:
    """Return a map on the network's input (float32, height x width of it) as `map_on_frame`."""
    frame = _frame(scoring, size)
    geometry = Geometry.of(scoring)
    values = geometry.to_picture(values, *size, frame=frame)
    place = geometry.placement(*size)
    values[place.outside(0, frame[0])] = np.finfo(np.float32).min
    values[:, place.outside(1, frame[1])] = np.finfo(np.float32).min
    return values


def mask_on_frame(sample: Sample, scoring: Scoring, size: tuple[int, int]) -> Bools:
    """Return where a test picture is defective, on the frame of `map_on_frame`.

    A pixel of the frame is defective where more than half of it is. A mask so thin that no pixel
    would be left keeps those it covers most. Raises `KnownError` for a mask that does not fit.
    """
    height, width = _frame(scoring, size)
    if sample.mask is None:
        return np.zeros((height, width), np.bool_)
    mask = np.asarray(read_image(sample.mask).any(axis=2), np.bool_)
    if mask.shape != size:
        raise KnownError(
            f"The mask {sample.mask} is {mask.shape[1]} x {mask.shape[0]} pixels, its picture "
            f"{sample.path} is {size[1]} x {size[0]}."
        )
    if (height, width) == size:
        return mask
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(share > min(0.5, np.nextafter(share.max(), 0)), np.bool_)


def _frame(scoring: Scoring, size: tuple[int, int]) -> tuple[int, int]:
    if scoring.preset in ("paper", "video"):
        return PAPER_SIDE, PAPER_SIDE
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
