"""Which method has which option; known without loading what computes."""

from inspector_gui.core.types import Scoring

METHODS = ("dn2", "spade", "patchcore", "simplenet")
DEFAULT = "default"
"""Stands for a method where none is chosen; as a preset it is a method's own."""
AUTOMATIC_PRESET = "automatic"
DEFAULT_RECIPE = Scoring(preset=AUTOMATIC_PRESET, size=384, pool=2, scales=2)
"""SPADE at two scales. Pictures choose its input size (see `core.input_size`)."""
GEOMETRY = ("size", "height", "crop", "fit", "tiles")
"""The options that say how pictures come to the network's input."""

_ONLY = {
    "k": ("dn2", "spade"),
    "kappa": ("spade",),
    "sigma": ("spade", "patchcore", "simplenet"),
    "levels": ("spade",),
    "weights": ("spade",),
    "pool": ("spade",),
    "scales": ("spade",),
    "border_weight": ("spade",),
    "gate": ("spade",),
    "stage1_limit": ("spade",),
    "coreset": ("patchcore",),
    "reweight": ("patchcore",),
    "training": ("simplenet",),
    "model": ("simplenet",),
}


def name_of(scoring: Scoring) -> str:
    """Return what a recipe's method is called: `default` for the default recipe."""
    return DEFAULT if scoring.preset == AUTOMATIC_PRESET else scoring.method


def has_compiled_search(method: str) -> bool:
    """Whether a method compares places of pyramids, which compiled code does quicker."""
    return method == "spade"


def has_option(method: str, name: str) -> bool:
    """Whether a method has an option, by the name of its field in `Scoring`."""
    return method in _ONLY.get(name, METHODS)


def compares_levels(scoring: Scoring) -> bool:
    """Whether references' levels are needed, to compare with or to train on.

    A trained SimpleNet compares with none: of references it names the nearest alone.
    """
    return scoring.method != "dn2" and not (scoring.method == "simplenet" and scoring.model)
