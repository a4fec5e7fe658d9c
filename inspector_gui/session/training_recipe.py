"""The recipe that a training begins with: a preset of SimpleNet, fitted to a set."""

from dataclasses import replace

from inspector_gui.core.method_options import GEOMETRY
from inspector_gui.core.runtimes import INT8
from inspector_gui.core.simplenet.hyperparameters import FAST
from inspector_gui.core.types import Scoring

_OF_THE_SET = ("runtime", "precision", "calibration")


def training_scoring(preset: str, current: Scoring | None) -> Scoring:
    """Return a preset's scoring, without a model, as a set that scores by `current` trains it.

    Runtime and precision are the set's. `FAST` suits any network: it takes the set's own with its
    input, the others have theirs. Raises `KnownError` for a preset that does not exist.
    """
    from inspector_gui.core.methods import scoring_for

    scoring = scoring_for("simplenet", preset=preset)
    if current is None:
        return scoring
    names = [*_OF_THE_SET, *(("backbone", *GEOMETRY) if preset == FAST else ())]
    kept = {name: getattr(current, name) for name in names}
    if current.precision == INT8 and preset != FAST:
        kept |= {"precision": "f32", "calibration": ""}  # calibrated for another network
    return replace(scoring, **kept)
