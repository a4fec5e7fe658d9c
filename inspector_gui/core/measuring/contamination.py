"""A method with references that are not what they should be: impure, cleaned, few, centres.

Bad pictures among the references are the DN2 paper's unsupervised setting: their share is stated,
they leave the test set, and cleaning drops the references that score highest against all others
(leave-one-out, by index). Every row is measured on the same test pictures.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, Gallery, PooledGallery
from inspector_gui.core.images import UnreadableImage, decode, read_bytes
from inspector_gui.core.measuring.datasets import Dataset
from inspector_gui.core.measuring.evaluation import (
    Evaluation,
    FeatureBank,
    References,
    Report,
    Training,
    go_on,
    judge,
    learn_all,
)
from inspector_gui.core.measuring.memory import reset_peak_memory
from inspector_gui.core.measuring.variation import (
    CLEANED,
    CONTAMINATED,
    DRAWS,
    Variation,
    available_contaminants,
    mean_known,
    spread,
    wanted_contaminants,
)
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import fit, leave_one_out
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.sets import cleaning, reduction
from inspector_gui.core.types import Progress, Scoring


@dataclass(frozen=True, eq=False)
class _Bench:
    """What every step of a measurement needs."""

    dataset: Dataset
    scoring: Scoring
    extractor: Extractor
    bank: FeatureBank
    variation: Variation
    seed: int
    report: Report
    should_stop: ShouldStop

    def training(
        self, hashes: Sequence[str], seconds: float, name: str, details: Mapping[str, Any]
    ) -> Training:
        """Return the training with these references, or with their centres."""
        began = time.perf_counter()
        gallery = self.bank.gallery(tuple(sorted(hashes)))
        if self.variation.centroids is not None:
            details = {**details, "centroids": min(self.variation.centroids, len(hashes))}
            gallery = _centres(gallery, self.variation.centroids, seed=self.seed)
        method = make_method(self.scoring)
        fit(method, gallery, report=self.report, should_stop=self.should_stop)
        seconds += time.perf_counter() - began
        return Training(method, gallery, len(hashes), seconds, name, details)

    def judge(
        self,
        trainings: Sequence[Training],
        *,
        left_out: frozenset[str] = frozenset(),
        with_pixels: bool = True,
    ) -> list[Evaluation]:
        """Measure trainings on the test pictures."""
        return judge(
            self.dataset, trainings, scoring=self.scoring, extractor=self.extractor,
            seed=self.seed, left_out=left_out, with_pixels=with_pixels, report=self.report,
            should_stop=self.should_stop,
        )  # fmt: skip


def evaluate_varied(
    dataset: Dataset,
    *,
    scoring: Scoring,
    variation: Variation,
    extractor: Extractor,
    bank: FeatureBank,
    seed: int = 0,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> list[Evaluation]:
    """Measure a method on a data set with varied references, one row each.

    Contaminated and cleaned come after clean, on one test set; numbers of shots come in the given
    order, each the mean over `DRAWS` draws. The features of every picture are computed once (a
    method with maps: once for each number of shots). `seed` is that of all draws, of k-means and
    of the bootstrap. Raises `KnownError` and `Cancelled` as `evaluate` does.
    """
    variation.check(scoring)
    reset_peak_memory()
    bench = _Bench(dataset, scoring, extractor, bank, variation, seed, report, should_stop)
    began = time.perf_counter()
    references = learn_all(dataset, bank, extractor, report=report, should_stop=should_stop)
    seconds = time.perf_counter() - began
    if variation.shots:
        return _few_shots(bench, references, seconds)
    return _impure(bench, references, seconds)


def _impure(bench: _Bench, references: References, seconds: float) -> list[Evaluation]:
    variation, goods = bench.variation, tuple(references.files)
    if variation.contaminate is None and variation.clean is None:
        return bench.judge([bench.training(goods, seconds, "clean", {})])
    began = time.perf_counter()
    bads: tuple[str, ...] = ()
    is_cut = False
    if variation.contaminate is not None:
        wanted = wanted_contaminants(variation.contaminate, goods=len(goods))
        bads = _mix_in(bench, references, wanted)
        is_cut = len(bads) < wanted

    def row(kept: Sequence[str], seconds: float, name: str) -> Training:
        bad = len(set(bads) & set(kept))
        before = len(goods) + len(bads)
        details: dict[str, Any] = {
            "contaminate": variation.contaminate,
            "clean": variation.clean if name == CLEANED else None,
            "n_contaminated": bad,
            "impurity": bad / len(kept),
            "is_cut": is_cut,
            "n_dropped": before - len(kept) if name == CLEANED else 0,
            "n_dropped_contaminated": len(bads) - bad if name == CLEANED else 0,
        }
        return bench.training(kept, seconds, name, details)

    trainings = [row(goods, seconds, "clean")]
    impure = (*goods, *bads)
    seconds += time.perf_counter() - began
    if bads:
        trainings.append(row(impure, seconds, CONTAMINATED))
    if variation.clean is not None:
        began = time.perf_counter()
        alone = _leave_one_out(bench, impure)
        kept = cleaning.plan(alone, variation.clean).kept
        trainings.append(row(kept, seconds + time.perf_counter() - began, CLEANED))
    return bench.judge(trainings, left_out=frozenset(bads))


def _mix_in(bench: _Bench, references: References, wanted: int) -> tuple[str, ...]:
    """Put the features of some defective test pictures into the bank; returns their hashes."""
    bad = [sample.path for sample in bench.dataset.test if sample.is_bad]
    count = min(wanted, available_contaminants(bench.dataset.name, bads=len(bad)))
    found: list[str] = []
    for number in np.random.default_rng(bench.seed).permutation(len(bad)):
        if len(found) == count:
            break
        go_on(bench.should_stop)
        bench.report(Progress("contamination", len(found), count))
        try:
            data = read_bytes(bad[number])
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 in references.files or sha256 in found:
                continue
            image = decode(data, name=bad[number].name)
        except UnreadableImage:
            continue  # named when the test pictures are judged
        bench.bank.append(sha256, bench.extractor.extract(image))
        found.append(sha256)
    if not found:
        raise KnownError(f"No defective test picture of {bench.dataset.name} is readable.")
    bench.report(Progress("contamination", len(found), len(found)))
    return tuple(found)


def _leave_one_out(bench: _Bench, hashes: Sequence[str]) -> dict[str, float]:
    """Return every reference's score against all others, by its hash."""
    ordered = sorted(hashes)
    gallery, method = bench.bank.gallery(tuple(ordered)), make_method(bench.scoring)
    fit(method, gallery, report=bench.report, should_stop=bench.should_stop)
    scores = {}
    for row, sha256 in enumerate(ordered):
        go_on(bench.should_stop)
        bench.report(Progress("leave-one-out", row, len(ordered)))
        scores[sha256] = leave_one_out(method, gallery, row).image
    bench.report(Progress("leave-one-out", len(ordered), len(ordered)))
    return scores


