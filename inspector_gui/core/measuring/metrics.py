"""How well scores and maps tell good from bad; for evaluation, never to choose a limit.

Image metrics take one score per image. Pixel metrics are exact: instead of sweeping thresholds,
every defective pixel's contribution to the integrals is computed from its rank among the normal
pixels.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Bools, Floats

FPR_LIMIT = 0.3
"""AUPRO is integrated up to this false-positive rate (Bergmann et al. 2020)."""
RESAMPLES = 1000
_FIRST_PIXELS = 1 << 20
_RANKS_AT_ONCE = 1 << 20

Doubles = npt.NDArray[np.float64]


def image_auroc(bad: Bools, scores: Doubles) -> float | None:
    """Return the area under the ROC curve; None unless there are good and bad images."""
    if bad.all() or not bad.any():
        return None
    return float(roc_auc_score(bad, scores))


def auroc_interval(
    bad: Bools, scores: Doubles, *, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float] | None:
    """Return the 95 % bootstrap interval of `image_auroc`, good and bad resampled apart."""
    if bad.all() or not bad.any():
        return None
    rng = np.random.default_rng(seed)
    values, ranks = np.unique(scores, return_inverse=True)
    good_ranks, bad_ranks = ranks[~bad], ranks[bad]
    areas = np.empty(resamples)
    for i in range(resamples):
        drawn = good_ranks[rng.integers(len(good_ranks), size=len(good_ranks))]
        goods_at = np.bincount(drawn, minlength=len(values))
        goods_below = np.cumsum(goods_at) - goods_at / 2  # a tie counts half
        drawn = bad_ranks[rng.integers(len(bad_ranks), size=len(bad_ranks))]
        areas[i] = goods_below[drawn].mean() / len(good_ranks)
    low, high = np.quantile(areas, (0.025, 0.975))
    return float(low), float(high)


def f1_max(bad: Bools, scores: Doubles) -> tuple[float, float] | None:
    """Return the largest F1 over all thresholds and its threshold; None without bad images.

    At the threshold itself an image counts as bad.
    """
    if not bad.any():
        return None
    precision, recall, thresholds = precision_recall_curve(bad, scores)
    precision, recall = precision[:-1], recall[:-1]
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(f1.argmax())
    return float(f1[best]), float(thresholds[best])


def average_precision(bad: Bools, scores: Doubles) -> float | None:
    """Return the average precision; None unless there are good and bad images."""
    if bad.all() or not bad.any():
        return None
    return float(average_precision_score(bad, scores))


@dataclass(frozen=True)
class PixelResult:
    """Pixel ROC-AUC and AUPRO, fractions between 0 and 1."""

    auroc: float
    aupro: float


@dataclass(eq=False)
class PixelMetrics:
    """Collects maps and masks one image at a time; `result` is exact.

    Held are the score of every normal pixel (float32, one growing array) and of every defective
    pixel with its weight, so about four bytes a pixel.
    """

    _normal: Floats = field(default_factory=lambda: np.empty(_FIRST_PIXELS, np.float32))
    _normals: int = 0
    _defective: list[Floats] = field(default_factory=list)
    _sizes: list[npt.NDArray[np.int32]] = field(default_factory=list)
    _regions: int = 0

    def add(self, anomaly_map: Floats, mask: Bools) -> None:
        """Take one image: map float32 H x W, mask bool H x W (True: defective).

        Regions are the 8-connected components of the mask.
        """
        if anomaly_map.shape != mask.shape:
            raise ValueError(f"map {anomaly_map.shape} does not fit mask {mask.shape}")
        if not mask.any():
            self._keep_normal(anomaly_map.ravel())
            return
        self._keep_normal(anomaly_map[~mask])
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        of_pixel = labels[mask]
        self._regions += count - 1
        self._defective.append(anomaly_map[mask].astype(np.float32))
        self._sizes.append(np.bincount(of_pixel)[of_pixel].astype(np.int32))

    def _keep_normal(self, scores: Floats) -> None:
        end = self._normals + len(scores)
        if end > len(self._normal):
            # Grown in place: a second copy of all pixels would double the peak.
            self._normal.resize(max(end, len(self._normal) * 5 // 4), refcheck=False)
        self._normal[self._normals : end] = scores
        self._normals = end

    def result(self) -> PixelResult | None:
        """Return the metrics of all images so far; None without defective or normal pixels.

        With a and b the fractions of normal pixels above, and not below, a defective pixel's
        score: it is found at false-positive rate a at the earliest and b at the latest, linear
        between (the trapezoid rule over tied scores). Its share of the area under the ROC curve is
        1 - (a + b) / 2; its share of AUPRO is the same integral up to the limit, weighted by
        1 / (regions * size of its region).
        """
        if not self._regions or not self._normals:
            return None
        normal = self._normal[: self._normals]
        normal.sort()
        scores, sizes = np.concatenate(self._defective), np.concatenate(self._sizes)
        order = scores.argsort()  # neighbouring ranks are looked up together
        area, overlap = 0.0, 0.0
        for start in range(0, len(order), _RANKS_AT_ONCE):
            some = order[start : start + _RANKS_AT_ONCE]
            above = 1 - np.searchsorted(normal, scores[some], "right") / len(normal)
            not_below = 1 - np.searchsorted(normal, scores[some], "left") / len(normal)
            area += float((1 - (above + not_below) / 2).sum())
            overlap += float((_found_up_to(FPR_LIMIT, above, not_below) / sizes[some]).sum())
        return PixelResult(area / len(scores), overlap / (self._regions * FPR_LIMIT))


def _found_up_to(limit: float, first: Doubles, last: Doubles) -> Doubles:
    """Integrate from 0 to `limit` a line that rises from 0 at `first` to 1 at `last`."""
    whole = limit - (first + last) / 2
    width = np.maximum(last - first, 1e-300)
    partly = np.square(np.maximum(limit - first, 0)) / (2 * width)
    return np.asarray(np.where(last <= limit, whole, partly), np.float64)
