"""The ablations of the SimpleNet paper (arXiv 2303.15140) on one data set.

In MVTec layout: levels (table 2), adaptor (table 3), backbone (table 4), standard deviation of the
dimensions before and after the adaptor (figure 4), noise (figure 5), neighbourhood (table 6), loss
with and without adaptor (table 7). In class folders: every class normal in turn (table 5). Each
setting differs from the recipe in what its table is about and is trained once; features are
computed once for all of them. Every training keeps its last epoch: test pictures choose nothing.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Extractor, Gallery
from inspector_gui.core.images import UnreadableImage
from inspector_gui.core.measuring.adaptor_spread import AdaptorSpread, adaptor_spread
from inspector_gui.core.measuring.class_data import ClassData
from inspector_gui.core.measuring.datasets import Dataset
from inspector_gui.core.measuring.evaluation import FeatureBank, Report, go_on, learn_all
from inspector_gui.core.measuring.trained import (
    area_of_class,
    areas_on,
    judged_by,
    pictures_among,
    pictures_of,
)
from inspector_gui.core.measuring.variation import mean_known
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.simplenet.hyperparameters import (
    CROSS_ENTROPY,
    L1,
    LINEAR,
    MLP,
    NO_ADAPTOR,
    PAPER,
    PRESETS,
    Hyperparameters,
)
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.types import Progress, Scoring

LEVELS, ADAPTOR, BACKBONE, CLASSES = "levels", "adaptor", "backbone", "class"
NOISE, NEIGHBOURHOOD, LOSS = "noise", "neighbourhood", "loss"
ABLATIONS = (LEVELS, ADAPTOR, BACKBONE, CLASSES, NOISE, NEIGHBOURHOOD, LOSS)
AVERAGE = "average"

LEVEL_CHOICES = ("1", "2", "3", "1,2", "2,3", "1,2,3")
MULTIPLES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of the recipe's noise."""
SIDES = (1, 3, 5, 7)

Areas = dict[str, float | None]
NO_AREAS: Areas = {"image_auroc": None, "pixel_auroc": None, "aupro": None}


@dataclass(frozen=True)
class Setting:
    """One row of one table: what is trained otherwise than the recipe says."""

    ablation: str
    name: str
    training: Hyperparameters


@dataclass(frozen=True)
class TrainedPoint:
    """A measured setting.

    `areas`: image AUROC, pixel AUROC and AUPRO, None where unknown. `noise`: the standard deviation
    that the training came to, `seconds`: what it took. `is_recipe`: nothing differs. `failure` says
    why there is no model, "" where there is one.
    """

    ablation: str
    setting: str
    scoring: Scoring
    areas: Areas
    is_recipe: bool = False
    n_train: int = 0
    noise: float | None = None
    seconds: float | None = None
    failure: str = ""

    def as_json(self) -> dict[str, object]:
        """Return the point as a JSON-able mapping."""
        training = self.scoring.training
        return {
            "ablation": self.ablation,
            "setting": self.setting,
            "backbone": self.scoring.backbone,
            "is_recipe": self.is_recipe,
            **self.areas,
            "n_train": self.n_train,
            "noise": self.noise,
            "seconds": self.seconds,
            "hyperparameters": training.as_json() if training else None,
            "failure": self.failure or None,
        }


@dataclass(frozen=True, eq=False)
class Ablated:
    """What came of the ablations by one network; `unreadable` says of pictures why they are."""

    points: tuple[TrainedPoint, ...]
    spread: AdaptorSpread | None = None
    unreadable: tuple[str, ...] = ()