def _centres(gallery: Gallery, count: int, *, seed: int) -> Gallery:
    """Return k-means centres in place of references; global features only (paper, table 6)."""
    return PooledGallery(reduction.centroids(gallery.pooled, count, seed=seed))


def _few_shots(bench: _Bench, references: References, seconds: float) -> list[Evaluation]:
    hashes = tuple(references.files)
    for count in bench.variation.shots:
        if count > len(hashes):
            raise KnownError(
                f"{count} shots cannot be drawn from {bench.dataset.name}: it has {len(hashes)} "
                "references."
            )
    draws = [
        (count, [_drawn(bench, hashes, count, draw, seconds) for draw in range(DRAWS)])
        for count in bench.variation.shots
    ]
    if make_method(bench.scoring).has_map:
        # Every draw lays out the pyramids of its references: too much memory for all at once.
        measured = [bench.judge(trainings, with_pixels=False) for _, trainings in draws]
    else:
        every = bench.judge([training for _, trainings in draws for training in trainings])
        measured = [every[start : start + DRAWS] for start in range(0, len(every), DRAWS)]
    return [_mean_of_draws(rows, count) for (count, _), rows in zip(draws, measured, strict=True)]


def _drawn(bench: _Bench, hashes: Sequence[str], count: int, draw: int, seconds: float) -> Training:
    rows = np.random.default_rng([bench.seed, draw]).permutation(len(hashes))[:count]
    return bench.training([hashes[row] for row in rows], seconds, "clean", {})


def _mean_of_draws(rows: Sequence[Evaluation], count: int) -> Evaluation:
    """Return one row: means over draws, and their spread; intervals and maps are left out."""
    areas = [row.image_auroc for row in rows]
    details: dict[str, Any] = {
        **rows[0].details,
        "shots": count,
        "n_draws": len(rows),
        "image_auroc_std": spread(areas),
        "image_auroc_draws": areas,
    }
    return replace(
        rows[0],
        image_auroc=mean_known(areas),
        image_auroc_interval=None,
        stage1_auroc=mean_known([row.stage1_auroc for row in rows]),
        pixel=None,
        f1=None,
        average_precision=mean_known([row.average_precision for row in rows]),
        kinds={},
        details=details,
    )
