"""The values everything else talks about: frozen, without behaviour beyond what they are."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inspector_gui.core.digests import digest_of

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


AUTOMATIC, EXACT_ONLY = "automatic", "exact"
"""How references are searched: approximately where exact search would take too long, or never."""

SQUASH, KEEP = "squash", "keep"
"""How a picture of another shape comes to the network's input: pressed into it, or kept in shape
and fitted inside, the rest of the input padded and not inspected."""

ALL_REFERENCES = 2**31 - 1
"""As a K: every reference is a neighbour, since K is cut to the number there is."""

RAW, SCALED = "raw", "scaled"
"""How the levels of the pyramid count: by how large their features are, or all alike."""

_LATER = (
    "search", "coreset", "reweight", "levels", "weights", "fit", "tiles", "calibration", "pool",
    "scales",
)  # fmt: skip
"""What came later counts in `Scoring.key` only where it differs, so that earlier digests stay."""


@dataclass(frozen=True)
class Scoring:
    """The scoring half of a recipe: everything that changes a score except the reference set.

    Pictures are brought to `size` x `height` pixels (multiples of 32; height 0: square) by `fit`,
    `SQUASH` or `KEEP`; `crop` is the side of the centre crop after that (0: none), `tiles` that of
    the pieces in which the network sees a large input (0: in one). `sigma` is the smoothing of the
    anomaly map in pixels of a 224 x 224 input and scales with the input. `k` references are
    neighbours of a part (DN2: 2; SPADE: 50; or `ALL_REFERENCES`), `kappa` gallery features are
    neighbours of a pixel. `border_weight`: see `methods.border`. `levels` of the pyramid are
    compared (SPADE), 1 (finest) to 3 with commas between them, `RAW` or `SCALED` by `weights`.
    `coreset` is the share of the references' patches that PatchCore keeps, `reweight` its weighting
    by the neighbourhood. With `pool` 2 every level is averaged over 2 x 2 cells, with `scales` 2
    SPADE's map is made at two scales (see `core.scales`). `search` is `AUTOMATIC` or `EXACT_ONLY`.
    With `gate`, stage 1 of SPADE passes parts without a map, up to `stage1_limit` (0: see
    `methods.gate`). `calibration` names the network that int8 runs, "" for every other precision.
    """

    method: str = "spade"
    backbone: str = "efficientnet_lite0"
    size: int = 224
    crop: int = 0
    k: int = 50
    kappa: int = 1
    sigma: float = 4.0
    border_weight: bool = True
    runtime: str = "openvino"
    precision: str = "f32"
    preset: str = "default"
    search: str = AUTOMATIC
    coreset: float = 0.1
    reweight: bool = False
    height: int = 0
    fit: str = SQUASH
    tiles: int = 0
    levels: str = "1,2,3"
    weights: str = RAW
    gate: bool = False
    stage1_limit: float = 0.0
    calibration: str = ""
    pool: int = 1
    scales: int = 1

    @property
    def input_width(self) -> int:
        """Width of the network's input in pixels."""
        return self.crop or self.size

    @property
    def input_height(self) -> int:
        """Height of the network's input in pixels."""
        return self.crop or self.height or self.size

    @property
    def features_key(self) -> str:
        """What features depend on: a folder name, equal for equal features."""
        geometry = f"{self.size}" + (f"x{self.height}" if self._is_oblong else "")
        geometry += f"-crop{self.crop}" if self.crop else ""
        geometry += f"-{self.fit}" if self.fit != SQUASH else ""
        geometry += f"-tiles{self.tiles}" if self.tiles else ""
        geometry += f"-pool{self.pool}" if self.pool != 1 else ""
        network = f"{self.backbone}_{geometry}_{self.runtime}_{self.precision}"
        return f"{network}-{self.calibration}" if self.calibration else network

    @property
    def key(self) -> str:
        """Hexadecimal digest that is equal exactly when scores would be.

        A gate changes none: it only spares parts their map.
        """
        left_out = {"preset", "gate", "stage1_limit"} | {
            name for name in _LATER if getattr(self, name) == getattr(Scoring, name)
        }
        if not self._is_oblong:
            left_out.add("height")
        return digest_of({n: value for n, value in asdict(self).items() if n not in left_out})

    def input_as_json(self) -> dict[str, int | str]:
        """Return how pictures come to the network's input, as a JSON-able mapping."""
        return {
            "size": self.size,
            "crop": self.crop,
            "width": self.size,
            "height": self.height or self.size,
            "fit": self.fit,
            "tiles": self.tiles,
        }

    @property
    def _is_oblong(self) -> bool:
        return self.height not in (0, self.size)


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
