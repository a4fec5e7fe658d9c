"""What the parts lie on: a conveyor belt, a foam mat, paper, a tray."""

from __future__ import annotations

import numpy as np

from inspector_gui.demo.scene import Scene
from inspector_gui.demo.surfaces import Colour, Shape, clouds, drawn_out, grain, rgb, soft, streaks


def belt(rng: np.random.Generator, shape: Shape, pixel: float, colour: Colour) -> Scene:
    """Paint a woven rubber conveyor belt: a fine diagonal pebble and faint lengthwise wear."""
    scene = Scene.plain(shape, colour, rough=0.55, gloss=0.045)
    pitch = max(5.0, 8.0 * pixel)
    turn = np.float32(2 * np.pi / pitch)
    rows = np.cos(np.arange(shape[0], dtype=np.float32) * turn)[:, None]
    columns = np.cos(np.arange(shape[1], dtype=np.float32) * turn)[None, :]
    scene.height += np.float32(0.04 * pitch) * (rows * columns)
    noise = grain(rng, shape)
    scene.height += np.float32(0.25 * max(pixel, 0.5)) * soft(noise, 0.9)
    wear = np.float32(0.05) * clouds(rng, shape, 60 * pixel, 2)
    scene.vary(np.float32(1) + wear + np.float32(0.04) * drawn_out(noise, 70 * pixel))
    return scene


def mat(rng: np.random.Generator, shape: Shape, pixel: float, colour: Colour) -> Scene:
    """Paint a matt foam or anti-static mat with a fine pebble."""
    scene = Scene.plain(shape, colour, rough=0.6, gloss=0.02)
    noise = grain(rng, shape)
    scene.height += np.float32(0.55 * max(0.5, pixel)) * soft(noise, max(0.7, 1.0 * pixel))
    blotch = np.float32(0.02) * clouds(rng, shape, 90 * pixel, 2)
    scene.vary(np.float32(1) + blotch + np.float32(0.03) * noise)
    return scene


def paper(rng: np.random.Generator, shape: Shape, pixel: float) -> Scene:
    """Paint a sheet of off-white inspection paper with a fibrous grain."""
    scene = Scene.plain(shape, rgb(203, 202, 197), rough=0.7, gloss=0.0)
    scene.height += np.float32(0.07 * max(0.5, pixel)) * clouds(rng, shape, 5 * pixel, 2)
    scene.vary(np.float32(1) + np.float32(0.012) * clouds(rng, shape, 90 * pixel, 3))
    return scene


def cardboard(rng: np.random.Generator, shape: Shape, pixel: float) -> Scene:
    """Brown corrugated board with faint flutes and fibres."""
    scene = Scene.plain(shape, rgb(176, 141, 104), rough=0.7, gloss=0.0)
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    flutes = np.sin(x * np.float32(2 * np.pi / max(9.0, 17 * pixel)))
    scene.height += np.float32(0.12 * max(0.6, pixel)) * flutes
    scene.height += np.float32(0.1 * max(0.5, pixel)) * clouds(rng, shape, 5 * pixel, 2)
    fibres = streaks(rng, shape, 22 * pixel)
    mottled = np.float32(0.03) * clouds(rng, shape, 40 * pixel, 3)
    scene.vary(np.float32(1) + np.float32(0.035) * fibres + mottled)
    return scene
