"""What people read as the name of a recipe's method."""

from inspector_gui.core.method_options import DEFAULT, name_of
from inspector_gui.core.types import Scoring

METHOD_WORDS = {
    DEFAULT: "Default",
    "spade": "SPADE",
    "patchcore": "PatchCore",
    "simplenet": "SimpleNet",
    "dn2": "DN2",
}
"""By the names that the command line knows them by."""
TRAINED = "simplenet"
"""The method that needs a model, which is trained first."""


def method_words(scoring: Scoring) -> str:
    """Return what a recipe's method is called on screen: `Default` for the default recipe."""
    return METHOD_WORDS[name_of(scoring)]
