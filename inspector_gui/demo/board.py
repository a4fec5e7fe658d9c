"""A populated circuit board: solder mask, copper, silk-screen, chips and solder joints."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from inspector_gui.demo.backgrounds import mat
from inspector_gui.demo.defects import Flaw
from inspector_gui.demo.printing import Artwork
from inspector_gui.demo.scene import Scene, View, place
from inspector_gui.demo.surfaces import (
    Plane,
    Points,
    Shape,
    as_points,
    clouds,
    coverage,
    dome,
    grain,
    ramp,
    rgb,
    rounded_box,
    soft,
)

HALF = (1.0, 0.72)
LEG_PITCH = 0.05


@dataclass(frozen=True)
class Chip:
    """A two-ended chip component: a resistor (black) or a capacitor (tan)."""

    name: str
    at: tuple[float, float]
    turn: float = 0.0
    tan: bool = False


@dataclass(frozen=True)
class Package:
    """A leaded package with `legs` on each side; `square` ones have legs all around."""

    name: str
    at: tuple[float, float]
    size: tuple[float, float]
    legs: int
    square: bool = False


CHIPS = (
    *(Chip(f"R{k + 1}", (-0.62 + 0.19 * k, 0.475), math.pi / 2) for k in range(5)),
    *(Chip(f"C{k + 2}", (0.34 + 0.14 * k, 0.49), math.pi / 2, tan=True) for k in range(4)),
    Chip("R6", (-0.62, 0.22)),
    Chip("R7", (-0.62, 0.345)),
    Chip("C6", (0.2, -0.3), math.pi / 2, tan=True),
    Chip("C7", (0.2, 0.05), math.pi / 2, tan=True),
    Chip("R8", (0.84, -0.28), math.pi / 2),
    Chip("R9", (0.84, -0.02), math.pi / 2),
    Chip("C8", (0.84, 0.24), math.pi / 2, tan=True),
)
PACKAGES = (
    Package("U1", (-0.17, -0.08), (0.4, 0.4), 8, square=True),
    Package("U2", (0.5, -0.3), (0.2, 0.36), 7),
    Package("U3", (0.5, 0.2), (0.2, 0.26), 5),
)
TRACES = (
    *(((-0.62 + 0.19 * k, 0.42), (-0.62 + 0.19 * k, 0.3), (-0.35 + 0.05 * k, 0.22),
       (-0.35 + 0.05 * k, 0.14)) for k in range(5)),
    *(((0.08, -0.22 + 0.05 * k), (0.2 + 0.02 * k, -0.22 + 0.05 * k),
       (0.28, -0.4 + 0.05 * k), (0.36, -0.4 + 0.05 * k)) for k in range(5)),
    *(((0.64, 0.1 + 0.05 * k), (0.72, 0.1 + 0.05 * k), (0.84, -0.02 + 0.07 * k)) for k in range(3)),
    *(((0.64, -0.44 + 0.05 * k), (0.74, -0.44 + 0.05 * k), (0.92, -0.3 + 0.05 * k),
       (0.92, 0.36 + 0.03 * k)) for k in range(3)),
    *(((-0.42, -0.22 + 0.05 * k), (-0.5, -0.22 + 0.05 * k), (-0.6, -0.12 + 0.05 * k),
       (-0.92, -0.12 + 0.05 * k)) for k in range(5)),
    *(((-0.3 + 0.05 * k, -0.32), (-0.3 + 0.05 * k, -0.4), (-0.2 + 0.1 * k, -0.5),
       (-0.2 + 0.1 * k, -0.58)) for k in range(7)),
    *(((0.36 + 0.14 * k, 0.46), (0.36 + 0.14 * k, 0.41), (0.44 + 0.05 * k, 0.37),
       (0.44 + 0.05 * k, 0.33)) for k in range(4)),
    ((-0.72, 0.24), (-0.82, 0.24), (-0.9, 0.32), (-0.9, 0.55)),
    ((-0.52, 0.34), (-0.45, 0.34), (-0.4, 0.39), (0.3, 0.39), (0.34, 0.43)),
)  # fmt: skip
VIAS = (
    (-0.92, -0.12), (-0.92, -0.07), (-0.92, -0.02), (-0.92, 0.03), (-0.92, 0.08), (-0.9, 0.55),
    (0.92, 0.36), (0.92, 0.39), (0.92, 0.42), (0.3, 0.39), (0.06, 0.3), (-0.46, -0.32),
    (0.26, -0.56), (0.3, 0.05), (0.68, 0.38), (-0.34, -0.56),
)  # fmt: skip


@dataclass(frozen=True)
class Layers:
    """One artwork per material of the board."""

    copper: Artwork
    tin: Artwork
    dark: Artwork
    tan: Artwork
    silk: Artwork
    drilled: Artwork


def turned_box(centre: tuple[float, float], size: tuple[float, float], turn: float) -> Points:
    """Trace a turned box as 4 x 2 part coordinates."""
    cos, sin = math.cos(turn), math.sin(turn)
    corner = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * np.array(size)
    return as_points(corner @ np.array([[cos, sin], [-sin, cos]]) + np.array(centre))


def leg_places(package: Package) -> list[tuple[float, float, float]]:
    """Give every leg's middle and direction (x, y, turn) in part coordinates."""
    x, y = package.at
    width, height = package.size
    steps = [(k - (package.legs - 1) / 2) * LEG_PITCH for k in range(package.legs)]
    out = 0.04
    places = [(x + side * (width / 2 + out), y + step, 0.0) for side in (-1, 1) for step in steps]
    if package.square:
        places += [(x + step, y + side * (height / 2 + out), math.pi / 2)
                   for side in (-1, 1) for step in steps]  # fmt: skip
    return places


