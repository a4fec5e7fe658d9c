"""Pyramids of features laid out for the search of SPADE's map: of references and of a part.

Places are numbered along a hierarchy: a cell of the coarsest grid (row-major), its 2 x 2 middle
cells, their 2 x 2 fine places. The number of a place is 16 cell + 4 middle + fine, within a
gallery counted on from reference to reference.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from inspector_gui.core.types import Bools, Floats, Inside

Doubles = npt.NDArray[np.float64]
Levels = tuple[Floats, Floats, Floats]

MOST_BYTES = 400_000_000
"""Of references that are laid out at once: some 750 of 224 x 224 pixels."""

_PASSING = 4  # of what is kept laid out, the share of what is laid out beside it for a moment
_LANES = 16  # cells of a tile, see `vector_tiles`
_ADDED = 8  # references whose features are added in float32, before double precision goes on
_STRANDS = 4  # of a sum, see `pyramid_kernel`: channels are padded with zeros to a multiple


@dataclass(frozen=True)
class PyramidShape:
    """What all pyramids of one recipe share."""

    height: int
    width: int
    channels: tuple[int, int, int]
    """Coarse, middle, fine: as in the features."""

    @property
    def cells(self) -> int:
        """Cells of the coarsest grid."""
        return self.height * self.width

    @property
    def padded_cells(self) -> int:
        """The same, filled up to whole tiles."""
        return -(-self.cells // _LANES) * _LANES

    @property
    def widths(self) -> tuple[int, int, int]:
        """Channels padded for the search: coarse, middle, fine."""
        coarse, middle, fine = (-(-count // _STRANDS) * _STRANDS for count in self.channels)
        return coarse, middle, fine

    def grid(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return one value a place (16 x cells, in the order of the hierarchy) as an image."""
        nested = values.reshape(self.height, self.width, 2, 2, 2, 2)
        image = nested.transpose(0, 2, 4, 1, 3, 5)
        return np.ascontiguousarray(image.reshape(4 * self.height, 4 * self.width))


def shape_of(levels: Levels) -> PyramidShape:
    """Return the shape of levels (each h x w x C, strides 4, 8, 16).

    Raises ValueError where the grids are not twice and four times the coarsest one.
    """
    fine, middle, coarse = levels
    height, width = coarse.shape[:2]
    if middle.shape[:2] != (2 * height, 2 * width) or fine.shape[:2] != (4 * height, 4 * width):
        raise ValueError(f"not a pyramid: {fine.shape}, {middle.shape}, {coarse.shape}")
    return PyramidShape(height, width, (coarse.shape[2], middle.shape[2], fine.shape[2]))


def nested(levels: Levels) -> Levels:
    """Return levels in the order of the hierarchy: cells x C3, cells x 4 x C2, cells x 4 x 4 x C1.

    Coarse, middle, fine: the other way round than `levels`.
    """
    fine, middle, coarse = levels
    height, width = coarse.shape[:2]
    by_middle = middle.reshape(height, 2, width, 2, -1).transpose(0, 2, 1, 3, 4)
    by_fine = fine.reshape(height, 2, 2, width, 2, 2, -1).transpose(0, 3, 1, 4, 2, 5, 6)
    cells = height * width
    return (
        coarse.reshape(cells, -1),
        by_middle.reshape(cells, 4, -1),
        by_fine.reshape(cells, 4, 4, -1),
    )


def padding(shape: PyramidShape, inside: Inside) -> Bools:
    """Return which places do not show the picture, in the order of the hierarchy: cells x 4 x 4."""
    outside = np.ones((4 * shape.height, 4 * shape.width), np.bool_)
    top, left, bottom, right = inside
    outside[top:bottom, left:right] = False
    by_cell = outside.reshape(shape.height, 2, 2, shape.width, 2, 2).transpose(0, 3, 1, 4, 2, 5)
    return np.ascontiguousarray(by_cell.reshape(shape.cells, 4, 4))


def _as_they_are(levels: Levels) -> Levels:
    return levels


