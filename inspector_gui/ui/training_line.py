"""What a training is doing, in one line; also where no window of it is open."""

from PySide6.QtCore import QCoreApplication

from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.types import Progress, ReferenceSet
from inspector_gui.session.training import TrainingDesk
from inspector_gui.session.training_values import TrainingState
from inspector_gui.ui.training_words import duration_words, left_words


def newly_trained(desk: TrainingDesk, current: ReferenceSet | None) -> ModelFacts | None:
    """Return the model that a training of this set has just made, None where there is none."""
    model = desk.model if desk.state is TrainingState.DONE else None
    is_other = current is not None and current.id != desk.model_set_id
    return None if is_other else model


def headline(desk: TrainingDesk, current: ReferenceSet | None = None) -> str:
    """Return in one line what the training is doing, or could do."""
    state, run = desk.state, desk.run
    if run is not None:
        where = _tr("epoch {} of {}").format(desk.epoch, run.epochs)
        match state:
            case TrainingState.RUNNING:
                return _running(desk)
            case TrainingState.PAUSING:
                return _tr("Pausing…")
            case TrainingState.PAUSED:
                return _tr("Paused, {}").format(where) if desk.epoch else _tr("Paused")
            case TrainingState.INTERRUPTED:
                return desk.reason
            case _:
                return _tr("The training has failed")
    model = newly_trained(desk, current)
    if model is not None:
        took = duration_words(model.seconds)
        return _tr("Trained for {} in {}").format(
            model.set_name if current is None else current.name, took
        )
    if current is None or not current.included:
        return _tr("First add pictures of good parts in the main window")
    count = len(current.included)
    return _tr("Ready to train on the {} references of {}").format(count, current.name)


def _running(desk: TrainingDesk) -> str:
    run, progress = desk.run, desk.progress
    assert run is not None
    if progress is None:
        return _tr("Starting…")
    if not desk.is_training:
        return _preparing(progress)
    words = _tr("Epoch {} of {}").format(desk.epoch, run.epochs)
    left = desk.seconds_left
    return words if left is None else f"{words}, {left_words(left)}"


def _preparing(progress: Progress) -> str:
    """Return what is done before the first epoch."""
    words = {
        "weights": _tr("Fetching the network"),
        "network": _tr("Preparing the network (once)"),
        "conversion": _tr("Preparing the network (once)"),
        "features": _tr("Computing features"),
        "patches": _tr("Gathering places of the pictures"),
    }
    told = words.get(progress.what, _tr("Preparing"))
    if progress.what in ("features", "patches") and progress.total:
        return _tr("{}: {} of {}").format(told, progress.done, progress.total)
    return f"{told}…"


def _tr(text: str) -> str:
    return QCoreApplication.translate("TrainingLine", text)