def mount_chip(layers: Layers, chip: Chip, *, mounted: bool, shift: tuple[float, float],
               twist: float) -> None:  # fmt: skip
    """Draw a chip's pads and name and, where it is mounted, the chip itself."""
    ends = np.array([math.cos(chip.turn), math.sin(chip.turn)]) * 0.075
    for side in (-1, 1):
        pad = (chip.at[0] + side * float(ends[0]), chip.at[1] + side * float(ends[1]))
        layers.tin.polygon(turned_box(pad, (0.075, 0.104), chip.turn), 205)
    if chip.turn and not chip.tan:
        layers.silk.text(chip.name, (chip.at[0] + 0.06, chip.at[1] + 0.015), 0.045, weight=500)
    elif not chip.turn:
        layers.silk.text(chip.name, (chip.at[0] + 0.13, chip.at[1] + 0.018), 0.045, weight=500)
    if not mounted:
        return
    at = (chip.at[0] + shift[0], chip.at[1] + shift[1])
    turn = chip.turn + twist
    layers.tin.polygon(turned_box(at, (0.19, 0.096), turn))
    (layers.tan if chip.tan else layers.dark).polygon(turned_box(at, (0.12, 0.096), turn))
    (layers.dark if chip.tan else layers.tan).polygon(turned_box(at, (0.12, 0.096), turn), 0)


def draw_layers(view: View, rng: np.random.Generator, flaw: Flaw | None) -> Layers:
    """Draw the board's artwork, with its few hundredths of natural placement error."""
    layers = Layers(*(Artwork(view, HALF) for _ in range(6)))
    for trace in TRACES:
        layers.copper.line(np.array(trace), 0.016)
    for via in VIAS:
        layers.copper.disc(via, 0.024)
        layers.tin.disc(via, 0.016, 200)
        layers.drilled.disc(via, 0.008)
    for x in (-0.9, 0.9):
        for y in (-0.62, 0.62):
            layers.tin.disc((x, y), 0.07, 215)
            layers.drilled.disc((x, y), 0.045)
    odd = int(flaw.rng.integers(len(CHIPS) - 2)) if flaw is not None else -1
    for index, chip in enumerate(CHIPS):
        dx, dy = rng.normal(0, 0.0015, 2).tolist()
        twist = float(rng.normal(0, 0.01))
        bare = flaw is not None and flaw.kind == "missing_piece" and odd <= index <= odd + 2
        if flaw is not None and flaw.kind == "misplaced" and index == odd:
            twist += float(flaw.rng.uniform(0.5, 1.0)) * float(flaw.rng.choice([-1, 1]))
            dx, dy = flaw.rng.uniform(-0.035, 0.035, 2).tolist()
        mount_chip(layers, chip, mounted=not bare, shift=(dx, dy), twist=twist)
    for package in PACKAGES:
        for x, y, turn in leg_places(package):
            layers.tin.polygon(turned_box((x, y), (0.085, 0.026), turn))
        layers.dark.box(package.at, package.size)
        corner = (package.at[0] - package.size[0] / 2, package.at[1] - package.size[1] / 2)
        layers.silk.text(package.name, (corner[0] - 0.02, corner[1] - 0.1), 0.06)
    if flaw is not None and flaw.kind == "solder_bridge":
        bridge(layers, flaw)
    draw_large(layers)
    return layers


def draw_large(layers: Layers) -> None:
    """Draw the header, the crystal and the board's own lettering."""
    layers.dark.box((0.1, -0.6), (0.72, 0.1))
    for k in range(7):
        layers.tin.box((-0.2 + 0.1 * k, -0.6), (0.034, 0.034))
        layers.dark.box((-0.2 + 0.1 * k, -0.6), (0.034, 0.034), 0)
    layers.tin.polygon(turned_box((-0.62, 0.02), (0.2, 0.1), 0.0), 235)
    layers.silk.text("Y1", (-0.84, 0.19), 0.055)
    layers.silk.text("CTRL-204 REV C", (-0.42, 0.66), 0.07, weight=600)
    layers.silk.text("J1", (0.5, -0.58), 0.06)
    layers.silk.disc((-0.46, -0.33), 0.016)


def bridge(layers: Layers, flaw: Flaw) -> None:
    """Join two or three neighbouring legs with a blob of solder."""
    package = PACKAGES[int(flaw.rng.integers(len(PACKAGES)))]
    places = leg_places(package)[: package.legs]
    first = int(flaw.rng.integers(len(places) - 3))
    for x, y, _ in places[first : first + int(flaw.rng.integers(3, 5))]:
        layers.tin.disc((x - float(flaw.rng.uniform(0.0, 0.03)), y), 0.055)


