"""Packaging: a blister pack of tablets and a printed label."""

from __future__ import annotations

import math

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.backgrounds import belt, cardboard
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
from inspector_gui.demo.turned import circle

POCKETS = tuple((0.37 * column, 0.3 * row) for row in (-1, 1) for column in (-2, -1, 0, 1, 2))
PILL_RADIUS, POCKET_RADIUS = 0.125, 0.158
BARCODE = "11010010001011001110100110111010001101011001001110110001011010011100101"


def broken_pill(centre: Points, flaw: Flaw) -> list[Points]:
    """Trace a tablet broken in two along a ragged line, its smaller part crumbled away."""
    angle = np.linspace(0, 2 * math.pi, 72, endpoint=False) + float(
        flaw.rng.uniform(0, 2 * math.pi)
    )
    kept = angle[: int(flaw.rng.uniform(38, 50))]
    arc = np.stack([np.cos(kept), np.sin(kept)], axis=1) * PILL_RADIUS
    ragged = np.linspace(arc[-1], arc[0], 9)[1:-1] + flaw.rng.normal(0, 0.013, (7, 2))
    crumbs = []
    for _ in range(3):
        turn = float(flaw.rng.uniform(kept[-1], angle[-1]))
        at = centre + np.array([math.cos(turn), math.sin(turn)]) * PILL_RADIUS * 0.75
        crumbs.append(circle((0, 0), 0.02)[::9] * flaw.rng.uniform(0.6, 1.3, (8, 1)) + at)
    return [np.concatenate([arc, ragged]) + centre, *crumbs]


