"""The pictured scene, how a part lies in it, and the light and camera that take the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from inspector_gui.core.opencv import cv2
from inspector_gui.demo.surfaces import (
    Bytes,
    Colour,
    Plane,
    Points,
    Shape,
    Window,
    as_plane,
    as_points,
    grain,
    soft,
    window_of,
)

WHOLE: Window = (slice(None), slice(None))
BAND_PIXELS = 1 << 15


@dataclass(frozen=True)
class View:
    """Where a part lies in the frame: `unit` pixels per part unit, turned about `centre`."""

    shape: Shape
    unit: float
    angle: float
    centre: tuple[float, float]

    @property
    def pixel(self) -> float:
        """Give the frame's scale: 1 for a short side of 512 pixels."""
        return min(self.shape) / 512

    def grid(self) -> tuple[Plane, Plane]:
        """Return the part coordinates of every pixel as two H x W float32 planes."""
        height, width = self.shape
        x = (np.arange(width, dtype=np.float32) - np.float32(self.centre[0])) / self.unit
        y = (np.arange(height, dtype=np.float32) - np.float32(self.centre[1])) / self.unit
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        u = (x * cos)[None, :] + (y * sin)[:, None]
        v = (y * cos)[:, None] - (x * sin)[None, :]
        return as_plane(u), as_plane(v)

    def to_pixels(self, points: Points) -> Points:
        """Turn N x 2 part coordinates into N x 2 pixel positions (x, y)."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[cos, sin], [-sin, cos]])
        return as_points(points @ turn * self.unit + np.array(self.centre))


def place(
    shape: Shape,
    half: tuple[float, float],
    rng: np.random.Generator,
    *,
    turn: float,
    fill: float = 0.86,
    shift: float = 0.005,
) -> View:
    """Lay a part of `half` extents into the frame with a small natural variation of pose.

    `turn` is the largest rotation either way in radians; a long part is laid along a long frame.
    """
    height, width = shape
    upright = min(width / half[0], height / half[1])
    sideways = min(height / half[0], width / half[1])
    quarter = sideways > 1.3 * upright
    angle = float(rng.uniform(-turn, turn)) + (math.pi / 2 if quarter else 0.0)
    unit = max(upright, sideways if quarter else 0.0) / 2 * fill * float(rng.uniform(0.995, 1.005))
    x, y = (rng.uniform(-shift, shift, 2) * min(shape)).tolist()
    centre = (width / 2 - 0.5 + x, height / 2 - 0.5 + y)
    return View(shape, unit, angle, centre)


@dataclass
class Scene:
    """Planes, all H x W float32, that say what every pixel shows; `albedo` is 3 x H x W.

    `height` is in pixels; `metal`, `gloss` and `shade` run from 0 to 1; `rough` is the spread of
    slopes that still reflect the lamp; `part` is the part's coverage, `zone` where a defect may be.
    """

    albedo: Plane
    height: Plane
    rough: Plane
    gloss: Plane
    metal: Plane
    shade: Plane
    part: Plane
    zone: Plane

    @classmethod
    def plain(cls, shape: Shape, colour: Colour, *, rough: float, gloss: float) -> Scene:
        """Start from an even, flat, non-metallic surface."""
        # One large block costs far fewer page faults than ten planes.
        block = np.empty((10, *shape), np.float32)
        for plane, value in zip(block, (*colour, 0, rough, gloss, 0, 1, 0, 0), strict=True):
            plane.fill(value)
        return cls(block[:3], *block[3:])

    def copy(self) -> Scene:
        """Return a scene that can be changed without changing this one."""
        block = np.empty((10, *self.height.shape), np.float32)
        for plane, own in zip(block[3:], list(vars(self).values())[1:], strict=True):
            plane[:] = own
        block[:3] = self.albedo
        return Scene(block[:3], *block[3:])

    def crop(self, window: Window) -> Scene:
        """Return the part of the scene in a window, sharing its planes."""
        return replace(self, **{name: plane[..., *window] for name, plane in vars(self).items()})

    def tint(self, cover: Plane, colour: Colour) -> None:
        """Move the colour towards `colour` by `cover` (H x W, 0 to 1)."""
        window = window_of(cover)
        _tint(self.albedo[:, *window], cover[window], colour)

    def stain(self, cover: Plane, colour: Colour) -> None:
        """Multiply the colour by `colour` where `cover` is 1, and by less where it is thin."""
        window = window_of(cover)
        for channel, value in zip(self.albedo, colour, strict=True):
            channel[window] *= np.float32(1) + cover[window] * np.float32(value - 1)

    def vary(self, factor: Plane) -> None:
        """Multiply the colour of every pixel by an H x W factor."""
        self.albedo *= factor

    def lay(
        self,
        cover: Plane,
        colour: Colour,
        *,
        height: Plane | float | None = None,
        rough: float | None = None,
        gloss: float | None = None,
        metal: float = 0.0,
    ) -> None:
        """Lay a material over the scene where `cover` (H x W, 0 to 1) says so."""
        window = window_of(cover)
        part, inside = cover[window], self.crop(window)
        _tint(inside.albedo, part, colour)
        _blend(inside.metal, part, metal)
        if height is not None:
            _blend(inside.height, part, height if isinstance(height, float) else height[window])
        if rough is not None:
            _blend(inside.rough, part, rough)
        if gloss is not None:
            _blend(inside.gloss, part, gloss)

    def cast_shadow(
        self, cover: Plane, *, reach: float, depth: float, away: tuple[float, float] = (0.6, 0.8)
    ) -> None:
        """Darken what lies beside `cover`: a tight contact shadow and a wider cast one."""
        window = window_of(cover, 3 * reach + 4)
        part = np.ascontiguousarray(cover[window])
        move = np.array([[1, 0, away[0] * reach], [0, 1, away[1] * reach]], np.float32)
        dark = as_plane(cv2.warpAffine(soft(part, reach * 0.5), move, part.shape[::-1]))
        dark *= np.float32(0.75)
        contact = soft(part, max(0.8, reach * 0.2)) * np.float32(0.9)
        np.maximum(dark, contact, out=dark)
        dark *= np.float32(depth)
        dark *= np.float32(1) - part
        self.shade[window] *= np.float32(1) - dark


def _blend(plane: Plane, cover: Plane, value: Plane | float) -> None:
    """Move a plane towards a value or another plane by `cover`, in place."""
    missing = (np.float32(value) if isinstance(value, float) else value) - plane
    missing *= cover
    plane += missing


def _tint(albedo: Plane, cover: Plane, colour: Colour) -> None:
    for channel, value in zip(albedo, colour, strict=True):
        _blend(channel, cover, float(value))


def changed_window(before: Scene, after: Scene, margin: float) -> Window:
    """Return the window around every pixel that two scenes show differently."""
    changed = before.height != after.height
    for old, new in zip(before.albedo, after.albedo, strict=True):
        changed |= old != new
    for name in ("rough", "gloss", "metal", "shade"):
        changed |= getattr(before, name) != getattr(after, name)
    return window_of(changed.view(np.uint8).astype(np.float32), margin)


@dataclass(frozen=True)
class Light:
    """One large lamp and the even light around it; `slope` is the tilt that mirrors the lamp."""

    slope: tuple[float, float] = (0.28, 0.34)
    key: float = 0.75
    ambient: float = 0.42
    drift: float = 0.10


@dataclass(frozen=True)
class Camera:
    """How the picture is taken: exposure, white balance, blur in pixels, noise in grey levels."""

    exposure: float = 1.0
    balance: Colour = (1.0, 1.0, 1.0)
    blur: float = 0.7
    vignette: float = 0.12
    noise: float = 1.5
    light: Light = field(default_factory=Light)


def set_up(rng: np.random.Generator, pixel: float, light: Light) -> Camera:
    """Vary a station's light and camera as much as a fixed station varies between parts."""
    turn = float(rng.uniform(-0.05, 0.05))
    cos, sin = math.cos(turn), math.sin(turn)
    x, y = light.slope
    moved = replace(
        light,
        slope=(x * cos - y * sin, x * sin + y * cos),
        key=light.key * float(rng.uniform(0.98, 1.02)),
    )
    red, blue = (1 + rng.uniform(-0.012, 0.012, 2)).tolist()
    return Camera(
        exposure=float(rng.uniform(0.975, 1.025)),
        balance=(red, 1.0, blue),
        blur=(0.5 + 0.25 * pixel) * float(rng.uniform(0.95, 1.1)),
        light=moved,
    )


