import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QProcess

from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
from inspector_gui.session import training
from inspector_gui.session.training import TrainingDesk
from inspector_gui.session.training_values import Pace, TrainingState
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.training_runs import EVENTS, EventsReader
from tests.drawn import write_parts
from tests.session.desk import Desk
from tests.session.pretended import Pretended
from tests.session.pretended_training import facts_of
from tests.session.trained import simplenet


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the children do from now on."""
    monkeypatch.setattr(training, "ChildJob", Pretended)
    monkeypatch.setattr(Pretended, "plan", {})
    return Pretended.plan


@pytest.fixture
def desk(desk: Desk, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A session with six references, whose engine is left alone: nothing is judged here."""
    monkeypatch.setattr(desk.session._engine, "configure", lambda _: None)
    desk.import_files(write_parts(desk.folder.parent / "good", range(6)))
    return desk


def of(desk: Desk) -> TrainingDesk:
    return desk.session.training


def start(desk: Desk, *, epochs: int = 6) -> None:
    of(desk).start(simplenet(hyperparameters_for("fast", {"epochs": epochs, "hidden": 32})))


def until(desk: Desk, state: TrainingState) -> None:
    desk.until(lambda: of(desk).state is state, 20)


def stand_at(desk: Desk, epoch: int) -> None:
    desk.until(lambda: len(of(desk).epochs) == epoch, 20)


def models(desk: Desk) -> list[str]:
    return [model.id for model in ModelFiles(desk.folder / "models").list()]


def runs(desk: Desk) -> list[Path]:
    return list((desk.folder / "models" / "runs").glob("*"))


def test_a_training_ends_with_a_model_that_its_set_is_judged_by(desk: Desk) -> None:
    trained: list[object] = []
    of(desk).trained.connect(trained.append)
    start(desk)
    assert of(desk).state is TrainingState.RUNNING
    until(desk, TrainingState.DONE)
    assert of(desk).epochs == tuple(facts_of(n, 6) for n in range(1, 7))
    (model,) = models(desk)
    assert trained == [of(desk).model]
    desk.until(lambda: desk.current.scoring.model == model)
    assert desk.current.scoring.method == "simplenet"
    assert runs(desk) == []


def test_a_model_that_nobody_asked_to_judge_by_is_only_listed(desk: Desk) -> None:
    of(desk).judges_afterwards = False
    before = desk.current.scoring
    start(desk)
    until(desk, TrainingState.DONE)
    desk.settle()
    assert desk.current.scoring == before
    assert any("among the models" in notice for notice in desk.notices)


