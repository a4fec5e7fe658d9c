from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.simplenet.fitting import train_model
from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.types import KEEP, Scoring
from inspector_gui.store.features_cache import open_store
from inspector_gui.store.model_files import ModelFiles, models_beside
from inspector_gui.workers.engine_state import Phase
from tests.drawn import picture, png, sha
from tests.workers.bench import Bench

QUICK = hyperparameters_for(
    "fast", {"epochs": 2, "steps": 5, "hidden": 16, "batch": 3, "patches": 20}
)
UNTRAINED = Scoring(method="simplenet", k=2, size=64, preset="fast", training=QUICK)
SEEDS = range(8)


def trained(folder: Path, scoring: Scoring = UNTRAINED) -> SimplenetModel:
    """Train on the bench's references and keep the model where the engine looks for it."""
    hashes = tuple(sorted(sha(png(seed)) for seed in SEEDS))
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    with open_store(folder, scoring) as store:
        for seed in SEEDS:
            store.append(sha(png(seed)), extractor.extract(picture(seed)))
        model = train_model(store.gallery(hashes), hashes, scoring)
    ModelFiles(models_beside(folder)).write(model)
    return model


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(qtbot, tmp_path / "features")
    yield bench
    bench.stop()


@pytest.mark.parametrize("fit", ["squash", KEEP])
def test_parts_are_judged_by_the_model_and_limits_come_from_what_it_has_not_seen(
    bench: Bench, fit: str
) -> None:
    model = trained(bench.folder, replace(UNTRAINED, fit=fit))
    bench.engine.configure(bench.setup(model.facts.scoring, limits=None))
    bench.until(lambda: bench.calibrations)
    scores = bench.calibrations[0].scores
    assert scores.keys() == model.facts.held_out.keys()
    for name, score in scores.items():
        assert score == pytest.approx(model.facts.held_out[name], abs=2e-4)
    bench.engine.set_limits(bench.setup().limits)  # type: ignore[arg-type]
    bench.submit("part", seed=3)
    bench.until(lambda: bench.inspections)
    (inspection,) = bench.inspections
    assert inspection.scores.patches is not None
    assert inspection.scores.patches.shape == (8, 8)
    assert inspection.nearest[0] == sha(png(3))
    assert inspection.scores.pooled is not None


def test_a_reference_that_came_after_the_training_counts_for_the_limit(bench: Bench) -> None:
    model = trained(bench.folder)
    new = png(40)
    bench.files[sha(new)] = new
    bench.engine.configure(bench.setup(model.facts.scoring, limits=None))
    bench.until(lambda: bench.calibrations)
    assert set(bench.calibrations[0].scores) == {*model.facts.held_out, sha(new)}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.with_suffix(".safetensors").unlink(), "not in this workspace"),
        (lambda path: path.with_suffix(".safetensors").write_bytes(b"x" * 99), "damaged"),
        (lambda path: path.write_text(path.read_text().replace('"fast"', '"paper"')), "changed"),
    ],
    ids=["gone", "cut off", "edited"],
)
def test_a_model_that_cannot_be_used_is_said_and_parts_are_not_judged(
    bench: Bench, spoil, words: str
) -> None:
    model = trained(bench.folder)
    spoil(models_beside(bench.folder) / f"{model.facts.id}.json")
    bench.engine.configure(bench.setup(model.facts.scoring))
    bench.submit("part")
    bench.until(lambda: bench.rejected)
    assert bench.states[-1].phase is Phase.FAILED
    assert words in bench.rejected[0][1]


def test_without_a_model_or_for_another_network_that_is_said(bench: Bench) -> None:
    bench.engine.configure(bench.setup(UNTRAINED))
    bench.until(lambda: bench.states and bench.states[-1].phase is Phase.FAILED)
    assert "train one" in bench.states[-1].reason
    model = trained(bench.folder)
    bench.engine.configure(bench.setup(replace(model.facts.scoring, size=96)))
    bench.until(lambda: "64 x 64" in bench.states[-1].reason)
    bench.engine.configure(bench.setup(model.facts.scoring))
    bench.until_ready()
