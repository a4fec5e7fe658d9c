"""What is shown of a part: an immutable value computed from the part and the limits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from inspector_gui.core.types import Floats, Limits, Part

LONGEST_OVERLAY = 512
"""Longer side of the drawn overlay in pixels: smooth to look at, cheap to colour."""

_OUTLINE_SMOOTHING = np.array([1, 4, 6, 4, 1], np.float32) / 16


@dataclass(frozen=True, eq=False)
class PartMap:
    """A part's anomaly map: what of it is on the picture (`values`), and as it is drawn (`fine`).

    `values` is in pixels of the network's input, without padding; `area` is the part of the picture
    that was inspected, in its own pixels: what both maps cover.
    """

    values: Floats
    fine: Floats
    area: QRectF


@dataclass(frozen=True, eq=False)
class MapView:
    """A map under some limits: bytes of the absolute scale, outlines and areas of its regions.

    Outlines are float32, n x 2 (x, y), and areas are counts, both in pixels of the picture.
    """

    overlay: npt.NDArray[np.uint8]
    outlines: tuple[Floats, ...]
    areas: tuple[int, ...]


def part_map(part: Part) -> PartMap | None:
    """Return the map of a part, None where it has none or its picture is gone."""
    if part.image is None or part.patches is None:
        return None
    from inspector_gui.core.methods.base import anomaly_map
    from inspector_gui.core.opencv import cv2
    from inspector_gui.core.preprocess import Geometry

    place = Geometry.of(part.scoring).placement(*part.image.shape[:2])
    area = QRectF(*place.area)
    whole = anomaly_map(part.patches, part.scoring)
    values = whole[slice(*place.rows), slice(*place.columns)]
    scale = LONGEST_OVERLAY / max(area.width(), area.height())
    size = (max(1, round(area.width() * scale)), max(1, round(area.height() * scale)))
    fine = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return PartMap(values, np.asarray(fine, np.float32), area)


def map_view(found: PartMap, limits: Limits) -> MapView:
    """Return a map as it is shown under `limits`."""
    from inspector_gui.core.heatmap import regions, to_bytes

    height, width = found.values.shape
    scale = np.array([found.area.width() / width, found.area.height() / height], np.float32)
    start = np.array([found.area.x(), found.area.y()], np.float32)
    places = regions(found.values, limits)
    return MapView(
        overlay=to_bytes(found.fine, limits),
        outlines=tuple(_smooth(p.contour) * scale + start for p in places),
        areas=tuple(max(1, round(p.area * float(scale.prod()))) for p in places),
    )


def overlay_table(opacity: float) -> npt.NDArray[np.uint32]:
    """Return the colours of the 256 map values: uint32, 0xAARRGGBB, premultiplied."""
    from inspector_gui.core.heatmap import colour_table, opacity_table

    alpha = opacity_table(opacity).astype(np.uint32)
    red, green, blue = (colour_table().astype(np.uint32) * alpha[:, None] // 255).T
    return np.asarray(alpha << 24 | red << 16 | green << 8 | blue, np.uint32)


def _smooth(contour: npt.NDArray[np.int32]) -> Floats:
    """Return a closed outline through pixel centres without its stairs; a dot becomes a square."""
    points = contour.astype(np.float32) + 0.5
    if len(points) < 4:
        low, high = points.min(0) - 0.5, points.max(0) + 0.5
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]], np.float32)
    reach = len(_OUTLINE_SMOOTHING) // 2
    around = np.concatenate([points[-reach:], points, points[:reach]])
    columns = [np.convolve(around[:, i], _OUTLINE_SMOOTHING, "valid") for i in (0, 1)]
    return np.stack(columns, 1).astype(np.float32)
