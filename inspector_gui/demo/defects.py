"""Defects laid over a finished scene: marks, dents, cracks, dirt and holes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.scene import Scene
from inspector_gui.demo.surfaces import (
    Colour,
    Plane,
    Points,
    Shape,
    as_plane,
    clouds,
    coverage,
    distance_from,
    dome,
    ramp,
    rgb,
    soft,
    stroke,
)

SEARCH_SIDE = 160


@dataclass(frozen=True)
class Flaw:
    """A defect to draw: its kind, its own random source and the part's size in pixels."""

    kind: str
    rng: np.random.Generator
    span: float

    def within(self, low: float, high: float) -> float:
        """Draw a length in pixels between two fractions of the part's size."""
        return float(self.rng.uniform(low, high)) * self.span


def find_spot(zone: Plane, rng: np.random.Generator, clearance: float) -> tuple[float, float]:
    """Choose a pixel (x, y) on the zone, `clearance` pixels inside it where there is room."""
    return find_spots(zone, rng, clearance, 1)[0]


def find_spots(
    zone: Plane, rng: np.random.Generator, clearance: float, count: int
) -> list[tuple[float, float]]:
    """Choose several such pixels; the room there is measured once."""
    height, width = zone.shape
    factor = max(1.0, max(height, width) / SEARCH_SIDE)
    size = (max(8, round(width / factor)), max(8, round(height / factor)))
    small = cv2.resize(zone, size, interpolation=cv2.INTER_AREA)
    inside = cv2.copyMakeBorder(
        (as_plane(small) > 0.6).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0,)
    )
    room = as_plane(cv2.distanceTransform(inside, cv2.DIST_L2, 3))[1:-1, 1:-1]
    deepest = float(room.max())
    candidates = np.argwhere(room >= min(clearance / factor, 0.75 * deepest))
    chosen = candidates[rng.integers(len(candidates), size=count)].tolist()
    return [((x + 0.5) * width / size[0], (y + 0.5) * height / size[1]) for y, x in chosen]


def wander(
    rng: np.random.Generator,
    start: Points,
    heading: float,
    length: float,
    bend: float,
    steps: int = 40,
) -> Points:
    """Draw an N x 2 path from `start` whose heading swings smoothly by about `bend` radians."""
    along = np.linspace(0, 1, steps)
    swing = rng.normal(0, 1, 3)[:, None] * np.sin(
        along * np.array([[1.6], [3.4], [6.2]]) + rng.uniform(0, 6, 3)[:, None]
    )
    drift = bend * (swing * np.array([[1.0], [0.7], [0.4]])).sum(axis=0)
    drift += heading - drift.mean()
    moves = np.stack([np.cos(drift), np.sin(drift)], axis=1)
    path = np.cumsum(moves * (length / steps), axis=0)
    return np.concatenate([start[None, :], start[None, :] + path])


