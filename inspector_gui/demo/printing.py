"""Flat artwork in part coordinates: lettering, bars and lines that are later laid on a part."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.defects import Flaw
from inspector_gui.demo.scene import View
from inspector_gui.demo.surfaces import (
    SUBPIXEL_BITS,
    Plane,
    Points,
    as_plane,
    as_points,
    clouds,
    fixed_point,
    ramp,
)

OVERSAMPLING = 1.5


@lru_cache(maxsize=256)
def _words(words: str, size: int, weight: int) -> tuple[Plane, int]:
    """Set words on a canvas, their baseline at (size, 2 * size); return their width too."""
    face = cv2.FontFace("sans")
    width = int(cv2.getTextSize((1, 1), words, (0, 0), face, size, weight)[2])
    canvas = np.zeros((3 * size, width + 2 * size), np.uint8)
    cv2.putText(canvas, words, (size, 2 * size), (255,), face, size, weight)
    drawn = canvas.astype(np.float32) * np.float32(1 / 255)
    drawn.flags.writeable = False
    return drawn, width


class Artwork:
    """One ink or layer, drawn in part units with the origin in the middle of the part."""

    def __init__(self, view: View, half: tuple[float, float]) -> None:
        """Open an empty layer that spans `half` extents either way."""
        self._half = half
        # In coarse steps, so that small changes of pose leave the drawn letters as they are.
        self._scale = 2 ** (round(4 * math.log2(view.unit * OVERSAMPLING)) / 4)
        rows, columns = (math.ceil(2 * extent * self._scale) for extent in half[::-1])
        self.ink = np.zeros((rows, columns), np.uint8)

    def _pixels(self, points: Points) -> Points:
        return as_points((points + np.array(self._half)) * self._scale - 0.5)

    def polygon(self, points: Points, value: int = 255) -> None:
        """Fill a polygon of N x 2 part coordinates."""
        cv2.fillPoly(
            self.ink, [fixed_point(self._pixels(points))], (value,), cv2.LINE_AA, SUBPIXEL_BITS
        )

    def box(self, centre: tuple[float, float], size: tuple[float, float], value: int = 255) -> None:
        """Fill an upright box given by its centre and its full width and height."""
        corner = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
        self.polygon(corner * np.array(size) + np.array(centre), value)

    def disc(self, centre: tuple[float, float], radius: float, value: int = 255) -> None:
        """Fill a disc."""
        at = fixed_point(self._pixels(np.array([centre])))[0, 0]
        reach = round(radius * self._scale * (1 << SUBPIXEL_BITS))
        cv2.circle(
            self.ink, (int(at[0]), int(at[1])), reach, (value,), -1, cv2.LINE_AA, SUBPIXEL_BITS
        )

    def line(self, points: Points, width: float, value: int = 255) -> None:
        """Draw a line of even width through N x 2 part coordinates."""
        thickness = max(1, round(width * self._scale))
        path = fixed_point(self._pixels(points))
        cv2.polylines(self.ink, [path], False, (value,), thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def text(
        self,
        words: str,
        at: tuple[float, float],
        height: float,
        *,
        weight: int = 500,
        centred: bool = False,
        value: int = 255,
    ) -> None:
        """Set words with their baseline at `at` (left end, or middle); height in part units."""
        size = max(3, round(height * self._scale))
        drawn, width = _words(words, size, weight)
        x, y = self._pixels(np.array([at]))[0].tolist()
        left, top = round(x - width / 2 if centred else x) - size, round(y) - 2 * size
        cut_x, cut_y = max(0, -left), max(0, -top)
        under = self.ink[top + cut_y : top + drawn.shape[0], left + cut_x : left + drawn.shape[1]]
        over = drawn[cut_y : cut_y + under.shape[0], cut_x : cut_x + under.shape[1]]
        mixed = under + (value - under.astype(np.float32)) * over
        under[:] = np.round(mixed).astype(np.uint8)

    def spoil(self, flaw: Flaw) -> None:
        """Misprint the layer: smear wet ink sideways, or leave a band of it out."""
        rows, columns = self.ink.shape
        inked = np.argwhere(self.ink[::4, ::4] > 127) * 4
        row, column = inked[int(flaw.rng.integers(len(inked)))].tolist()
        y = (np.arange(rows, dtype=np.float32)[:, None] - row) / rows
        x = (np.arange(columns, dtype=np.float32)[None, :] - column) / columns
        ink = self.ink.astype(np.float32)
        wild = clouds(flaw.rng, (rows, columns), 0.08 * rows, 2)
        if flaw.rng.random() < 0.6:
            length = max(3, round(float(flaw.rng.uniform(0.12, 0.18)) * columns))
            smeared = np.zeros_like(ink)
            for tail in (length, max(2, length // 2), max(2, length // 4)):
                drawn = cv2.blur(ink, (tail, 1), anchor=(tail - 1, 0))
                smeared = as_plane(cv2.scaleAdd(drawn, 1 / 3, smeared))
            region = ramp(np.float32(0.13) + np.float32(0.012) * wild - np.abs(y), 0, 0.03)
            region = region * ramp(np.float32(0.26) - np.abs(x), 0, 0.06)
            streaky = np.float32(0.25) * clouds(flaw.rng, (rows, 4), 0.02 * rows, 2)[:, :1]
            smeared *= np.float32(1) + streaky
            changed = np.maximum(smeared, np.float32(0.5) * ink)
        else:
            half = float(flaw.rng.uniform(0.028, 0.042))
            region = ramp(np.float32(half) + np.float32(0.01) * wild - np.abs(x), 0, 0.012)
            changed = ink * np.clip(np.float32(0.12) * wild, 0, 0.5)
        ink += region * (changed - ink)
        self.ink = np.clip(ink, 0, 255).astype(np.uint8)

    def on_frame(self, view: View) -> Plane:
        """Return the layer as the camera would see it, H x W float32 coverage from 0 to 1."""
        height, width = view.shape
        cos, sin = math.cos(view.angle), math.sin(view.angle)
        step = view.unit / self._scale
        turn = np.array([[cos, -sin], [sin, cos]]) * step
        middle = (np.array(self.ink.shape[::-1]) - 1) / 2
        move = np.array(view.centre) - turn @ middle
        matrix = np.concatenate([turn, move[:, None]], axis=1)
        seen = cv2.warpAffine(self.ink, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return seen.astype(np.float32) * np.float32(1 / 255)
