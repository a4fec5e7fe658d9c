"""Where good parts vary at the border of the picture, distances there count for less. Ours.

Tiles, strips and other parts that fill the frame are cut off a little differently every time, and
the network's zero padding makes a place at the border comparable only with the same place of
other references. So the map of a good part often has its maximum at the border, and hides what
is inside. From references alone: the spread of their features at each place of the border band is
compared with that of the nearest place inside and of the inside as a whole; where it is larger,
distances are divided by how much. A part on a plain background gets the weight 1 everywhere, and
nowhere is a distance raised. Not in the papers: the preset `paper` leaves it out.
"""

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.core.pyramid import PyramidGallery
from inspector_gui.core.types import Floats

_FEWEST = 5  # references, below which their spread says nothing
_BAND = 6 / 56  # of the grid's side: 24 pixels of a 224 x 224 input


def border_weight(gallery: PyramidGallery, *, skip: int | None = None) -> Floats:
    """Return the weight of every fine place: float32, h x w, in (0, 1], 1 inside the border band.

    `skip` leaves out one reference by its index (leave-one-out).
    """
    height, width = 4 * gallery.shape.height, 4 * gallery.shape.width
    band = max(1, round(_BAND * min(height, width)))
    references = len(gallery.references) - (skip is not None)
    if references < _FEWEST or min(height, width) <= 2 * band + 1:
        return np.ones((height, width), np.float32)
    varied = gallery.spread(skip=skip)
    varied = varied + varied[::-1]  # mirrored: steadier with few references
    varied = np.ascontiguousarray(varied + varied[:, ::-1])
    spread = cv2.GaussianBlur(varied, (0, 0), 1.0, borderType=cv2.BORDER_REFLECT)
    rows = np.clip(np.arange(height), band, height - 1 - band)
    columns = np.clip(np.arange(width), band, width - 1 - band)
    inside = spread[band:-band, band:-band].mean()
    ordinary = np.maximum(spread[np.ix_(rows, columns)], inside)
    return np.asarray(1 / np.maximum(spread / np.maximum(ordinary, 1e-12), 1), np.float32)
