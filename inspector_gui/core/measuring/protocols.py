"""The protocols of the DN2 paper (arXiv 2002.10445) on data sets of classes.

one-class: every class in turn is normal, all others are anomalous. multimodal: all classes but one
are normal, the one left out is anomalous. References are the normal classes' training pictures;
all test pictures are scored. Groups: see `group_protocol`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import UnreadableImage
from inspector_gui.core.measuring.class_data import ClassData, Ints, LabelledPictures
from inspector_gui.core.measuring.evaluation import Report, go_on
from inspector_gui.core.measuring.problems import (
    Problem,
    auroc,
    contaminated,
    rows_kept,
    with_centroids,
    with_shots,
)
from inspector_gui.core.measuring.variation import (
    CLEAN,
    CLEANED,
    CONTAMINATED,
    DRAWS,
    Variation,
    mean_known,
    spread,
)
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Floats, Progress, Scoring

ONE_CLASS, MULTIMODAL, GROUPS = "one-class", "multimodal", "groups"
PROTOCOLS = (ONE_CLASS, MULTIMODAL, GROUPS)
AVERAGE = "average"


@dataclass(frozen=True, eq=False)
class ClassFeatures:
    """Global features of a data set of classes, with each one's class number.

    `train`: float32, N x D, `test`: float32, Q x D; labels int64. `unreadable` names the pictures
    that were left out and why.
    """

    name: str
    classes: tuple[str, ...]
    split: str
    train: Floats
    train_labels: Ints
    test: Floats
    test_labels: Ints
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProtocolRow:
    """One line of a protocol: the class it is about, and the area under the ROC curve.

    `subject` is a class or "average" over classes; `n_train` and `n_test` are None for averages.
    `draws` are the areas of random draws of which `image_auroc` is the mean.
    """

    dataset: str
    protocol: str
    scoring: Scoring
    subject: str
    split: str
    k_used: int | None
    n_train: int | None
    n_test: int | None
    image_auroc: float | None
    training: str = CLEAN
    details: dict[str, object] = field(default_factory=dict)
    draws: tuple[float | None, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the row as a JSON-able mapping."""
        scoring = self.scoring
        return {
            "dataset": self.dataset,
            "protocol": self.protocol,
            "method": scoring.method,
            "backbone": scoring.backbone,
            "preset": scoring.preset,
            "class": self.subject,
            "split": self.split,
            "k_used": self.k_used,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "image_auroc": self.image_auroc,
            **scoring.input_as_json(),
            "runtime": scoring.runtime,
            "precision": scoring.precision,
            "training": self.training,
            **self.details,
            **(self._of_draws() if self.draws else {}),
        }

    @property
    def spread(self) -> float | None:
        """Standard deviation over random draws; None where nothing is drawn."""
        return spread(self.draws)

    def _of_draws(self) -> dict[str, object]:
        return {
            "n_draws": len(self.draws),
            "image_auroc_std": self.spread,
            "image_auroc_draws": list(self.draws),
        }


