"""`train`: trains a SimpleNet, for the window that runs it apart and can end it at any time.

The training's folder has all it takes: what was asked, and how far it came. So the same command
goes on where an earlier one was ended or killed.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import typer

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Progress
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.stored_gallery import StoredGallery
from inspector_gui.store.training_runs import TrainingRequest, TrainingRun

_NICE = 15


def run(folder: Path, style: ProgressStyle) -> int:
    """Train what a folder asks for, from its checkpoint if it has one, and write the model."""
    _give_way()
    from inspector_gui.core.simplenet.checkpoint import packed, unpacked
    from inspector_gui.core.simplenet.facts import EpochFacts
    from inspector_gui.core.simplenet.fitting import split, train_model
    from inspector_gui.core.simplenet.hyperparameters import check
    from inspector_gui.core.simplenet.training import Hooks

    training = TrainingRun(folder)
    asked = training.request()
    chosen = asked.scoring.training
    if chosen is None:
        raise KnownError(f"The training in {folder} has no hyperparameters; start it again.")
    check(chosen)
    if not chosen.held_out:
        raise KnownError(
            "A model without references that are held out has no limit; hold out a share of them."
        )
    split(len(asked.references), chosen)  # says at once where there are too few
    data = training.checkpoint()
    state = None if data is None else unpacked(data)
    done = () if state is None else state["facts"]["epochs"]
    training.begin_events([EpochFacts.from_json(one) for one in done])
    ended = _Ended()
    with reporting(style) as report:
        hashes, gallery = _features(asked, report)
        hooks = Hooks(
            report=report,
            on_epoch=training.add_event,
            on_state=lambda found: training.write_checkpoint(packed(found)),
            should_stop=ended,
        )
        try:
            model = train_model(
                gallery, hashes, asked.scoring, set_name=asked.set_name, folder=folder,
                hooks=hooks, state=state,
            )  # fmt: skip
        except (KeyError, RuntimeError, ValueError) as error:
            if state is None:
                raise
            raise KnownError(
                "The checkpoint of this training is of another one, so it cannot go on. Start it "
                "again."
            ) from error
    ModelFiles(asked.models_folder).write(model)
    training.write_result(model.facts.id)
    if style is not ProgressStyle.JSON:
        typer.echo(f"model {model.facts.id}, {model.facts.seconds:.1f} s of training")
    return 0
