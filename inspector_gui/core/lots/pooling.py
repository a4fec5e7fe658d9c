"""A group of parts as one: its feature, and its distance to reference groups.

Bergman, Cohen & Hoshen 2020 (arXiv 2002.10445), group anomaly detection: the features of a
group's pictures are pooled without regard to their order, then DN2 among reference groups.
Needs numpy alone, so that judging a lot never waits for a library to load.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Floats

Doubles = npt.NDArray[np.float64]
Pooling = Literal["mean", "max", "concatenated"]

NEIGHBOURS = 2
"""Reference lots that a lot is compared with, DN2's k."""

_BLOCK_PRODUCTS = 1 << 22  # distances held at once: some thirty MB


def group_feature(features: Floats, how: Pooling = "mean") -> Floats:
    """Pool the features of a group (float32, M x D) to one (float32, D, or M·D concatenated).

    The paper takes the mean. `concatenated` keeps the rows' order: sort them by kind or class
    first. Raises `KnownError` for an empty group, `ValueError` for a shape that is not M x D.
    """
    if features.ndim != 2:
        raise ValueError(f"expected M x D features, got {features.shape}")
    if len(features) == 0:
        raise KnownError("A lot needs at least one part.")
    if how == "mean":
        return np.asarray(features.mean(axis=0, dtype=np.float64), np.float32)
    if how == "max":
        return np.asarray(features.max(axis=0), np.float32)
    if how == "concatenated":
        return np.ascontiguousarray(features, np.float32).ravel()
    raise ValueError(f"unknown pooling {how!r}")


def group_scores(queries: Floats, references: Floats, *, k: int = NEIGHBOURS) -> Doubles:
    """Score groups by DN2: the mean squared distance to the k nearest reference groups.

    `queries`: Q x D', `references`: R x D', both from `group_feature`. All R count where R < k.
    Result: float64, Q; summed over differences, so it does not depend on how products were
    blocked. Raises `KnownError` without references, `ValueError` for features of other lengths.
    """
    return _scores(queries, references, k, leave_out=False)


def leave_one_out_groups(references: Floats, *, k: int = NEIGHBOURS) -> Doubles:
    """Score every reference group (R x D') among the others, itself left out by its index.

    So an equal group still counts. Result: float64, R. Raises `KnownError` for fewer than two.
    """
    if len(references) < 2:
        raise KnownError("Comparing reference lots needs at least two of them.")
    return _scores(references, references, k, leave_out=True)


def covariance_trace(features: Floats) -> float:
    """Return the trace of the covariance of a group's features (M x D): how mixed it is.

    The paper's score for groups that should hold parts of one class (section 4.5); it needs no
    references. Unbiased (M − 1), so that it does not grow with M. Raises `KnownError` for M < 2.
    """
    if features.ndim != 2:
        raise ValueError(f"expected M x D features, got {features.shape}")
    if len(features) < 2:
        raise KnownError("How mixed a lot is can be told from two parts on.")
    return float(np.asarray(features, np.float64).var(axis=0, ddof=1).sum())


def _scores(queries: Floats, references: Floats, k: int, *, leave_out: bool) -> Doubles:
    if queries.ndim != 2 or references.ndim != 2 or queries.shape[1] != references.shape[1]:
        raise ValueError(f"groups {queries.shape} do not fit references {references.shape}")
    if len(references) == 0:
        raise KnownError("There is no reference lot to compare with.")
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    wanted = min(k, len(references) - leave_out)
    scores = np.empty(len(queries), np.float64)
    for query, found in _nearest(queries, references, wanted, leave_out=leave_out):
        difference = references[found].astype(np.float64) - queries[query].astype(np.float64)
        scores[query] = np.einsum("kd,kd->k", difference, difference).mean()
    return scores


def _nearest(
    queries: Floats, references: Floats, k: int, *, leave_out: bool
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Yield the k nearest references of every query; products in float64 choose them."""
    shift = references.mean(axis=0, dtype=np.float64)
    rows = references - shift
    norms = np.einsum("rd,rd->r", rows, rows)
    step = max(1, _BLOCK_PRODUCTS // len(rows))
    for start in range(0, len(queries), step):
        block = queries[start : start + step] - shift
        bounds = norms - 2 * (block @ rows.T)  # less the query's own norm
        if leave_out:
            own = np.arange(len(block))
            bounds[own, start + own] = np.inf
        for row, chosen in enumerate(np.argpartition(bounds, k - 1, axis=1)[:, :k]):
            yield start + row, chosen
