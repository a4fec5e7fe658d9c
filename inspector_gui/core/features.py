"""A picture to its features: the pyramid at strides 4, 8, 16 and the global feature of DN2."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from inspector_gui.core.backbones import backbone
from inspector_gui.core.neighbours import Ints, nearest
from inspector_gui.core.preprocess import MOST_AT_ONCE, Geometry, Placement, normalise
from inspector_gui.core.quantising import quantised_path
from inspector_gui.core.runtimes import Network, Stack, load_network
from inspector_gui.core.scales import halved, halved_inside
from inspector_gui.core.tiles import STRIDES, run_in_tiles
from inspector_gui.core.types import KEEP, RGB, Floats, Inside, Scoring

_NO_LEVELS = (np.empty((0, 0, 0), np.float32),) * 3

EXACT = "exact"
"""How a gallery searches that compares with every reference."""


@dataclass(frozen=True, eq=False)
class Features:
    """What the backbone says of one picture.

    `pooled`: float32, D. `levels`: float32, h x w x C each, finest first (strides 4, 8, 16).
    `inside` says which places show the picture, None: all. All others hold a copy of the nearest
    one that does, on every level, so that among neighbours they add nothing new. `patches`: scores
    of a stacked network (float32, h x w, see `Extractor`), whose levels stay inside it and are
    empty here.
    """

    pooled: Floats
    levels: tuple[Floats, Floats, Floats]
    inside: Inside | None = None
    patches: Floats | None = None


@dataclass(frozen=True)
class FeatureShape:
    """The shapes of `Features`, known before any picture was seen.

    `levels` is empty where only the global feature is kept: all that DN2 compares. `is_padded`
    says that pictures may not fill the grids, so that `Features.inside` is kept as well.
    """

    pooled: int
    levels: tuple[tuple[int, int, int], ...] = ()
    is_padded: bool = False

    @property
    def values(self) -> int:
        """Number of float32 values of one picture."""
        inside = 4 if self.is_padded else 0
        return self.pooled + sum(h * w * c for h, w, c in self.levels) + inside


class Gallery(Protocol):
    """Features of the references in canonical order; rows are 0 .. len - 1.

    Reading a row's levels may map a file, never copies them all.
    """

    @property
    def pooled(self) -> Floats:
        """All global features: float32, N x D. A large gallery copies them together here."""
        ...

    @property
    def search(self) -> str:
        """How `nearest` searches, in words: exact, or approximate with its recall."""
        ...

    def __len__(self) -> int: ...

    def pooled_of(self, rows: Sequence[int] | Ints) -> Floats:
        """Return the global features of some rows: float32, len(rows) x D."""
        ...

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        """Return the rows of the k nearest global features, as `neighbours.nearest` does."""
        ...

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        """Return the pyramid of one reference, as in `Features.levels`."""
        ...

    def inside(self, row: int) -> Inside | None:
        """Return which places of a reference's pyramid show it, as in `Features.inside`."""
        ...


@dataclass(frozen=True, eq=False)
class PooledGallery:
    """Global features in memory (float32, N x D), searched exactly; the pyramids are empty."""

    pooled: Floats
    search = EXACT

    def __len__(self) -> int:
        return len(self.pooled)

    def pooled_of(self, rows: Sequence[int] | Ints) -> Floats:
        return np.asarray(self.pooled[np.asarray(rows, np.int64)], np.float32)

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        return nearest(query, self.pooled, k, exclude=exclude)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of a gallery of {len(self)}")
        empty = np.empty((0, 0, 0), np.float32)
        return empty, empty, empty

    def inside(self, row: int) -> Inside | None:
        return None


@dataclass(frozen=True, eq=False)
class FeatureList:
    """A gallery in memory with pyramids, for tests and small galleries."""

    items: tuple[Features, ...]
    search = EXACT

    @cached_property
    def _global(self) -> PooledGallery:
        return PooledGallery(np.stack([f.pooled for f in self.items]))

    @property
    def pooled(self) -> Floats:
        return self._global.pooled

    def __len__(self) -> int:
        return len(self.items)

    def pooled_of(self, rows: Sequence[int] | Ints) -> Floats:
        return self._global.pooled_of(rows)

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        return self._global.nearest(query, k, exclude=exclude)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        return self.items[row].levels

    def inside(self, row: int) -> Inside | None:
        return self.items[row].inside


