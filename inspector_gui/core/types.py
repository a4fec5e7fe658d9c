"""The values everything else talks about: frozen, without behaviour beyond what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inspector_gui.core.digests import digest_of
from inspector_gui.core.scoring import ALL_REFERENCES as ALL_REFERENCES
from inspector_gui.core.scoring import AUTOMATIC as AUTOMATIC
from inspector_gui.core.scoring import EXACT_ONLY as EXACT_ONLY
from inspector_gui.core.scoring import KEEP as KEEP
from inspector_gui.core.scoring import RAW as RAW
from inspector_gui.core.scoring import SCALED as SCALED
from inspector_gui.core.scoring import SQUASH as SQUASH
from inspector_gui.core.scoring import Scoring as Scoring

RGB = npt.NDArray[np.uint8]
"""A picture: uint8, H x W x 3, red first."""
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Inside = tuple[int, int, int, int]
"""Cells of the finest grid that show the picture: first row and column, last row and column + 1."""


class Source(StrEnum):
    """Where a frame came from."""

    FOLDER = "folder"
    CAMERA = "camera"
    AD_HOC = "ad hoc"
    DEMO = "demo"


class Outcome(StrEnum):
    """What the machine decided about a part."""

    PASS = "pass"
    UNSURE = "unsure"
    FAIL = "fail"
    ERROR = "error"


class Verdict(StrEnum):
    """What a person decided about a part; `NONE` takes an earlier verdict back."""

    ACCEPT = "accept"
    REJECT = "reject"
    UNSURE = "unsure"
    NONE = "none"


class Purpose(StrEnum):
    """What a picture in a reference set is for; parts are compared with references alone."""

    REFERENCE = "reference good"
    VALIDATION = "validation good"
    BAD = "known bad"


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture of a part on its way to the engine.

    `data` holds the bytes the picture was decoded from (None for camera frames), so that the
    very picture that was judged can be kept.
    """

    name: str
    image: RGB
    source: Source
    captured_at: float
    path: Path | None = None
    data: bytes | None = None
    truth: bool | None = None
    """Known answer of a drawn demo part (True: defective); None everywhere else."""


@dataclass(frozen=True)
class UnreadableFrame:
    """A file that should have been a picture, and why it is not one."""

    name: str
    reason: str
    source: Source
    captured_at: float
    path: Path | None = None


@dataclass(frozen=True)
class Limits:
    """The limits half of a recipe, in raw scores of its method.

    `centre` is the median score of good calibration parts, the zero of the scale people see;
    `fail_from` (T2) its one. `unsure_from` (T1) <= `fail_from`. `pixel` outlines regions in maps.
    `gallery` names the references the limits were made for (see `gallery_fingerprint`).
    """

    centre: float
    unsure_from: float
    fail_from: float
    pixel: float
    rule: str
    gallery: str
    id: int | None = None

    def relative(self, score: float) -> float:
        """Return `score` as a multiple of the limit: 0 an ordinary good part, 1 the limit."""
        return (score - self.centre) / max(self.fail_from - self.centre, 1e-12)

    def absolute(self, multiple: float) -> float:
        """Return the raw score of a multiple of the limit; the inverse of `relative`."""
        return self.centre + multiple * (self.fail_from - self.centre)


@dataclass(frozen=True)
class Decision:
    """What the machine made of a part's scores under some limits."""

    outcome: Outcome
    multiple: float | None
    reason: str