def centred_path(flaw: Flaw, zone: Plane, length: float, bend: float) -> Points:
    """Draw an N x 2 path that stays on the zone as well as the best of several tries does."""
    height, width = zone.shape
    best, best_share = np.zeros((2, 2)), -1.0
    for place in find_spots(zone, flaw.rng, 0.04 * flaw.span, 10):
        spot = np.array(place)
        path = wander(flaw.rng, spot, float(flaw.rng.uniform(0, 2 * math.pi)), length, bend)
        path += spot - path[len(path) // 2]
        columns = np.clip(path[:, 0].astype(int), 0, width - 1)
        rows = np.clip(path[:, 1].astype(int), 0, height - 1)
        framed = (path.min() >= 2) and bool(np.all(path.max(axis=0) < (width - 2, height - 2)))
        share = float((zone[rows, columns] > 0.6).mean()) if framed else 0.0
        if share > best_share:
            best, best_share = path, share
    return best


def tapered(count: int, width: float, rng: np.random.Generator) -> Points:
    """Give a line's width at `count` places: thin at both ends, uneven between."""
    along = np.linspace(0, math.pi, count)
    return width * (0.35 + 0.65 * np.sin(along) ** 0.5) * rng.uniform(0.8, 1.2, count)


def blot(flaw: Flaw, zone: Plane, radius: float, *, ragged: float = 0.25) -> Plane:
    """Signed distance in pixels to an uneven blotch of about `radius` pixels on the zone."""
    return blot_at(find_spot(zone, flaw.rng, radius), flaw, zone.shape, radius, ragged)


def blot_at(
    place: tuple[float, float], flaw: Flaw, shape: Shape, radius: float, ragged: float
) -> Plane:
    """Signed distance in pixels to an uneven blotch around `place` (x, y)."""
    reach = math.ceil(2.6 * radius) + 4
    column, row = round(place[0]), round(place[1])
    top, left = max(0, row - reach), max(0, column - reach)
    window = (slice(top, row + reach), slice(left, column + reach))
    distance = np.full(shape, 2 * radius, np.float32)
    near = distance[window]
    x = np.arange(left, left + near.shape[1], dtype=np.float32)[None, :] - np.float32(place[0])
    y = np.arange(top, top + near.shape[0], dtype=np.float32)[:, None] - np.float32(place[1])
    stretch = float(flaw.rng.uniform(0.75, 1.3))
    angle = float(flaw.rng.uniform(0, math.pi))
    cos, sin = np.float32(math.cos(angle)), np.float32(math.sin(angle))
    along = (x * cos + y * sin) * np.float32(stretch)
    across = as_plane((y * cos - x * sin) / np.float32(stretch))
    ragged_edge = np.float32(ragged * radius) * clouds(flaw.rng, near.shape, radius * 1.1, 2)
    near[:] = np.minimum(
        distance_from(along, across) - np.float32(radius) + ragged_edge, 2 * radius
    )
    return distance


def scratch(scene: Scene, flaw: Flaw) -> None:
    """Cut one long groove and sometimes a second beside it: raw bright floor, raised lips."""
    width = max(1.8, flaw.within(0.0085, 0.0115))
    path = centred_path(flaw, scene.zone, max(14.0, flaw.within(0.3, 0.5)), 0.25)
    marks = [stroke(scene.zone.shape, path, tapered(len(path), width, flaw.rng))]
    if flaw.rng.random() < 0.6:
        beside = path[4:-6] + flaw.rng.uniform(-1, 1, 2) * 3.5 * width
        marks.append(stroke(scene.zone.shape, beside, tapered(len(beside), 0.6 * width, flaw.rng)))
    cover = marks[0] if len(marks) == 1 else np.maximum(marks[0], marks[1])
    cover = cover * ramp(scene.part, 0.3, 0.9)
    lips = soft(cover, 0.9 * width)
    scene.height += np.float32(1.2 * width) * lips - np.float32(2.0 * width) * soft(
        cover, 0.45 * width
    )
    raw = rgb(222, 223, 226) if brightness(scene, cover) < 0.45 else rgb(44, 42, 41)
    scene.lay(cover * np.float32(0.85), raw, rough=0.5)
    scene.metal *= np.float32(1) - np.float32(0.5) * cover


def brightness(scene: Scene, cover: Plane) -> float:
    """Return the mean linear reflectance of what lies under `cover` (H x W)."""
    return float(cv2.mean(scene.albedo[1], (cover > 0.3).astype(np.uint8))[0])


def dent(scene: Scene, flaw: Flaw) -> None:
    """Press a smooth hollow with a raised rim into the surface."""
    radius = max(4.0, flaw.within(0.055, 0.08))
    distance = blot(flaw, scene.zone, radius, ragged=0.08)
    part = (distance + np.float32(radius)) / np.float32(radius)
    hollow = np.exp(-np.float32(1.6) * part * part * part * part)
    rim = np.exp(-np.float32(14) * (part - np.float32(1.15)) ** 2)
    on_part = soft(scene.part, 1.0)
    scene.height += (np.float32(0.07 * radius) * as_plane(rim)
                     - np.float32(0.7 * radius) * as_plane(hollow)) * on_part  # fmt: skip
    scene.shade *= np.float32(1) - np.float32(0.3) * as_plane(hollow) * on_part


def stain(scene: Scene, flaw: Flaw, colour: Colour = (0.3, 0.21, 0.1)) -> None:
    """Let a dirty liquid dry on the surface: a tinted blotch, darker towards its rim."""
    radius = max(5.0, flaw.within(0.07, 0.1))
    distance = blot(flaw, scene.zone, radius)
    inside = ramp(-distance, -0.06 * radius, 0.12 * radius)
    rim = as_plane(np.exp(-(distance * distance) * np.float32(1 / (0.14 * radius) ** 2)))
    mottled = np.clip(0.8 + 0.12 * clouds(flaw.rng, distance.shape, 0.4 * radius, 2), 0.4, 1)
    cover = np.clip(inside * (np.float32(0.72) * mottled + np.float32(0.4) * rim), 0, 1)
    cover = as_plane(cover) * scene.part
    shiny = cv2.mean(scene.metal, (cover > 0.3).astype(np.uint8))[0] > 0.5
    if brightness(scene, cover) < 0.3 and not shiny:
        # On a dark surface what a liquid leaves behind shows pale, not dark.
        scene.tint(cover * np.float32(0.7), rgb(176, 158, 118))
    else:
        scene.stain(cover, colour)
    scene.gloss *= np.float32(1) - np.float32(0.75) * cover


def discolouration(scene: Scene, flaw: Flaw, colour: Colour = (1.25, 0.78, 0.34)) -> None:
    """Shift the material's colour over a wide soft patch without touching its texture."""
    radius = max(6.0, flaw.within(0.085, 0.12))
    distance = blot(flaw, scene.zone, radius, ragged=0.18)
    cover = ramp(-distance, -0.3 * radius, 0.5 * radius) * scene.part
    if brightness(scene, cover) < 0.12:
        # Dark rubber and plastic do not yellow: their filler blooms and they turn pale and dull.
        mottled = clouds(flaw.rng, distance.shape, 0.3 * radius, 2)
        cover *= np.clip(np.float32(0.75) + np.float32(0.15) * mottled, 0.3, 1)
        scene.tint(cover * np.float32(0.6), rgb(156, 150, 138))
        scene.gloss *= np.float32(1) - cover
    else:
        scene.stain(cover * np.float32(0.95), colour)


def crack(scene: Scene, flaw: Flaw) -> None:
    """Split the material along a jagged, branching line."""
    width = max(1.6, flaw.within(0.008, 0.012))
    path = centred_path(flaw, scene.zone, max(14.0, flaw.within(0.22, 0.36)), 0.5)
    path = path[::2] + flaw.rng.normal(0, 0.9 * width, (len(path[::2]), 2))
    cover = stroke(scene.zone.shape, path, tapered(len(path), width, flaw.rng))
    for _ in range(2):
        fork = int(flaw.rng.integers(4, len(path) - 5))
        heading = math.atan2(*(path[fork + 2] - path[fork])[::-1].tolist())
        heading += float(flaw.rng.choice([-0.8, 0.8]))
        side = wander(flaw.rng, path[fork], heading, 0.3 * flaw.within(0.2, 0.34), 0.4, 8)
        side[1:] += flaw.rng.normal(0, 0.5 * width, (len(side) - 1, 2))
        cover = np.maximum(
            cover, stroke(cover.shape, side, np.linspace(0.8, 0.3, len(side)) * width)
        )
    cover = cover * ramp(scene.part, 0.2, 0.8)
    scene.height -= np.float32(1.5 * width) * soft(cover, 0.5 * width)
    scene.lay(cover, rgb(14, 13, 13), rough=0.6, gloss=0.0)
    # Torn flanks catch the light on both sides of the gap.
    flank = np.clip(soft(cover, 1.1 * width) * np.float32(1.6) - cover, 0, 1) * scene.part
    scene.tint(flank * np.float32(0.3), rgb(205, 200, 195))


def fibre(scene: Scene, flaw: Flaw, colour: Colour | None = None) -> None:
    """Drop a curled textile fibre on the part, with the shadow it throws."""
    width = max(1.7, flaw.within(0.0075, 0.011))
    path = centred_path(flaw, scene.zone, max(16.0, flaw.within(0.34, 0.5)), 1.0)
    cover = stroke(scene.zone.shape, path, np.full(len(path), width))
    shown = colour if colour is not None else rgb(196, 32, 44)
    scene.cast_shadow(cover, reach=1.6 * width, depth=0.7)
    scene.lay(cover, shown, rough=0.5, gloss=0.1)
    scene.height += np.float32(1.2 * width) * soft(cover, 0.5 * width)


def particle(scene: Scene, flaw: Flaw, colour: Colour | None = None) -> None:
    """Leave a chip of foreign material lying on the part, with crumbs beside it."""
    radius = max(4.0, flaw.within(0.04, 0.055))
    distance = blot(flaw, scene.zone, radius, ragged=0.2)
    cover = coverage(distance)
    shown = colour if colour is not None else rgb(120, 84, 46)
    scene.cast_shadow(cover, reach=0.5 * radius, depth=0.8)
    lumps = np.float32(0.05 * radius) * clouds(flaw.rng, cover.shape, 0.6 * radius, 2)
    scene.lay(cover, shown, rough=0.3, gloss=0.35)
    scene.height += (np.float32(0.55 * radius) * dome(cover, 0.8 * radius) + lumps * cover) * cover


def contamination(scene: Scene, flaw: Flaw) -> None:
    """Leave something foreign on the part: as often a fibre as a chip."""
    if flaw.rng.random() < 0.5:
        fibre(scene, flaw)
    else:
        particle(scene, flaw)


def hole(scene: Scene, flaw: Flaw) -> None:
    """Punch or burn an uneven hole through the material."""
    radius = max(3.5, flaw.within(0.03, 0.045))
    distance = blot(flaw, scene.zone, radius, ragged=0.1)
    cover = coverage(distance)
    lip = as_plane(
        np.exp(-(((distance - np.float32(0.25 * radius)) / np.float32(0.3 * radius)) ** 2))
    )
    scene.height += np.float32(0.18 * radius) * lip
    wall = ramp(-distance, 0.0, 0.55 * radius)
    scene.lay(cover, rgb(30, 28, 27), gloss=0.02, rough=0.5)
    scene.shade *= np.float32(1) - np.float32(0.8) * wall
    scene.height -= np.float32(0.9 * radius) * wall


def burr(scene: Scene, flaw: Flaw) -> None:
    """Let a ragged fin of the part's own material stand out over its outer edge."""
    solid = (scene.part > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(solid, outlines, -1, (1,), cv2.FILLED)
    reach = max(3.0, flaw.within(0.035, 0.05))
    x0, y0 = _edge_place(outlines, flaw.rng, solid.shape, 2 * reach)
    x = np.arange(solid.shape[1], dtype=np.float32)[None, :] - np.float32(x0)
    y = np.arange(solid.shape[0], dtype=np.float32)[:, None] - np.float32(y0)
    spread = np.float32(1 / (2 * flaw.within(0.06, 0.09) ** 2))
    near = as_plane(np.exp(-(x * x + y * y) * spread))
    away = as_plane(cv2.distanceTransform(1 - solid, cv2.DIST_L2, 5))
    frayed = np.float32(0.8) + np.float32(0.38) * clouds(flaw.rng, solid.shape, 0.9 * reach, 2)
    fin = coverage(away - np.float32(1.3 * reach) * near * np.clip(frayed, 0.15, 1.5))
    fin *= ((near > 0.06) & (away > 0)) * (np.float32(1) - scene.part)
    inside = (scene.part > 0.99).astype(np.uint8)
    tone = [cv2.mean(channel, inside)[0] for channel in scene.albedo]
    metal = cv2.mean(scene.metal, inside)[0]
    scene.cast_shadow(fin, reach=0.6 * reach, depth=0.7)
    lift = 1.1 if metal > 0.5 else 1.6
    shown = (tone[0] * lift, tone[1] * lift, tone[2] * lift)
    scene.lay(fin, shown, rough=0.45, gloss=0.6 if metal > 0.5 else 0.25, metal=metal)
    ridges = clouds(flaw.rng, solid.shape, 0.5 * reach, 2)
    curl = np.float32(0.5 * reach) * soft(fin, 0.3 * reach) + np.float32(0.06 * reach) * ridges
    scene.height += fin * (curl - scene.height)
    scene.shade += fin * (np.float32(1) - scene.shade)


def _edge_place(
    outlines: Sequence[Any], rng: np.random.Generator, shape: Shape, margin: float
) -> tuple[int, int]:
    """Choose a pixel (x, y) on the longest outline, `margin` pixels off the frame if possible."""
    outline = max(outlines, key=len).reshape(-1, 2)
    far = np.array([shape[1], shape[0]]) - margin
    framed = np.all((outline > margin) & (outline < far), axis=1)
    outline = outline[framed] if bool(framed.any()) else outline
    x, y = outline[int(rng.integers(len(outline)))].tolist()
    return x, y


SURFACE_DEFECTS: tuple[tuple[str, Callable[[Scene, Flaw], None]], ...] = (
    ("scratch", scratch),
    ("dent", dent),
    ("stain", stain),
    ("discolouration", discolouration),
    ("crack", crack),
    ("contamination", contamination),
    ("hole", hole),
    ("burr", burr),
)


def bite(cover: Plane, flaw: Flaw, radius: float, where: Plane | None = None) -> Plane:
    """Break an uneven piece of `radius` pixels out of the edge of `cover`, which is returned."""
    solid = (cover > 0.5).astype(np.uint8)
    inner = as_plane(cv2.distanceTransform(solid, cv2.DIST_L2, 3))
    edge = ((inner > 0) & (inner < 2.5)).astype(np.float32)
    if where is not None:
        edge *= where
    spots = np.argwhere(edge > 0.5)
    row, column = spots[int(flaw.rng.integers(len(spots)))].tolist()
    distance = blot_at((column, row), flaw, cover.shape, radius, 0.22)
    return cover * (np.float32(1) - coverage(distance))