def blister_pack(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
                 flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a blister pack of ten scored tablets under clear domes on embossed foil."""
    view = place(shape, (1.0, 0.63), pose, turn=0.015, fill=0.93)
    scene = belt(rng, shape, view.pixel, rgb(52, 62, 74))
    u, v = view.grid()
    unit = np.float32(view.unit)
    card = coverage(rounded_box(u, v, 0.98, 0.61, 0.08) * unit)
    column = np.clip(np.round(u / np.float32(0.37)), -2, 2) * np.float32(0.37)
    pocket_at = distance_from(u - column, np.abs(v) - np.float32(0.3))
    scene.cast_shadow(card, reach=0.05 * view.unit, depth=0.7)
    _lay_foil(scene, rng, view, (u, v), card)
    _lay_pills(scene, rng, view, flaw)
    _lay_domes(scene, view, pocket_at)
    scene.part = card
    seal = coverage((np.float32(POCKET_RADIUS + 0.02) - pocket_at) * unit)
    scene.zone = coverage((rounded_box(u, v, 0.95, 0.58, 0.08)) * unit) * seal
    return scene


def _lay_foil(scene: Scene, rng: np.random.Generator, view: View, grid: tuple[Plane, Plane],
              card: Plane) -> None:  # fmt: skip
    """Lay aluminium foil with a diamond emboss and faint wrinkles."""
    u, v = grid
    turn = np.float32(2 * math.pi / max(0.034, 4.2 / view.unit))
    emboss = np.cos(u * turn) * np.cos(v * turn)
    relief = np.float32(0.0055 * view.unit) * emboss
    relief += np.float32(1.4 * view.pixel) * clouds(rng, view.shape, 30 * view.pixel, 3)
    relief += np.float32(0.018 * view.unit) * soft(card, 0.008 * view.unit)
    scene.lay(card, rgb(206, 209, 213), height=relief, rough=0.26, gloss=0.6, metal=0.9)


def _lay_pills(scene: Scene, rng: np.random.Generator, view: View, flaw: Flaw | None) -> None:
    """Lay the tablets into their pockets, each a little off centre and turned anyhow."""
    odd = int(flaw.rng.integers(len(POCKETS))) if flaw is not None else -1
    outlines, scores, odd_ones = [], [], []
    for index, pocket in enumerate(POCKETS):
        centre = np.array(pocket) + rng.uniform(-0.013, 0.013, 2)
        turn = float(rng.uniform(0, math.pi))
        along = np.array([math.cos(turn), math.sin(turn)])
        across = np.array([-along[1], along[0]]) * 0.008
        score = np.array([along * 0.11 + across, along * 0.11 - across,
                          -along * 0.11 - across, -along * 0.11 + across]) + centre  # fmt: skip
        traced = [circle((float(centre[0]), float(centre[1])), PILL_RADIUS)]
        if flaw is not None and index == odd:
            if flaw.kind == "missing_piece":
                continue
            odd_ones = [view.to_pixels(traced[0])]
            traced = broken_pill(centre, flaw) if flaw.kind == "crack" else traced
        outlines += [view.to_pixels(outline) for outline in traced]
        scores.append(view.to_pixels(score))
    cover = fill_polygons(view.shape, outlines)
    score_cover = fill_polygons(view.shape, scores) * cover
    relief = np.float32(0.05 * view.unit) * dome(cover, 0.055 * view.unit)
    relief -= np.float32(0.012 * view.unit) * soft(score_cover, 0.006 * view.unit)
    relief += np.float32(0.3 * max(0.5, view.pixel)) * soft(grain(rng, view.shape), 1.0)
    scene.cast_shadow(cover, reach=0.045 * view.unit, depth=0.75)
    scene.lay(cover, rgb(224, 214, 200), height=relief, rough=0.5, gloss=0.03)
    speckle = clouds(rng, view.shape, max(3.0, 5 * view.pixel), 2)
    scene.vary(np.float32(1) + cover * np.float32(0.025) * speckle)
    if flaw is not None and flaw.kind == "discolouration":
        blotch = np.clip(np.float32(0.7) + np.float32(0.35) * speckle, 0.1, 1)
        brown = fill_polygons(view.shape, odd_ones) * cover * blotch
        scene.stain(brown, (0.5, 0.26, 0.1))


def _lay_domes(scene: Scene, view: View, pocket_at: Plane) -> None:
    """Close every pocket with a clear dome: a dark refracting rim and two mirrored lamps."""
    unit = np.float32(view.unit)
    part = np.clip(pocket_at / np.float32(POCKET_RADIUS), 0, 1)
    inside = coverage((pocket_at - np.float32(POCKET_RADIUS)) * unit)
    rim = as_plane(
        np.exp(-(((pocket_at - np.float32(POCKET_RADIUS - 0.006)) / np.float32(0.009)) ** 2))
    )
    scene.shade *= np.float32(1) - np.float32(0.42) * rim
    scene.shade *= np.float32(1) - np.float32(0.1) * inside
    wall = np.float32(1.6) * part ** np.float32(3)
    bulge = as_plane(cv2.GaussianBlur(-wall * part, (0, 0), 1.0)) * np.float32(0.14) * unit
    right = as_plane(cv2.Sobel(bulge, cv2.CV_32F, 1, 0, scale=1 / 8))
    down = as_plane(cv2.Sobel(bulge, cv2.CV_32F, 0, 1, scale=1 / 8))
    lamp = np.exp(-((right - np.float32(0.5)) ** 2 + (down - np.float32(0.6)) ** 2) * np.float32(9))
    far = np.exp(-((right + np.float32(0.6)) ** 2 + (down + np.float32(0.5)) ** 2) * np.float32(7))
    glint = inside * np.minimum(as_plane(lamp) + np.float32(0.4) * as_plane(far), 1)
    scene.tint(glint * np.float32(0.8), (1.0, 1.0, 1.0))


def label_inks(view: View, half: tuple[float, float]) -> tuple[Artwork, Artwork]:
    """Set the label's blue and black printing plates."""
    blue, black = Artwork(view, half), Artwork(view, half)
    blue.box((0.0, -0.47), (1.88, 0.36))
    blue.text("HELIOVAR", (-0.86, -0.4), 0.2, weight=800, value=0)
    blue.text("industrial", (0.44, -0.4), 0.1, weight=500, value=0)
    blue.disc((-0.72, 0.02), 0.16)
    blue.disc((-0.72, 0.02), 0.105, value=0)
    blue.disc((-0.72, 0.02), 0.06)
    black.text("Surface cleaner concentrate", (-0.48, -0.06), 0.092, weight=700)
    black.text("pH neutral, for metal and polymer parts", (-0.48, 0.05), 0.066, weight=450)
    black.text("Dilute 1:20 with water before use", (-0.48, 0.15), 0.066, weight=450)
    black.line(np.array([(-0.9, 0.24), (0.9, 0.24)]), 0.012)
    for index, bit in enumerate(BARCODE):
        if bit == "1":
            black.box((-0.87 + 0.0125 * index, 0.4), (0.0135, 0.24))
    black.text("4 006381 333931", (-0.74, 0.61), 0.075, weight=500)
    black.text("LOT 24A117", (0.09, 0.37), 0.082, weight=600)
    black.text("EXP 2028-05", (0.09, 0.48), 0.082, weight=600)
    black.text("NET 500 ml", (0.09, 0.59), 0.082, weight=600)
    code = np.unpackbits(np.frombuffer(b"inspection label matrix", np.uint8)).reshape(-1)
    for index in range(144):
        row, column = divmod(index, 12)
        framed = row == 11 or column == 0 or (row == 0 and column % 2 == 0)
        if framed or code[index]:
            black.box((0.71 + 0.019 * column, 0.34 + 0.019 * row), (0.0195, 0.0195))
    return blue, black


def printed_label(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
                  flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a paper label with two printed colours on brown board."""
    half = (1.0, 0.7)
    view = place(shape, half, pose, turn=0.012, fill=0.9)
    scene = cardboard(rng, shape, view.pixel)
    u, v = view.grid()
    distance = rounded_box(u, v, 0.98, 0.68, 0.05) * np.float32(view.unit)
    cover = coverage(distance)
    if flaw is not None and flaw.kind == "missing_piece":
        edge = (np.maximum(np.abs(u) / 0.98, np.abs(v) / 0.68) > 0.9).astype(np.float32)
        cover = bite(cover, flaw, flaw.within(0.1, 0.15), edge)
    blue, black = label_inks(view, half)
    if flaw is not None and flaw.kind == "misprint":
        (black if flaw.rng.random() < 0.7 else blue).spoil(flaw)
    relief = np.float32(0.006 * view.unit) * soft(cover, 1.0)
    relief += np.float32(0.05 * max(0.5, view.pixel)) * clouds(rng, shape, 4 * view.pixel, 2)
    relief += np.float32(1.0 * view.pixel) * clouds(rng, shape, 130 * view.pixel, 2)
    scene.cast_shadow(cover, reach=0.014 * view.unit, depth=0.6)
    scene.lay(cover, rgb(226, 225, 220), height=relief, rough=0.45, gloss=0.03)
    scene.vary(np.float32(1) + cover * np.float32(0.012) * clouds(rng, shape, 60 * view.pixel, 3))
    density = np.clip(0.965 + 0.012 * clouds(rng, shape, max(2.0, 3 * view.pixel), 2), 0, 1)
    inked = as_plane(density) * cover
    scene.lay(blue.on_frame(view) * inked, rgb(24, 82, 150), gloss=0.07)
    scene.lay(black.on_frame(view) * inked, rgb(30, 29, 32), gloss=0.06)
    scene.part = cover
    scene.zone = cover * ramp(-distance, 0.05 * view.unit, 0.07 * view.unit)
    return scene
