"""Draw one picture of a good or defective part of a named kind."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.board import circuit_board
from inspector_gui.demo.defects import SURFACE_DEFECTS, Flaw
from inspector_gui.demo.moulded import bottle_cap, connector, gasket
from inspector_gui.demo.packed import blister_pack, printed_label
from inspector_gui.demo.scene import Camera, Light, Scene, changed_window, develop, expose, set_up
from inspector_gui.demo.sheets import brushed_sheet, woven_fabric
from inspector_gui.demo.surfaces import Bytes, Plane, Shape, as_plane
from inspector_gui.demo.turned import gear, washer

SMALLEST_SIDE, LARGEST_SIDE = 64, 2048
SEEN_DIFFERENCE = 0.026
# A defect that happens to be nearly invisible is drawn anew, elsewhere.
LEAST_SHARE, ATTEMPTS = 0.0025, 6

Painter = Callable[[Shape, np.random.Generator, np.random.Generator, Flaw | None], Scene]


@dataclass(frozen=True)
class PartModel:
    """How a kind of part is drawn; `built_in` defects change how the part itself is drawn."""

    kind: str
    paint: Painter
    laid_on: tuple[str, ...]
    built_in: tuple[str, ...] = ()
    light: Light = field(default_factory=Light)

    @property
    def defects(self) -> tuple[str, ...]:
        """Name every defect that makes sense on the part."""
        return self.built_in + self.laid_on


_MODELS = (
    PartModel("washer", washer, ("scratch", "dent", "stain", "burr", "contamination", "crack")),
    PartModel("gear", gear, ("scratch", "dent", "stain", "contamination"), ("missing_piece",)),
    PartModel(
        "gasket", gasket, ("crack", "burr", "contamination", "discolouration"), ("missing_piece",)
    ),
    PartModel(
        "connector", connector, ("crack", "contamination", "scratch"),
        ("bent_pin", "missing_piece"),
    ),
    PartModel(
        "blister_pack", blister_pack, ("contamination", "dent", "hole"),
        ("missing_piece", "crack", "discolouration"),
    ),
    PartModel(
        "printed_label", printed_label, ("stain", "scratch", "contamination"),
        ("misprint", "missing_piece"),
    ),
    PartModel(
        "woven_fabric", woven_fabric, ("stain", "contamination"),
        ("pulled_thread", "hole", "discolouration"), Light(key=0.85, ambient=0.34),
    ),
    PartModel(
        "brushed_sheet", brushed_sheet,
        ("scratch", "dent", "stain", "contamination", "discolouration", "hole"),
    ),
    PartModel(
        "circuit_board", circuit_board, ("scratch", "stain", "contamination"),
        ("missing_piece", "misplaced", "solder_bridge"),
    ),
    PartModel(
        "bottle_cap", bottle_cap, ("scratch", "stain", "crack", "contamination", "burr"),
        ("missing_piece", "misprint"),
    ),
)  # fmt: skip

PART_KINDS: tuple[str, ...] = tuple(model.kind for model in _MODELS)
DEFECT_KINDS: tuple[str, ...] = tuple(sorted({name for model in _MODELS for name in model.defects}))


@dataclass(frozen=True)
class DrawnPart:
    """A drawn picture: `image` H x W x 3 uint8 RGB, `mask` H x W bool, True on the defect."""

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    kind: str
    defect: str | None


def defects_for(kind: str) -> tuple[str, ...]:
    """Name the defects that make sense on a kind of part."""
    return _model(kind).defects


def draw_part(
    kind: str, *, seed: int, size: int | tuple[int, int] = 512, defect: str | None = None
) -> DrawnPart:
    """Draw one part; `size` is the side or (height, width) in pixels.

    The same arguments give the same bits, and a seed gives the same pose, light and texture
    with a defect as without it.
    """
    model = _model(kind)
    shape = _shape(size)
    if defect is not None and defect not in model.defects:
        known = ", ".join(model.defects)
        raise ValueError(f"A {kind} has no defect called {defect!r}; it can have {known}.")
    if seed < 0:
        raise ValueError(f"The seed must not be negative, but it is {seed}.")
    scene = _paint(model, seed, shape, None)
    camera = set_up(_source(kind, seed, "camera"), min(shape) / 512, model.light)
    picture = develop(scene, camera)
    mask = np.zeros(shape, np.bool_)
    if defect is not None:
        enough = LEAST_SHARE * float(scene.part.sum())
        for attempt in range(ATTEMPTS):
            source = _source(kind, seed, f"{defect} {attempt}")
            spoiled = _spoil(model, seed, scene, Flaw(defect, source, _span(scene)))
            merged, mask = _merge(picture, scene, spoiled, camera)
            if np.count_nonzero(mask) >= enough:
                break
        picture = merged
    image = expose(picture, camera.noise, _source(kind, seed, "noise"))
    return DrawnPart(image=image, mask=mask, kind=kind, defect=defect)


def _model(kind: str) -> PartModel:
    for model in _MODELS:
        if model.kind == kind:
            return model
    raise ValueError(f"There is no part kind {kind!r}; the kinds are {', '.join(PART_KINDS)}.")


def _shape(size: int | tuple[int, int]) -> Shape:
    height, width = (size, size) if isinstance(size, int) else size
    if not all(SMALLEST_SIDE <= side <= LARGEST_SIDE for side in (height, width)):
        raise ValueError(
            f"The size must be {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side, "
            f"but it is {height} x {width}."
        )
    return int(height), int(width)


def _source(kind: str, seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(f"{kind}/{purpose}".encode()), seed])


def _paint(model: PartModel, seed: int, shape: Shape, flaw: Flaw | None) -> Scene:
    pose = _source(model.kind, seed, "pose")
    return model.paint(shape, pose, _source(model.kind, seed, "texture"), flaw)


def _spoil(model: PartModel, seed: int, scene: Scene, flaw: Flaw) -> Scene:
    """Return the good scene with the flaw laid on it, or the part painted anew with it."""
    if flaw.kind in model.built_in:
        return _paint(model, seed, scene.part.shape, flaw)
    spoiled = scene.copy()
    dict(SURFACE_DEFECTS)[flaw.kind](spoiled, flaw)
    return spoiled


def _span(scene: Scene) -> float:
    """Measure the part's short side in pixels, within the frame."""
    columns = np.flatnonzero(scene.part.max(axis=0) > 0.5)
    rows = np.flatnonzero(scene.part.max(axis=1) > 0.5)
    return float(min(columns[-1] - columns[0], rows[-1] - rows[0]) + 1)


