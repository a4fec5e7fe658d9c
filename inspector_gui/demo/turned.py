"""Turned and cut metal parts: a plated washer and a spur gear."""

from __future__ import annotations

import math

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.backgrounds import belt, mat
from inspector_gui.demo.defects import Flaw
from inspector_gui.demo.scene import Scene, View, place
from inspector_gui.demo.surfaces import (
    Plane,
    Points,
    Shape,
    as_plane,
    as_points,
    clouds,
    coverage,
    distance_from,
    dome,
    fill_polygons,
    grain,
    polar_noise,
    ramp,
    rgb,
    soft,
)

TEETH = 16
LAMP_AZIMUTH = 0.88


def polar(view: View) -> tuple[Plane, Plane, Plane, Plane]:
    """Return part coordinates, radius and angle (0 to 2 pi) of every pixel, H x W each."""
    u, v = view.grid()
    return u, v, distance_from(u, v), as_plane(cv2.phase(u, v))


def sheen(angle: Plane, sharpness: float) -> Plane:
    """Return the bright sectors a turned face shows towards and away from the lamp, H x W."""
    off = np.sin(angle - np.float32(LAMP_AZIMUTH))
    return as_plane(np.exp(off * off * np.float32(-sharpness)))


def washer(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
           flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a zinc-plated flat washer, chamfered, on a dark conveyor belt."""
    view = place(shape, (1.0, 1.0), pose, turn=math.pi, fill=0.82)
    scene = belt(rng, shape, view.pixel, rgb(44, 50, 50))
    _, _, radius, angle = polar(view)
    distance = np.maximum(radius - np.float32(1), np.float32(0.5) - radius) * np.float32(view.unit)
    cover = coverage(distance)
    bevel = 0.045 * view.unit
    rise = np.clip(-distance / np.float32(bevel), 0, 1)
    relief = np.float32(0.55 * bevel) * rise * (np.float32(2) - rise)
    turned = polar_noise(rng, radius, angle, round(0.45 * view.unit), 24)
    relief += np.float32(0.10) * as_plane(turned)
    relief += np.float32(0.16 * max(0.5, view.pixel)) * soft(grain(rng, shape), 0.8)
    relief += np.float32(0.7 * view.pixel) * clouds(rng, shape, 48 * view.pixel, 2)
    scene.cast_shadow(cover, reach=0.06 * view.unit, depth=0.75)
    scene.lay(cover, rgb(200, 204, 210), height=relief, rough=0.34, gloss=0.6, metal=1.0)
    scene.vary(np.float32(1) + cover * (np.float32(0.75) * sheen(angle, 5.0) - np.float32(0.32)))
    plating = clouds(rng, shape, 26 * view.pixel, 3)
    scene.vary(np.float32(1) + cover * (np.float32(0.022) * plating + np.float32(0.045) * turned))
    scene.part, scene.zone = cover, coverage(distance + np.float32(1.6 * bevel))
    return scene


def gear_outline(broken: set[int], rng: np.random.Generator | None) -> Points:
    """Trace the gear's teeth as N x 2 part coordinates; broken teeth leave ragged stubs."""
    root, tip = 0.8, 1.0
    profile = ((-0.5, root), (-0.37, root + 0.004), (-0.3, root + 0.025), (-0.24, 0.91),
               (-0.15, tip - 0.012), (-0.125, tip), (0.125, tip), (0.15, tip - 0.012),
               (0.24, 0.91), (0.3, root + 0.025), (0.37, root + 0.004))  # fmt: skip
    points = []
    for tooth in range(TEETH):
        for turn, reach in profile:
            if tooth in broken and rng is not None:
                reach = root + float(rng.uniform(-0.04, 0.03))
            angle = (tooth + turn) * 2 * math.pi / TEETH
            points.append((reach * math.cos(angle), reach * math.sin(angle)))
    return np.array(points)


def circle(centre: tuple[float, float], radius: float) -> Points:
    """Trace a circle as 72 x 2 part coordinates."""
    angle = np.linspace(0, 2 * math.pi, 72, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return as_points(ring * radius + np.array(centre))


def gear(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
         flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a machined spur gear with a keyed bore and six holes in its web, on a foam mat."""
    view = place(shape, (1.0, 1.0), pose, turn=0.035, fill=0.88)
    scene = mat(rng, shape, view.pixel, rgb(66, 84, 104))
    broken: set[int] = set()
    if flaw is not None and flaw.kind == "missing_piece":
        first = int(flaw.rng.integers(TEETH))
        broken = {(first + k) % TEETH for k in range(int(flaw.rng.integers(2, 4)))}
    holes = [circle((0.53 * math.cos(k * math.pi / 3), 0.53 * math.sin(k * math.pi / 3)), 0.1)
             for k in range(6)]  # fmt: skip
    key = np.array([(-0.055, -0.1), (0.055, -0.1), (0.055, -0.27), (-0.055, -0.27)])
    outline = fill_polygons(
        shape,
        [view.to_pixels(p) for p in (gear_outline(broken, flaw.rng if flaw else None), *holes)],
    )
    _, _, radius, angle = polar(view)
    bore = coverage((np.float32(0.19) - radius) * np.float32(view.unit))
    cover = outline * bore * (1 - fill_polygons(shape, [view.to_pixels(key)]))
    web = ramp(radius, 0.28, 0.325) * (1 - ramp(radius, 0.72, 0.765))
    unit = view.unit
    turned = polar_noise(rng, radius, angle, round(0.4 * unit), 16)
    relief = np.float32(0.02 * unit) * dome(cover, 0.018 * unit) - np.float32(0.03 * unit) * web
    relief += np.float32(0.15) * turned * (1 - web)
    relief += (np.float32(0.05) + np.float32(0.2) * web) * soft(grain(rng, shape), 0.9)
    scene.cast_shadow(cover, reach=0.07 * unit, depth=0.8)
    scene.lay(cover, rgb(190, 190, 193), height=relief, rough=0.32, gloss=0.62, metal=1.0)
    glow = np.float32(0.7) * sheen(angle, 4.0) * (1 - np.float32(0.6) * web)
    scene.vary(np.float32(1) + cover * (glow - np.float32(0.25) - np.float32(0.22) * web))
    oil = clouds(rng, shape, 40 * view.pixel, 3)
    scene.vary(np.float32(1) + cover * (np.float32(0.025) * oil + np.float32(0.06) * turned))
    scene.part, scene.zone = cover, soft(cover, 1.0) * coverage((radius - np.float32(0.8)) * unit)
    return scene
