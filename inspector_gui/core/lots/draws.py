"""Lots drawn from single references: what usual lots look like where nobody has gathered any.

Drawn with the proportions of kinds that a person states. Uniform draws would be no help: they are
just what a bad lot is (Bergman et al. 2020, group anomaly detection).
"""

from math import comb

import numpy as np
import numpy.typing as npt

from inspector_gui.core.lots.pooling import NEIGHBOURS, Doubles, group_scores
from inspector_gui.core.types import Floats

Ints = npt.NDArray[np.int64]

DRAWN_LOTS = 256
"""Lots that are drawn for comparison."""
SCORED_DRAWS = 100
"""Further lots that are drawn for the limit."""
CONFIDENCE = 0.99
"""Share of usual lots whose number of a kind is inside its interval, where it is not exact."""

_WHOLE = 1e-9


def exact_counts(shares: Doubles, size: int) -> Ints | None:
    """Return how many of each kind a lot of `size` has; None where these are no whole numbers.

    `shares`: float64, K, of sum 1. Result: int64, K.
    """
    expected = shares * size
    counts = np.rint(expected).astype(np.int64)
    return counts if bool(np.all(np.abs(expected - counts) < _WHOLE * size)) else None


def usual_counts(share: float, size: int) -> tuple[int, int]:
    """Return the fewest and the most of a kind in usual lots of `size` random parts.

    The central interval of the binomial distribution that holds `CONFIDENCE` of them.
    """
    tail = (1 - CONFIDENCE) / 2
    chances = np.array(
        [comb(size, n) * share**n * (1 - share) ** (size - n) for n in range(size + 1)]
    )
    below = np.cumsum(chances)
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1 - tail))


def draw_lots(
    kinds: Ints, shares: Doubles, size: int, *, lots: int, random: np.random.Generator
) -> Ints:
    """Draw lots of `size` references: int64, lots x size, rows of the references.

    `kinds`: int64, N, the kind of every reference; `shares`: float64, K. Each lot has exactly the
    shares where they are whole numbers of parts, otherwise its counts are a multinomial draw. A
    lot holds no reference twice, except of a kind with fewer references than it needs.
    """
    exact = exact_counts(shares, size)
    if exact is not None:
        of_slot = np.tile(np.repeat(np.arange(len(shares)), exact), (lots, 1))
    else:
        chances = shares / shares.sum()
        of_slot = np.sort(random.choice(len(shares), (lots, size), p=chances), axis=1)
    rows = np.empty((lots, size), np.int64)
    for kind in np.flatnonzero(shares):
        is_here = of_slot == kind
        rank = np.cumsum(is_here, axis=1) - 1
        most = int(rank.max()) + 1
        if most == 0:
            continue
        members = np.flatnonzero(kinds == kind)
        chosen = members[_choices(len(members), most, lots, random)]
        lot, slot = np.nonzero(is_here)
        rows[lot, slot] = chosen[lot, rank[lot, slot]]
    return rows


def pooled_lots(features: Floats, rows: Ints) -> Floats:
    """Return the mean feature of lots (float32, L x D) given as rows of `features` (L x M)."""
    pooled = np.empty((len(rows), features.shape[1]), np.float32)
    for start in range(0, len(rows), 64):
        block = features[rows[start : start + 64]]
        pooled[start : start + 64] = block.mean(axis=1, dtype=np.float64)
    return pooled


def scores_of_new_draws(
    features: Floats, kinds: Ints, shares: Doubles, size: int, *, random: np.random.Generator
) -> Doubles:
    """Score further drawn lots as a lot of new parts would be: float64, `SCORED_DRAWS`.

    Each is compared with lots drawn without its own parts (left out by their index): lots drawn
    from the same references share parts, and would look more alike than new lots ever do. Of a
    kind with no other references its parts stay.
    """
    scores = np.empty(SCORED_DRAWS, np.float64)
    drawn = draw_lots(kinds, shares, size, lots=SCORED_DRAWS, random=random)
    everywhere = np.bincount(kinds, minlength=len(shares))
    for number, rows in enumerate(drawn):
        own = np.unique(rows)
        used = np.bincount(kinds[own], minlength=len(shares))
        left_out = own[(used < everywhere)[kinds[own]]]
        others = np.setdiff1d(np.arange(len(kinds)), left_out)
        compared = draw_lots(kinds[others], shares, size, lots=DRAWN_LOTS, random=random)
        query = pooled_lots(features, rows[None])
        references = pooled_lots(features, others[compared])
        scores[number] = group_scores(query, references, k=NEIGHBOURS)[0]
    return scores


def _choices(count: int, wanted: int, lots: int, random: np.random.Generator) -> Ints:
    """Return `wanted` of `count` numbers for every lot in random order: int64, lots x wanted.

    All are different as long as there are enough; the first `count` of them always are.
    """
    different = min(count, wanted)
    again = random.integers(0, count, (lots, wanted - different))
    if different**2 > 2 * count:  # repetitions would be frequent
        keys = random.random((lots, count))
        first = np.argpartition(keys, different - 1, axis=1)[:, :different]
        order = np.take_along_axis(keys, first, axis=1).argsort(axis=1)
        return np.concatenate([np.take_along_axis(first, order, axis=1), again], axis=1)
    drawn = random.integers(0, count, (lots, different))
    while True:
        repeats = (np.diff(np.sort(drawn, axis=1), axis=1) == 0).any(axis=1)
        if not repeats.any():
            return np.concatenate([drawn, again], axis=1)
        drawn[repeats] = random.integers(0, count, (int(repeats.sum()), different))
