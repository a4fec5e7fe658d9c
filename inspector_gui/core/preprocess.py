"""A picture to the network's input, and a map on that input back to the picture."""

from dataclasses import dataclass

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB, Floats

SIDE_MULTIPLE = 32


@dataclass(frozen=True)
class Geometry:
    """How a picture is brought to the network: squashed to `size` x `size`, then centre-cropped.

    `crop` = 0 keeps everything. Sides are multiples of 32, so that all pyramid grids nest.
    """

    size: int
    crop: int = 0

    def __post_init__(self) -> None:
        side = self.side
        if side % SIDE_MULTIPLE or not SIDE_MULTIPLE <= side <= 2048:
            raise KnownError(
                f"The network's input must be a multiple of {SIDE_MULTIPLE} pixels between "
                f"{SIDE_MULTIPLE} and 2048, not {side}."
            )
        if self.crop > self.size:
            raise KnownError(f"A crop of {self.crop} does not fit into a size of {self.size}.")

    @property
    def side(self) -> int:
        """Side of the network's input in pixels."""
        return self.crop or self.size

    @property
    def margin(self) -> int:
        """Pixels cut off before the crop at the top and left."""
        return (self.size - self.side) // 2

    def apply(self, image: RGB) -> RGB:
        """Return the network's input picture: uint8, side x side x 3."""
        resized = resize(image, self.size, self.size)
        start, stop = self.margin, self.margin + self.side
        return resized[start:stop, start:stop]

    def to_picture(self, values: Floats, height: int, width: int) -> Floats:
        """Return a map on the network's input (float32, side x side) on an H x W picture.

        What was cropped away is given the map's minimum: it was not inspected.
        """
        if self.crop and self.crop != self.size:
            whole = np.full((self.size, self.size), values.min(), np.float32)
            start, stop = self.margin, self.margin + self.side
            whole[start:stop, start:stop] = values
            values = whole
        resized = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, np.float32)


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
