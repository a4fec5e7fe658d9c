"""Which levels of the pyramid count in SPADE's distance, and how much each.

D(p, q) = sum over the chosen levels of w_l |F_l(p) - F_l(q)|^2. Raw (Cohen & Hoshen 2020, section
3.3): every w_l is 1, so that a level counts by how large its features are. Scaled (ours): every
level is divided by how much it varies among places of the references, so that all count alike;
the sum of what they vary stays as it was. References alone decide, never a part.

The searches know three levels and no weights. So features are multiplied by the root of their
weight before they are compared, and a level that is not chosen becomes a single channel of zeros.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Gallery, GalleryView, shown_cells
from inspector_gui.core.types import RAW, SCALED, Floats, Scoring

Levels = tuple[Floats, Floats, Floats]

WEIGHTS = (RAW, SCALED)
_LEVELS = 3
_MOST_MEASURED = 50  # references that the scale is taken from: more hardly change it


def level_choice(text: str) -> str:
    """Return a choice of levels as recipes keep it: "1,3" for "3, 1".

    Level 1 is the finest (stride 4), 3 the coarsest (stride 16). Raises `KnownError` for others,
    and for none.
    """
    words = {word.strip() for word in text.split(",") if word.strip()}
    known = [str(level) for level in range(1, _LEVELS + 1)]
    if not words or not words <= set(known):
        raise KnownError(
            f"--levels names levels of the pyramid, 1 (finest) to 3 with commas between them, "
            f"not {text!r}."
        )
    return ",".join(sorted(words))


@dataclass(frozen=True)
class LevelWeights:
    """The factor of each level's features, finest first; 0 leaves a level out."""

    factors: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def is_plain(self) -> bool:
        """Whether features are compared as they are."""
        return self.factors == (1.0, 1.0, 1.0)

    @property
    def copies(self) -> int:
        """How many places of the finest grid share the feature of one of the finest chosen."""
        finest = next(number for number, factor in enumerate(self.factors) if factor)
        return int(4**finest)

    def kappa(self, kappa: int) -> int:
        """Return how many places hold the kappa nearest different features.

        The mean distance to so many places is that to the kappa features: each counts as often,
        but for those that the edge of a padded picture cuts.
        """
        return kappa if kappa == 1 else kappa * self.copies

    def apply(self, levels: Levels) -> Levels:
        """Return levels (float32, h x w x C each, finest first) as they are compared."""
        if self.is_plain:
            return levels
        fine, middle, coarse = (
            _weighted(level, factor) for level, factor in zip(levels, self.factors, strict=True)
        )
        return fine, middle, coarse


def level_weights(scoring: Scoring, gallery: Gallery) -> LevelWeights:
    """Return the weights of a recipe for a gallery, from at most 50 of its references.

    These are evenly spread over its rows. A level that does not vary keeps the factor 1.
    """
    chosen = [str(level + 1) in scoring.levels.split(",") for level in range(_LEVELS)]
    factors = [float(is_chosen) for is_chosen in chosen]
    if scoring.weights == SCALED and len(gallery):
        varied = np.where(chosen, _variances(gallery), 0)
        some = varied > 0
        mean = varied.sum() / max(1, np.count_nonzero(some))
        for level in np.flatnonzero(some):
            factors[level] = float(np.sqrt(mean / varied[level]))
    fine, middle, coarse = factors
    return LevelWeights((fine, middle, coarse))


def _weighted(level: Floats, factor: float) -> Floats:
    if factor == 0:
        return np.zeros((*level.shape[:2], 1), np.float32)
    return level if factor == 1 else level * np.float32(factor)


def _variances(gallery: Gallery) -> npt.NDArray[np.float64]:
    """Return the variance of each level over places and references, summed over channels."""
    count = min(len(gallery), _MOST_MEASURED)
    rows = np.unique(np.linspace(0, len(gallery) - 1, count).round().astype(int))
    sums: list[npt.NDArray[np.float64]] = []
    squares, places = np.zeros(_LEVELS), np.zeros(_LEVELS)
    for row in rows:
        levels = shown_cells(gallery.levels(int(row)), gallery.inside(int(row)))
        for number, level in enumerate(levels):
            values = level.reshape(-1, level.shape[2])
            if len(sums) <= number:
                sums.append(np.zeros(values.shape[1]))
            sums[number] += values.sum(axis=0, dtype=np.float64)
            squares[number] += np.einsum("pc,pc->", values, values, dtype=np.float64)
            places[number] += len(values)
    means = np.array([(total**2).sum() for total in sums]) / places**2
    found = squares / places - means
    return np.where(found > _ROUNDING * squares / places, found, 0)


_ROUNDING = 1e-9  # of the squares: less variance than this is none


@dataclass(frozen=True, eq=False)
class WeightedGallery(GalleryView):
    """A gallery whose pyramids are weighted as they are read."""

    weights: LevelWeights

    def levels(self, row: int) -> Levels:
        return self.weights.apply(self.gallery.levels(row))
