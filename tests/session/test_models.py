from pathlib import Path

import pytest

from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.session.models import ModelDesk, changes_since
from inspector_gui.store.model_files import ModelFiles
from tests.drawn import write_parts
from tests.session.desk import Desk
from tests.session.trained import save_model


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A session with six references."""
    desk.import_files(write_parts(desk.folder.parent / "good", range(6)))
    return desk


def made(desk: Desk, *, without: int = 0, created_at: float = 1.0, seed: int = 0) -> ModelFacts:
    """Return a model of the set, or of one with fewer references."""
    shas = [image.sha256 for image in desk.current.included][without:]
    folder = desk.folder / "models"
    return save_model(
        folder, shas[:-2], dict.fromkeys(shas[-2:], -0.2), created_at=created_at, seed=seed
    )


def listed(desk: Desk) -> ModelDesk:
    answered: list[bool] = []
    desk.session.models.refresh(lambda: answered.append(True))
    desk.until(lambda: answered)
    return desk.session.models


def test_the_newest_model_of_all_references_is_used_first(desk: Desk) -> None:
    whole = made(desk, created_at=1.0)
    made(desk, without=1, created_at=2.0, seed=1)
    save_model(desk.folder / "models", ["ab" * 32], {"cd" * 32: 0.0}, created_at=3.0, seed=2)
    failures: list[bool] = []
    desk.session.models.use_newest(lambda: failures.append(True))
    desk.until(lambda: desk.current.scoring.model)
    assert desk.current.scoring == whole.scoring
    assert failures == []


def test_a_model_of_references_that_have_changed_is_used_where_there_is_no_other(
    desk: Desk,
) -> None:
    stale = made(desk)
    desk.session.references.set_included([desk.current.included[0].id], False)
    desk.import_files(write_parts(desk.folder.parent / "more", range(20, 23)))
    desk.until(lambda: len(desk.current.included) == 8)
    changes = changes_since(stale, desk.current)
    assert (changes.added, changes.removed, changes.are_none) == (3, 1, False)
    desk.session.models.use_newest(lambda: None)
    desk.until(lambda: desk.current.scoring.model == stale.id)


def test_without_a_model_of_the_set_that_is_told(desk: Desk) -> None:
    save_model(desk.folder / "models", ["ab" * 32, "cd" * 32])
    told: list[bool] = []
    desk.session.models.use_newest(lambda: told.append(True))
    desk.until(lambda: told)
    assert desk.current.scoring.model == ""


def test_the_model_that_a_set_is_judged_by_stays(desk: Desk) -> None:
    used, other = made(desk), made(desk, seed=1)
    models = listed(desk)
    models.use(used)
    desk.until(lambda: desk.current.scoring.model == used.id)
    desk.session.references.create("Another")
    desk.settle()
    name = models.used_by(used.id)[0]
    models.delete(used.id)
    assert desk.notices[-1].startswith(f"{name} is judged by this model; choose another")
    models.delete(other.id)
    desk.until(lambda: [model.id for model in models.models] == [used.id])
    assert [m.id for m in ModelFiles(desk.folder / "models").list()] == [used.id]


def test_damaged_models_are_listed_with_their_reason_and_can_be_deleted(desk: Desk) -> None:
    facts = made(desk)
    path: Path = desk.folder / "models" / f"{facts.id}.json"
    path.write_text(path.read_text().replace('"noise": 0.1', '"noise": 0.2'))
    models = listed(desk)
    (model,) = models.models
    assert model.facts is None
    assert "has been changed since it was trained" in model.reason
    models.delete(model.id)
    desk.until(lambda: not models.models)
    assert list((desk.folder / "models").iterdir()) == []


@pytest.mark.parametrize("left", [0, 7, 60, -1], ids=str)
def test_a_model_whose_weights_are_cut_off_is_no_model(desk: Desk, left: int) -> None:
    facts = made(desk)
    path: Path = desk.folder / "models" / f"{facts.id}.safetensors"
    assert listed(desk).models[0].facts == facts
    path.write_bytes(path.read_bytes()[:left])
    (model,) = listed(desk).models
    assert model.facts is None
    assert "are cut off; train it again" in model.reason
    path.unlink()
    assert "are gone" in listed(desk).models[0].reason


def test_another_workspace_has_its_own_models(desk: Desk) -> None:
    made(desk)
    assert listed(desk).models
    desk.open(desk.folder.with_name("other"))
    desk.until(lambda: not desk.session.models.models)
