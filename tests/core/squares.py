"""Grey squares with bright spots, and what stands for a network and a place for features."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.images import encode_png
from inspector_gui.core.types import RGB, Floats

SIDE = 32


class Memory:
    """A feature bank in a dictionary; a picture that comes twice fails the test."""

    def __init__(self) -> None:
        self.features: dict[str, Features] = {}

    def append(self, sha256: str, features: Features) -> None:
        assert sha256 not in self.features
        self.features[sha256] = features

    def gallery(self, hashes: Sequence[str]) -> FeatureList:
        return FeatureList(tuple(self.features[sha256] for sha256 in hashes))


class MeanColours:
    """Stands for a network: the mean colour of every cell at strides 4, 8 and 16."""

    device = "no device"

    def __init__(self) -> None:
        self.extracted = 0

    def extract(self, image: RGB) -> Features:
        self.extracted += 1
        levels: list[Floats] = []
        for stride in (4, 8, 16):
            cells = SIDE // stride
            grid = image.reshape(cells, len(image) // cells, cells, -1, 3).mean(axis=(1, 3))
            levels.append(grid.astype(np.float32))
        fine, middle, coarse = levels
        return Features(image.mean(axis=(0, 1)).astype(np.float32), (fine, middle, coarse))


def save(path: Path, image: RGB) -> None:
    """Write a picture as PNG; grey ones (H x W x 1) become RGB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.broadcast_to(image, (*image.shape[:2], 3)).astype(np.uint8)))


def plain(value: int, size: int = 64) -> RGB:
    """Return a square of one grey: H x W x 1."""
    return np.full((size, size, 1), value, np.uint8)
