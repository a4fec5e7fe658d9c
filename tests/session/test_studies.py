import errno
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from inspector_gui.core.methods import scoring_for
from inspector_gui.core.sets.slimming import Slimming
from inspector_gui.core.simplenet.hyperparameters import PRESETS
from inspector_gui.core.types import Progress, Purpose, ReferenceSet
from inspector_gui.session import studies
from inspector_gui.session.studies import Study
from tests.drawn import write_parts
from tests.session.desk import Desk


class Watched:
    """What a study says."""

    def __init__(self, study: Study | None) -> None:
        assert study is not None
        self.study = study
        self.steps: list[Progress] = []
        self.results: list[dict[str, Any]] = []
        self.failures: list[str] = []
        study.progressed.connect(self.steps.append)
        study.finished.connect(self.results.append)
        study.failed.connect(self.failures.append)


@pytest.fixture
def filled(desk: Desk, tmp_path: Path) -> Desk:
    """A desk with twelve references, two validation pictures and three bad ones, all computed."""
    desk.make_ready(12)
    references = desk.session.references
    for seeds, purpose, defect in (
        (range(20, 22), Purpose.VALIDATION, None),
        (range(30, 33), Purpose.BAD, "stain"),
    ):
        references.add(write_parts(tmp_path / purpose, seeds, defect=defect), purpose)
        desk.until(lambda: not references.is_importing)
    desk.until(lambda: len(desk.session.health.scores_of(Purpose.BAD)) == 3)
    return desk


def study(desk: Desk, what: str, **parameters: object) -> Watched:
    watched = Watched(desk.session.studies.begin(what, parameters))
    desk.until(lambda: watched.results or watched.failures)
    return watched


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_a_map_has_a_point_for_every_picture_and_the_clusters_of_references(
    filled: Desk, kind: str
) -> None:
    (result,) = study(filled, "map", kind=kind).results
    assert {p["sha256"] for p in result["points"]} == {i.sha256 for i in filled.current.images}
    purposes = [p["purpose"] for p in result["points"]]
    assert [purposes.count(p.name.lower()) for p in Purpose] == [12, 2, 3]
    assert sum(c["size"] for c in result["clusters"]) == 12
    assert all((p["cluster"] is None) == (p["purpose"] != "reference") for p in result["points"])
    assert result["kind"] == kind


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_slimming_is_measured_by_the_recipes_own_method_and_changes_nothing(
    filled: Desk, method: str
) -> None:
    filled.session.references.set_scoring(scoring_for(method, size=96))
    filled.settle()
    filled.until_ready()
    filled.until(lambda: len(filled.session.health.scores_of(Purpose.BAD)) == 3)
    before = filled.current
    watched = study(filled, "slim", count=6, how="coreset")
    (result,) = watched.results
    slimming = Slimming.from_json(result)
    assert len(slimming.kept) == 6
    assert set(slimming.kept) < {i.sha256 for i in before.included}
    assert (slimming.cost.before, slimming.cost.after) == (12, 6)
    assert slimming.cost.goods == "validation"
    assert slimming.cost.auroc_before is not None
    # SPADE holds pyramids of all that it compares with, DN2 one vector of each.
    assert (slimming.cost.bytes_before > 12 * 10_000) == (method == "spade")
    assert watched.steps[-1].done == watched.steps[-1].total
    assert filled.current == before


def test_a_learning_curve_ends_with_all_references(filled: Desk) -> None:
    (result,) = study(filled, "learn").results
    assert [p["references"] for p in result["points"]] == [5, 7, 10, 12]
    assert all(p["auroc"] is not None for p in result["points"])
    assert result["method"] == filled.current.scoring.method


def test_what_a_set_does_not_allow_is_a_sentence(filled: Desk) -> None:
    watched = study(filled, "slim", count=40)
    assert "only 12 references" in watched.failures[0]
    assert not watched.study.folder.exists()


def test_a_cancelled_study_says_nothing_and_leaves_no_file(filled: Desk) -> None:
    watched = Watched(filled.session.studies.begin("learn"))
    filled.until(lambda: watched.steps)
    folder = watched.study.folder
    assert json.loads((folder / "request.json").read_text())["parameters"] == {}
    began = time.monotonic()
    watched.study.cancel()
    watched.study.cancel()
    assert time.monotonic() - began < 0.05  # the window does not wait for it
    filled.until(lambda: not folder.exists())
    assert (watched.results, watched.failures) == ([], [])


def test_without_a_set_there_is_nothing_to_study(desk: Desk) -> None:
    assert desk.session.studies.begin("map") is None


def test_before_features_are_there_that_is_said(desk: Desk, tmp_path: Path) -> None:
    desk.session.references.create("Empty")
    desk.settle()
    watched = study(desk, "map")
    assert watched.failures
    assert "features" in watched.failures[0]


def test_a_study_of_features_that_are_missing_is_refused_in_words(
    filled: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = studies.request_for

    def request_for(current: ReferenceSet, folder: Path) -> dict[str, Any]:
        request = real(current, folder)
        request["images"]["reference"].append({"sha256": "ab" * 32, "name": "x", "origin": ""})
        return request

    monkeypatch.setattr(studies, "request_for", request_for)
    for kind in ("slim", "learn", "lots"):
        watched = study(filled, kind, count=6)
        assert watched.failures[0].startswith("1 of 13 references have no features.")
    assert study(filled, "map").results


def test_fewer_references_say_nothing_of_a_trained_model(
    filled: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = studies.request_for

    def request_for(current: ReferenceSet, folder: Path) -> dict[str, Any]:
        request = real(current, folder)
        request["scoring"]["training"] = asdict(PRESETS["fast"])
        return request

    monkeypatch.setattr(studies, "request_for", request_for)
    watched = study(filled, "slim", count=6)
    assert watched.failures[0].startswith("A trained model judges by what it has learned")


def test_a_full_disk_is_told_where_the_study_was_asked_for(
    filled: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", refuse)
        watched = Watched(filled.session.studies.begin("map"))
    filled.until(lambda: watched.failures)
    assert "No space left" in watched.failures[0]
    assert not watched.study.folder.exists()


def test_what_a_killed_program_left_is_swept_away(filled: Desk) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = Path(tempfile.gettempdir()) / f"inspector-study-{ended.pid}-abc"
    left.mkdir()
    assert study(filled, "map").results
    assert not left.exists()


def test_closing_the_program_ends_a_running_study(filled: Desk) -> None:
    watched = Watched(filled.session.studies.begin("learn"))
    filled.until(lambda: watched.steps)
    folder = watched.study.folder
    filled.restart()
    assert not folder.exists()
    assert watched.results == []
