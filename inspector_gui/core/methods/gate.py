"""Stage 1 of SPADE as the gate of stage 2, as published (Cohen & Hoshen 2020, section 3.2).

A part whose stage-1 score (DN2's, with the recipe's K) is not above the stage-1 limit passes and
has no map. The limit is the recipe's, or else suggested from the references' own stage-1 scores,
each left out in turn, by the rule of the image score's limit.
"""

import numpy as np

from inspector_gui.core.calibration import LEAVE_ONE_OUT_SAMPLE, suggest_limits
from inspector_gui.core.features import Features, Gallery
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.types import Scoring

_FEWEST = 2  # references, below which nothing can be suggested


def gate_limit(scoring: Scoring, gallery: Gallery) -> float | None:
    """Return the stage-1 limit of a recipe for a gallery; None: no part passes by stage 1.

    A suggestion is made from at most 200 references, evenly spread over the rows.
    """
    if not scoring.gate:
        return None
    if scoring.stage1_limit > 0:
        return scoring.stage1_limit
    if len(gallery) < _FEWEST:
        return None
    count = min(len(gallery), LEAVE_ONE_OUT_SAMPLE)
    scores = []
    for row in np.linspace(0, len(gallery) - 1, count).round().astype(int):
        own = Features(gallery.pooled_of([row])[0], gallery.levels(int(row)))
        scores.append(global_score(own, gallery, scoring.k, exclude=int(row))[0])
    return suggest_limits(scores, gallery="").fail_from
