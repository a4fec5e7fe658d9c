"""A picture to its features: the pyramid at strides 4, 8, 16 and the global feature of DN2."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from inspector_gui.core.backbones import backbone
from inspector_gui.core.preprocess import Geometry, normalise
from inspector_gui.core.runtimes import Network, load_network
from inspector_gui.core.types import RGB, Floats, Scoring


@dataclass(frozen=True, eq=False)
class Features:
    """What the backbone says of one picture.

    `pooled`: float32, D. `levels`: float32, h x w x C each, finest first (strides 4, 8, 16).
    """

    pooled: Floats
    levels: tuple[Floats, Floats, Floats]


@dataclass(frozen=True)
class FeatureShape:
    """The shapes of `Features`, known before any picture was seen."""

    pooled: int
    levels: tuple[tuple[int, int, int], ...]

    @property
    def values(self) -> int:
        """Number of float32 values of one picture."""
        return self.pooled + sum(h * w * c for h, w, c in self.levels)


class Gallery(Protocol):
    """Features of the references in canonical order; rows are 0 .. len - 1.

    `pooled`: float32, N x D. Reading a row's levels may map a file, never copies them all.
    """

    @property
    def pooled(self) -> Floats: ...

    def __len__(self) -> int: ...

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        """Return the pyramid of one reference, as in `Features.levels`."""
        ...


@dataclass(frozen=True, eq=False)
class FeatureList:
    """A gallery in memory, for tests and small galleries."""

    items: tuple[Features, ...]

    @property
    def pooled(self) -> Floats:
        return np.stack([f.pooled for f in self.items])

    def __len__(self) -> int:
        return len(self.items)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        return self.items[row].levels


def feature_shape(scoring: Scoring) -> FeatureShape:
    """Return the shapes of the features that `scoring` computes."""
    spec = backbone(scoring.backbone)
    side = Geometry(scoring.size, scoring.crop).side
    grids = ((side // s, side // s, c) for s, c in zip((4, 8, 16), spec.channels, strict=True))
    return FeatureShape(spec.global_width, tuple(grids))


class Extractor:
    """Preprocessing and network of one recipe: pictures in, features out. Not thread-safe."""

    def __init__(self, scoring: Scoring, *, weights_folder: Path, cache: Path) -> None:
        self._spec = backbone(scoring.backbone)
        self.geometry = Geometry(scoring.size, scoring.crop)
        self.network: Network = load_network(
            self._spec,
            runtime=scoring.runtime,
            precision=scoring.precision,
            side=self.geometry.side,
            weights_folder=weights_folder,
            cache=cache,
        )

    @property
    def device(self) -> str:
        """Device, runtime and precision in words."""
        return self.network.device

    def prepare(self, image: RGB) -> Floats:
        """Return the network's input for a picture: float32, 1 x 3 x side x side, normalised."""
        return normalise(self.geometry.apply(image), self._spec.mean, self._spec.std)

    def extract(self, image: RGB) -> Features:
        """Return the features of a picture (uint8, H x W x 3, RGB)."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"expected uint8 H x W x 3, got {image.dtype} {image.shape}")
        *maps, pooled = self.network.run(self.prepare(image))
        fine, middle, coarse = (np.ascontiguousarray(m[0].transpose(1, 2, 0)) for m in maps)
        return Features(pooled[0], (fine, middle, coarse))
