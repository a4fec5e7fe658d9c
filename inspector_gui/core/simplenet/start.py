"""What a training takes from its features before it begins: a whitened adaptor, the noise's scale.

The paper's noise, 0.015, belongs to the features of one network. Relative noise is a multiple of
the scale of the features it is added to: the root mean square, over all dimensions, of their
standard deviations over the patches of good parts, once the adaptor that training begins with has
adapted them. So one number serves every network, choice of levels and part.

A whitened adaptor begins as (C + 0.01 c I) ** -1/8, scaled so that this scale is 1, with C the
covariance of the features and c the mean of its eigenvalues: a quarter of the way (in the
logarithm) from features as they are, whose strongest directions alone are told from noise, to white
ones, which give the weakest directions the same say. Good parts alone decide all this.
"""

from dataclasses import dataclass

import numpy as np

from inspector_gui.core.simplenet.hyperparameters import (
    ABSOLUTE,
    LINEAR,
    WHITENED,
    Hyperparameters,
)
from inspector_gui.core.simplenet.patch_rows import PatchRows
from inspector_gui.core.types import Floats

_POWER = -0.125
_FLOOR = 0.01
_MOST_ROWS, _MOST_VALUES = 60_000, 16_000_000
"""Of the patches that scale and covariance are taken from, evenly spread; more hardly change them,
and take memory."""


@dataclass(frozen=True, eq=False)
class Start:
    """`whitener`: float32, D x D, or None where the adaptor begins otherwise; a sample of rows."""

    sample: Floats
    whitener: Floats | None

    @classmethod
    def of(cls, rows: PatchRows, chosen: Hyperparameters) -> "Start":
        """Measure the patches that are trained on."""
        sample = rows.sample(min(_MOST_ROWS, _MOST_VALUES // rows.width))
        is_whitened = chosen.adaptor == LINEAR and chosen.adaptor_start == WHITENED
        return cls(sample, _whitener(sample) if is_whitened else None)

    def noise(self, adapted: Floats, chosen: Hyperparameters) -> float:
        """Return the standard deviation of the noise; `adapted` is the sample, adapted: S x D."""
        if chosen.noise_rule == ABSOLUTE:
            return chosen.noise
        return chosen.noise * scale_of(adapted)


def scale_of(features: Floats) -> float:
    """Return the root mean square over dimensions of the standard deviation: S x D to a number."""
    return float(np.sqrt(np.var(features, axis=0, dtype=np.float64).mean()))


def _whitener(sample: Floats) -> Floats:
    covariance = np.cov(sample, rowvar=False, dtype=np.float64)
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    values = np.maximum(values, 0) + _FLOOR * values.mean() + np.finfo(np.float64).tiny
    matrix = (vectors * values**_POWER) @ vectors.T
    return np.asarray(matrix / max(scale_of(sample @ matrix), 1e-12), np.float32)