def test_the_set_that_was_trained_for_is_judged_by_it_whichever_is_current(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 2
    start(desk)
    stand_at(desk, 2)
    own = desk.current.id
    desk.session.references.create("Another")
    desk.until(lambda: desk.current.id != own)
    del plan["stands_at"]
    of(desk).pause()
    until(desk, TrainingState.PAUSED)
    of(desk).resume()
    until(desk, TrainingState.DONE)
    desk.settle()
    desk.session.references.select(own)
    assert desk.current.scoring.model == models(desk)[0]


def test_a_pause_does_not_hold_up_the_window_and_is_gone_on_from(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 3
    start(desk)
    stand_at(desk, 3)
    began = time.monotonic()
    of(desk).pause()
    assert time.monotonic() - began < 0.05
    until(desk, TrainingState.PAUSED)
    assert time.monotonic() - began < 1
    assert json.loads((runs(desk)[0] / "checkpoint.json").read_text()) == 3
    del plan["stands_at"]
    of(desk).resume()
    until(desk, TrainingState.DONE)
    assert [facts.epoch for facts in of(desk).epochs] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("is_deaf", [False, True])
def test_a_cancelled_training_is_gone_within_a_second_and_is_no_model(
    desk: Desk, plan: dict[str, Any], is_deaf: bool
) -> None:
    plan |= {"stands_at": 2, "is_deaf": is_deaf}
    start(desk)
    stand_at(desk, 2)
    began = time.monotonic()
    of(desk).cancel()
    assert of(desk).state is TrainingState.IDLE
    assert of(desk).run is None
    desk.until(lambda: not runs(desk))
    assert time.monotonic() - began < 1
    assert models(desk) == []


def test_a_model_that_was_being_written_when_it_was_cancelled_goes_again(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan |= {"stands_at": "model", "is_deaf": True}
    start(desk)
    desk.until(lambda: models(desk))
    of(desk).cancel()
    desk.until(lambda: not runs(desk))
    assert models(desk) == []


def test_a_training_that_fails_says_why_and_can_be_gone_on_with_or_discarded(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["fails_at"] = 4
    start(desk)
    until(desk, TrainingState.FAILED)
    assert of(desk).reason == "The loss is no number any more; choose smaller rates."
    assert desk.notices == [of(desk).reason]
    assert models(desk) == []
    of(desk).resume()
    until(desk, TrainingState.RUNNING)
    until(desk, TrainingState.FAILED)
    of(desk).discard()
    desk.until(lambda: not runs(desk))
    assert of(desk).state is TrainingState.IDLE


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_child_is_said_and_loses_what_came_after_its_checkpoint(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 6
    start(desk, epochs=8)
    stand_at(desk, 6)
    os.kill(Pretended.newest.process.processId(), signal.SIGKILL)
    until(desk, TrainingState.FAILED)
    assert "was ended from outside at epoch 6 of 8" in of(desk).reason
    assert json.loads((runs(desk)[0] / "checkpoint.json").read_text()) == 4
    del plan["stands_at"]
    of(desk).resume()
    until(desk, TrainingState.DONE)
    assert of(desk).epochs == tuple(facts_of(n, 8) for n in range(1, 9))


def test_a_second_training_waits_for_the_first_to_be_over(desk: Desk, plan: dict[str, Any]) -> None:
    plan["stands_at"] = 1
    start(desk)
    stand_at(desk, 1)
    start(desk)
    assert "is not over; go on with it or discard it first" in desk.notices[-1]
    desk.until(lambda: len(runs(desk)) == 1)
    of(desk).cancel()
    del plan["stands_at"]
    start(desk)  # while the child of the cancelled one may still be ending
    until(desk, TrainingState.DONE)
    assert len(models(desk)) == 1


def test_too_few_references_are_said(desk: Desk) -> None:
    desk.session.references.create("Few")
    desk.settle()
    start(desk)
    assert desk.notices == ["Add at least 5 pictures of good parts first."]
    assert of(desk).state is TrainingState.IDLE


def test_a_training_under_way_when_the_program_ends_is_offered_at_the_next_start(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 5
    start(desk)
    stand_at(desk, 5)
    process = Pretended.newest.process
    del plan["stands_at"]
    desk.restart()
    assert process.state() is QProcess.ProcessState.NotRunning
    until(desk, TrainingState.INTERRUPTED)
    assert of(desk).reason == "A training of Reference set was interrupted at epoch 5 of 6."
    assert len(of(desk).epochs) == 5
    of(desk).resume()
    until(desk, TrainingState.DONE)
    assert len(models(desk)) == 1


def test_a_child_that_is_deaf_does_not_hold_up_the_end_of_the_program(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan |= {"stands_at": 2, "is_deaf": True}
    start(desk)
    stand_at(desk, 2)
    process = Pretended.newest.process
    began = time.monotonic()
    assert desk.session.stop()
    assert time.monotonic() - began < 3
    assert process.state() is QProcess.ProcessState.NotRunning
    desk.session = desk.start()


def test_a_cancelled_training_is_gone_also_where_the_program_ends_at_once(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 2
    start(desk)
    stand_at(desk, 2)
    of(desk).cancel()
    desk.restart()
    desk.settle()
    assert runs(desk) == []
    assert of(desk).state is TrainingState.IDLE


def test_a_run_with_its_result_is_swept_and_a_moved_workspace_goes_on(
    desk: Desk, plan: dict[str, Any]
) -> None:
    plan["stands_at"] = 3
    start(desk)
    stand_at(desk, 3)
    assert desk.session.stop()
    (run,) = runs(desk)
    over = run.with_name("over")
    shutil.copytree(run, over)
    (over / "result.json").write_text('{"model": "abc"}')
    (run.with_name("no request")).mkdir()
    desk.folder = desk.folder.rename(desk.folder.with_name("moved"))
    del plan["stands_at"]
    desk.session = desk.start()
    desk.open()
    until(desk, TrainingState.INTERRUPTED)
    assert [found.name for found in runs(desk)] == [run.name]
    of(desk).resume()
    until(desk, TrainingState.DONE)
    assert len(models(desk)) == 1


def test_another_workspace_ends_it_like_a_pause(desk: Desk, plan: dict[str, Any]) -> None:
    plan["stands_at"] = 2
    start(desk)
    stand_at(desk, 2)
    desk.open(desk.folder.with_name("other"))
    assert of(desk).run is None
    desk.open(desk.folder)
    until(desk, TrainingState.INTERRUPTED)
    del plan["stands_at"]
    of(desk).resume()  # the child from before may still be ending
    until(desk, TrainingState.DONE)


def test_a_workspace_that_is_refused_lets_it_go_on(desk: Desk, plan: dict[str, Any]) -> None:
    plan["stands_at"] = 2
    start(desk)
    stand_at(desk, 2)
    blocked = desk.folder.with_name("blocked")
    blocked.write_text("a file")
    desk.session.open_workspace(blocked)
    desk.until(lambda: desk.notices)
    assert of(desk).state is TrainingState.RUNNING
    of(desk).cancel()
    desk.until(lambda: not runs(desk))


def test_lines_of_a_file_that_was_cut_back_count_once(tmp_path: Path) -> None:
    lines = [json.dumps(facts_of(n, 9).as_json()) + "\n" for n in range(1, 10)]
    reader, file = EventsReader(tmp_path), tmp_path / EVENTS
    assert not reader.read()
    file.write_text("".join(lines[:5]) + lines[5][:20])
    assert reader.read()
    assert [facts.epoch for facts in reader.epochs] == [1, 2, 3, 4, 5]
    file.write_text("".join(lines[:3]))
    reader.read()
    file.write_text("".join([*lines[:4], "torn\n"]))
    assert reader.read()
    assert [facts.epoch for facts in reader.epochs] == [1, 2, 3, 4]


def test_the_time_left_follows_the_pace_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace()
    pace.note(40)
    assert pace.seconds_left(40, 100) is None
    for step in range(1, 11):
        now[0] += 1
        pace.note(40 + 2 * step)
    assert pace.seconds_left(60, 100) == pytest.approx(20)
    for _ in range(30):  # other work takes half of it
        now[0] += 1
        pace.note(60)
    assert pace.seconds_left(60, 100) is None
