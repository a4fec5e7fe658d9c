"""The scoring half of a recipe, and the words it is written in."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from inspector_gui.core.digests import digest_of
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters

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
    "scales", "model", "training",
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
    `model` names the weights that SimpleNet judges by ("": none are trained yet), `training` how
    they are or were trained; None for every other method.
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
    model: str = ""
    training: Hyperparameters | None = None

    def __post_init__(self) -> None:
        given: object = self.training
        if isinstance(given, Mapping):  # as `asdict` wrote it
            object.__setattr__(self, "training", Hyperparameters.from_json(given))

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
        left_out = {"preset", "gate", "stage1_limit", *(["training"] if self.model else [])} | {
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