def settings_of(chosen: Hyperparameters) -> list[Setting]:
    """Return the rows of tables 2, 3, 6, 7 and figure 5 around some hyperparameters.

    An adaptor that `fast` leaves as it begins is also measured trained, and the MLP, which cannot
    begin as one, always is: at the paper's rate.
    """
    rate = chosen.adaptor_rate or PRESETS[PAPER].adaptor_rate
    kind = LINEAR if chosen.adaptor == NO_ADAPTOR else chosen.adaptor
    adaptors = [("none", replace(chosen, adaptor=NO_ADAPTOR))]
    adaptors.append(("linear", replace(chosen, adaptor=LINEAR)))
    if not chosen.adaptor_rate:
        adaptors.append(("linear, trained", replace(chosen, adaptor=LINEAR, adaptor_rate=rate)))
    adaptors.append(("MLP", replace(chosen, adaptor=MLP, adaptor_rate=rate)))
    return [
        *(Setting(LEVELS, levels, replace(chosen, levels=levels)) for levels in LEVEL_CHOICES),
        *(Setting(ADAPTOR, name, training) for name, training in adaptors),
        *(
            Setting(NOISE, f"{times:g}", replace(chosen, noise=chosen.noise * times))
            for times in MULTIPLES
        ),
        *(Setting(NEIGHBOURHOOD, str(p), replace(chosen, neighbourhood=p)) for p in SIDES),
        *(
            Setting(LOSS, f"{loss}, {words}", replace(chosen, loss=loss, adaptor=adaptor))
            for loss in (L1, CROSS_ENTROPY)
            for words, adaptor in (("adaptor", kind), ("no adaptor", NO_ADAPTOR))
        ),
    ]


def require_enough(data: Dataset | ClassData, scoring: Scoring) -> None:
    """Raise `KnownError` where there are too few references, before anything is computed."""
    from inspector_gui.core.simplenet.fitting import split

    training = _training_of(scoring)
    if isinstance(data, Dataset):
        split(len(data.train), training)
        return
    counts = np.bincount(data.train.labels, minlength=len(data.classes))
    try:
        split(int(counts.min()), training)
    except KnownError as error:
        raise KnownError(f"The class {data.classes[int(counts.argmin())]!r}: {error}") from error


