"""Parts judged one by one: by references that were learned just now, or by those of a bundle."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from inspector_gui.core.decision import decide_part
from inspector_gui.core.features import Extractor, Gallery
from inspector_gui.core.heatmap import overlay, to_bytes
from inspector_gui.core.images import UnreadableImage, encode_png
from inspector_gui.core.methods.base import Method, anomaly_map, inspected_map
from inspector_gui.core.methods.gate import gate_limit
from inspector_gui.core.regions import RegionFacts, facts_of, picture_regions
from inspector_gui.core.types import RGB, Decision, Limits, Outcome, Scores, Scoring

OPACITY = 0.6


@dataclass(frozen=True, eq=False)
class Basis:
    """What parts are judged by.

    `method` is fitted to `gallery`, whose rows are called `names`. `limits` is None where there
    are too few references for any. `networks` is the folder of an int8 recipe's network. `remarks`:
    doubts about all that, each a sentence.
    """

    scoring: Scoring
    method: Method
    extractor: Extractor
    gallery: Gallery
    names: tuple[str, ...]
    limits: Limits | None
    networks: Path
    remarks: tuple[str, ...] = ()

    @cached_property
    def stage1_limit(self) -> float | None:
        """The stage-1 limit up to which parts pass without a map; None without a gate."""
        return gate_limit(self.scoring, self.gallery)


@dataclass(frozen=True, eq=False)
class Judged:
    """One picture and what came of it; `scores` is None where it could not be read.

    `regions` is None where there is no map or no limit.
    """

    path: Path
    scores: Scores | None
    decision: Decision | None
    reason: str
    nearest: str = ""
    regions: tuple[RegionFacts, ...] | None = None


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges pictures by a basis; `mm_per_pixel`: their scale, where it is known."""

    basis: Basis
    mm_per_pixel: float | None = None

    def part(self, path: Path, read: Callable[[], RGB]) -> tuple[Judged, RGB | None]:
        """Return what came of a picture, and the picture where it could be read."""
        try:
            image = read()
        except UnreadableImage as error:
            decision = Decision(Outcome.ERROR, None, str(error))
            return Judged(path, None, decision, str(error)), None
        basis = self.basis
        scores = basis.method.score(basis.extractor.extract(image), basis.gallery)
        nearest = basis.names[scores.nearest[0]]
        if basis.limits is None:
            reason = "no limit: that takes at least two references"
            return Judged(path, scores, None, reason, nearest), image
        decision = decide_part(scores, basis.limits)
        regions = self._regions(scores, basis.limits, image)
        return Judged(path, scores, decision, decision.reason, nearest, regions), image

    def _regions(
        self, scores: Scores, limits: Limits, image: RGB
    ) -> tuple[RegionFacts, ...] | None:
        """Return the regions of a part in pixels of its picture, None without a map."""
        if scores.patches is None:
            return None
        values, area = inspected_map(scores.patches, self.basis.scoring, *image.shape[:2])
        found = picture_regions(values, limits, area)
        return facts_of(found, limits, mm_per_pixel=self.mm_per_pixel)

    def heatmap(self, part: Judged, image: RGB) -> bytes:
        """Return the picture under its anomaly map as a PNG file."""
        assert part.scores is not None
        assert part.scores.patches is not None
        assert self.basis.limits is not None
        values = self.basis.extractor.geometry.to_picture(
            anomaly_map(part.scores.patches, self.basis.scoring), *image.shape[:2]
        )
        return encode_png(overlay(image, to_bytes(values, self.basis.limits), OPACITY))