def circuit_board(shape: Shape, pose: np.random.Generator, rng: np.random.Generator,
                  flaw: Flaw | None) -> Scene:  # fmt: skip
    """Paint a green double-sided board with leaded and chip components on a dark mat."""
    view = place(shape, HALF, pose, turn=0.006, fill=0.9, shift=0.004)
    scene = mat(rng, shape, view.pixel, rgb(70, 72, 78))
    u, v = view.grid()
    unit = np.float32(view.unit)
    edge = rounded_box(u, v, 0.985, 0.705, 0.04) * unit
    cover = coverage(edge)
    layers = draw_layers(view, rng, flaw)
    scene.cast_shadow(cover, reach=0.035 * view.unit, depth=0.75)
    _lay_laminate(scene, rng, view, layers, cover)
    _lay_components(scene, rng, view, layers)
    _lay_can(scene, view, (u, v))
    scene.part, scene.zone = cover, coverage(edge + np.float32(0.06) * unit)
    return scene


def _lay_laminate(scene: Scene, rng: np.random.Generator, view: View, layers: Layers,
                  cover: Plane) -> None:  # fmt: skip
    """Lay the solder mask over glass weave and copper, and print the silk-screen."""
    copper = layers.copper.on_frame(view)
    relief = np.float32(0.012 * view.unit) * soft(cover, 1.2)
    relief += np.float32(0.005 * view.unit) * soft(copper, 1.0)
    relief += np.float32(0.12 * max(0.5, view.pixel)) * soft(grain(rng, view.shape), 0.9)
    relief += np.float32(0.8 * view.pixel) * clouds(rng, view.shape, 80 * view.pixel, 2)
    scene.lay(cover, rgb(22, 92, 56), height=relief, rough=0.25, gloss=0.06)
    scene.lay(copper * cover * np.float32(0.85), rgb(54, 138, 78))
    scene.vary(
        np.float32(1) + cover * np.float32(0.035) * clouds(rng, view.shape, 20 * view.pixel, 3)
    )
    scene.lay(layers.silk.on_frame(view) * np.float32(0.88), rgb(222, 224, 218), gloss=0.02)


def _lay_components(scene: Scene, rng: np.random.Generator, view: View, layers: Layers) -> None:
    """Lay solder, chip bodies and packages, each with its own relief and shadow."""
    tin, dark, tan = (layer.on_frame(view) for layer in (layers.tin, layers.dark, layers.tan))
    bodies = np.maximum(dark, tan)
    joint = np.float32(0.016 * view.unit) * dome(tin, 0.02 * view.unit)
    joint += np.float32(0.12 * max(0.5, view.pixel)) * clouds(
        rng, view.shape, max(3.0, 6 * view.pixel), 2
    )
    scene.cast_shadow(np.maximum(bodies, tin * np.float32(0.5)), reach=0.022 * view.unit, depth=0.7)
    scene.lay(tin, rgb(204, 206, 208), height=joint, rough=0.34, gloss=0.7, metal=1.0)
    top = np.float32(0.022 * view.unit) * dome(bodies, 0.02 * view.unit)
    top += np.float32(0.2 * max(0.5, view.pixel)) * soft(grain(rng, view.shape), 0.9)
    scene.lay(tan, rgb(178, 140, 102), height=top, rough=0.4, gloss=0.06)
    scene.lay(dark, rgb(46, 46, 49), height=top, rough=0.4, gloss=0.07)
    marks = Artwork(view, HALF)
    marks.text("STK32", (-0.17, -0.09), 0.09, weight=500, centred=True)
    marks.text("F103 2407", (-0.17, -0.01), 0.055, weight=450, centred=True)
    marks.text("74HC", (0.5, -0.28), 0.055, weight=450, centred=True)
    marks.text("LM5", (0.5, 0.22), 0.055, weight=450, centred=True)
    marks.disc((-0.32, -0.23), 0.018)
    scene.tint(marks.on_frame(view) * np.float32(0.55), rgb(176, 176, 172))
    drilled = layers.drilled.on_frame(view)
    scene.lay(drilled, rgb(20, 20, 22), height=0.0, gloss=0.0)


def _lay_can(scene: Scene, view: View, grid: tuple[Plane, Plane]) -> None:
    """Stand an electrolytic capacitor on the board: an aluminium can with a dark minus mark."""
    x, y = grid[0] + np.float32(0.7), grid[1] + np.float32(0.42)
    radius = np.sqrt(x * x + y * y)
    can = coverage((radius - np.float32(0.155)) * np.float32(view.unit))
    scene.cast_shadow(can, reach=0.09 * view.unit, depth=0.75)
    relief = np.float32(0.03 * view.unit) * (1 - ramp(radius, 0.115, 0.16))
    scene.lay(can, rgb(196, 198, 202), height=relief, rough=0.34, gloss=0.6, metal=1.0)
    mark = can * (1 - ramp(radius, 0.134, 0.138)) * (x < -0.07)
    scene.lay(mark, rgb(40, 42, 52), gloss=0.1)