def feature_shape(scoring: Scoring) -> FeatureShape:
    """Return the shapes of the features that `scoring` computes."""
    spec = backbone(scoring.backbone)
    geometry = Geometry.of(scoring)
    height, width = geometry.input_size
    strides = strides_of(scoring)
    grids = ((height // s, width // s, c) for s, c in zip(strides, spec.channels, strict=True))
    return FeatureShape(spec.global_width, tuple(grids), is_padded=geometry.fit == KEEP)


def strides_of(scoring: Scoring) -> tuple[int, int, int]:
    """Return the pixels of the network's input that a cell of each level stands for."""
    fine, middle, coarse = (stride * scoring.pool for stride in STRIDES)
    return fine, middle, coarse


def can_stack(scoring: Scoring) -> bool:
    """Whether what judges patches can be part of a recipe's network.

    It cannot where levels are put together from tiles, averaged, or laid on a padded input.
    """
    return scoring.fit != KEEP and not scoring.tiles and scoring.pool == 1


def shown_cells(
    levels: tuple[Floats, Floats, Floats], inside: Inside | None
) -> tuple[Floats, Floats, Floats]:
    """Return the cells of each level that show any of the picture, as in `Features.inside`."""
    top, left, bottom, right = inside or (0, 0, *levels[0].shape[:2])
    fine, middle, coarse = (
        level[top // s : -(-bottom // s), left // s : -(-right // s)]
        for s, level in zip((1, 2, 4), levels, strict=True)
    )
    return fine, middle, coarse


def placed(
    levels: tuple[Floats, Floats, Floats],
    place: Placement,
    size: tuple[int, int],
    strides: tuple[int, int, int] = STRIDES,
) -> tuple[Floats, Floats, Floats]:
    """Return levels of a picture (h x w x C each) on the grids of an input of `size` pixels.

    `size`: height and width. Places without any of the picture get a copy of the nearest with.
    """
    fine, middle, coarse = (
        _placed(level, place.cells(stride), (size[0] // stride, size[1] // stride))
        for level, stride in zip(levels, strides, strict=True)
    )
    return fine, middle, coarse


def _placed(level: Floats, cells: Inside, grid: tuple[int, int]) -> Floats:
    top, left, bottom, right = cells
    shown = level[: bottom - top, : right - left]
    around = ((top, grid[0] - bottom), (left, grid[1] - right), (0, 0))
    return np.ascontiguousarray(np.pad(shown, around, mode="edge"))


@dataclass(frozen=True, eq=False)
class GalleryView:
    """A gallery seen otherwise: what a view does not say itself is the gallery's own."""

    gallery: Gallery

    @property
    def pooled(self) -> Floats:
        return self.gallery.pooled

    @property
    def search(self) -> str:
        return self.gallery.search

    def __len__(self) -> int:
        return len(self.gallery)

    def pooled_of(self, rows: Sequence[int] | Ints) -> Floats:
        return self.gallery.pooled_of(rows)

    def nearest(self, query: Floats, k: int, *, exclude: int | None = None) -> Ints:
        return self.gallery.nearest(query, k, exclude=exclude)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        return self.gallery.levels(row)

    def inside(self, row: int) -> Inside | None:
        return self.gallery.inside(row)


@dataclass(frozen=True, eq=False)
class HalvedGallery(GalleryView):
    """A gallery whose pyramids are averaged over 2 x 2 cells as they are read."""

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        return halved(self.gallery.levels(row))

    def inside(self, row: int) -> Inside | None:
        return halved_inside(self.gallery.inside(row))


class Extractor:
    """Preprocessing and network of one recipe: pictures in, features out.

    Several threads may use it; the network takes them one after the other.

    `quantised` is the folder of the networks that belong to int8 recipes, that of the others if
    left out. `stack` judges patches in the same network (SimpleNet); it needs the whole picture at
    once and its levels as they are, see `can_stack`.
    """

    def __init__(
        self,
        scoring: Scoring,
        *,
        weights_folder: Path,
        cache: Path,
        quantised: Path | None = None,
        stack: Stack | None = None,
    ) -> None:
        if stack is not None and not can_stack(scoring):
            raise ValueError(f"no network can be stacked for {scoring}")
        self._is_stacked = stack is not None
        self._in_use = threading.Lock()
        self._spec = backbone(scoring.backbone)
        self.geometry = Geometry.of(scoring)
        self._tile = self.geometry.tiles or MOST_AT_ONCE
        self._pool, self._strides = scoring.pool, strides_of(scoring)
        height, width = self.geometry.input_size
        self.network: Network = load_network(
            self._spec,
            runtime=scoring.runtime,
            precision=scoring.precision,
            size=(min(height, self._tile), min(width, self._tile)),
            weights_folder=weights_folder,
            cache=cache,
            quantised=quantised_path(scoring, quantised or cache),
            stack=stack,
        )

    @property
    def device(self) -> str:
        """Device, runtime and precision in words."""
        return self.network.device

    def prepare(self, image: RGB) -> Floats:
        """Return the network's input for a picture: float32, 1 x 3 x h x w, normalised."""
        return self._normalised(self.geometry.apply(image))

    def extract(self, image: RGB) -> Features:
        """Return the features of a picture (uint8, H x W x 3, RGB)."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"expected uint8 H x W x 3, got {image.dtype} {image.shape}")
        if self._is_stacked:
            patches, pooled = self._run(self.geometry.apply(image))
            return Features(pooled[0], _NO_LEVELS, patches=patches[0, 0])
        place, size = self.geometry.placement(*image.shape[:2]), self.geometry.input_size
        *maps, pooled = run_in_tiles(
            self.geometry.apply(image),
            self._tile,
            self._run,
        )
        fine, middle, coarse = (np.ascontiguousarray(m[0].transpose(1, 2, 0)) for m in maps)
        levels = halved((fine, middle, coarse)) if self._pool == 2 else (fine, middle, coarse)
        if (place.rows, place.columns) == ((0, size[0]), (0, size[1])):
            return Features(pooled[0], levels)
        levels = placed(levels, place, size, self._strides)
        return Features(pooled[0], levels, place.cells(self._strides[0]))

    def _run(self, piece: RGB) -> tuple[Floats, ...]:
        batch = self._normalised(piece)
        with self._in_use:
            return self.network.run(batch)

    def _normalised(self, piece: RGB) -> Floats:
        return normalise(piece, self._spec.mean, self._spec.std)