@dataclass(frozen=True, eq=False)
class ReferencePlaces:
    """All places of one reference; laid out for the compiled search when that first needs it.

    `stored`: its levels as a gallery has them, perhaps in a file; `weigh` makes of them those
    that are compared, whose shape is `shape`. Places outside of `inside` are padding and are never
    searched; None: there is none.
    """

    stored: Levels
    shape: PyramidShape
    weigh: Callable[[Levels], Levels] = _as_they_are
    inside: Inside | None = None

    @property
    def levels(self) -> Levels:
        """Its levels as they are compared; weighted ones are not kept."""
        return self.weigh(self.stored)

    @property
    def count(self) -> int:
        """Places that may be found."""
        if self.inside is None:
            return 16 * self.shape.cells
        top, left, bottom, right = self.inside
        return (bottom - top) * (right - left)

    @cached_property
    def padding(self) -> Bools | None:
        """See `padding`; None where there is none."""
        return None if self.inside is None else padding(self.shape, self.inside)

    @property
    def nbytes(self) -> int:
        """Memory of the levels, and so about that of `laid_out`."""
        return sum(level.nbytes for level in self.stored)

    @cached_property
    def laid_out(self) -> Levels:
        """Coarse, middle and fine features, one channel after the other within a tile.

        Float32: coarse tiles x C3 x 16, the last one filled up with NaN (which no comparison
        lets through); cells x C2 x 4; cells x 4 x C1 x 4. Channels are padded with zeros, and
        places that are padding are NaN.
        """
        shape = self.shape
        own = nested(self.levels)
        coarse = np.full((shape.padded_cells, shape.widths[0]), np.nan, np.float32)
        coarse[: shape.cells] = 0
        coarse[: shape.cells, : shape.channels[0]] = own[0]
        middle = np.zeros((shape.cells, shape.widths[1], 4), np.float32)
        middle[:, : shape.channels[1]] = own[1].transpose(0, 2, 1)
        fine = np.zeros((shape.cells, 4, shape.widths[2], 4), np.float32)
        fine[:, :, : shape.channels[2]] = own[2].transpose(0, 1, 3, 2)
        if self.padding is not None:
            coarse[: shape.cells][self.padding.all(axis=(1, 2))] = np.nan
            middle.transpose(0, 2, 1)[self.padding.all(axis=2)] = np.nan
            fine.transpose(0, 1, 3, 2)[self.padding] = np.nan
        tiles = coarse.reshape(-1, _LANES, shape.widths[0]).transpose(0, 2, 1)
        return np.ascontiguousarray(tiles), middle, fine

    @cached_property
    def squares(self) -> Doubles:
        """Squared length of the feature of every place, h x w of the finest grid."""
        fine, middle, coarse = (
            np.einsum("hwc,hwc->hw", level, level).astype(np.float64) for level in self.levels
        )
        return np.asarray(fine + _grown(middle, 2) + _grown(coarse, 4))


class ProductGallery:
    """References as matrices: middle cells x (C2 + C3), and their fine children x 4 x C1."""

    def __init__(self, references: Sequence[ReferencePlaces]) -> None:
        parts = [nested(reference.levels) for reference in references]
        self.coarse = np.concatenate([part[0] for part in parts])
        of_middle = np.concatenate([part[1] for part in parts])
        self.middle = with_coarse(of_middle, self.coarse)
        fine = np.concatenate([part[2] for part in parts])
        self.fine = np.ascontiguousarray(fine.reshape(-1, 4, fine.shape[3]))
        self._cells = len(parts[0][0]) * 4
        self.padding: Bools | None = None
        """Which fine children are padding, M x 4; None where none is."""
        if any(reference.inside is not None for reference in references):
            whole = (0, 0, 4 * references[0].shape.height, 4 * references[0].shape.width)
            self.padding = np.concatenate(
                [padding(r.shape, r.inside or whole) for r in references]
            ).reshape(-1, 4)

    def prepare(self) -> None:
        """Compute what every search needs, so that the first one takes no longer than others."""
        _ = self.largest_norm

    @cached_property
    def centre(self) -> tuple[Floats, Floats]:
        """Mean middle and fine feature of one reference: products round less around them."""
        return self.middle[: self._cells].mean(axis=0), self.fine[: self._cells].mean(axis=(0, 1))

    @cached_property
    def bound_rows(self) -> Floats:
        """Rows [-2 g, |g|^2] of centred g: times [q, 1] they give |q - g|^2 - |q|^2."""
        width = self.middle.shape[1]
        rows = np.empty((len(self.middle), width + 1), np.float32)
        centred = np.subtract(self.middle, self.centre[0], out=rows[:, :width])
        rows[:, width] = np.einsum("md,md->m", centred, centred)
        centred *= -2
        return rows

    @cached_property
    def fine_products(self) -> Floats:
        """Centred fine children, M x 4 x C1."""
        return self.fine - self.centre[1]

    @cached_property
    def fine_norms(self) -> Floats:
        """|g|^2 of the centred fine children, M x 4; inf of padding."""
        fine = self.fine_products
        norms = np.asarray(np.einsum("mfc,mfc->mf", fine, fine), np.float32)
        if self.padding is not None:
            norms[self.padding] = np.inf
        return norms

    @cached_property
    def largest_norm(self) -> float:
        """Largest |g|^2 that enters a product, for the slack of the bounds."""
        norms = self.fine_norms
        largest = norms.max(initial=0, where=np.isfinite(norms))
        return float(self.bound_rows[:, -1].max(initial=0) + largest)


