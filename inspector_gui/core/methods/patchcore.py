"""PatchCore: distances to a memory bank of patches (Roth et al., CVPR 2022, arXiv 2106.08265).

Training (section 3.2, algorithm 1) chooses a share of all patches of the references by the greedy
k-centre rule. A part's map is each patch's distance to its nearest one in this bank (equation 6),
its score the maximum. With `scoring.reweight` the score is weighted down where the bank itself is
sparse (equation 7, b = 9). As everywhere in this program distances are squared, so scores are the
square of the paper's, which orders parts alike. Like the authors' code, the maximum is taken
before the map is enlarged and smoothed. Padding has no patches. The nearest references and
`stage1` are those of DN2.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.base import require_references
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.neighbours import Ints, ShouldStop, squared_distances
from inspector_gui.core.patch_bank import PatchBank, choose_patches
from inspector_gui.core.patches import patch_area, patch_features
from inspector_gui.core.places import Place
from inspector_gui.core.types import Floats, Progress, Scores, Scoring

NEIGHBOURHOOD = 9
"""The b of equation 7: patches of the bank around the one that was matched."""


@dataclass(frozen=True, eq=False)
class GalleryBank:
    """The bank of a gallery; `rows` (int64) are the gallery's, of the references of the bank."""

    gallery: Gallery
    patches: PatchBank
    rows: Ints

    @cached_property
    def _indices(self) -> Ints:
        return np.argsort(self.rows)

    def index_of(self, row: int) -> int:
        """Return which reference of the bank a row of the gallery is."""
        return int(self._indices[row])

    def origin(self, vector: int) -> tuple[int, Place]:
        """Return the gallery's row that a vector of the bank comes from, and its place there."""
        index, place = self.patches.origin(vector)
        return int(self.rows[index]), place


@dataclass(frozen=True)
class Patchcore:
    """PatchCore with a share `scoring.coreset` of the patches, re-weighted on request.

    The bank of a gallery is chosen at the first score, or before by `fit` or `use`; a gallery's
    leave-one-out scores mask the patches of the reference itself.
    """

    scoring: Scoring
    _fitted: list[GalleryBank] = field(default_factory=list, init=False, repr=False, compare=False)
    has_map = True

    def is_fitted(self, gallery: Gallery) -> bool:
        """Whether there is a bank of this very gallery."""
        return bool(self._fitted) and self._fitted[0].gallery is gallery

    def fit(
        self,
        gallery: Gallery,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        should_stop: ShouldStop = lambda: False,
    ) -> PatchBank:
        """Choose the bank of a gallery; raises as `choose_patches`."""
        bank = choose_patches(gallery, self.scoring.coreset, report=report, should_stop=should_stop)
        self.use(gallery, bank, np.arange(len(gallery)))
        return bank

    def use(self, gallery: Gallery, bank: PatchBank, rows: Ints) -> None:
        """Score by a bank whose references are these rows of the gallery: each of them once."""
        if len(rows) != len(gallery) or len(bank.starts) != len(rows) + 1:
            raise ValueError(f"a bank of {len(bank.starts) - 1} for {len(gallery)} references")
        self._fitted[:] = [GalleryBank(gallery, bank, rows)]

    def bank(self, gallery: Gallery, *, should_stop: ShouldStop = lambda: False) -> GalleryBank:
        """Return the bank of a gallery, chosen now where it was not; raises as `fit`."""
        if not self.is_fitted(gallery):
            self.fit(gallery, should_stop=should_stop)
        return self._fitted[0]

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Method.score`."""
        require_references(gallery, exclude)
        began = time.perf_counter()
        fitted = self.bank(gallery, should_stop=should_stop)
        bank = fitted.patches
        skip = None if exclude is None else fitted.index_of(exclude)
        stage1, nearest = global_score(features, gallery, self.scoring.k, exclude=exclude)
        patches = patch_features(features.levels, features.inside)
        height, width, channels = patches.shape
        queries = patches.reshape(-1, channels)
        distances, matched = bank.nearest(queries, skip=skip, should_stop=should_stop)
        worst = int(distances.argmax())
        image = float(distances[worst])
        if self.scoring.reweight and matched[worst] >= 0:
            around = bank.neighbours(int(matched[worst]), NEIGHBOURHOOD, skip=skip)
            image *= _weight(queries[worst], image, bank.vectors[around]) ** 2
        timings = {"search": time.perf_counter() - began}
        grid = np.full(features.levels[1].shape[:2], np.nan, np.float32)
        top, left, bottom, right = patch_area(features.levels, features.inside)
        grid[top:bottom, left:right] = distances.reshape(height, width)
        return Scores(image=image, stage1=stage1, nearest=nearest, patches=grid, timings=timings)


def _weight(patch: Floats, score: float, around: Floats) -> float:
    """Return the weight of equation 7: 1 - exp(s) / sum of exp(distances to `around`).

    `score` is the squared distance to the patch that was matched, one of `around` (b x D).
    """
    distances = np.sqrt(squared_distances(patch, around))
    largest = max(float(distances.max()), score**0.5)
    shares = np.exp(distances - largest)
    return float(1 - np.exp(score**0.5 - largest) / shares.sum())
