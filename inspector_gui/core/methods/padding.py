"""Padding is never scored: what is not of the picture has no distance and takes no part.

The padded places of `Features` are copies of the outermost places of the picture (see
`features.placed`). As references they add no place that is not one of a good part, so they cannot
make a defect look good; as a query their distances are thrown away here. With kappa above 1 a copy
counts as one more neighbour, of a good part as well.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from inspector_gui.core.features import Features, Gallery, Inside
from inspector_gui.core.methods.base import Method, anomaly_map
from inspector_gui.core.methods.own_border import OwnBorder, own_border
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Floats, Scores, Scoring


@dataclass(frozen=True)
class InsideOnly:
    """A method with a map whose pictures may be padded; the image score is the map's maximum.

    `method` leaves the border as it is: where `scoring` wants it weighed, that is done here (see
    `own_border`).
    """

    method: Method
    scoring: Scoring
    _borders: list[OwnBorder] = field(default_factory=list, init=False, repr=False, compare=False)
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
        patches = scores.patches
        if patches is None:
            return scores
        if self.scoring.border_weight:
            patches = patches * self._border(gallery).weight(features.inside, skip=exclude)
        if features.inside is not None:
            patches = without_padding(patches, features.inside)
        image = float(anomaly_map(patches, self.scoring).max())
        return replace(scores, patches=patches, image=image)

    def _border(self, gallery: Gallery) -> OwnBorder:
        """Return how the references vary; computed once while the same gallery is asked for."""
        if not self._borders or self._borders[0].gallery is not gallery:
            self._borders[:] = [own_border(gallery)]
        return self._borders[0]


def without_padding(patches: Floats, inside: Inside) -> Floats:
    """Return patch distances (float32, h x w) that are NaN outside of `Features.inside`."""
    top, left, bottom, right = inside
    known = np.full_like(patches, np.nan)
    known[top:bottom, left:right] = patches[top:bottom, left:right]
    return known
