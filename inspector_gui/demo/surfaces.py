"""Noise, anti-aliased shapes and smoothing from which the pictured surfaces are built."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector_gui.core.opencv import cv2

Plane = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]
Colour = tuple[float, float, float]
Shape = tuple[int, int]
Window = tuple[slice, slice]

SUBPIXEL_BITS = 4
FULL_BLUR_SIGMA = 5.0


def as_plane(values: Any) -> Plane:
    """Type what OpenCV returns as a float32 array, without a copy when it already is one."""
    return np.asarray(values, dtype=np.float32)


def rgb(red: float, green: float, blue: float) -> Colour:
    """Turn a display colour (0-255) into the linear reflectance the shading works in."""
    return ((red / 255) ** 2, (green / 255) ** 2, (blue / 255) ** 2)


def soft(plane: Plane, sigma: float) -> Plane:
    """Blur an H x W float32 plane; wide blurs run on a reduced copy, which costs far less."""
    if sigma < 0.2:
        return plane
    if sigma <= FULL_BLUR_SIGMA:
        side = 2 * math.ceil(2.5 * sigma) + 1
        return as_plane(cv2.GaussianBlur(plane, (side, side), sigma))
    height, width = plane.shape
    factor = sigma / 2.5
    small_size = (max(4, round(width / factor)), max(4, round(height / factor)))
    small = cv2.resize(plane, small_size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * small_size[0] / width)
    return as_plane(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


def grain(rng: np.random.Generator, shape: Shape) -> Plane:
    """Draw H x W float32 white noise of unit variance.

    The sum of two even draws looks the same as Gaussian noise here, never has outliers, and
    takes a quarter of the time.
    """
    count = shape[0] * shape[1]
    words = rng.integers(0, 1 << 64, count // 2 + 1, np.uint64).astype("<u8", copy=False)
    draws = words.view("<i2")[: 2 * count].reshape(2, *shape)
    total: Plane = np.add(draws[0], draws[1], dtype=np.float32)
    total *= np.float32(math.sqrt(1.5) / (1 << 15))
    return total


def clouds(rng: np.random.Generator, shape: Shape, cell: float, octaves: int = 3) -> Plane:
    """Draw H x W float32 smooth noise of about unit variance, `cell` pixels per blotch."""
    while octaves > 1 and cell / 2 ** (octaves - 1) < 2:
        octaves -= 1
    # Octaves are summed on the finest one's grid, so that only one enlargement is large.
    step = max(2.0, cell / 2 ** (octaves - 1))
    grid_shape = (math.ceil(shape[0] / step) + 4, math.ceil(shape[1] / step) + 4)
    total = np.zeros(grid_shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        weight = 0.55**octave
        reach = 2 ** (octaves - 1 - octave)
        coarse_shape = (grid_shape[0] // reach + 3, grid_shape[1] // reach + 3)
        coarse = rng.standard_normal(coarse_shape, dtype=np.float32)
        total += np.float32(weight) * _enlarge(coarse, float(reach), grid_shape)
        power += (0.55 if reach > 1 else 1.0) * weight * weight
    total *= np.float32(1 / math.sqrt(power))
    return _enlarge(total, step, shape)


def _enlarge(grid: Plane, factor: float, shape: Shape) -> Plane:
    """Enlarge a grid smoothly by `factor` and cut `shape` out of its middle."""
    rows, columns = grid.shape
    wide = (max(round(columns * factor), shape[1]), max(round(rows * factor), shape[0]))
    large = as_plane(cv2.resize(grid, wide, interpolation=cv2.INTER_CUBIC))
    top, left = (large.shape[0] - shape[0]) // 2, (large.shape[1] - shape[1]) // 2
    return large[top : top + shape[0], left : left + shape[1]]


def streaks(rng: np.random.Generator, shape: Shape, length: float) -> Plane:
    """Draw H x W float32 noise of about unit variance, drawn out along the rows."""
    return drawn_out(grain(rng, shape), length)


def drawn_out(noise: Plane, length: float) -> Plane:
    """Draw H x W white noise out along the rows, over about `length` pixels."""
    total = np.zeros(noise.shape, np.float32)
    for part, weight in ((1.0, 0.6), (0.3, 0.45), (0.08, 0.35)):
        steps = max(1, round(length * part))
        drawn = as_plane(cv2.blur(noise, (steps, 1), borderType=cv2.BORDER_REFLECT))
        total = as_plane(cv2.scaleAdd(drawn, weight * math.sqrt(steps), total))
    return total


def window_of(cover: Plane, margin: float = 0.0) -> Window:
    """Return the slices around all of `cover` that is not 0, `margin` pixels wider.

    Most covers are small, and working on their window alone is several times as fast.
    """
    left, top, width, height = cv2.boundingRect((cover > 0).view(np.uint8))
    wide = math.ceil(margin)
    return (
        slice(max(0, top - wide), top + height + wide),
        slice(max(0, left - wide), left + width + wide),
    )


def polar_noise(
    rng: np.random.Generator, radius: Plane, angle: Plane, rings: int, sectors: int
) -> Plane:
    """Wrap unit noise around the origin: `rings` per unit radius, `sectors` per turn."""
    count = max(4, round(rings * 1.5))
    table = rng.standard_normal((sectors, count), dtype=np.float32)
    table = np.concatenate([table, table[:1]], axis=0)
    across = radius * np.float32(rings)
    around = angle * np.float32(sectors / (2 * math.pi))
    return as_plane(cv2.remap(table, across, around, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def distance_from(x: Plane, y: Plane) -> Plane:
    """Return the length of (x, y) element by element.

    OpenCV's own function rounds differently with how its arrays happen to lie in memory.
    """
    squared: Plane = x * x + y * y
    return np.sqrt(squared, out=squared)


def coverage(distance: Plane) -> Plane:
    """Turn a signed distance in pixels (negative inside) into anti-aliased coverage, 0 to 1."""
    inside: Plane = np.float32(0.5) - distance
    return np.clip(inside, np.float32(0), np.float32(1), out=inside)


def ramp(values: Plane, start: float, stop: float) -> Plane:
    """Rise smoothly from 0 at `start` to 1 at `stop`, element by element."""
    scale = np.float32(1 / (stop - start))
    part = values * scale
    part -= np.float32(start) * scale
    np.clip(part, np.float32(0), np.float32(1), out=part)
    smooth = np.float32(3) - np.float32(2) * part
    smooth *= part
    smooth *= part
    return smooth


def rounded_box(u: Plane, v: Plane, half_width: float, half_height: float, radius: float) -> Plane:
    """Signed distance to a rounded box about the origin, in the units of `u` and `v`."""
    across = np.abs(u) - np.float32(half_width - radius)
    down = np.abs(v) - np.float32(half_height - radius)
    outside = distance_from(np.maximum(across, 0), np.maximum(down, 0))
    inside = np.minimum(np.maximum(across, down), 0)
    return as_plane(outside) + inside - np.float32(radius)


def as_points(values: Any) -> Points:
    """Type an array of N x 2 positions as float64."""
    return np.asarray(values, dtype=np.float64)


def fixed_point(points: Points) -> npt.NDArray[np.int32]:
    """Turn N x 2 pixel positions into the fixed-point form OpenCV draws sub-pixel shapes from."""
    return np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32).reshape(-1, 1, 2)


def fill_polygons(shape: Shape, polygons: list[Points]) -> Plane:
    """Fill polygons (N x 2 pixel positions, even-odd rule) into an H x W coverage plane."""
    canvas = np.zeros(shape, np.uint8)
    outlines = [fixed_point(polygon) for polygon in polygons]
    cv2.fillPoly(canvas, outlines, (255,), cv2.LINE_AA, SUBPIXEL_BITS)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def stroke(shape: Shape, path: Points, widths: npt.NDArray[np.float64]) -> Plane:
    """Draw a line of varying width along N x 2 pixel positions as an H x W coverage plane."""
    along = np.gradient(path, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    side = normal * (widths[:, None] / 2)
    quads = [
        np.stack([path[i] + side[i], path[i + 1] + side[i + 1],
                  path[i + 1] - side[i + 1], path[i] - side[i]])
        for i in range(len(path) - 1)
    ]  # fmt: skip
    canvas = np.zeros(shape, np.uint8)
    for quad in quads:
        cv2.fillConvexPoly(canvas, fixed_point(quad), (255,), cv2.LINE_AA, SUBPIXEL_BITS)
    return canvas.astype(np.float32) * np.float32(1 / 255)


def dome(cover: Plane, reach: float) -> Plane:
    """Raise an H x W relief of unit height inside `cover`, rounded over `reach` pixels."""
    inside = (cover > 0.5).astype(np.uint8)
    distance = as_plane(cv2.distanceTransform(inside, cv2.DIST_L2, 5))
    part = np.minimum(distance * np.float32(1 / max(reach, 1e-3)), np.float32(1))
    return as_plane(cv2.GaussianBlur(part * (np.float32(2) - part), (0, 0), 0.8))