def _merge(
    picture: Plane, scene: Scene, spoiled: Scene, camera: Camera
) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Put what visibly differs in the spoiled scene into the picture; return that region too."""
    scale = min(scene.part.shape) / 512
    window = changed_window(scene, spoiled, 12 + 6 * camera.blur)
    good, bad = develop(scene, camera, window), develop(spoiled, camera, window)
    difference = cv2.split(cv2.GaussianBlur(cv2.absdiff(good, bad), (0, 0), 0.7))
    seen = np.maximum(np.maximum(difference[0], difference[1]), difference[2]) > SEEN_DIFFERENCE
    solid = _close(seen.view(np.uint8), max(3, 2 * round(4 * scale) + 1))
    wide = cv2.dilate(solid, np.ones((5, 5), np.uint8))
    blurred = cv2.blur(wide.astype(np.float32), (3, 3))
    # The blur's rounding errors must not reach pixels far from the defect.
    keep = as_plane(cv2.threshold(blurred, 0.01, 1.0, cv2.THRESH_TOZERO)[1])
    merged, mask = picture.copy(), np.zeros(scene.part.shape, np.bool_)
    bad -= good
    bad *= keep[:, :, None]
    merged[window] += bad
    np.clip(merged[window], np.float32(0), np.float32(1), out=merged[window])
    mask[window] = solid > 0
    return merged, mask


def _close(seen: Bytes, reach: int) -> Bytes:
    """Join nearby pixels, fill what they enclose and drop specks (H x W uint8, 0 or 1)."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    joined = cv2.morphologyEx(seen, cv2.MORPH_CLOSE, disc)
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(outline) + len(outline) for outline in outlines]
    large = [
        outline for outline, area in zip(outlines, areas, strict=True) if area >= 0.04 * max(areas)
    ]
    solid: Bytes = np.zeros(joined.shape, np.uint8)
    cv2.drawContours(solid, large, -1, (1,), cv2.FILLED)
    return solid
