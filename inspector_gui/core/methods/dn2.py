"""DN2: mean squared distance to the k nearest references (Bergman, Cohen, Hoshen 2020).

arXiv 2002.10445, equation 1: d(y) = 1/k * sum over the k nearest f in F_train of |f - f_y|^2, with
f the average-pooled last feature map, not normalised. The paper's best is k = 2. No map.
"""

import time
from dataclasses import dataclass

from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.base import require_references
from inspector_gui.core.neighbours import ShouldStop, squared_distances_of
from inspector_gui.core.types import Scores, Scoring


@dataclass(frozen=True)
class Dn2:
    """DN2 with `scoring.k` neighbours."""

    scoring: Scoring
    has_map = False

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Method.score`."""
        began = time.perf_counter()
        score, rows = global_score(features, gallery, self.scoring.k, exclude=exclude)
        timings = {"search": time.perf_counter() - began}
        return Scores(image=score, stage1=score, nearest=rows, timings=timings)


def global_score(
    features: Features, gallery: Gallery, k: int, *, exclude: int | None = None
) -> tuple[float, tuple[int, ...]]:
    """Return DN2's score and the rows of the k nearest references, nearest first.

    A k above the number of references is cut to it. Raises `KnownError` without references.
    """
    require_references(gallery, exclude)
    rows = gallery.nearest(features.pooled, k, exclude=exclude)
    score = float(squared_distances_of(features.pooled, rows, gallery.pooled_of).mean())
    return score, tuple(int(r) for r in rows)