@dataclass(frozen=True)
class Region:
    """A connected piece of a map over the pixel limit, in pixels of the map or of the picture.

    `contour`: float32, n x 2 (x, y), closed. `centre` is its centre of gravity, x and y.
    """

    area: int
    peak: float
    contour: Floats
    centre: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a method says about one part.

    `patches` is the raw distance of every cell of the method's grid (float32, h x w; stride 4 or,
    of averaged features and PatchCore, 8), NaN on padding, None where the method has no map or
    stage 1 let the part through (`passed_stage1`; `image` is then its score of stage 1, to which
    no limit of maps applies); `nearest` are gallery rows, nearest first.
    `pooled` is the part's global feature (float32, D), kept for the lot check.
    """

    image: float
    stage1: float
    nearest: tuple[int, ...]
    patches: Floats | None = None
    timings: dict[str, float] = field(default_factory=dict)
    pooled: Floats | None = None
    passed_stage1: bool = False


@dataclass(frozen=True)
class ReferenceImage:
    """A picture in a reference set. `sha256` names its file, `id` its place in the set.

    `origin` is the folder (or what else) it came from, `width` and `height` its size in pixels,
    `pixels` a digest of the decoded picture, equal for one picture in two files ("": unknown).
    """

    id: int
    set_id: int
    sha256: str
    name: str
    included: bool = True
    reason: str = ""
    purpose: Purpose = Purpose.REFERENCE
    origin: str = ""
    width: int = 0
    height: int = 0
    pixels: str = ""


@dataclass(frozen=True)
class ReferenceSet:
    """A named set of pictures of good parts with the scoring that judges by it.

    `mm_per_pixel` is the scale of pictures of its parts, None where nobody has stated it.
    """

    id: int
    name: str
    scoring: Scoring
    images: tuple[ReferenceImage, ...] = ()
    mm_per_pixel: float | None = None

    @cached_property
    def included(self) -> tuple[ReferenceImage, ...]:
        """The references that count, in canonical order (by content).

        So scores do not depend on the order in which references were added.
        """
        return self.of(Purpose.REFERENCE)

    def of(self, purpose: Purpose) -> tuple[ReferenceImage, ...]:
        """Return the included pictures of one purpose, by content."""
        chosen = (i for i in self.images if i.included and i.purpose is purpose)
        return tuple(sorted(chosen, key=lambda i: i.sha256))

    @cached_property
    def fingerprint(self) -> str:
        """Names the gallery and the scoring; limits made for another one are stale."""
        return gallery_fingerprint(self.scoring, (i.sha256 for i in self.included))


@dataclass(frozen=True, eq=False)
class Inspection:
    """One judged part: its frame, what was measured, and the decision of that moment.

    `id` is the row in the history (0 until stored). `nearest` are content hashes of references.
    """

    frame: Frame
    set_id: int
    scoring: Scoring
    scores: Scores
    limits: Limits
    decision: Decision
    nearest: tuple[str, ...]
    judged_at: float
    id: int = 0


@dataclass(frozen=True, eq=False)
class InspectionRow:
    """A line of the history: all of an inspection that lists and what-if decisions need.

    Light on purpose (no frame, no map), so that thousands stay in memory. `score` is None for a
    part that could not be read; `outcome` and `multiple` are the official decision of that moment,
    `verdict` what a person said last. `thumbnail`: uint8 RGB, longer side 96 px.
    """

    id: int
    name: str
    source: Source
    captured_at: float
    judged_at: float
    set_id: int
    outcome: Outcome
    reason: str
    score: float | None = None
    multiple: float | None = None
    scoring_key: str = ""
    verdict: Verdict = Verdict.NONE
    thumbnail: RGB | None = None
    path: Path | None = None
    truth: bool | None = None

    @property
    def passed_stage1(self) -> bool:
        """Whether stage 1 let the part through: it has a decision, and no score of a map."""
        return self.score is None and self.outcome is Outcome.PASS


@dataclass(frozen=True, eq=False)
class Part:
    """Everything needed to look at one inspected part: picture, patch distances, neighbours."""

    row: InspectionRow
    image: RGB | None
    patches: Floats | None
    scoring: Scoring
    nearest: tuple[str, ...]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Progress:
    """How far a named piece of background work is."""

    what: str
    done: int
    total: int


def gallery_fingerprint(scoring: Scoring, hashes: object) -> str:
    """Return a digest of scoring and reference hashes, independent of their order."""
    return digest_of([scoring.key, sorted(hashes)])  # type: ignore[call-overload]
