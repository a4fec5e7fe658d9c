"""How well a method does on a data set in MVTec layout: image and pixel metrics, time, memory.

Nothing here feeds back into judging: no limit and no weight is chosen on test images.
"""

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import psutil

from inspector_gui.core import metrics
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Extractor, Features, Gallery
from inspector_gui.core.images import (
    UnreadableImage,
    decode,
    list_images,
    read_bytes,
    read_image,
)
from inspector_gui.core.methods.base import Method, anomaly_map
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.opencv import cv2
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import Bools, Floats, Progress, Scores, Scoring

LONG_SIDE = 512
"""Pixel metrics are taken on the picture, shrunk so that its longer side is at most this."""
PAPER_SIDE = 256
"""Side of the square frame that the papers compare on."""

Report = Callable[[Progress], None]


class FeatureBank(Protocol):
    """Keeps features by the content hash of their picture and lines them up as a gallery."""

    def append(self, sha256: str, features: Features) -> None: ...

    def gallery(self, hashes: Sequence[str]) -> Gallery: ...


@dataclass(frozen=True)
class Sample:
    """A test picture: its kind ("good" or a defect) and its mask file, where there is one."""

    path: Path
    kind: str
    mask: Path | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the picture shows a defective part."""
        return self.kind != "good"


@dataclass(frozen=True)
class Dataset:
    """A data set in MVTec layout: `train/good`, `test/<kind>`, `ground_truth/<kind>`."""

    name: str
    train: tuple[Path, ...]
    test: tuple[Sample, ...]


@dataclass(frozen=True)
class References:
    """Readable pictures of good parts: file by content hash, in canonical order.

    Equal files count once. `unreadable` says of each other file why it is not a picture.
    """

    files: dict[str, Path]
    unreadable: tuple[UnreadableImage, ...]


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one method on one data set; fractions between 0 and 1, None where unknown."""

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

    def as_json(self) -> dict[str, object]:
        """Return the evaluation as a JSON-able mapping."""
        scoring, interval = self.scoring, self.image_auroc_interval
        return {
            "dataset": self.dataset,
            "method": scoring.method,
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
            "kappa": scoring.kappa if self.has_map else None,
            "sigma": scoring.sigma if self.has_map else None,
            "size": scoring.size,
            "crop": scoring.crop,
            "runtime": scoring.runtime,
            "precision": scoring.precision,
            "device": self.device,
            "kinds": self.kinds,
            "n_unreadable": len(self.unreadable),
            "unreadable": list(self.unreadable),
        }


def read_dataset(folder: Path) -> Dataset:
    """Return what an MVTec folder holds; raises `KnownError` where it is not one.

    A mask is `ground_truth/<kind>/<stem>_mask.png` or `<stem>.png`.
    """
    if not folder.is_dir():
        raise KnownError(f"{folder} is not a folder.")
    good = folder / "train" / "good"
    train = list_images([good]) if good.is_dir() else []
    if not train:
        raise KnownError(f"{folder} is not in MVTec layout: no pictures in its folder train/good.")
    test = folder / "test"
    kinds = sorted(p for p in test.iterdir() if p.is_dir()) if test.is_dir() else []
    samples = [
        Sample(path, kind.name, _mask_of(folder / "ground_truth" / kind.name, kind, path))
        for kind in kinds
        for path in list_images([kind])
    ]
    if not samples:
        raise KnownError(f"{folder} is not in MVTec layout: no pictures in folders below test.")
    return Dataset(folder.resolve().name, tuple(train), tuple(samples))


def _mask_of(masks: Path, kind: Path, picture: Path) -> Path | None:
    place = masks / picture.relative_to(kind)
    candidates = (place.with_name(f"{place.stem}{ending}") for ending in ("_mask.png", ".png"))
    return next((c for c in candidates if c.is_file()), None)


