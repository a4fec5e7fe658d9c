"""From options to a scoring, and what it needs to run: a network and a place for features."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspector_gui import paths
from inspector_gui.cli.convert import convert_apart
from inspector_gui.cli.progress import Report
from inspector_gui.core.backbones import backbone
from inspector_gui.core.evaluation import FeatureBank
from inspector_gui.core.features import Extractor, Features, Gallery, feature_shape
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.runtimes import converted_path, default_runtime
from inspector_gui.core.types import Floats, Progress, Scoring
from inspector_gui.store.features_cache import FeatureStore


def scoring_from(
    method: str, preset: str | None, runtime: str | None, **options: object
) -> Scoring:
    """Return the scoring that options name; raises `KnownError` for one the method lacks."""
    runtime = runtime or default_runtime()
    return scoring_for(method, preset=preset or "default", runtime=runtime, **options)


def open_extractor(scoring: Scoring, report: Report) -> Extractor:
    """Load the network of a scoring, converting it first where that was never done."""
    weights, networks = paths.weights_folder(), paths.networks_folder()
    is_converted = converted_path(backbone(scoring.backbone), networks).exists()
    if scoring.runtime == "openvino" and not is_converted:
        convert_apart(scoring.backbone, report)
    report(Progress("network", 0, 1))
    extractor = Extractor(scoring, weights_folder=weights, cache=networks)
    report(Progress("network", 1, 1))
    return extractor


@contextmanager
def temporary_bank(scoring: Scoring) -> Iterator[FeatureBank]:
    """Yield a place for features that is gone afterwards; on disk where maps need them all."""
    if not make_method(scoring).has_map:
        yield PooledBank()
        return
    with (
        tempfile.TemporaryDirectory(prefix="inspector-", ignore_cleanup_errors=True) as folder,
        closing(FeatureStore(Path(folder), feature_shape(scoring))) as store,
    ):
        yield store


class PooledBank:
    """Global features in memory: all that a method without a map compares."""

    def __init__(self) -> None:
        self._pooled: dict[str, Floats] = {}

    def append(self, sha256: str, features: Features) -> None:
        """Keep the global feature of a picture."""
        self._pooled[sha256] = features.pooled.copy()

    def gallery(self, hashes: Sequence[str]) -> Gallery:
        """Return a gallery without pyramids, in the order of `hashes`."""
        return PooledGallery(np.stack([self._pooled[sha256] for sha256 in hashes]))


@dataclass(frozen=True, eq=False)
class PooledGallery:
    """A gallery of global features, N x D; its pyramids are empty."""

    pooled: Floats

    def __len__(self) -> int:
        return len(self.pooled)

    def levels(self, row: int) -> tuple[Floats, Floats, Floats]:
        """Return three empty levels."""
        del row
        empty = np.empty((0, 0, 0), np.float32)
        return empty, empty, empty