@dataclass(frozen=True, eq=False)
class PyramidGallery:
    """All places of some references of one shape."""

    references: tuple[ReferencePlaces, ...]
    _first: list["PyramidGallery"] = field(default_factory=list, init=False, repr=False)

    @property
    def shape(self) -> PyramidShape:
        """The shape they have in common."""
        return self.references[0].shape

    @cached_property
    def products(self) -> ProductGallery:
        """The references as matrices, for the search in numpy."""
        return ProductGallery(self.references)

    @property
    def is_large(self) -> bool:
        """Whether there is more than is laid out at once."""
        return len(self.references) * self.references[0].nbytes > MOST_BYTES

    def pieces(self, most_bytes: int) -> Iterator[tuple[int, "PyramidGallery"]]:
        """Yield how many references come before a piece, and the piece.

        Of `most_bytes` the layout is kept, as a gallery's that fits as a whole. The others are
        laid out anew every time, a quarter as much at once.
        """
        each = max(1, self.references[0].nbytes)
        kept = max(1, most_bytes // each)
        if len(self.references) <= kept:
            yield 0, self
            return
        if not self._first or len(self._first[0].references) != kept:
            self._first[:] = [PyramidGallery(self.references[:kept])]
        yield 0, self._first[0]
        count = max(1, kept // _PASSING)
        for first in range(kept, len(self.references), count):
            some = self.references[first : first + count]
            yield first, PyramidGallery(tuple(replace(reference) for reference in some))

    def without(self, skip: int | None) -> tuple[ReferencePlaces, ...]:
        """Return the references but the one at the index `skip`."""
        if skip is None:
            return self.references
        return self.references[:skip] + self.references[skip + 1 :]

    @cached_property
    def _sums(self) -> tuple[list[Doubles], Doubles]:
        """Over references: the sum of each level, and of each place's squared length."""
        totals = [np.zeros(level.shape) for level in self.references[0].levels]
        squares = np.zeros(self.references[0].squares.shape)
        for start in range(0, len(self.references), _ADDED):
            some = self.references[start : start + _ADDED]
            if self.is_large:  # nothing of these is kept
                some = tuple(replace(reference) for reference in some)
            for number, total in enumerate(totals):
                added = some[0].levels[number].astype(np.float32)
                for reference in some[1:]:
                    added += reference.levels[number]
                total += added
            for reference in some:
                squares += reference.squares
        return totals, squares

    def spread(self, *, skip: int | None = None) -> Floats:
        """Return how much the references' features vary at each fine place: float32, h x w.

        The variance over references (without the one at index `skip`), summed over features.
        """
        totals, squares = self._sums
        if skip is not None:
            left_out = self.references[skip]
            pairs = zip(totals, left_out.levels, strict=True)
            totals = [total - level for total, level in pairs]
            squares = squares - left_out.squares
        count = len(self.references) - (skip is not None)
        fine, middle, coarse = (np.einsum("hwc,hwc->hw", total, total) for total in totals)
        means = (fine + _grown(middle, 2) + _grown(coarse, 4)) / count**2
        return np.asarray(np.maximum(squares / count - means, 0), np.float32)


def pyramid_gallery(
    levels: Sequence[Levels], insides: Sequence[Inside | None] | None = None
) -> PyramidGallery:
    """Return references' levels (each h x w x C, strides 4, 8, 16) as a gallery to search.

    `insides` says where each shows its picture (None: everywhere).
    """
    shape = shape_of(levels[0])
    pairs = zip(levels, insides or [None] * len(levels), strict=True)
    return PyramidGallery(
        tuple(ReferencePlaces(own, shape, inside=inside) for own, inside in pairs)
    )


def with_coarse(middle: Floats, coarse: Floats) -> Floats:
    """Return middle cells (cells x 4 x C2) with the coarse feature above them: 4 cells x D."""
    repeated = np.broadcast_to(coarse[:, None], (*middle.shape[:2], coarse.shape[1]))
    joined = np.concatenate([middle, repeated], axis=2)
    return np.ascontiguousarray(joined.reshape(-1, joined.shape[2]))


def query_tiles(levels: Levels, shape: PyramidShape) -> Levels:
    """Lay out a part for the compiled search: every number as often as a tile needs it.

    Float32: coarse, cells (filled up to a multiple of 4) x C3; middle, cells x C2 x 16 and fine,
    cells x 4 x C1 x 16, where each of 4 numbers stands four times in a row.
    """
    own = nested(levels)
    coarse = np.zeros((-(-shape.cells // 4) * 4, shape.widths[0]), np.float32)
    coarse[: shape.cells, : shape.channels[0]] = own[0]
    middle = np.zeros((shape.cells, shape.widths[1], 4, 4), np.float32)
    middle[:, : shape.channels[1]] = own[1].transpose(0, 2, 1)[..., None]
    fine = np.zeros((shape.cells, 4, shape.widths[2], 4, 4), np.float32)
    fine[:, :, : shape.channels[2]] = own[2].transpose(0, 1, 3, 2)[..., None]
    return coarse, middle, fine


def _grown(values: Doubles, factor: int) -> Doubles:
    return values.repeat(factor, 0).repeat(factor, 1)
