"""What is shown of a part: an immutable value computed from the part and the limits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF

from inspector_gui.core.types import RGB, Floats, Limits, Part, Region, Scoring

LONGEST_OVERLAY = 512
"""Longer side of the drawn overlay in pixels: smooth to look at, cheap to colour."""


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
    """A map under some limits: bytes of the absolute scale, and its regions, highest peak first.

    Regions are in pixels of the picture.
    """

    overlay: npt.NDArray[np.uint8]
    regions: tuple[Region, ...]

    @property
    def outlines(self) -> tuple[Floats, ...]:
        """The closed outlines of the regions: float32, n x 2 (x, y) each."""
        return tuple(region.contour for region in self.regions)


def part_map(part: Part) -> PartMap | None:
    """Return the map of a part, None where it has none or its picture is gone."""
    if part.image is None or part.patches is None:
        return None
    return map_on(part.image, part.patches, part.scoring)


def map_on(image: RGB, patches: Floats, scoring: Scoring) -> PartMap:
    """Return the map that a scoring's patch distances (float32, h x w) are on a picture."""
    from inspector_gui.core.methods.base import inspected_map
    from inspector_gui.core.opencv import cv2

    values, area = inspected_map(patches, scoring, *image.shape[:2])
    scale = LONGEST_OVERLAY / max(area.width, area.height)
    size = (max(1, round(area.width * scale)), max(1, round(area.height * scale)))
    fine = cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)
    return PartMap(values, np.asarray(fine, np.float32), QRectF(*area))


def map_view(found: PartMap, limits: Limits) -> MapView:
    """Return a map as it is shown under `limits`."""
    from inspector_gui.core.heatmap import to_bytes
    from inspector_gui.core.places import Box
    from inspector_gui.core.regions import picture_regions

    area = Box(found.area.x(), found.area.y(), found.area.width(), found.area.height())
    return MapView(to_bytes(found.fine, limits), picture_regions(found.values, limits, area))


def outline_box(outline: Floats) -> QRectF:
    """Return the box round an outline (float32, n x 2)."""
    (left, top), (right, bottom) = outline.min(axis=0).tolist(), outline.max(axis=0).tolist()
    return QRectF(left, top, right - left, bottom - top)


def hottest(found: PartMap) -> QPointF:
    """Return the point of the picture where the map is highest."""
    height, width = found.values.shape
    row, column = divmod(int(found.values.argmax()), width)
    x = found.area.x() + (column + 0.5) / width * found.area.width()
    return QPointF(x, found.area.y() + (row + 0.5) / height * found.area.height())


def value_at(found: PartMap, point: QPointF) -> float:
    """Return the map's value, as it is drawn, at a point of the picture (its edge outside)."""
    height, width = found.values.shape
    row = (point.y() - found.area.y()) / found.area.height() * height
    column = (point.x() - found.area.x()) / found.area.width() * width
    return float(
        found.values[min(max(int(row), 0), height - 1), min(max(int(column), 0), width - 1)]
    )


def overlay_table(opacity: float) -> npt.NDArray[np.uint32]:
    """Return the colours of the 256 map values: uint32, 0xAARRGGBB, premultiplied."""
    from inspector_gui.core.heatmap import colour_table, opacity_table

    alpha = opacity_table(opacity).astype(np.uint32)
    red, green, blue = (colour_table().astype(np.uint32) * alpha[:, None] // 255).T
    return np.asarray(alpha << 24 | red << 16 | green << 8 | blue, np.uint32)
