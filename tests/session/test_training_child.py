"""The window's training with the real child: few small pictures, a small network."""

import time
from pathlib import Path

import pytest

from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
from inspector_gui.session.training import TrainingDesk
from inspector_gui.session.training_values import TrainingState
from inspector_gui.store.model_files import ModelFiles
from tests.drawn import write_parts
from tests.session.desk import Desk
from tests.session.trained import simplenet

LONGEST = 1.2
"""Seconds to pause or cancel: one, and what noticing it takes where the cores are busy."""


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A desk with eight references."""
    desk.import_files(write_parts(desk.folder.parent / "good", range(8)))
    return desk


def start(desk: Desk, *, epochs: int) -> TrainingDesk:
    quick = {"epochs": epochs, "hidden": 32, "steps": 4, "batch": 4}
    training = desk.session.training
    training.start(simplenet(hyperparameters_for("fast", quick), size=64))
    return training


def models(desk: Desk) -> ModelFiles:
    return ModelFiles(desk.folder / "models")


@pytest.mark.slow
def test_it_is_paused_gone_on_with_and_cancelled_within_a_second_each(filled: Desk) -> None:
    training = start(filled, epochs=10_000)
    filled.until(lambda: len(training.epochs) >= 2, 60)
    assert training.is_training
    began = time.monotonic()
    training.pause()
    filled.until(lambda: training.state is TrainingState.PAUSED)
    assert time.monotonic() - began < LONGEST
    known = training.epochs
    training.resume()
    filled.until(lambda: len(training.epochs) > len(known), 60)
    assert training.epochs[: len(known)] == known
    runs: Path = filled.folder / "models" / "runs"
    began = time.monotonic()
    training.cancel()
    filled.until(lambda: not list(runs.iterdir()))
    assert time.monotonic() - began < LONGEST
    assert models(filled).list() == ()


def test_the_set_is_judged_by_what_was_trained(filled: Desk) -> None:
    training = start(filled, epochs=3)
    filled.until(lambda: training.state in (TrainingState.DONE, TrainingState.FAILED), 60)
    assert training.reason == ""
    assert [facts.epoch for facts in training.epochs] == [1, 2, 3]
    (model,) = models(filled).list()
    assert model.facts is not None
    assert (len(model.facts.trained_on), len(model.facts.held_out)) == (6, 2)
    assert model.facts.is_of(image.sha256 for image in filled.current.included)
    scoring = model.facts.scoring
    filled.until(lambda: filled.current.scoring == scoring)
    assert filled.notices[-1] == "SimpleNet is trained; Reference set is judged by it now."
    filled.until_ready()
    assert filled.session.limits.suggestion is not None
    assert set(filled.session.limits.reference_scores) == set(model.facts.held_out)
