"""A picture to the network's input, and a map on that input back to the picture."""

from dataclasses import dataclass

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import KEEP, RGB, SQUASH, Bools, Floats, Scoring

SIDE_MULTIPLE = 32
MOST_AT_ONCE = 2048
"""Longest side of an input that the network sees in one piece, in pixels."""
MOST_IN_TILES = 8192
"""Longest side of one that it sees tile by tile."""
MIN_TILE = 512
"""Smallest side of a tile: below it, more is overlap than is kept."""


@dataclass(frozen=True)
class Placement:
    """Where a picture lies on the network's input, and what of it lies there.

    `rows` and `columns`: first and last + 1 pixel of the input that show the picture (last + 1 of
    the crop where that cuts the picture off). `offset`: y, x of the whole resized picture's corner
    on the input, `content`: its height, width; `picture`: height, width of the picture itself.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    offset: tuple[int, int]
    content: tuple[int, int]
    picture: tuple[int, int]

    @property
    def area(self) -> tuple[float, float, float, float]:
        """The part of the picture that is inspected: x, y, width, height in its pixels."""
        top, bottom = self._on_picture(0, self.rows)
        left, right = self._on_picture(1, self.columns)
        return left, top, right - left, bottom - top

    def to_picture(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the input is on the picture; both in pixels, x before y."""
        return self._on_picture(1, (x, x))[0], self._on_picture(0, (y, y))[0]

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point of the picture is on the input; the inverse of `to_picture`."""
        column = x * self.content[1] / self.picture[1] + self.offset[1]
        return column, y * self.content[0] / self.picture[0] + self.offset[0]

    def cells(self, stride: int) -> tuple[int, int, int, int]:
        """Return the cells of a grid of the input that show any of the picture.

        As first row, first column, last row + 1, last column + 1.
        """
        (top, bottom), (left, right) = self.rows, self.columns
        return top // stride, left // stride, -(-bottom // stride), -(-right // stride)

    def outside(self, axis: int, side: int) -> Bools:
        """Return which of `side` pixels along an axis of the picture are not inspected.

        The picture is taken as resized to `side` pixels along the axis (0: rows, 1: columns).
        """
        first, last = (self.rows, self.columns)[axis]
        centres = (np.arange(side) + 0.5) * self.content[axis] / side + self.offset[axis]
        return np.asarray((centres < first) | (centres >= last), np.bool_)

    def _on_picture(self, axis: int, ends: tuple[float, float]) -> tuple[float, float]:
        scale = self.picture[axis] / self.content[axis]
        return (ends[0] - self.offset[axis]) * scale, (ends[1] - self.offset[axis]) * scale


@dataclass(frozen=True)
class Geometry:
    """How a picture is brought to the network: to `size` x `height`, then centre-cropped.

    `height` = 0 means square, `crop` = 0 keeps everything. `fit` presses a picture into that shape
    (`SQUASH`) or fits it inside in its own (`KEEP`). `tiles`: see `core.tiles`. Sides are multiples
    of 32, so that all pyramid grids nest.
    """

    size: int
    crop: int = 0
    height: int = 0
    fit: str = SQUASH
    tiles: int = 0

    def __post_init__(self) -> None:
        largest = MOST_IN_TILES if self.tiles else MOST_AT_ONCE
        for side in (self.crop,) if self.crop else (self.size, self.height or self.size):
            if side % SIDE_MULTIPLE or not SIDE_MULTIPLE <= side <= largest:
                hint = "" if self.tiles else f" Up to {MOST_IN_TILES} pixels work in tiles."
                raise KnownError(
                    f"The network's input must be a multiple of {SIDE_MULTIPLE} pixels between "
                    f"{SIDE_MULTIPLE} and {largest}, not {side}.{hint if side > largest else ''}"
                )
        if not (1 <= self.size <= MOST_IN_TILES and 0 <= self.height <= MOST_IN_TILES):
            raise KnownError(f"Pictures are resized to between 1 and {MOST_IN_TILES} pixels.")
        if self.crop > min(self.size, self.height or self.size):
            raise KnownError(
                f"A crop of {self.crop} does not fit into a size of "
                f"{self.size if self.height in (0, self.size) else f'{self.size} x {self.height}'}."
            )
        if self.fit not in (SQUASH, KEEP):
            raise KnownError(f"There is no fit {self.fit!r}; choose {SQUASH} or {KEEP}.")
        if self.tiles and (
            self.tiles % SIDE_MULTIPLE or not MIN_TILE <= self.tiles <= MOST_AT_ONCE
        ):
            raise KnownError(
                f"A tile's side must be a multiple of {SIDE_MULTIPLE} pixels between {MIN_TILE} "
                f"and {MOST_AT_ONCE}, or 0 for no tiles, not {self.tiles}."
            )

    @classmethod
    def of(cls, scoring: Scoring) -> "Geometry":
        """Return the geometry of a recipe."""
        return cls(scoring.size, scoring.crop, scoring.height, scoring.fit, scoring.tiles)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the network's input in pixels."""
        return self.crop or self.height or self.size, self.crop or self.size

    def placement(self, height: int, width: int) -> Placement:
        """Return where a picture of `height` x `width` pixels lies on the network's input.

        A picture smaller than the input begins at a multiple of 32, near the middle: then what
        the network sees of it never moves against its grids.
        """
        box = self.height or self.size, self.size
        content = box
        if self.fit == KEEP:
            scale = min(box[0] / height, box[1] / width)
            tall, wide = (max(1, round(side * scale)) for side in (height, width))
            content = min(tall, box[0]), min(wide, box[1])
        offsets, ends = [], []
        for of_box, side, of_content in zip(box, self.input_size, content, strict=True):
            start = (of_box - of_content) // 2 - (of_box - side) // 2
            start -= start % SIDE_MULTIPLE if start > 0 else 0
            offsets.append(start)
            ends.append((max(0, start), min(side, start + of_content)))
        return Placement(ends[0], ends[1], (offsets[0], offsets[1]), content, (height, width))

    def apply(self, image: RGB) -> RGB:
        """Return what the network sees of a picture: uint8, h x w x 3.

        These are the rows and columns of its `placement`, extended below and to the right to a
        multiple of 32 with the picture's own mirror image; all of the input where nothing is
        padded.
        """
        place = self.placement(*image.shape[:2])
        resized = resize(image, *place.content)
        seen = resized[_from(place.rows, place.offset[0]), _from(place.columns, place.offset[1])]
        below, right = (-side % SIDE_MULTIPLE for side in seen.shape[:2])
        if below or right:
            mirror = cv2.BORDER_REFLECT_101
            extended = cv2.copyMakeBorder(seen, 0, below, 0, right, mirror)
            return np.asarray(extended, np.uint8)
        return seen

    def to_picture(
        self, values: Floats, height: int, width: int, *, frame: tuple[int, int] | None = None
    ) -> Floats:
        """Return a map on the network's input (float32) on an H x W picture.

        What was cropped away is given the map's minimum: it was not inspected. `frame` resizes the
        picture to this height and width.
        """
        place = self.placement(height, width)
        seen = values[slice(*place.rows), slice(*place.columns)]
        if seen.shape != place.content:
            whole = np.full(place.content, seen.min(), np.float32)
            rows, columns = (
                _from(place.rows, place.offset[0]),
                _from(place.columns, place.offset[1]),
            )
            whole[rows, columns] = seen
            seen = whole
        size = frame or (height, width)
        resized = cv2.resize(seen, size[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.float32)


def _from(ends: tuple[int, int], start: int) -> slice:
    return slice(ends[0] - start, ends[1] - start)


def resize(image: RGB, height: int, width: int) -> RGB:
    """Return `image` resized; sides that shrink are averaged (area), sides that grow are linear."""
    shrunk = (min(width, image.shape[1]), min(height, image.shape[0]))
    if shrunk != (image.shape[1], image.shape[0]):
        image = np.asarray(cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    if shrunk != (width, height):
        grown = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        image = np.asarray(grown, np.uint8)
    return image


def normalise(
    image: RGB, mean: tuple[float, float, float], std: tuple[float, float, float]
) -> Floats:
    """Return (image - mean) / std as float32, 1 x 3 x H x W; mean and std in 0..255."""
    values = np.empty((1, 3, *image.shape[:2]), np.float32)
    for channel, (m, s) in enumerate(zip(mean, std, strict=True)):
        plane = values[0, channel]
        plane[...] = image[:, :, channel]
        plane *= np.float32(1.0 / s)
        plane += np.float32(-m / s)
    return values
