from dataclasses import asdict, replace
from pathlib import Path

import pytest

from inspector_gui.core.methods import scoring_for
from inspector_gui.core.sets.switching import Switch
from inspector_gui.core.types import Purpose, Scoring
from tests.drawn import write_parts
from tests.session.desk import Desk, save_limits
from tests.session.test_int8 import needs_nncf
from tests.session.test_side_by_side import write_model
from tests.session.test_studies import Watched


@pytest.fixture
def filled(desk: Desk, tmp_path: Path) -> Desk:
    """A desk with eight references, two validation pictures and two bad ones, all computed."""
    desk.make_ready(8)
    references = desk.session.references
    for seeds, purpose, defect in (
        (range(20, 22), Purpose.VALIDATION, None),
        (range(30, 32), Purpose.BAD, "stain"),
    ):
        references.add(write_parts(tmp_path / purpose, seeds, defect=defect), purpose)
        desk.until(lambda: not references.is_importing)
    desk.until(lambda: len(desk.session.health.scores_of(Purpose.BAD)) == 2)
    return desk


def compare(desk: Desk, scoring: Scoring) -> Switch:
    saved = desk.session.limits.saved
    assert saved is not None
    by_hand = asdict(saved) if saved.rule.startswith("set by hand") else None
    parameters = {"scoring": asdict(scoring), "by_hand": by_hand}
    watched = Watched(desk.session.studies.begin("compare", parameters))
    desk.until(lambda: watched.results or watched.failures, 60)
    assert watched.failures == []
    assert watched.steps[-1].done == watched.steps[-1].total
    return Switch.from_json(watched.results[0])


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_another_precision_is_compared_on_all_pictures_and_changes_nothing(
    filled: Desk, method: str
) -> None:
    filled.session.references.set_scoring(scoring_for(method, size=96))
    filled.settle()
    filled.until_ready()
    filled.until(lambda: len(filled.session.health.scores_of(Purpose.BAD)) == 2)
    before, files = filled.current, sorted(filled.folder.rglob("*"))
    found = compare(filled, replace(before.scoring, precision="bf16"))
    assert found.counts == {"reference": 8, "validation": 2, "bad": 2}
    assert found.among == 8
    assert found.typical is not None
    assert found.largest is not None
    assert 0 <= found.typical <= found.largest < 0.5
    assert found.before.device == "CPU (OpenVINO f32)"
    assert found.after.device == "CPU (OpenVINO bf16)"
    assert 0 < found.after.seconds < 5
    assert found.rule == "the limits that these references suggest"
    assert filled.current == before
    assert [p for p in sorted(filled.folder.rglob("*")) if p not in files] == []


def test_features_computed_anew_by_the_same_scoring_change_no_score(filled: Desk) -> None:
    found = compare(filled, filled.current.scoring)
    assert (found.typical, found.largest) == (0.0, 0.0)
    assert found.changed == ()


def test_by_a_limit_set_by_hand_decisions_that_change_are_named(filled: Desk) -> None:
    scoring = filled.current.scoring
    limits = filled.session.limits
    scores = sorted(limits.reference_scores.values())
    assert limits.saved is not None
    limits.preview(limits.saved.relative((scores[3] + scores[4]) / 2))
    save_limits(limits, limits.shown)
    filled.settle()
    found = compare(filled, replace(scoring, size=64))  # scores of another input are others
    assert found.rule == "the limit set by hand"
    assert found.changed
    names = {image.sha256: image.name for image in filled.current.images}
    assert all(names[one.sha256] == one.name for one in found.changed)
    assert all({one.before, one.after} == {"pass", "fail"} for one in found.changed)


def test_a_trained_model_is_compared_on_references_it_was_not_trained_on(filled: Desk) -> None:
    folder = filled.folder / "models"
    folder.mkdir()
    model = write_model(folder, [image.sha256 for image in filled.current.included])
    filled.session.references.set_scoring(model.facts.scoring)
    filled.settle()
    filled.until_ready()
    found = compare(filled, replace(model.facts.scoring, precision="bf16"))
    assert found.counts == {"reference": 3, "validation": 2, "bad": 2}
    assert found.is_signed
    assert found.typical is not None
    assert found.typical < 1
    assert found.after.device == "CPU (OpenVINO bf16)"


@pytest.mark.slow
@needs_nncf
def test_int8_is_compared_by_the_network_that_it_would_have(filled: Desk) -> None:
    references = filled.session.references
    scoring = references.calibrated(replace(filled.current.scoring, precision="int8"))
    found = compare(filled, scoring)
    assert found.after.device == "CPU (OpenVINO int8)"
    assert found.typical is not None
    assert found.typical > 1e-4
    (model,) = (filled.folder / "networks").glob("*.xml")
    made = model.stat().st_mtime_ns
    references.set_scoring(scoring)
    filled.until(lambda: filled.current.scoring == scoring)
    filled.until_ready()
    assert model.stat().st_mtime_ns == made
