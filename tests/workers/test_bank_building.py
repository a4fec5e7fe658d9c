from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytestqt.qtbot import QtBot

from inspector_gui.core.features import Features
from inspector_gui.core.methods.patchcore import Patchcore
from inspector_gui.core.types import Scoring
from inspector_gui.store.bank_files import BankFiles
from inspector_gui.store.features_cache import FeatureReader, features_folder
from inspector_gui.workers import bank_building
from inspector_gui.workers.engine_state import Phase

from .bench import Bench

PATCHCORE = Scoring(method="patchcore", k=2, size=96)


@pytest.fixture
def bench(qtbot: QtBot, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(qtbot, tmp_path)
    yield bench
    bench.stop()


def test_parts_wait_for_the_bank_and_grow_with_it(bench: Bench) -> None:
    bench.engine.configure(bench.setup(PATCHCORE, count=7))
    bench.submit("before")
    bench.until(lambda: bench.inspections)
    assert any(state.phase is Phase.CHOOSING for state in bench.states)
    bench.until_ready()
    folder = features_folder(bench.folder, PATCHCORE)
    assert not list(folder.glob("*request*"))
    names = tuple(sorted(list(bench.files)[:7]))
    gallery = FeatureReader(folder).gallery(names)
    fresh = Patchcore(PATCHCORE)
    row = 3
    features = Features(gallery.pooled[row], gallery.levels(row))
    expected = fresh.score(features, gallery, exclude=row).image
    assert bench.calibrations[0].scores[names[row]] == expected

    bench.engine.configure(bench.setup(PATCHCORE, count=8))
    bench.submit("after", seed=7)
    bench.until(lambda: len(bench.inspections) == 2)
    grown = BankFiles(folder, PATCHCORE).open(tuple(bench.files))
    assert grown is not None
    assert grown.changes == 1
    assert grown.hashes[:7] == names
    assert bench.inspections[1].scores.image < bench.inspections[0].scores.image


def test_another_recipe_ends_the_choice(bench: Bench) -> None:
    bench.engine.configure(bench.setup(PATCHCORE))
    bench.until(lambda: any(state.phase is Phase.CHOOSING for state in bench.states))
    bench.engine.configure(bench.setup())
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert bench.inspections[0].scores.patches is None
    folder = features_folder(bench.folder, PATCHCORE)
    assert not list(folder.glob("*request*"))


def test_a_bank_that_cannot_be_chosen_is_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bank_building, "json", SimpleNamespace(dumps=lambda _: "[]"))
    bench.engine.configure(bench.setup(PATCHCORE))
    bench.until(lambda: bench.states and bench.states[-1].phase is Phase.FAILED)
    assert "start again" in bench.states[-1].reason
    bench.submit("part")
    bench.until(lambda: bench.rejected)
