"""Flat goods that fill the frame: a woven fabric and a brushed steel sheet."""

from __future__ import annotations

import math

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.defects import Flaw, blot, find_spot
from inspector_gui.demo.scene import Scene
from inspector_gui.demo.surfaces import (
    Plane,
    Shape,
    as_plane,
    clouds,
    coverage,
    grain,
    ramp,
    rgb,
    streaks,
)

THREADS = 52


def woven_fabric(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
                 flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a plain-woven technical cloth with uneven threads, filling the frame."""
    pixel = min(shape) / 512
    pitch = max(4.5, min(shape) / THREADS)
    scene = Scene.plain(shape, rgb(150, 158, 160), rough=0.5, gloss=0.03)
    scene.part += 1
    scene.zone[2:-2, 2:-2] = 1
    tilt = float(pose.uniform(-0.02, 0.02))
    start = pose.uniform(0, 1, 2)
    x = np.arange(shape[1], dtype=np.float32)[None, :] / np.float32(pitch)
    y = np.arange(shape[0], dtype=np.float32)[:, None] / np.float32(pitch)
    wavy = np.float32(0.22)
    warp_at = (
        x + np.float32(tilt) * y + wavy * clouds(rng, shape, 9 * pitch, 2) + np.float32(start[0])
    )
    weft_at = (
        y - np.float32(tilt) * x + wavy * clouds(rng, shape, 9 * pitch, 2) + np.float32(start[1])
    )
    lift = np.zeros(shape, np.float32)
    if flaw is not None and flaw.kind == "pulled_thread":
        warp_at, weft_at, lift = _pull(scene, flaw, warp_at, weft_at, pitch)
    warp, weft = _weave(rng, warp_at, weft_at, lift, pitch)
    tones = rng.uniform(-1.6, 1.6, (2, 1, shape[0] + shape[1] + 8)).astype(np.float32)
    shades = (_by_thread(tones[0], warp_at, 6), _by_thread(tones[1], weft_at, 6))
    fibres = (streaks(rng, shape, 1.2 * pitch), streaks(rng, shape[::-1], 1.2 * pitch).T)
    above = ramp(warp - weft, -0.12, 0.12)
    scene.height += np.float32(0.42 * pitch) * np.maximum(warp, weft)
    scene.height += np.float32(0.12 * max(1.0, pixel)) * (
        fibres[1] * above + fibres[0] * (1 - above)
    )
    tone = np.float32(0.06) * (shades[0] * above + shades[1] * (1 - above))
    scene.vary(np.float32(1) + tone + np.float32(0.05) * grain(rng, shape))
    scene.stain(1 - above, (0.74, 0.84, 0.98))
    deep = ramp(np.maximum(warp, weft), 0.1, 0.75)
    scene.shade *= np.float32(0.32) + np.float32(0.68) * deep
    scene.shade += lift * (np.float32(1.15) - scene.shade)
    scene.tint(lift * np.float32(0.45), rgb(226, 230, 230))
    if flaw is not None and flaw.kind == "hole":
        _tear(scene, flaw, fibres)
    if flaw is not None and flaw.kind == "discolouration":
        _miscolour(scene, flaw, weft_at, 1 - above)
    return scene


def _by_thread(tones: Plane, at: Plane, margin: int) -> Plane:
    """Look up one value per thread; nearest lookup keeps a thread's tone to that thread."""
    index = np.floor(at) + np.float32(margin)
    return as_plane(cv2.remap(tones, index, np.zeros_like(index), cv2.INTER_NEAREST,
                              borderMode=cv2.BORDER_REFLECT))  # fmt: skip


def _weave(rng: np.random.Generator, warp_at: Plane, weft_at: Plane, lift: Plane,
           pitch: float) -> tuple[Plane, Plane]:  # fmt: skip
    """Return how high warp and weft threads stand at every pixel, about 0 to 1."""
    pi = np.float32(math.pi)
    half = np.float32(0.5)
    uneven = np.float32(0.05) * clouds(rng, warp_at.shape, 3 * pitch, 2)
    warp_off = (warp_at - np.floor(warp_at) - half) * (np.float32(2.05) + uneven)
    weft_off = (weft_at - np.floor(weft_at) - half) * (np.float32(2.05) - uneven)
    warp_sign = np.float32(1) - np.float32(2) * (np.floor(warp_at) % 2)
    weft_sign = np.float32(1) - np.float32(2) * (np.floor(weft_at) % 2)
    warp = np.sqrt(np.maximum(1 - warp_off * warp_off, 0)) * np.float32(0.62)
    weft = np.sqrt(np.maximum(1 - weft_off * weft_off, 0)) * np.float32(0.62)
    warp += np.float32(0.36) * np.sin(pi * weft_at) * warp_sign
    weft -= np.float32(0.36) * np.sin(pi * warp_at) * weft_sign
    return warp, weft + lift * np.float32(0.9)


def _pull(scene: Scene, flaw: Flaw, warp_at: Plane, weft_at: Plane,
          pitch: float) -> tuple[Plane, Plane, Plane]:  # fmt: skip
    """Pull one weft thread tight: it floats over the cloth and crowds its neighbours."""
    x0, y0 = find_spot(scene.zone, flaw.rng, 0.2 * flaw.span)
    x = np.arange(scene.zone.shape[1], dtype=np.float32)[None, :] - np.float32(x0)
    thread = np.floor(weft_at[int(y0), int(x0)])
    reach = np.float32(flaw.within(0.1, 0.15))
    along = as_plane(np.exp(-((x / reach) ** 4))) * np.ones_like(weft_at)
    offset = weft_at - thread - np.float32(0.5)
    near = as_plane(np.exp(-((offset / np.float32(2.2)) ** 2)))
    gather = np.float32(float(flaw.rng.uniform(0.6, 0.8))) * along * near
    pulled = weft_at - gather * np.tanh(offset * np.float32(2.0))
    sag = np.float32(0.9) * along * near * np.sin(x / reach * np.float32(2.2))
    strand = coverage(
        (np.abs(weft_at + sag - thread - np.float32(0.5)) - np.float32(0.55)) * np.float32(pitch)
    )
    return warp_at + np.float32(0.35) * sag * near, pulled + sag, strand * along


def _tear(scene: Scene, flaw: Flaw, fibres: tuple[Plane, Plane]) -> None:
    """Open a hole with frayed edges in the finished cloth."""
    radius = max(4.5, flaw.within(0.032, 0.05))
    distance = blot(flaw, scene.zone, radius, ragged=0.25)
    frayed = distance + np.float32(0.12 * radius) * (fibres[0] + fibres[1])
    cover = coverage(frayed)
    fray = as_plane(
        np.exp(-(((distance - np.float32(0.3 * radius)) / np.float32(0.35 * radius)) ** 2))
    )
    scene.tint(fray * np.float32(0.3), rgb(205, 208, 206))
    scene.height *= np.float32(1) - np.float32(0.4) * fray
    scene.lay(cover, rgb(24, 23, 24), height=0.0, gloss=0.0)
    scene.shade *= np.float32(1) - np.float32(0.6) * ramp(-distance, 0.0, 0.5 * radius)


def _miscolour(scene: Scene, flaw: Flaw, weft_at: Plane, weft_above: Plane) -> None:
    """Weave two weft threads of a wrong colour into a stretch of the cloth."""
    x0, y0 = find_spot(scene.zone, flaw.rng, 0.15 * flaw.span)
    first = np.floor(weft_at[int(y0), int(x0)])
    wrong = ((np.floor(weft_at) >= first) & (np.floor(weft_at) < first + 2)).astype(np.float32)
    x = np.arange(scene.zone.shape[1], dtype=np.float32)[None, :] - np.float32(x0)
    stretch = coverage(np.abs(x) - np.float32(flaw.within(0.16, 0.26)))
    scene.stain(wrong * weft_above * stretch * np.float32(0.9), (0.62, 0.34, 0.3))


def brushed_sheet(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
                  flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a brushed stainless-steel sheet that fills the frame, its grain along the rows."""
    pixel = min(shape) / 512
    scene = Scene.plain(shape, rgb(178, 179, 181), rough=0.34, gloss=0.55)
    scene.metal += 1
    scene.part += 1
    scene.zone[2:-2, 2:-2] = 1
    margin = round(12 * pixel) + 2
    wide = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    brushed = streaks(rng, wide, 260 * pixel)
    turn = float(pose.uniform(-0.7, 0.7))
    matrix = cv2.getRotationMatrix2D((wide[1] / 2, wide[0] / 2), turn, 1.0)
    matrix[:, 2] -= margin
    size = (shape[1], shape[0])
    lines = as_plane(cv2.warpAffine(brushed, matrix, size, borderMode=cv2.BORDER_REFLECT))
    scene.height += np.float32(0.13) * lines
    scene.height += np.float32(2.0 * pixel) * clouds(rng, shape, 170 * pixel, 1)
    scene.vary(np.float32(1) + np.float32(0.045) * lines)
    return scene
