"""How well a method does on a data set in MVTec layout: image and pixel metrics, time, memory.

Nothing here feeds back into judging: no limit and no weight is chosen on test images.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from inspector_gui.core.ahead import ahead
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Extractor, Features, Gallery
from inspector_gui.core.images import UnreadableImage, decode, read_bytes
from inspector_gui.core.measuring import metrics
from inspector_gui.core.measuring.datasets import Dataset, Sample
from inspector_gui.core.measuring.memory import peak_rss_mb, reset_peak_memory
from inspector_gui.core.measuring.pixel_frame import map_on_frame, mask_on_frame
from inspector_gui.core.measuring.variation import CLEAN
from inspector_gui.core.method_options import name_of
from inspector_gui.core.methods.base import Method, fit
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import RGB, Progress, Scores, Scoring

Report = Callable[[Progress], None]


class FeatureBank(Protocol):
    """Keeps features by the content hash of their picture and lines them up as a gallery."""

    def append(self, sha256: str, features: Features) -> None: ...

    def gallery(self, hashes: Sequence[str]) -> Gallery: ...


@dataclass(frozen=True)
class References:
    """Readable pictures of good parts: file by content hash, in canonical order.

    Equal files count once. `unreadable` says of each other file why it is not a picture.
    """

    files: dict[str, Path]
    unreadable: tuple[UnreadableImage, ...]


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one method on one data set; fractions between 0 and 1, None where unknown.

    `training` says what the references were (see `core.variation`), `details` more about it.
    """

    dataset: str
    scoring: Scoring
    k_used: int
    n_train: int
    n_test: int
    image_auroc: float | None
    image_auroc_interval: tuple[float, float] | None
    stage1_auroc: float | None
    pixel: metrics.PixelResult | None
    f1: tuple[float, float] | None
    average_precision: float | None
    fit_seconds: float
    seconds_per_image: float
    peak_rss_mb: float
    has_map: bool
    device: str
    kinds: dict[str, dict[str, float | int | None]] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    training: str = CLEAN
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the evaluation as a JSON-able mapping."""
        scoring, interval = self.scoring, self.image_auroc_interval
        return {
            "dataset": self.dataset,
            "method": name_of(scoring),
            "backbone": scoring.backbone,
            "preset": scoring.preset,
            "k_used": self.k_used,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "image_auroc": self.image_auroc,
            "image_auroc_interval": list(interval) if interval else None,
            "stage1_auroc": self.stage1_auroc,
            "pixel_auroc": self.pixel.auroc if self.pixel else None,
            "aupro": self.pixel.aupro if self.pixel else None,
            "f1_max": self.f1[0] if self.f1 else None,
            "f1_max_threshold": self.f1[1] if self.f1 else None,
            "average_precision": self.average_precision,
            "fit_seconds": self.fit_seconds,
            "seconds_per_image": self.seconds_per_image,
            "peak_rss_mb": self.peak_rss_mb,
            "kappa": scoring.kappa if scoring.method == "spade" else None,
            "levels": scoring.levels if scoring.method == "spade" else None,
            "weights": scoring.weights if scoring.method == "spade" else None,
            "pool": scoring.pool if scoring.method == "spade" else None,
            "scales": scoring.scales if scoring.method == "spade" else None,
            "sigma": scoring.sigma if self.has_map else None,
            "coreset": scoring.coreset if scoring.method == "patchcore" else None,
            "reweight": scoring.reweight if scoring.method == "patchcore" else None,
            "hyperparameters": scoring.training.as_json() if scoring.training else None,
            **scoring.input_as_json(),
            "runtime": scoring.runtime,
            "precision": scoring.precision,
            "device": self.device,
            "kinds": self.kinds,
            "n_unreadable": len(self.unreadable),
            "unreadable": list(self.unreadable),
            "training": self.training,
            **self.details,
        }


Picture = tuple[Path, Callable[[], bytes]]
"""What a picture is called, and how its file is read."""


def learn(
    files: Sequence[Path],
    bank: FeatureBank,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> References:
    """Put the features of pictures of good parts into `bank`, one by one."""
    pictures = [(path, partial(read_bytes, path)) for path in files]
    return learn_pictures(pictures, bank, extractor, report=report, should_stop=should_stop)


def learn_pictures(
    pictures: Sequence[Picture],
    bank: FeatureBank,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> References:
    """Do as `learn`, with pictures that need not be files (frames of a video)."""
    found: dict[str, Path] = {}
    unreadable = []
    for done, ((path, _), decoded) in enumerate(ahead(pictures, _decoded)):
        go_on(should_stop)
        report(Progress("references", done, len(pictures)))
        try:
            sha256, image = decoded()
            if sha256 not in found:
                bank.append(sha256, extractor.extract(image))
                found[sha256] = path
        except UnreadableImage as error:
            unreadable.append(error)
    report(Progress("references", len(pictures), len(pictures)))
    return References(dict(sorted(found.items())), tuple(unreadable))


def _decoded(picture: Picture) -> tuple[str, RGB]:
    path, read = picture
    data = read()
    return hashlib.sha256(data).hexdigest(), decode(data, name=path.name)


@dataclass(frozen=True, eq=False)
class Training:
    """A gallery to measure a method with, and what its row says of it.

    A method keeps what it laid out of one gallery, so every training has its own.
    """

    method: Method
    gallery: Gallery
    n_train: int
    fit_seconds: float
    name: str = CLEAN
    details: Mapping[str, Any] = field(default_factory=dict)


def evaluate(
    dataset: Dataset,
    *,
    scoring: Scoring,
    method: Method,
    extractor: Extractor,
    bank: FeatureBank,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Evaluation:
    """Measure a method on a data set; `seed` is that of the bootstrap.

    An unreadable test picture is left out and named in the result. Raises `KnownError` for an
    unreadable reference or a mask that does not fit, `Cancelled` once `should_stop` is true.
    """
    reset_peak_memory()
    began = time.perf_counter()
    references = learn_all(dataset, bank, extractor, report=report, should_stop=should_stop)
    gallery = bank.gallery(tuple(references.files))
    fit(method, gallery, report=report, should_stop=should_stop)
    training = Training(method, gallery, len(gallery), time.perf_counter() - began)
    return judge(
        dataset, [training], scoring=scoring, extractor=extractor, seed=seed, report=report,
        should_stop=should_stop,
    )[0]  # fmt: skip


def learn_all(
    dataset: Dataset,
    bank: FeatureBank,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> References:
    """Learn the references of a data set; raises `KnownError` where one is not usable."""
    references = learn(dataset.train, bank, extractor, report=report, should_stop=should_stop)
    if references.unreadable:
        raise KnownError(f"A reference is not usable. {references.unreadable[0]}")
    return references


def judge(
    dataset: Dataset,
    trainings: Sequence[Training],
    *,
    scoring: Scoring,
    extractor: Extractor,
    seed: int = 0,
    left_out: frozenset[str] = frozenset(),
    with_pixels: bool = True,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> list[Evaluation]:
    """Measure every training on the same test pictures, whose features are computed once.

    Test pictures whose content hash is in `left_out` do not count. Raises as `evaluate` does.
    """
    runs = [_Run(training, scoring, with_pixels=with_pixels) for training in trainings]
    unreadable = []
    for done, sample in enumerate(dataset.test):  # one by one: the time of each is measured
        go_on(should_stop)
        report(Progress("test pictures", done, len(dataset.test)))
        began = time.perf_counter()
        try:
            data = read_bytes(sample.path)
            if left_out and hashlib.sha256(data).hexdigest() in left_out:
                continue
            image = decode(data, name=sample.path.name)
        except UnreadableImage as error:
            unreadable.append(str(error))
            continue
        features = extractor.extract(image)
        seconds = time.perf_counter() - began
        for run in runs:
            run.add(sample, image, features, seconds)
    report(Progress("test pictures", len(dataset.test), len(dataset.test)))
    if not runs[0].judged:
        raise KnownError(f"No test picture of {dataset.name} is readable. {unreadable[0]}")
    return [run.result(dataset.name, extractor.device, unreadable, seed=seed) for run in runs]


class _Run:
    """Collects what one training says of the test pictures."""

    def __init__(self, training: Training, scoring: Scoring, *, with_pixels: bool) -> None:
        self._training, self._scoring, self._with_pixels = training, scoring, with_pixels
        self._pixels = metrics.PixelMetrics()
        self._seconds: list[float] = []
        self.judged: list[tuple[Sample, Scores]] = []

    def add(self, sample: Sample, image: RGB, features: Features, seconds: float) -> None:
        """Score a test picture, whose features took `seconds`."""
        began = time.perf_counter()
        scores = self._training.method.score(features, self._training.gallery)
        self._seconds.append(seconds + time.perf_counter() - began)
        has_truth = sample.mask is not None or not sample.is_bad
        if scores.patches is not None and has_truth and self._with_pixels:
            size = (image.shape[0], image.shape[1])
            self._pixels.add(
                map_on_frame(scores.patches, self._scoring, size),
                mask_on_frame(sample, self._scoring, size),
            )
        # Hundreds of maps of a test set are not kept.
        self.judged.append((sample, replace(scores, patches=None)))

    def result(self, name: str, device: str, unreadable: Sequence[str], *, seed: int) -> Evaluation:
        """Return the metrics of all test pictures."""
        training, judged = self._training, self.judged
        bad = np.array([sample.is_bad for sample, _ in judged])
        scores = np.array([scores.image for _, scores in judged])
        stage1 = np.array([scores.stage1 for _, scores in judged])
        has_map = training.method.has_map
        return Evaluation(
            dataset=name,
            scoring=self._scoring,
            k_used=min(self._scoring.k, len(training.gallery)),
            n_train=training.n_train,
            n_test=len(judged),
            image_auroc=metrics.image_auroc(bad, scores),
            image_auroc_interval=metrics.auroc_interval(bad, scores, seed=seed),
            stage1_auroc=metrics.image_auroc(bad, stage1) if has_map else None,
            pixel=self._pixels.result(),
            f1=metrics.f1_max(bad, scores),
            average_precision=metrics.average_precision(bad, scores),
            fit_seconds=training.fit_seconds,
            seconds_per_image=float(np.median(self._seconds)),
            peak_rss_mb=peak_rss_mb(),
            has_map=has_map,
            device=device,
            kinds=_by_kind(judged),
            unreadable=tuple(unreadable),
            training=training.name,
            details=training.details,
        )


def _by_kind(judged: list[tuple[Sample, Scores]]) -> dict[str, dict[str, float | int | None]]:
    """Return for every kind of defect how many there are and how well they stand out."""
    goods = [scores.image for sample, scores in judged if not sample.is_bad]
    result: dict[str, dict[str, float | int | None]] = {}
    for kind in sorted({sample.kind for sample, _ in judged if sample.is_bad}):
        bads = [scores.image for sample, scores in judged if sample.kind == kind]
        bad = np.repeat([False, True], [len(goods), len(bads)])
        area = metrics.image_auroc(bad, np.array(goods + bads))
        result[kind] = {"n_test": len(bads), "image_auroc": area}
    return result


def go_on(should_stop: ShouldStop) -> None:
    """Raise `Cancelled` once `should_stop` is true."""
    if should_stop():
        raise Cancelled