def learn(
    files: Sequence[Path],
    bank: FeatureBank,
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> References:
    """Put the features of pictures of good parts into `bank`, one by one."""
    found: dict[str, Path] = {}
    unreadable = []
    for done, path in enumerate(files):
        _go_on(should_stop)
        report(Progress("references", done, len(files)))
        try:
            data = read_bytes(path)
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 not in found:
                bank.append(sha256, extractor.extract(decode(data, name=path.name)))
                found[sha256] = path
        except UnreadableImage as error:
            unreadable.append(error)
    report(Progress("references", len(files), len(files)))
    return References(dict(sorted(found.items())), tuple(unreadable))


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
    references = learn(dataset.train, bank, extractor, report=report, should_stop=should_stop)
    if references.unreadable:
        raise KnownError(f"A reference is not usable. {references.unreadable[0]}")
    gallery = bank.gallery(tuple(references.files))
    fit_seconds = time.perf_counter() - began

    judged: list[tuple[Sample, Scores]] = []
    pixels = metrics.PixelMetrics()
    seconds, unreadable = [], []
    for done, sample in enumerate(dataset.test):
        _go_on(should_stop)
        report(Progress("test pictures", done, len(dataset.test)))
        began = time.perf_counter()
        try:
            image = read_image(sample.path)
        except UnreadableImage as error:
            unreadable.append(str(error))
            continue
        scores = method.score(extractor.extract(image), gallery)
        seconds.append(time.perf_counter() - began)
        if scores.patches is not None and (sample.mask is not None or not sample.is_bad):
            size = (image.shape[0], image.shape[1])
            pixels.add(
                map_on_frame(scores.patches, scoring, size), mask_on_frame(sample, scoring, size)
            )
        judged.append((sample, scores))
    report(Progress("test pictures", len(dataset.test), len(dataset.test)))
    if not judged:
        raise KnownError(f"No test picture of {dataset.name} is readable. {unreadable[0]}")

    bad = np.array([sample.is_bad for sample, _ in judged])
    image_scores = np.array([scores.image for _, scores in judged])
    stage1 = np.array([scores.stage1 for _, scores in judged])
    return Evaluation(
        dataset=dataset.name,
        scoring=scoring,
        k_used=min(scoring.k, len(gallery)),
        n_train=len(gallery),
        n_test=len(judged),
        image_auroc=metrics.image_auroc(bad, image_scores),
        image_auroc_interval=metrics.auroc_interval(bad, image_scores, seed=seed),
        stage1_auroc=metrics.image_auroc(bad, stage1) if method.has_map else None,
        pixel=pixels.result(),
        f1=metrics.f1_max(bad, image_scores),
        average_precision=metrics.average_precision(bad, image_scores),
        fit_seconds=fit_seconds,
        seconds_per_image=float(np.median(seconds)),
        peak_rss_mb=peak_rss_mb(),
        has_map=method.has_map,
        device=extractor.device,
        kinds=_by_kind(judged),
        unreadable=tuple(unreadable),
    )


def map_on_frame(patches: Floats, scoring: Scoring, size: tuple[int, int]) -> Floats:
    """Return the anomaly map on the frame that pixel metrics are taken on (float32).

    `size`: height and width of the picture. What preprocessing cropped away was not inspected and
    is scored lowest of all.
    """
    height, width = _frame(scoring, size)
    geometry = Geometry(scoring.size, scoring.crop)
    values = geometry.to_picture(anomaly_map(patches, scoring), height, width)
    for axis, side in enumerate((height, width)):
        centres = (np.arange(side) + 0.5) * geometry.size / side - geometry.margin
        outside = (centres < 0) | (centres >= geometry.side)
        values[outside if axis == 0 else (slice(None), outside)] = np.finfo(np.float32).min
    return values


def mask_on_frame(sample: Sample, scoring: Scoring, size: tuple[int, int]) -> Bools:
    """Return where a test picture is defective, on the frame of `map_on_frame`.

    A pixel of the frame is defective where more than half of it is. A mask so thin that no pixel
    would be left keeps those it covers most. Raises `KnownError` for a mask that does not fit.
    """
    height, width = _frame(scoring, size)
    if sample.mask is None:
        return np.zeros((height, width), np.bool_)
    mask = np.asarray(read_image(sample.mask).any(axis=2), np.bool_)
    if mask.shape != size:
        raise KnownError(
            f"The mask {sample.mask} is {mask.shape[1]} x {mask.shape[0]} pixels, its picture "
            f"{sample.path} is {size[1]} x {size[0]}."
        )
    if (height, width) == size:
        return mask
    share = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(share > min(0.5, np.nextafter(share.max(), 0)), np.bool_)


def _frame(scoring: Scoring, size: tuple[int, int]) -> tuple[int, int]:
    if scoring.preset == "paper":
        return PAPER_SIDE, PAPER_SIDE
    scale = min(1.0, LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


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


def _go_on(should_stop: ShouldStop) -> None:
    if should_stop():
        raise Cancelled


def reset_peak_memory() -> None:
    """Let `peak_rss_mb` count from now, where the system can (Linux)."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return


def peak_rss_mb() -> float:
    """Return the largest resident memory of this process in MB (10^6 bytes)."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":
        return largest / 1e6
    # Unlike getrusage, this line begins anew for every program and with `reset_peak_memory`.
    status = Path("/proc/self/status").read_text().splitlines()
    lines = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
    return (lines or [largest])[0] * 1024 / 1e6
