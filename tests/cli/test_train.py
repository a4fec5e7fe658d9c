import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from inspector_gui import paths
from inspector_gui.cli import train
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import decode
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.simplenet import training
from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
from inspector_gui.store import files, run_files
from inspector_gui.store.features_cache import open_store
from inspector_gui.store.files import disk_full
from inspector_gui.store.images import ImageStore
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.training_runs import EventsReader, TrainingRun, new_run_folder
from tests.drawn import png

SEEDS = range(8)


@pytest.fixture(autouse=True)
def _keeps_its_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not this process, which goes on with other tests."""
    monkeypatch.setattr(train, "give_way", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    images = ImageStore(tmp_path)
    for seed in SEEDS:
        images.add(png(seed), decode(png(seed)), ".png")
    return tmp_path


def new_run(workspace: Path, *, count: int = len(SEEDS), **changes: object) -> TrainingRun:
    """Ask for a training of some of the references."""
    quick = {"epochs": 4, "steps": 30, "hidden": 32, "batch": 4, "patches": 20, **changes}
    scoring = scoring_for("simplenet", size=64, training=hyperparameters_for("fast", quick))
    images = [path.stem for path in (workspace / "images").rglob("*.png")]
    features = workspace / "features"
    run = TrainingRun(
        new_run_folder(features), scoring, tuple(sorted(images)[:count]), features,
        workspace / "models", 1, "washers", "", time.time(),
    )  # fmt: skip
    run.write()
    return run


def trained(run: TrainingRun) -> str:
    """Train in this process; return the model's identifier."""
    assert train.run(run.folder, ProgressStyle.NONE) == 0
    return run.finish().id


def until(holds: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_killed_training_goes_on_to_the_same_model_as_one_that_was_not(workspace: Path) -> None:
    run = new_run(workspace)
    command = [sys.executable, "-m", "inspector_gui", "train", "--folder", str(run.folder)]
    with subprocess.Popen([*command, "--progress", "json"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        for line in child.stdout:
            step = json.loads(line)
            if step["what"] == "training" and step["done"] >= 40:
                break
        child.send_signal(signal.SIGTERM)
        child.stdout.read()
    assert child.returncode == 130
    assert (run.folder / run_files.CHECKPOINT).exists()
    assert not ModelFiles(run.models_folder).list()
    resumed = trained(run)
    assert not run.folder.exists()
    again = new_run(workspace)
    events = EventsReader(again.folder)
    assert train.run(again.folder, ProgressStyle.NONE) == 0
    assert events.read()
    assert [facts.epoch for facts in events.epochs] == [1, 2, 3, 4]
    facts = again.finish()
    assert facts.id == resumed
    assert facts.set_name == "washers"
    assert set(facts.held_out) | set(facts.trained_on) == set(run.references)
    assert events.epochs[-1].held_out == tuple(facts.held_out.values())


def test_features_that_spade_has_already_are_not_computed_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(workspace, epochs=1, steps=2)
    spade = scoring_for("spade", size=64, runtime=run.scoring.runtime)
    extractor = Extractor(
        spade, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    images = ImageStore(workspace)
    with open_store(run.features_folder, spade) as store:
        for sha in run.references:
            store.append(sha, extractor.extract(decode(images.read(sha))))
    monkeypatch.setattr(Extractor, "extract", None)
    assert trained(run)


def test_references_that_cannot_be_read_are_left_out_and_named(workspace: Path) -> None:
    run = new_run(workspace)
    broken = run.references[0]
    ImageStore(workspace).path(broken).write_bytes(b"no picture")
    trained(run)
    (listed,) = ModelFiles(run.models_folder).list()
    assert listed.facts is not None
    assert broken[:12] in listed.facts.remarks[0]
    assert broken not in listed.facts.trained_on
    assert listed.facts.is_of(run.references)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"count": 5}, "at least 5 references to train on"),
        ({"held_out": 0.0}, "no limit"),
        ({"rate": 1.0, "loss": "l1", "schedule": "constant", "noise": 1e-6}, None),
    ],
)
def test_what_cannot_be_trained_ends_in_words_and_without_a_model(
    workspace: Path, changes: dict[str, object], words: str | None
) -> None:
    run = new_run(workspace, **changes)  # type: ignore[arg-type]
    if words is None:
        nothing = replace(run, references=())
        nothing.write()
        words = "there are 0"
    with pytest.raises(KnownError, match=words):
        train.run(run.folder, ProgressStyle.NONE)
    assert not ModelFiles(run.models_folder).list()
    assert not list(run.folder.glob("patches-*"))


def test_a_full_disk_keeps_the_checkpoint_before_and_the_training_goes_on_later(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = trained(new_run(workspace))
    run = new_run(workspace)
    real = files.write_whole
    often = partial(training.Hooks, state_seconds=0)
    monkeypatch.setattr(training, "Hooks", often)
    written: list[Path] = []

    def nearly_full(path: Path, data: bytes, *, durable: bool = True) -> None:
        if path.name == run_files.CHECKPOINT:
            written.append(path)
            if len(written) > 50:
                raise disk_full(path.parent)
        real(path, data, durable=durable)

    monkeypatch.setattr(run_files, "write_whole", nearly_full)
    with pytest.raises(KnownError, match="full"):
        train.run(run.folder, ProgressStyle.NONE)
    assert run_files.RunFiles(run.folder).checkpoint() is not None
    monkeypatch.undo()
    monkeypatch.setattr(train, "give_way", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert trained(run) == wanted


@pytest.mark.parametrize("damage", [b"", b"{}" * 50])
def test_a_damaged_checkpoint_or_request_is_said(workspace: Path, damage: bytes) -> None:
    run = new_run(workspace)
    (run.folder / run_files.CHECKPOINT).write_bytes(damage)
    with pytest.raises(KnownError, match="Discard it and start again"):
        train.run(run.folder, ProgressStyle.NONE)
    (run.folder / "request.json").write_bytes(damage)
    with pytest.raises(KnownError, match="start it again"):
        train.run(run.folder, ProgressStyle.NONE)
