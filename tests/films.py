"""A small film: its left half is red, its right half tells the number of the frame."""

from pathlib import Path

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB

FRAMES = 40


def write_film(path: Path, frames: int = FRAMES) -> Path:
    """Write `frames` (at most 40) pictures of 160 x 120 pixels as a Motion JPEG film."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (160, 120))
    assert writer.isOpened()
    for index in range(frames):
        image = np.full((120, 160, 3), 40 + 5 * index, np.uint8)
        image[:, :80] = (20, 60, 200)  # blue first
        writer.write(image)
    writer.release()
    return path


def number_of(image: RGB) -> int:
    """Return the number of the frame that a picture shows."""
    return round((float(image[20:100, 100:150].mean()) - 40) / 5)
