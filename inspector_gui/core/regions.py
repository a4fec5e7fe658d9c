"""The regions of a part in pixels of its picture, and what is told of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from inspector_gui.core.heatmap import regions
from inspector_gui.core.places import Box
from inspector_gui.core.types import Floats, Limits, Region

_OUTLINE_SMOOTHING = np.array([1, 4, 6, 4, 1], np.float32) / 16


@dataclass(frozen=True)
class RegionFacts:
    """What is written of a region: lengths in pixels of the picture, x to the right, y down.

    `multiple` is the peak as a multiple of the limit, `area_mm2` None without a scale, `box` left,
    top, width and height, `outline` the corners of a closed line.
    """

    area: int
    area_mm2: float | None
    peak: float
    multiple: float
    centre: tuple[float, float]
    box: tuple[float, float, float, float]
    outline: tuple[tuple[float, float], ...]


def picture_regions(anomaly_map: Floats, limits: Limits, area: Box) -> tuple[Region, ...]:
    """Return the regions of a map that lies over `area` of a picture, in pixels of the picture.

    `anomaly_map`: float32, h x w, on the network's input. Largest peak first; see
    `heatmap.regions` for what a region is. Outlines run through the middle of the map's pixels,
    without their stairs.
    """
    height, width = anomaly_map.shape
    scale = np.array([area.width / width, area.height / height], np.float32)
    start = np.array([area.x, area.y], np.float32)
    return tuple(
        replace(
            found,
            area=max(1, round(found.area * float(scale.prod()))),
            contour=_smooth(found.contour) * scale + start,
            centre=_moved(found.centre, scale, start),
        )
        for found in regions(anomaly_map, limits)
    )


def square_mm(area: int, mm_per_pixel: float | None) -> float | None:
    """Return an area in pixels as square millimetres, None without a scale."""
    return None if mm_per_pixel is None else area * mm_per_pixel**2


def facts_of(
    found: Sequence[Region], limits: Limits, *, mm_per_pixel: float | None = None
) -> tuple[RegionFacts, ...]:
    """Return what is written of the regions of a part."""
    return tuple(_facts(region, limits, mm_per_pixel) for region in found)


def _facts(region: Region, limits: Limits, mm_per_pixel: float | None) -> RegionFacts:
    (left, top), (right, bottom) = region.contour.min(axis=0), region.contour.max(axis=0)
    points = np.round(region.contour.astype(np.float64), 1).tolist()
    return RegionFacts(
        area=region.area,
        area_mm2=square_mm(region.area, mm_per_pixel),
        peak=region.peak,
        multiple=limits.relative(region.peak),
        centre=(round(region.centre[0], 1), round(region.centre[1], 1)),
        box=_tenths(left, top, right - left, bottom - top),
        outline=tuple((x, y) for x, y in points),
    )


def _tenths(*values: float) -> tuple[float, float, float, float]:
    a, b, c, d = (round(float(value), 1) for value in values)
    return a, b, c, d


def _moved(centre: tuple[float, float], scale: Floats, start: Floats) -> tuple[float, float]:
    x, y = (np.array(centre, np.float32) + 0.5) * scale + start
    return float(x), float(y)


def _smooth(contour: Floats) -> Floats:
    """Return a closed outline through pixel centres without its stairs; a dot becomes a square."""
    points = contour + np.float32(0.5)
    if len(points) < 4:
        low, high = points.min(0) - 0.5, points.max(0) + 0.5
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]], np.float32)
    reach = len(_OUTLINE_SMOOTHING) // 2
    around = np.concatenate([points[-reach:], points, points[:reach]])
    columns = [np.convolve(around[:, i], _OUTLINE_SMOOTHING, "valid") for i in (0, 1)]
    return np.stack(columns, 1).astype(np.float32)
