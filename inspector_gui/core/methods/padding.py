"""Padding is never scored: what is not of the picture has no distance and takes no part.

The padded places of `Features` are copies of the outermost places of the picture (see
`features.placed`). As references they add no place that is not one of a good part, so they cannot
make a defect look good; as a query their distances are thrown away here. With kappa above 1 a copy
counts as one more neighbour, of a good part as well.
"""

from dataclasses import dataclass, replace

import numpy as np

from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.base import Method, anomaly_map
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Floats, Scores, Scoring


@dataclass(frozen=True)
class InsideOnly:
    """A method with a map whose pictures may be padded; the image score is the map's maximum."""

    method: Method
    scoring: Scoring
    has_map = True

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Method.score`; `Scores.patches` is NaN on padding."""
        scores = self.method.score(features, gallery, exclude=exclude, should_stop=should_stop)
        if scores.patches is None or features.inside is None:
            return scores
        patches = without_padding(scores.patches, features.inside)
        return replace(
            scores, patches=patches, image=float(anomaly_map(patches, self.scoring).max())
        )


def without_padding(patches: Floats, inside: tuple[int, int, int, int]) -> Floats:
    """Return patch distances (float32, h x w) that are NaN outside of `Features.inside`."""
    top, left, bottom, right = inside
    known = np.full_like(patches, np.nan)
    known[top:bottom, left:right] = patches[top:bottom, left:right]
    return known
