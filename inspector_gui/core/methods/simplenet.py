"""SimpleNet: a discriminator trained on good patches and noise (Liu et al. 2023, arXiv 2303.15140).

The map is -D(G(patch feature)) on the grid of the finest chosen level, enlarged bilinearly and
smoothed with a Gaussian of sigma 4 (section 3.4). The image score is the maximum of the raw patch
scores, as in the authors' code. Scores are signed: below 0 is what D takes for good. The nearest
references and `stage1` are those of DN2.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.base import require_references
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.simplenet.head import Head, HeadOnLevels
from inspector_gui.core.simplenet.model import SimplenetModel, require_fit
from inspector_gui.core.simplenet.patch_rows import shown_area
from inspector_gui.core.types import Floats, Progress, Scores, Scoring

NOT_TRAINED = (
    "SimpleNet has no model for this set yet: train one (Recipe, SimpleNet), or choose another "
    "method."
)


@dataclass(eq=False)
class _Loaded:
    """A model and the network of its head, compiled at the first use."""

    model: SimplenetModel

    @cached_property
    def head(self) -> Head:
        return Head.of(self.model)

    def scores(self, levels: tuple[Floats, Floats, Floats]) -> Floats:
        return self._on_levels(tuple(level.shape for level in levels)).run(levels)

    def _on_levels(self, shapes: tuple[tuple[int, ...], ...]) -> HeadOnLevels:
        if self._compiled is None or self._compiled[0] != shapes:
            made = HeadOnLevels(self.head, [(h, w, c) for h, w, c in shapes])
            self._compiled = shapes, made
        return self._compiled[1]

    _compiled: tuple[tuple[tuple[int, ...], ...], HeadOnLevels] | None = None


@dataclass(frozen=True)
class Simplenet:
    """SimpleNet with the model that `use` or `fit` gave it."""

    scoring: Scoring
    _loaded: list[_Loaded] = field(default_factory=list, init=False, repr=False, compare=False)
    has_map = True

    @property
    def is_trained(self) -> bool:
        """Whether there is a model to score by."""
        return bool(self._loaded)

    @property
    def model(self) -> SimplenetModel:
        """The model; raises `KnownError` where there is none."""
        if not self._loaded:
            raise KnownError(NOT_TRAINED)
        return self._loaded[0].model

    @property
    def head(self) -> Head:
        """What judges patches; raises `KnownError` without a model."""
        if not self._loaded:
            raise KnownError(NOT_TRAINED)
        return self._loaded[0].head

    def use(self, model: SimplenetModel) -> None:
        """Score by a model; raises `KnownError` where it was trained for other features."""
        require_fit(model.facts, self.scoring)
        loaded = _Loaded(model)
        _ = loaded.head  # says at once where the model cannot be used
        self._loaded[:] = [loaded]

    def fit(
        self,
        gallery: Gallery,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        should_stop: ShouldStop = lambda: False,
    ) -> SimplenetModel:
        """Train on a gallery, in this process, unless there is a model already.

        Rows stand for content hashes in the model's facts. Raises as `train_model`.
        """
        if not self._loaded:
            from inspector_gui.core.simplenet.fitting import train_model
            from inspector_gui.core.simplenet.training import Hooks

            rows = tuple(str(row) for row in range(len(gallery)))
            hooks = Hooks(report=report, should_stop=should_stop)
            self.use(train_model(gallery, rows, self.scoring, hooks=hooks))
        return self.model

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Method.score`; a reference that was trained on scores too well."""
        require_references(gallery, exclude)
        began = time.perf_counter()
        if not self._loaded:
            raise KnownError(NOT_TRAINED)
        loaded = self._loaded[0]
        stage1, nearest = global_score(features, gallery, self.scoring.k, exclude=exclude)
        patches = features.patches
        if patches is None:
            patches = loaded.scores(features.levels)
        grid = np.full(patches.shape, np.nan, np.float32)
        area = shown_area(features.inside, patches.shape, loaded.head.pooling.finest)
        grid[area] = patches[area]
        image = float(grid[area].max())
        if not np.isfinite(image):
            raise KnownError(
                "The model gives no number for this picture; its weights are damaged. Train again."
            )
        timings = {"search": time.perf_counter() - began}
        return Scores(image=image, stage1=stage1, nearest=nearest, patches=grid, timings=timings)