def develop(whole: Scene, camera: Camera, window: Window = WHOLE) -> Plane:
    """Light the scene and form the noise-free picture, H x W x 3 float32 from 0 to 1.

    With a window only that part of the picture is formed, and what lies around it ignored.
    """
    height, width = whole.height.shape
    start, stop, _ = window[0].indices(height)
    left, right, _ = window[1].indices(width)
    picture = np.empty((stop - start, right - left, 3), np.float32)
    reach = math.ceil(4 * camera.blur) + 3
    for first, last in _bands(start, stop, right - left):
        top = max(start, first - reach)
        band = _develop_band(whole, camera, (slice(top, min(stop, last + reach)), window[1]))
        picture[first - start : last - start] = band[first - top : last - top]
    return picture


def _bands(start: int, stop: int, width: int) -> list[tuple[int, int]]:
    """Cut rows into bands that stay in the processor's cache and reuse the same memory."""
    step = max(16, BAND_PIXELS // max(1, width))
    return [(row, min(stop, row + step)) for row in range(start, stop, step)]


def _develop_band(whole: Scene, camera: Camera, window: Window) -> Plane:
    light = camera.light
    height, width = whole.height.shape
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, window[1]]
    y = np.linspace(-1, 1, height, dtype=np.float32)[window[0], None]
    scene = whole.crop(window)
    right = as_plane(cv2.Sobel(scene.height, cv2.CV_32F, 1, 0, scale=1 / 8))
    down = as_plane(cv2.Sobel(scene.height, cv2.CV_32F, 0, 1, scale=1 / 8))
    diffuse, around = _even_light(right, down, light)
    sx, sy = light.slope
    right -= np.float32(sx) + np.float32(light.drift) * x
    down -= np.float32(sy) + np.float32(light.drift) * y
    right *= right
    down *= down
    right += down
    right /= scene.rough * scene.rough
    np.negative(right, out=right)
    lamp = as_plane(np.exp(right))
    lamp *= scene.gloss
    around += lamp * np.float32(1.5 * light.key)
    around -= diffuse
    around *= scene.metal
    diffuse += around
    lamp *= np.float32(1) - scene.metal
    lamp *= np.float32(light.key)
    fall = scene.shade * (1 - np.float32(camera.vignette / 2) * (x * x + y * y))
    diffuse *= fall
    lamp *= fall
    return _form_picture(scene.albedo, diffuse, lamp, camera)


