"""Moulded rubber and plastic parts: a flange gasket, a bottle cap and a pin connector."""

from __future__ import annotations

import numpy as np

from inspector_gui.demo.backgrounds import mat, paper
from inspector_gui.demo.defects import Flaw, bite
from inspector_gui.demo.printing import Artwork
from inspector_gui.demo.scene import Scene, View, place
from inspector_gui.demo.surfaces import (
    Plane,
    Points,
    Shape,
    as_plane,
    clouds,
    coverage,
    distance_from,
    dome,
    fill_polygons,
    grain,
    ramp,
    rgb,
    rounded_box,
    soft,
)
from inspector_gui.demo.turned import polar

PINS = 10


def gasket(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
           flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a black rubber flange gasket with a sealing bead and four bolt holes, on paper."""
    view = place(shape, (1.0, 0.8), pose, turn=0.03, fill=0.88)
    scene = paper(rng, shape, view.pixel)
    u, v = view.grid()
    unit = np.float32(view.unit)
    body = rounded_box(u, v, 0.88, 0.68, 0.24)
    bolt = distance_from(np.abs(u) - np.float32(0.77), np.abs(v) - np.float32(0.57))
    window = rounded_box(u, v, 0.6, 0.4, 0.2)
    outside = np.minimum(body, bolt - np.float32(0.22))
    distance = np.maximum(np.maximum(outside, -window), np.float32(0.09) - bolt) * unit
    cover = coverage(distance)
    if flaw is not None and flaw.kind == "missing_piece":
        cover = bite(cover, flaw, flaw.within(0.05, 0.08))
    bead = as_plane(np.exp(-(((window - np.float32(0.075)) / np.float32(0.026)) ** 2)))
    relief = np.float32(0.035) * unit * dome(cover, 0.045 * view.unit)
    relief += np.float32(0.03) * unit * bead
    relief += np.float32(0.3 * max(0.5, view.pixel)) * soft(grain(rng, shape), 0.9)
    relief += np.float32(1.0 * view.pixel) * clouds(rng, shape, 45 * view.pixel, 2)
    scene.cast_shadow(cover, reach=0.06 * view.unit, depth=0.6)
    scene.lay(cover, rgb(52, 52, 54), height=relief, rough=0.42, gloss=0.075)
    scene.vary(np.float32(1) + cover * np.float32(0.05) * clouds(rng, shape, 24 * view.pixel, 3))
    scene.part, scene.zone = cover, cover * coverage(distance + np.float32(0.03) * unit)
    return scene


def cap_print(view: View, flaw: Flaw | None) -> Plane:
    """Print the brand on the cap's top."""
    art = Artwork(view, (0.7, 0.7))
    art.text("AQUILA", (0.0, 0.07), 0.27, weight=800, centred=True)
    x = np.linspace(-0.42, 0.42, 40)
    for offset in (0.2, 0.28):
        wave = offset + 0.03 * np.sin(x * 15)
        art.line(np.stack([x, wave], axis=1), 0.035)
    art.text("SPRING WATER", (0.0, -0.24), 0.09, weight=600, centred=True)
    art.disc((0.0, -0.42), 0.055)
    if flaw is not None and flaw.kind == "misprint":
        art.spoil(flaw)
    return art.on_frame(view)


def bottle_cap(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
               flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a blue ribbed screw cap with a printed top, seen from above on a pale mat."""
    view = place(shape, (1.0, 1.0), pose, turn=0.06, fill=0.84)
    scene = mat(rng, shape, view.pixel, rgb(178, 181, 178))
    _, _, radius, angle = polar(view)
    ribs = np.cos(angle * np.float32(72))
    outline = np.float32(0.985) + np.float32(0.013) * ribs
    distance = (radius - outline) * np.float32(view.unit)
    cover = coverage(distance)
    if flaw is not None and flaw.kind == "missing_piece":
        cover = bite(cover, flaw, flaw.within(0.06, 0.085))
    skirt = ramp(radius, 0.885, 0.93)
    drop = 1 - ramp(radius, 0.84, 1.02)
    relief = np.float32(0.13 * view.unit) * drop + np.float32(0.009 * view.unit) * ribs * skirt
    ring = as_plane(np.exp(-(((radius - np.float32(0.74)) / np.float32(0.018)) ** 2)))
    relief += np.float32(0.012 * view.unit) * ring
    relief += np.float32(0.12 * max(0.5, view.pixel)) * soft(grain(rng, shape), 0.9)
    relief += np.float32(0.7 * view.pixel) * clouds(rng, shape, 60 * view.pixel, 2)
    scene.cast_shadow(cover, reach=0.1 * view.unit, depth=0.7)
    scene.lay(cover, rgb(38, 104, 178), height=relief, rough=0.24, gloss=0.3)
    scene.vary(np.float32(1) - cover * skirt * (np.float32(0.28) - np.float32(0.2) * ribs))
    # Light that enters the plastic leaves it again near edges, so the rim glows a little.
    scene.tint(cover * ramp(radius, 0.76, 0.88) * (1 - skirt) * np.float32(0.22), rgb(92, 168, 226))
    scene.vary(np.float32(1) + cover * np.float32(0.02) * clouds(rng, shape, 30 * view.pixel, 3))
    ink = cap_print(view, flaw) * (np.float32(0.93) + np.float32(0.03) * clouds(rng, shape, 8, 2))
    scene.lay(np.clip(ink, 0, 1) * cover, rgb(232, 235, 236), gloss=0.15)
    scene.part, scene.zone = cover, coverage(distance + np.float32(0.12 * view.unit))
    return scene


def pin_paths(flaw: Flaw | None) -> list[Points]:
    """Give the middle line of every pin present, as N x 2 part coordinates."""
    paths = []
    odd = int(flaw.rng.integers(1, PINS - 1)) if flaw is not None else -1
    for pin in range(PINS):
        x = (pin - (PINS - 1) / 2) * 0.178
        y = np.linspace(0.0, 0.56, 14)
        path = np.stack([np.full_like(y, x), y], axis=1)
        if flaw is not None and pin == odd and flaw.kind == "missing_piece":
            continue
        if flaw is not None and pin == odd and flaw.kind == "bent_pin":
            start = float(flaw.rng.uniform(0.08, 0.25))
            lean = float(flaw.rng.uniform(0.3, 0.5)) * float(flaw.rng.choice([-1, 1]))
            beyond = np.maximum(y - start, 0)
            path[:, 0] += np.tanh(beyond * 6) * beyond * lean
            path[:, 1] -= 0.25 * beyond * abs(lean)
        paths.append(path)
    return paths


def pin_outline(path: Points, width: float) -> Points:
    """Trace a pin with a chamfered tip around its middle line, as N x 2 part coordinates."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    side = np.stack([-along[:, 1], along[:, 0]], axis=1) * width / 2
    side[-1] *= 0.35
    side[-2] *= 0.9
    return np.concatenate([path + side, (path - side)[::-1]])


def connector(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
              flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a black ten-way connector with gold-plated pins, lying on an anti-static mat."""
    view = place(shape, (1.0, 0.62), pose, turn=0.02, fill=0.82, shift=0.01)
    scene = mat(rng, shape, view.pixel, rgb(96, 128, 150))
    u, v = view.grid()
    unit = np.float32(view.unit)
    outlines = [view.to_pixels(pin_outline(path, 0.066)) for path in pin_paths(flaw)]
    # Every other pin in one go: neighbours may cross when one is bent.
    pins = np.maximum(fill_polygons(shape, outlines[::2]), fill_polygons(shape, outlines[1::2]))
    housing_at = rounded_box(u, v + np.float32(0.27), 0.96, 0.31, 0.035)
    key = np.maximum(np.abs(u) - np.float32(0.2), np.abs(v + np.float32(0.56)) - np.float32(0.055))
    housing = coverage(np.minimum(housing_at, key) * unit)
    scene.cast_shadow(pins, reach=0.05 * view.unit, depth=0.75)
    scene.cast_shadow(housing, reach=0.12 * view.unit, depth=0.8)
    gold = np.float32(0.022) * unit * dome(pins, 0.034 * view.unit)
    gold += np.float32(0.08) * soft(grain(rng, shape), 0.8)
    scene.lay(pins, rgb(250, 214, 132), height=gold, rough=0.34, gloss=1.3, metal=1.0)
    # The housing stands above the pins and keeps light from their roots.
    scene.shade *= np.float32(1) - pins * (1 - ramp(v, 0.03, 0.12)) * np.float32(0.6)
    pitch = np.float32(0.178)
    way = np.abs(u / pitch - np.floor(u / pitch) - np.float32(0.5)) * pitch
    within = (np.abs(u) < np.float32(0.89)).astype(np.float32)
    slot = np.maximum(way - np.float32(0.047), np.abs(v + np.float32(0.24)) - np.float32(0.1))
    windows = coverage(slot * unit) * within
    groove = coverage((np.abs(v + np.float32(0.07)) - np.float32(0.012)) * unit)
    relief = np.float32(0.03) * unit * dome(housing, 0.035 * view.unit)
    relief -= unit * (np.float32(0.05) * soft(windows, 1.0) + np.float32(0.02) * soft(groove, 0.8))
    relief += np.float32(0.26 * max(0.5, view.pixel)) * soft(grain(rng, shape), 0.9)
    scene.lay(housing, rgb(58, 58, 60), height=relief, rough=0.4, gloss=0.09)
    scene.shade *= np.float32(1) - housing * np.float32(0.75) * soft(windows, 1.2)
    scene.lay(windows * coverage((way - np.float32(0.02)) * unit), rgb(190, 158, 92), metal=0.7)
    label = Artwork(view, (1.0, 0.62))
    label.text("1", (-0.84, -0.4), 0.11, weight=600)
    label.text("MX-10", (0.5, -0.4), 0.11, weight=600)
    scene.lay(label.on_frame(view) * np.float32(0.85), rgb(186, 186, 182))
    scene.vary(np.float32(1) + housing * np.float32(0.04) * clouds(rng, shape, 30 * view.pixel, 3))
    scene.part = np.maximum(pins, housing)
    scene.zone = coverage((housing_at + np.float32(0.02)) * unit) * (1 - windows)
    return scene