def class_features(
    data: ClassData,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> ClassFeatures:
    """Compute the global feature of every picture, once.

    Unreadable pictures are left out and named. Raises `KnownError` where none of a class's
    training or test pictures is readable, `Cancelled` once `should_stop` is true.
    """
    unreadable: list[str] = []

    def computed(pictures: LabelledPictures, what: str) -> tuple[Floats, Ints]:
        features, labels = [], []
        for row in range(len(pictures)):
            go_on(should_stop)
            report(Progress(what, row, len(pictures)))
            try:
                image = pictures.pictures[row]
            except UnreadableImage as error:
                unreadable.append(str(error))
                continue
            features.append(extractor.extract(image).pooled)
            labels.append(int(pictures.labels[row]))
        report(Progress(what, len(pictures), len(pictures)))
        missing = sorted(set(range(len(data.classes))) - set(labels))
        if missing:
            raise KnownError(
                f"None of the {what} of the class {data.classes[missing[0]]!r} of {data.name} is "
                f"readable. {unreadable[0] if unreadable else ''}".strip()
            )
        return np.stack(features).astype(np.float32), np.asarray(labels, np.int64)

    train, train_labels = computed(data.train, "training pictures")
    test, test_labels = computed(data.test, "test pictures")
    return ClassFeatures(
        data.name, data.classes, data.split, train, train_labels, test, test_labels,
        tuple(unreadable),
    )  # fmt: skip


def check_protocol(data: ClassData, protocol: str, variation: Variation, scoring: Scoring) -> None:
    """Raise `KnownError` for what a protocol cannot do, before any feature is computed."""
    variation.check(scoring)
    if scoring.method != "dn2":
        raise KnownError(
            f"The protocols compare global features; --protocol needs --method dn2, not "
            f"{scoring.method}."
        )
    if protocol == GROUPS:
        if variation != Variation():
            raise KnownError(
                "The protocol groups has no --contaminate, --clean, --shots and --centroids."
            )
        return
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    if protocol == MULTIMODAL:
        counts = counts.sum() - counts
    fewest = int(counts.argmin())
    if variation.shots and max(variation.shots) > counts[fewest]:
        raise KnownError(
            f"{max(variation.shots)} shots cannot be drawn from {data.name}: the problem of the "
            f"class {data.classes[fewest]!r} has {counts[fewest]} references."
        )


def problems_of(features: ClassFeatures, protocol: str) -> list[Problem]:
    """Return the problems of `one-class` or `multimodal`, one a class, named after it."""
    problems = []
    for number, name in enumerate(features.classes):
        is_class, is_class_test = (
            features.train_labels == number,
            features.test_labels == number,
        )
        normal = is_class if protocol == ONE_CLASS else ~is_class
        bad = ~is_class_test if protocol == ONE_CLASS else is_class_test
        problems.append(
            Problem(name, features.train[normal], features.test, bad, features.train[~normal])
        )
    return problems


def measure(
    features: ClassFeatures,
    protocol: str,
    *,
    scoring: Scoring,
    variation: Variation | None = None,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> list[ProtocolRow]:
    """Run `one-class` or `multimodal`; a row for every class, then one for their average.

    A variation gives such a block for every training (clean, contaminated, cleaned) or for every
    number of shots, per class. Bad references come from the other classes' training pictures, so
    the test set stays whole.
    """
    variation = variation or Variation()
    variation.check(scoring)
    problems = problems_of(features, protocol)
    blocks: dict[str, list[ProtocolRow]] = {}
    for done, problem in enumerate(problems):
        report(Progress("classes", done, len(problems)))
        for varied in _varied(problem, variation, scoring, seed=seed):
            go_on(should_stop)
            areas = [
                auroc(_reduced(p, variation.centroids, seed), scoring.k) for p in varied.problems
            ]
            details = dict(varied.details)
            first = varied.problems[0]
            n_compared = len(first.references)
            if variation.centroids is not None:
                details["centroids"] = n_compared = min(variation.centroids, n_compared)
            row = ProtocolRow(
                dataset=features.name,
                protocol=protocol,
                scoring=scoring,
                subject=problem.name,
                split=features.split,
                k_used=min(scoring.k, n_compared),
                n_train=len(first.references),
                n_test=len(first.queries),
                image_auroc=mean_known(areas),
                training=varied.training,
                details=details,
                draws=tuple(areas) if variation.shots else (),
            )
            blocks.setdefault(varied.key, []).append(row)
    report(Progress("classes", len(problems), len(problems)))
    return [row for block in blocks.values() for row in (*block, average(block))]


@dataclass(frozen=True, eq=False)
class _Varied:
    """Problems that make one row: one, or several random draws of references."""

    key: str
    training: str
    problems: tuple[Problem, ...]
    details: dict[str, object]


def _varied(
    problem: Problem, variation: Variation, scoring: Scoring, *, seed: int
) -> list[_Varied]:
    if variation.shots:
        return [
            _Varied(
                str(count),
                CLEAN,
                tuple(with_shots(problem, count, seed=[seed, draw]) for draw in range(DRAWS)),
                {"shots": count},
            )
            for count in variation.shots
        ]
    if variation.contaminate is None and variation.clean is None:
        return [_Varied(CLEAN, CLEAN, (problem,), {})]
    impure, count = problem, 0
    if variation.contaminate is not None:
        impure, count = contaminated(problem, variation.contaminate, seed=seed)

    def one(training: str, chosen: Problem, bads: int, dropped: int = 0) -> _Varied:
        details: dict[str, object] = {
            "contaminate": variation.contaminate,
            "clean": variation.clean if training == CLEANED else None,
            "n_contaminated": bads,
            "impurity": bads / len(chosen.references),
            "n_dropped": dropped,
        }
        return _Varied(training, training, (chosen,), details)

    rows = [one(CLEAN, problem, 0)]
    if count:
        rows.append(one(CONTAMINATED, impure, count))
    if variation.clean is not None:
        kept_rows = rows_kept(impure.references, variation.clean, k=scoring.k)
        kept = replace(impure, references=impure.references[kept_rows])
        dropped = len(impure.references) - len(kept_rows)
        is_bad = np.arange(len(impure.references)) >= len(problem.references)
        rows.append(one(CLEANED, kept, int(is_bad[kept_rows].sum()), dropped))
    return rows


def _reduced(problem: Problem, centroids: int | None, seed: int) -> Problem:
    return problem if centroids is None else with_centroids(problem, centroids, seed=seed)


def average(rows: Sequence[ProtocolRow]) -> ProtocolRow:
    """Return the row of the mean over classes, as the paper's tables have it."""
    first = rows[0]
    details: dict[str, object] = {"n_classes": len(rows)}
    for key in ("shots", "centroids", "contaminate", "clean"):
        if key in first.details:
            details[key] = first.details[key]
    return ProtocolRow(
        dataset=first.dataset,
        protocol=first.protocol,
        scoring=first.scoring,
        subject=AVERAGE,
        split=first.split,
        k_used=first.k_used,
        n_train=None,
        n_test=None,
        image_auroc=mean_known([row.image_auroc for row in rows]),
        training=first.training,
        details=details,
        draws=tuple(mean_known(areas) for areas in zip(*(r.draws for r in rows), strict=True)),
    )
