"""Group anomalies of the DN2 paper (arXiv 2002.10445) on data sets of classes.

A normal group has exactly one picture of each of M classes, the first M in order; an anomalous
one has M pictures whose classes are drawn at random with replacement, and is drawn again where it
came out normal. A group has no order, so members are shuffled before they are pooled. Groups are
made of training pictures (references, normal ones only) or test pictures, never of both.

The mirror of it is section 4.5: a normal group has pictures of one class alone, and the trace of
its features' covariance is the score, which needs no references. The number of groups is ours:
`GROUPS` of each kind, pictures being drawn anew for every group.
"""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.pooling import Pooling, covariance_trace, group_feature, group_scores
from inspector_gui.core.measuring import metrics
from inspector_gui.core.measuring.evaluation import Report, go_on
from inspector_gui.core.measuring.protocols import GROUPS as PROTOCOL
from inspector_gui.core.measuring.protocols import ClassFeatures, ProtocolRow
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Progress, Scoring

GROUPS = 500
"""Reference groups, and normal and anomalous test groups each."""
COVARIANCE = "covariance trace"

Ints = npt.NDArray[np.int64]


def measure_groups(
    features: ClassFeatures,
    *,
    scoring: Scoring,
    size: int | None = None,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> list[ProtocolRow]:
    """Return a row for every way to pool groups, then one for the covariance trace.

    `size`: pictures in a group, M; None for one of each class. Raises `KnownError` for a size
    below 2 or above the number of classes.
    """
    m = len(features.classes) if size is None else size
    check_group_size(features.name, len(features.classes), m)
    random = np.random.default_rng(seed)
    of_train = [np.flatnonzero(features.train_labels == c) for c in range(m)]
    of_test = [np.flatnonzero(features.test_labels == c) for c in range(m)]
    references = _members(random, of_train, [_one_of_each(random, m) for _ in range(GROUPS)])
    normal = _members(random, of_test, [_one_of_each(random, m) for _ in range(GROUPS)])
    mixed = _members(random, of_test, [_not_one_of_each(random, m) for _ in range(GROUPS)])
    queries = np.concatenate([normal, mixed])
    bad = np.repeat([False, True], GROUPS)
    rows = []
    poolings: tuple[Pooling, ...] = get_args(Pooling)
    for done, how in enumerate(poolings):
        go_on(should_stop)
        report(Progress("groups", done, len(poolings) + 1))
        scores = group_scores(
            np.stack([group_feature(features.test[group], how) for group in queries]),
            np.stack([group_feature(features.train[group], how) for group in references]),
            k=scoring.k,
        )
        area = metrics.image_auroc(bad, scores)
        rows.append(_row(features, scoring, m, how, area, n_train=GROUPS))
    go_on(should_stop)
    report(Progress("groups", len(poolings), len(poolings) + 1))
    alike = _members(random, of_test, [_one_alone(random, m) for _ in range(GROUPS)])
    # Section 4.5 asks whether a group is of one class: among the mixed ones none is.
    various = _members(random, of_test, [_not_one_alone(random, m) for _ in range(GROUPS)])
    traces = [covariance_trace(features.test[g]) for g in (*alike, *various)]
    area = metrics.image_auroc(bad, np.array(traces))
    rows.append(_row(features, scoring, m, COVARIANCE, area, n_train=0))
    report(Progress("groups", len(poolings) + 1, len(poolings) + 1))
    return rows


def check_group_size(name: str, classes: int, size: int) -> None:
    """Raise `KnownError` unless a group of this size can have one picture of each class."""
    if not 2 <= size <= classes:
        raise KnownError(
            f"--group-size is 2 to {classes}, the number of classes of {name}: a normal group has "
            "one picture of each class."
        )


def _row(
    features: ClassFeatures,
    scoring: Scoring,
    m: int,
    pooling: str,
    area: float | None,
    *,
    n_train: int,
) -> ProtocolRow:
    is_trace = pooling == COVARIANCE
    normal = f"groups of {m} of one class" if is_trace else f"groups of {m}, one of each class"
    return ProtocolRow(
        dataset=features.name,
        protocol=PROTOCOL,
        scoring=scoring,
        subject=normal,
        split=features.split,
        k_used=None if is_trace else min(scoring.k, n_train),
        n_train=n_train,
        n_test=2 * GROUPS,
        image_auroc=area,
        details={"group_size": m, "pooling": pooling},
    )


def _one_of_each(random: np.random.Generator, m: int) -> Ints:
    return np.asarray(random.permutation(m), np.int64)


def _not_one_of_each(random: np.random.Generator, m: int) -> Ints:
    while True:
        classes = random.integers(m, size=m)
        if len(np.unique(classes)) < m:
            return np.asarray(classes, np.int64)


def _one_alone(random: np.random.Generator, m: int) -> Ints:
    return np.full(m, random.integers(m), np.int64)


def _not_one_alone(random: np.random.Generator, m: int) -> Ints:
    while True:
        classes = random.integers(m, size=m)
        if len(np.unique(classes)) > 1:
            return np.asarray(classes, np.int64)


def _members(
    random: np.random.Generator, of_class: Sequence[Ints], groups: Sequence[Ints]
) -> list[Ints]:
    """Draw a picture for every place of every group; none twice in a group while there are some."""
    drawn = []
    for classes in groups:
        rows = np.empty(len(classes), np.int64)
        for c in np.unique(classes):
            places = np.flatnonzero(classes == c)
            again = len(places) > len(of_class[c])
            rows[places] = random.choice(of_class[c], len(places), replace=again)
        drawn.append(rows)
    return drawn
