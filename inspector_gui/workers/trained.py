"""What a recipe has that was trained or chosen before: a model, a memory bank; and how it judges.

So the engine need not know which method has what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from inspector_gui.core.calibration import sampled_rows
from inspector_gui.core.errors import KnownError

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.methods.base import Method
    from inspector_gui.core.runtimes import Stack
    from inspector_gui.core.types import Scoring
    from inspector_gui.workers.gallery_work import Setup


def network_key(scoring: Scoring) -> str:
    """Return what decides which network a recipe needs."""
    return f"{scoring.features_key} {scoring.model}"


def method_of(setup: Setup) -> Method:
    """Return the method of a setup, with its model where it is a trained one.

    Raises `KnownError` where that is missing, damaged or of other features.
    """
    from inspector_gui.core.methods import make_method
    from inspector_gui.core.methods.simplenet import NOT_TRAINED, Simplenet
    from inspector_gui.store.model_files import ModelFiles, models_beside

    method = make_method(setup.scoring)
    if isinstance(method, Simplenet):
        if not setup.scoring.model:
            raise KnownError(NOT_TRAINED)
        method.use(ModelFiles(models_beside(setup.features_folder)).read(setup.scoring.model))
    return method


def stack_of(method: Method) -> Stack | None:
    """Return what a method adds to the network itself; most add nothing."""
    from inspector_gui.core.features import can_stack
    from inspector_gui.core.methods.simplenet import Simplenet
    from inspector_gui.core.simplenet.stacked import SimplenetStack

    if isinstance(method, Simplenet) and can_stack(method.scoring):
        return SimplenetStack(method.head)
    return None


def judges_pictures(method: Method) -> bool:
    """Whether pictures of the set are scored by the network itself, not by features on disk."""
    from inspector_gui.core.methods.simplenet import Simplenet

    return isinstance(method, Simplenet)


def rows_for_limits(method: Method, hashes: Sequence[str], fingerprint: str) -> list[int]:
    """Return the rows of a gallery whose scores limits are suggested from.

    All, or a fixed choice of many; of a trained method those that it was not trained on. Raises
    `KnownError` where these are too few.
    """
    from inspector_gui.core.methods.simplenet import Simplenet

    if not isinstance(method, Simplenet):
        return sampled_rows(len(hashes), fingerprint)
    known = frozenset(method.model.facts.trained_on)
    rows = [row for row, sha in enumerate(hashes) if sha not in known]
    if len(rows) < 2:
        raise KnownError(
            "All references were trained on, so there is none to make the limit of this model "
            "from. Add pictures of good parts, or train again."
        )
    return [rows[place] for place in sampled_rows(len(rows), fingerprint)]
