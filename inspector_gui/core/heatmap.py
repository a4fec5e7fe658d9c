"""Anomaly maps as bytes on an absolute scale, and the colours people see them in."""

from functools import cache

import numpy as np
import numpy.typing as npt

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB, Floats, Limits, Region

SCALE_TOP = 2.0
"""Multiple of the limit at the top of the colour scale; the same for every part."""

_FADE_IN = (0.25, 0.75)  # multiples of the limit between which the overlay becomes visible


def to_bytes(anomaly_map: Floats, limits: Limits) -> npt.NDArray[np.uint8]:
    """Return a map (float32, H x W) as uint8: 0 an ordinary good part, 255 the scale's top."""
    scale = 255.0 / (SCALE_TOP * max(limits.fail_from - limits.centre, 1e-12))
    values = np.clip((anomaly_map - limits.centre) * scale, 0, 255)
    return np.asarray(values, np.uint8)


@cache
def colour_table() -> npt.NDArray[np.uint8]:
    """Return the colour scale: uint8, 256 x 3, RGB; inferno, safe for colour-blind people."""
    ramp = np.arange(256, dtype=np.uint8)[None]
    colours = cv2.cvtColor(cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    return np.asarray(colours[0], np.uint8)


def opacity_table(opacity: float) -> npt.NDArray[np.uint8]:
    """Return the alpha of every byte value: uint8, 256; nothing shows where all is ordinary."""
    multiples = np.linspace(0, SCALE_TOP, 256)
    low, high = _FADE_IN
    fade = np.clip((multiples - low) / (high - low), 0, 1)
    return (255 * min(max(opacity, 0.0), 1.0) * fade).astype(np.uint8)


def overlay(image: RGB, values: npt.NDArray[np.uint8], opacity: float) -> RGB:
    """Return `image` (uint8, H x W x 3) with a map (uint8, H x W) laid over it."""
    if values.shape != image.shape[:2]:
        raise ValueError(f"map {values.shape} does not fit picture {image.shape}")
    alpha = opacity_table(opacity)[values][:, :, None].astype(np.uint16)
    colours = colour_table()[values].astype(np.uint16)
    mixed = (image.astype(np.uint16) * (255 - alpha) + colours * alpha + 127) // 255
    return mixed.astype(np.uint8)


def regions(anomaly_map: Floats, limits: Limits) -> tuple[Region, ...]:
    """Return the places that make a part fail, largest peak first, in pixels of the map.

    `anomaly_map`: float32, H x W. A region is an 8-connected piece over the pixel limit that
    reaches the fail limit somewhere, so a part has regions exactly when its map's maximum fails.
    """
    over = (anomaly_map >= min(limits.pixel, limits.fail_from)).astype(np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(over, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height = (int(v) for v in stats[label, :4])
        window = (slice(top, top + height), slice(left, left + width))
        mask = labels[window] == label
        peak = float(anomaly_map[window][mask].max())
        if peak < limits.fail_from:
            continue
        outlines, _ = cv2.findContours(
            mask.astype(np.uint8),
            cv2.RETR_EXTERNAL,
            cv2.CHAIN_APPROX_NONE,
            offset=(left, top),
        )
        outline = max(outlines, key=len).reshape(-1, 2).astype(np.float32)
        x, y = (float(v) for v in centres[label])
        found.append(Region(int(stats[label, cv2.CC_STAT_AREA]), peak, outline, (x, y)))
    return tuple(sorted(found, key=lambda r: -r.peak))