def _even_light(right: Plane, down: Plane, light: Light) -> tuple[Plane, Plane]:
    """Return what matt and what mirroring surfaces get from lamp and surroundings, H x W each."""
    flat = right * right
    flat += down * down
    flat += np.float32(1)
    around = np.float32(0.9 * light.ambient) / flat
    around += np.float32(0.45 * light.ambient)
    sx, sy = light.slope
    # The lamp stands where a surface of slope (sx, sy) mirrors it, so at twice that tilt.
    diffuse = right * np.float32(2 * sx)
    diffuse += down * np.float32(2 * sy)
    diffuse += np.float32(1)
    diffuse /= np.sqrt(flat, out=flat)
    np.maximum(diffuse, np.float32(0), out=diffuse)
    diffuse *= np.float32(light.key)
    diffuse += np.float32(light.ambient)
    return diffuse, around


def _form_picture(albedo: Plane, lit: Plane, bloom: Plane, camera: Camera) -> Plane:
    """Expose, blur and tone-map the lit colours into an H x W x 3 picture from 0 to 1."""
    channels = []
    for channel, gain in zip(albedo, camera.balance, strict=True):
        light = channel * lit
        light += bloom
        light *= np.float32(camera.exposure * gain)
        channels.append(light)
    side = 2 * math.ceil(2.5 * camera.blur) + 1
    picture = as_plane(cv2.GaussianBlur(cv2.merge(channels), (side, side), camera.blur))
    np.maximum(picture, np.float32(0), out=picture)
    # A shoulder instead of a hard clip keeps shape in highlights, as camera curves do.
    shoulder = picture * np.float32(0.15 / 1.15)
    shoulder += np.float32(1 / 1.15)
    picture /= shoulder
    return np.minimum(np.sqrt(picture, out=picture), np.float32(1), out=picture)


def expose(picture: Plane, noise: float, rng: np.random.Generator) -> Bytes:
    """Add sensor noise to an H x W x 3 picture and quantise it to uint8.

    In the square-root scale of the picture shot noise is equally strong at every brightness.
    """
    height, width = picture.shape[:2]
    margin = 24
    field_ = grain(rng, (height + margin, width + margin))
    # Three far shifts of one field are as good as three fields and take a third of the time.
    planes = [field_[s : s + height, margin - s : margin - s + width] for s in (0, 11, 23)]
    image = np.empty(picture.shape, np.uint8)
    for first, last in _bands(0, height, width):
        speckle = cv2.merge([np.ascontiguousarray(plane[first:last]) for plane in planes])
        levels = as_plane(cv2.addWeighted(picture[first:last], 255.0, speckle, noise, 0.5))
        np.clip(levels, np.float32(0), np.float32(255), out=levels)
        image[first:last] = levels.astype(np.uint8)
    return image
