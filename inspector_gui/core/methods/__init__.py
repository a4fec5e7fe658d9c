"""The methods: each one readable file; here, their presets and how a recipe becomes one."""

from dataclasses import replace

from inspector_gui.core.backbones import backbone
from inspector_gui.core.errors import KnownError
from inspector_gui.core.level_weights import WEIGHTS, level_choice
from inspector_gui.core.method_options import (
    AUTOMATIC_PRESET,
    DEFAULT,
    DEFAULT_RECIPE,
    GEOMETRY,
    METHODS,
    has_option,
)
from inspector_gui.core.methods.base import Method
from inspector_gui.core.methods.dn2 import Dn2
from inspector_gui.core.methods.patchcore import Patchcore
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.preprocess import SIDE_MULTIPLE, Geometry
from inspector_gui.core.runtimes import check_choice
from inspector_gui.core.simplenet.hyperparameters import (
    FAST,
    OFFICIAL,
    PAPER,
    PRESETS,
    fitted_to,
)
from inspector_gui.core.simplenet.hyperparameters import check as check_training
from inspector_gui.core.simplenet.patches import patch_pooling
from inspector_gui.core.types import Scoring

MAX_KAPPA = 100
"""The time that a map takes grows with the number of neighbours."""

_PRESETS = {
    ("spade", AUTOMATIC_PRESET): DEFAULT_RECIPE,
    ("dn2", "default"): Scoring(method="dn2", k=2),
    ("dn2", "paper"): Scoring(
        method="dn2", k=2, size=256, crop=224, backbone="resnet101", preset="paper"
    ),
    ("spade", "default"): Scoring(method="spade"),
    ("spade", "paper"): Scoring(
        method="spade",
        size=256,
        crop=224,
        backbone="wide_resnet50_2",
        preset="paper",
        border_weight=False,
    ),
    # The paper's video data set (ShanghaiTech): whole frames, the single nearest one.
    ("spade", "video"): Scoring(
        method="spade",
        size=256,
        k=1,
        backbone="wide_resnet50_2",
        preset="video",
        border_weight=False,
    ),
    ("patchcore", "default"): Scoring(method="patchcore", k=2),
    ("patchcore", "paper"): Scoring(
        method="patchcore",
        k=2,
        size=256,
        crop=224,
        backbone="wide_resnet50_2",
        preset="paper",
        reweight=True,
    ),
    ("simplenet", "fast"): Scoring(method="simplenet", k=2, preset=FAST, training=PRESETS[FAST]),
    ("simplenet", "paper"): Scoring(
        method="simplenet",
        k=2,
        size=256,
        crop=224,
        backbone="wide_resnet50_2",
        preset=PAPER,
        training=PRESETS[PAPER],
    ),
    ("simplenet", "official"): Scoring(
        method="simplenet",
        k=2,
        size=329,
        crop=288,
        backbone="wide_resnet50_2",
        preset=OFFICIAL,
        training=PRESETS[OFFICIAL],
    ),
}
VIDEO_FRAMES = 5000
"""To which the paper subsamples the training frames of its video data set."""


def scoring_for(method: str, *, preset: str = "default", **overrides: object) -> Scoring:
    """Return the scoring of a method and preset with some fields replaced (None: keep).

    Raises `KnownError` for a method, preset, option or value that does not exist.
    """
    if method == DEFAULT:
        method, preset = "spade", AUTOMATIC_PRESET if preset == "default" else preset
    if method not in METHODS:
        known = ", ".join((DEFAULT, *METHODS))
        raise KnownError(f"There is no method {method!r}. Choose one of: {known}.")
    if method == "simplenet" and preset == DEFAULT:
        preset = FAST
    if (method, preset) not in _PRESETS:
        raise KnownError(f"{method} has no preset {preset!r}.")
    given = {name: value for name, value in overrides.items() if value is not None}
    for name in given:
        if not has_option(method, name):
            raise KnownError(f"{method} has no option --{name.replace('_', '-')}.")
    scoring = replace(_PRESETS[method, preset], **given)  # type: ignore[arg-type]
    if scoring.preset == AUTOMATIC_PRESET and any(name in given for name in GEOMETRY):
        scoring = replace(scoring, preset=DEFAULT)  # somebody has chosen, not the pictures
    if scoring.height == scoring.size:
        scoring = replace(scoring, height=0)
    if scoring.training is not None and "training" not in given:
        fitted = fitted_to(scoring.training, backbone(scoring.backbone).channels)
        scoring = replace(scoring, training=fitted)
    if scoring.training is not None:
        check_training(scoring.training)
        patch_pooling(backbone(scoring.backbone).channels, scoring.training)
    Geometry.of(scoring)
    _check_scales(scoring)
    backbone(scoring.backbone)
    if scoring.k < 1 or scoring.kappa < 1:
        raise KnownError("--k and --kappa count neighbours: at least 1.")
    if scoring.kappa > MAX_KAPPA:
        raise KnownError(f"--kappa is at most {MAX_KAPPA}.")
    if not 0 < scoring.coreset <= 1:
        raise KnownError("--coreset is a share of the patches: above 0, at most 1.")
    scoring = replace(scoring, levels=level_choice(scoring.levels))
    if scoring.weights not in WEIGHTS:
        known = " or ".join(WEIGHTS)
        raise KnownError(f"There are no weights {scoring.weights!r} of levels; choose {known}.")
    if not 0 <= scoring.stage1_limit < float("inf"):
        raise KnownError("--stage1-limit is a score of stage 1: above 0, or 0 for a suggestion.")
    if scoring.stage1_limit and not scoring.gate:
        raise KnownError("--stage1-limit belongs to --gate.")
    check_choice(scoring.runtime, scoring.precision)
    if not 0 <= scoring.sigma <= min(scoring.input_width, scoring.input_height):
        raise KnownError("--sigma is a smoothing in pixels, 0 or more and within the picture.")
    return scoring


def _check_scales(scoring: Scoring) -> None:
    for name in ("pool", "scales"):
        if getattr(scoring, name) not in (1, 2):
            raise KnownError(f"--{name} is 1 or 2, not {getattr(scoring, name)}.")
    multiple = SIDE_MULTIPLE * scoring.pool * scoring.scales // 2
    if any(side % multiple for side in (scoring.input_width, scoring.input_height)):
        raise KnownError(
            f"With averaged features at two scales, sides of the network's input are multiples of "
            f"{multiple} pixels, not {scoring.input_width} x {scoring.input_height}."
        )


def make_method(scoring: Scoring) -> Method:
    """Return the method of a recipe, ready to score (nothing is fitted)."""
    if scoring.method == "dn2":
        return Dn2(scoring)
    if scoring.method == "simplenet":
        return Simplenet(scoring)
    return Patchcore(scoring) if scoring.method == "patchcore" else Spade(scoring)