def ablate_training(
    dataset: Dataset,
    *,
    scoring: Scoring,
    extractor: Extractor,
    bank: FeatureBank,
    backbone_alone: bool = False,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Ablated:
    """Measure the row of this network in table 4 and, unless that is all, every other table.

    `scoring` is SimpleNet's. A setting that cannot be trained is a point with its `failure`. Raises
    `KnownError` where none can be, for an unreadable reference, too few of them, or a mask that
    does not fit; `Cancelled` once `should_stop` is true.
    """
    training = _training_of(scoring)
    require_enough(dataset, scoring)
    found = learn_all(dataset, bank, extractor, report=report, should_stop=should_stop)
    require_enough(replace(dataset, train=tuple(found.files.values())), scoring)
    gallery = bank.gallery(tuple(found.files))
    settings = [Setting(BACKBONE, scoring.backbone, training)]
    if not backbone_alone:
        settings += settings_of(training)
    trainer = _Trainer(scoring, report, should_stop)
    models, failures = trainer.trained(settings, gallery, tuple(found.files))
    if not models:
        raise KnownError(next(iter(failures.values())))
    judged, unreadable = judged_by(
        list(models.values()), pictures_of(dataset), extractor, report=report,
        should_stop=should_stop,
    )  # fmt: skip
    areas: dict[Hyperparameters, Areas] = {}
    for (hyper, model), one in zip(models.items(), judged, strict=True):
        go_on(should_stop)
        report(Progress("pixels", len(areas), len(models)))
        areas[hyper] = areas_on(one, dataset, model.facts.scoring)
    report(Progress("pixels", len(models), len(models)))
    points = [
        _point(s, scoring, models.get(s.training), areas.get(s.training), failures.get(s.training))
        for s in settings
    ]
    own = models.get(training)
    spread = None
    if own is not None and training.adaptor != NO_ADAPTOR and not backbone_alone:
        spread = adaptor_spread(own, gallery, should_stop=should_stop)
    return Ablated(tuple(points), spread, unreadable)


def ablate_classes(
    data: ClassData,
    *,
    scoring: Scoring,
    extractor: Extractor,
    open_bank: Callable[[], AbstractContextManager[FeatureBank]],
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Ablated:
    """Measure table 5 by one network: each class in turn is good, all others are not.

    Features of one class at a time lie in a bank of their own. Image AUROC alone: classes have no
    masks. The last point is the average. Raises as `ablate_training`.
    """
    training = _training_of(scoring)
    require_enough(data, scoring)
    models: list[SimplenetModel] = []
    unreadable: list[str] = []
    trainer = _Trainer(scoring, report, should_stop)
    for number, name in enumerate(data.classes):
        rows = np.flatnonzero(data.train.labels == number)
        pictures = [partial(data.train.pictures.__getitem__, int(row)) for row in rows]
        with open_bank() as bank:
            words = f"{number + 1} of {len(data.classes)}, {name}"
            hashes: dict[str, None] = {}
            for done, picture in enumerate(pictures):
                go_on(should_stop)
                report(Progress(f"{words}, references", done, len(pictures)))
                try:
                    image = picture()
                except UnreadableImage as error:
                    unreadable.append(str(error))
                    continue
                sha256 = hashlib.sha256(image.tobytes()).hexdigest()
                if sha256 not in hashes:
                    bank.append(sha256, extractor.extract(image))
                    hashes[sha256] = None
            report(Progress(f"{words}, references", len(pictures), len(pictures)))
            known = tuple(sorted(hashes))
            models.append(trainer.model(training, bank.gallery(known), known, words))
    judged, others = judged_by(
        models, pictures_among(data.test), extractor, report=report, should_stop=should_stop
    )
    points = []
    for number, (name, model, one) in enumerate(zip(data.classes, models, judged, strict=True)):
        areas = NO_AREAS | {"image_auroc": area_of_class(one, data.test.labels, number)}
        points.append(_point(Setting(CLASSES, name, training), scoring, model, areas, None))
    mean = mean_known([point.areas["image_auroc"] for point in points])
    average = TrainedPoint(
        CLASSES, AVERAGE, points[0].scoring, NO_AREAS | {"image_auroc": mean}, is_recipe=True
    )
    return Ablated((*points, average), None, (*unreadable, *others))


@dataclass(frozen=True, eq=False)
class _Trainer:
    """Trains settings one after the other, with their names in the progress."""

    scoring: Scoring
    report: Report
    should_stop: ShouldStop

    def trained(
        self, settings: Sequence[Setting], gallery: Gallery, hashes: tuple[str, ...]
    ) -> tuple[dict[Hyperparameters, SimplenetModel], dict[Hyperparameters, str]]:
        """Return a model of each different setting, and why there is none of others."""
        names: dict[Hyperparameters, str] = {}
        for setting in settings:
            names.setdefault(setting.training, f"{setting.ablation} {setting.name}")
        models: dict[Hyperparameters, SimplenetModel] = {}
        failures: dict[Hyperparameters, str] = {}
        for number, (training, name) in enumerate(names.items(), 1):
            words = f"{number} of {len(names)}, {name}"
            try:
                models[training] = self.model(training, gallery, hashes, words)
            except Cancelled:
                raise
            except KnownError as error:
                failures[training] = str(error)
        return models, failures

    def model(
        self, training: Hyperparameters, gallery: Gallery, hashes: tuple[str, ...], words: str
    ) -> SimplenetModel:
        """Train one setting; raises as `train_model`."""
        from inspector_gui.core.simplenet.fitting import train_model
        from inspector_gui.core.simplenet.training import Hooks

        def heard(progress: Progress) -> None:
            self.report(Progress(f"{words}, {progress.what}", progress.done, progress.total))

        scoring = replace(self.scoring, training=training)
        hooks = Hooks(report=heard, should_stop=self.should_stop)
        return train_model(gallery, hashes, scoring, hooks=hooks)


def _training_of(scoring: Scoring) -> Hyperparameters:
    """Return how models are trained here: on all references, since no limit is made."""
    if scoring.training is None:
        raise ValueError(f"{scoring.method} is not trained")
    return replace(scoring.training, held_out=0.0)


def _point(
    setting: Setting,
    scoring: Scoring,
    model: SimplenetModel | None,
    areas: Areas | None,
    failure: str | None,
) -> TrainedPoint:
    facts = model.facts if model is not None else None
    return TrainedPoint(
        setting.ablation,
        setting.name,
        replace(scoring, training=setting.training),
        areas or NO_AREAS,
        is_recipe=setting.training == _training_of(scoring),
        n_train=len(facts.trained_on) if facts else 0,
        noise=facts.noise if facts else None,
        seconds=facts.seconds if facts else None,
        failure=failure or "",
    )
