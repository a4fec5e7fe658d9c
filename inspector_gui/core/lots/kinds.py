"""Kinds of references: which stand for a kind, and how far a part may be from them."""

import numpy as np

from inspector_gui.core.calibration import MIN_REFERENCES, suggest_limits
from inspector_gui.core.lots.draws import Ints
from inspector_gui.core.lots.pooling import Doubles
from inspector_gui.core.types import Floats

MOST_MEMBERS = 2048
"""References that name kinds and that lots are drawn from, where there are more: a fixed choice."""

_ROWS_AT_ONCE = 512
_HALF_WAY = 0.25  # of the way between two kinds, in squared distance


def spread_choice(kinds: Ints, count: int, seed: int) -> Ints:
    """Return rows of at most `MOST_MEMBERS` references, alike many of every kind, sorted."""
    if len(kinds) <= MOST_MEMBERS:
        return np.arange(len(kinds))
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(kinds))
    rank = np.empty(len(kinds), np.int64)  # of a reference among those of its kind
    for kind in range(count):
        own = shuffled[kinds[shuffled] == kind]
        rank[own] = np.arange(len(own))
    return np.sort(shuffled[np.argsort(rank[shuffled], kind="stable")][:MOST_MEMBERS])


def reach_of(members: Floats, kinds: Ints, count: int) -> Doubles:
    """Return how far a part of each kind may be from its nearest reference: float64, K.

    By the rule of limits (`suggest_limits`) on the references' own distances, each left out by
    its index; kinds with few references take that of all. At least half way to the nearest
    reference of another kind: up to there a part of the kind is in no doubt.
    """
    own, others = _nearest_distances(members, kinds)
    of_all = suggest_limits(own.tolist(), gallery="").fail_from
    reach = np.full(count, of_all)
    for kind in np.unique(kinds):
        of_kind = own[kinds == kind]
        if len(of_kind) >= MIN_REFERENCES:
            reach[kind] = suggest_limits(of_kind.tolist(), gallery="").fail_from
        between = others[kinds == kind].min()
        if np.isfinite(between):
            reach[kind] = max(reach[kind], _HALF_WAY * between)
    return reach


def _nearest_distances(members: Floats, kinds: Ints) -> tuple[Doubles, Doubles]:
    """Return squared distances to the nearest other reference, and to that of another kind.

    Float64, N each; infinite where all are of one kind.
    """
    nearest, between = np.empty(len(members)), np.empty(len(members))
    for start in range(0, len(members), _ROWS_AT_ONCE):
        block = members[start : start + _ROWS_AT_ONCE]
        rows = slice(start, start + len(block))
        bounds = _squared(block, members)
        own = np.arange(len(block))
        bounds[own, start + own] = np.inf
        nearest[rows] = _distances(block, members[bounds.argmin(axis=1)])
        bounds[kinds[rows, None] == kinds] = np.inf
        found = _distances(block, members[bounds.argmin(axis=1)])
        between[rows] = np.where(np.isfinite(bounds.min(axis=1)), found, np.inf)
    return nearest, between


def _distances(left: Floats, right: Floats) -> Doubles:
    difference = left.astype(np.float64) - right
    return np.asarray(np.einsum("nd,nd->n", difference, difference), np.float64)


def _squared(queries: Floats, rows: Floats) -> Doubles:
    shift = rows.mean(axis=0, dtype=np.float64)
    left, right = queries - shift, rows - shift
    norms = np.einsum("nd,nd->n", right, right)
    return np.asarray(norms - 2 * (left @ right.T), np.float64)
