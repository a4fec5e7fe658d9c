import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import (
    NAMES,
    PRESETS,
    Hyperparameters,
    hyperparameters_for,
)
from inspector_gui.core.types import Scoring
from inspector_gui.session import training
from inspector_gui.session.training_values import TrainingState
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.ui.training_fields import FieldRow
from inspector_gui.ui.training_window import TrainingWindow
from inspector_gui.ui.training_words import duration_words, left_words, model_words
from tests.drawn import write_parts
from tests.session.pretended import Pretended
from tests.session.trained import save_model, simplenet
from tests.ui.workplace import Workplace, workplace


@pytest.fixture
def place(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workplace]:
    """Eight references of washers; nothing is judged, and children only pretend to train."""
    monkeypatch.setattr(
        "inspector_gui.session.session.default_scoring", lambda: Scoring(method="dn2", k=2, size=96)
    )
    monkeypatch.setattr(training, "ChildJob", Pretended)
    monkeypatch.setattr(Pretended, "plan", {})
    with workplace(qtbot, qapp, tmp_path / "workspace") as place:
        monkeypatch.setattr(place.session._engine, "configure", lambda _: None)
        place.theme.apply(is_dark=True)
        place.session.references.create("Washers")
        place.until(lambda: place.session.references.current)
        place.add_references(write_parts(tmp_path / "good", range(8)))
        yield place


@pytest.fixture
def window(place: Workplace, qtbot: QtBot) -> Iterator[TrainingWindow]:
    window = TrainingWindow(place.session, place.theme)
    with qtbot.waitExposed(window):
        window.show()
    yield window
    if isValid(window):
        window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def type_in(window: TrainingWindow, name: str, text: str) -> FieldRow:
    row = window.train.form.rows[name]
    assert isinstance(row.field, QLineEdit)
    row.field.setText(text)
    return row


def start(window: TrainingWindow, *, epochs: int = 6) -> None:
    type_in(window, "epochs", str(epochs))
    window.head.start_button.click()


def until(place: Workplace, state: TrainingState) -> None:
    place.until(lambda: place.session.training.state is state)


def shown(*buttons: QPushButton) -> list[str]:
    return [button.text() for button in buttons if button.isVisible()]


def buttons(window: TrainingWindow) -> list[str]:
    head = window.head
    return shown(
        head.start_button, head.pause_button, head.resume_button, head.cancel_button,
        head.discard_button,
    )  # fmt: skip


def models_of(place: Workplace) -> Path:
    assert place.session.workspace is not None
    return place.session.workspace / "models"


def trained(place: Workplace, *, without: int = 0, seed: int = 0, **changes: Any) -> ModelFacts:
    """Return a model of the set, or of one that has other references."""
    shas = [image.sha256 for image in place.current.included][without:]
    scoring = simplenet(hyperparameters_for("fast", {"hidden": 32, **changes}))
    return save_model(
        models_of(place), shas[:-2], dict.fromkeys(shas[-2:], -0.2 - seed), seed=seed,
        scoring=scoring, created_at=time.time() + seed,
    )  # fmt: skip


# The form


def test_every_hyperparameter_is_there_and_says_what_it_does(window: TrainingWindow) -> None:
    rows = window.train.form.rows
    assert set(NAMES) < set(rows)
    for row in rows.values():
        assert row.field.accessibleName()
        assert len(row.field.toolTip()) > len(row.field.accessibleName()) + 10
        assert isinstance(row.field, QLineEdit | QComboBox | QCheckBox)
        assert row.field.isEnabled()


def test_a_preset_is_taken_whole_and_nothing_of_it_is_marked(window: TrainingWindow) -> None:
    form = window.train.form
    for preset in ("paper", "official", "fast"):
        form.chips[preset].click()
        assert form.changes == ()
        assert form.scoring().training == PRESETS[preset]
        assert form.scoring().method == "simplenet"
        is_own = (form.scoring().backbone, form.scoring().size) == ("efficientnet_lite0", 96)
        assert is_own == (preset == "fast")


def test_what_is_changed_is_marked_and_goes_back(window: TrainingWindow) -> None:
    form = window.train.form
    row = type_in(window, "noise", "0.5")
    type_in(window, "size", "128")
    assert set(form.changes) == {"noise", "size"}
    assert row.reset_button.isVisible()
    assert row.text.property("role") == "changed"
    assert f"the preset has {PRESETS['fast'].noise:g}" in row.field.toolTip()
    assert form.told.text() == "2 values changed"
    assert form.scoring().training == replace(PRESETS["fast"], noise=0.5)
    assert form.scoring().size == 128
    row.reset_button.click()
    assert list(form.changes) == ["size"]
    form.reset_button.click()
    assert list(form.changes) == []
    assert not form.reset_button.isVisible()


def test_what_cannot_be_trained_is_said_and_not_started(window: TrainingWindow) -> None:
    for name, text, said in (
        ("epochs", "many", "Epochs is a whole number, not “many”."),
        ("epochs", "0", "epochs is from 1 to 10000, not 0."),
        ("neighbourhood", "4", "neighbourhood is an odd number of places, not 4."),
        ("rate", "inf", "rate is from 1e-08 to 1, not inf."),
        ("size", "100", "multiple"),
    ):
        type_in(window, name, text)
        assert said in window.train.form.reason.text()
        assert not window.head.start_button.isEnabled()
        window.train.form.rows[name].reset()
        assert window.head.start_button.isEnabled()


def test_a_set_that_has_a_model_begins_with_what_that_was_trained_with(
    place: Workplace, window: TrainingWindow
) -> None:
    facts = trained(place, noise=0.7)
    place.session.models.use(facts)
    place.until(lambda: place.current.scoring.model)
    window.close()
    again = TrainingWindow(place.session, place.theme)
    assert set(again.train.form.changes) == {"hidden", "noise"}
    assert again.train.form.scoring().training == facts.scoring.training
    assert again.train.form.scoring().model == ""
    again.close()


def test_too_few_references_beside_those_held_out_are_said_before_anything_starts(
    place: Workplace, window: TrainingWindow
) -> None:
    assert "2 of them are held out" in window.head.told.text()
    ids = [image.id for image in place.current.included]
    place.session.references.set_included(ids[:2], False)
    place.until(lambda: len(place.current.included) == 6)
    assert "4 references are left to train on; 5 are needed" in window.head.told.text()
    assert not window.head.start_button.isEnabled()
    place.session.references.set_included(ids[:2], True)
    place.until(window.head.start_button.isEnabled)
    for text in ("0", "nan", "inf", "-1", ""):
        type_in(window, "held_out", text)
        assert not window.head.start_button.isEnabled()
        assert "the limit is made from them" in window.head.told.text()


# Training


def test_a_training_is_watched_to_its_model(place: Workplace, window: TrainingWindow) -> None:
    assert window.head.heading.text() == "Ready to train on the 8 references of Washers"
    assert buttons(window) == ["Start training"]
    Pretended.plan["stands_at"] = 3
    start(window)
    assert buttons(window) == ["Pause", "Cancel"]
    assert not window.train.form.isEnabled()
    place.until(lambda: len(place.session.training.epochs) == 3)
    assert window.head.heading.text().startswith("Epoch 4 of 6")
    assert (window.head.bar.value(), window.head.bar.maximum()) == (3, 6)
    tab = window.train
    assert tab.plots.isVisible()
    loss, good, noised = tab.loss.curves
    assert [len(curve.x) for curve in (loss, good, noised)] == [3, 3, 3]
    assert loss.y == pytest.approx([a + b for a, b in zip(good.y, noised.y, strict=True)])
    assert [entry.text for entry in tab.loss.legend.entries] == [
        "loss", "good features", "noised features",
    ]  # fmt: skip
    assert tab.outputs.facts == place.session.training.epochs[-1]
    assert tab.outputs_remark.text() == "good 90 %, noised 80 %"
    assert list(tab.held_out.columns) == ["1", "2", "3"]
    assert tab.held_out.limit is not None
    window.head.pause_button.click()
    until(place, TrainingState.PAUSED)
    assert window.head.heading.text() == "Paused, epoch 3 of 6"
    assert buttons(window) == ["Go on", "Discard"]
    del Pretended.plan["stands_at"]
    place.session.references.rename(place.current.id, "Rings")
    window.head.resume_button.click()
    until(place, TrainingState.DONE)
    assert window.head.heading.text().startswith("Trained for Rings in ")
    assert buttons(window) == ["Start training"]
    assert tab.form.isEnabled()
    assert len(tab.loss.curves[0].x) == 6
    place.until(lambda: place.current.scoring.model)


def test_cancel_takes_everything_back(place: Workplace, window: TrainingWindow) -> None:
    Pretended.plan["stands_at"] = 2
    start(window)
    place.until(lambda: len(place.session.training.epochs) == 2)
    window.head.cancel_button.click()
    assert buttons(window) == ["Start training"]
    assert window.train.hint.isVisible()
    place.until(lambda: not list((models_of(place) / "runs").iterdir()))
    assert ModelFiles(models_of(place)).list() == ()


def test_a_failure_is_said_in_red_and_can_be_discarded(
    place: Workplace, window: TrainingWindow
) -> None:
    Pretended.plan["fails_at"] = 2
    start(window)
    until(place, TrainingState.FAILED)
    assert window.head.heading.text() == "The training has failed"
    assert "choose smaller rates" in window.head.told.text()
    assert window.head.told.property("role") == "bad"
    window.head.discard_button.click()
    assert buttons(window) == ["Start training"]


def test_without_the_tick_the_model_is_only_listed(
    place: Workplace, window: TrainingWindow
) -> None:
    window.head.judges.setChecked(False)
    before = place.current.scoring
    start(window, epochs=2)
    until(place, TrainingState.DONE)
    place.until(lambda: len(place.session.models.models) == 1)
    assert place.current.scoring == before


def test_closing_the_window_lets_the_training_go_on(
    place: Workplace, window: TrainingWindow
) -> None:
    Pretended.plan["stands_at"] = 2
    start(window)
    place.until(lambda: len(place.session.training.epochs) == 2)
    window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert place.session.training.state is TrainingState.RUNNING
    again = TrainingWindow(place.session, place.theme)
    assert again.head.heading.text().startswith("Epoch 3 of 6")
    assert again.train.form.rows["epochs"].value == 6
    assert len(again.train.loss.curves[0].x) == 2
    again.close()
    place.session.training.cancel()


# Models


def look(place: Workplace, window: TrainingWindow, count: int) -> None:
    window.tab_buttons[1].click()
    place.until(lambda: window.models.table.rowCount() == count)


def select(window: TrainingWindow, *rows: int) -> None:
    table = window.models.table
    table.clearSelection()
    table.setSelectionMode(QAbstractItemView.SelectionMode.MultiSelection)
    for row in rows:
        table.selectRow(row)
    table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)


def texts(window: TrainingWindow, row: int) -> list[str]:
    table = window.models.table
    return [item.text() for n in range(6) if (item := table.item(row, n)) is not None]


def test_models_are_listed_with_what_became_of_them(
    place: Workplace, window: TrainingWindow
) -> None:
    whole, other, broken = (trained(place, seed=n) for n in range(3))
    (models_of(place) / f"{broken.id}.safetensors").unlink()
    look(place, window, 3)
    assert texts(window, 0)[0] == "Fast (changed), efficientnet_lite0, 96 × 96"
    assert texts(window, 0)[3:] == ["6 of Washers", "2", ""]
    select(window, 1)
    assert window.models.selected[0].id == whole.id
    window.models.use_button.click()
    place.until(lambda: place.current.scoring.model == whole.id)
    assert texts(window, 1)[5] == "judges Washers"
    assert not window.models.use_button.isEnabled()
    assert texts(window, 2)[0] == broken.id
    assert "damaged: The weights of the model" in texts(window, 2)[5]
    place.session.references.set_included([place.current.included[0].id], False)
    place.until(lambda: len(place.current.included) == 7)
    said = "references have changed since: 1 removed"
    assert texts(window, 0)[5] == said
    assert texts(window, 1)[5] == f"judges Washers; {said}"
    assert other.id == window.models._shown[0].id


def test_two_models_are_compared_by_what_differs(place: Workplace, window: TrainingWindow) -> None:
    trained(place)
    trained(place, seed=1, epochs=4, noise=0.5)
    look(place, window, 2)
    view = window.models.view
    assert view.title.text() == "What it is"
    assert view.rows["Epochs"] == ("4",)
    assert set(view.rows) > {"Hidden units", "Discriminator: Learning rate", "σ of the noise"}
    select(window, 0, 1)
    assert view.title.text() == "What differs"
    assert view.rows["σ of the noise"] == ("0.5", f"{PRESETS['fast'].noise:g}")
    assert "Hidden units" not in view.rows
    assert [len(curve.x) for curve in view.loss.curves] == [4, PRESETS["fast"].epochs]
    assert list(view.held_out.columns) == ["A", "B"]


def test_deleting_asks_first_and_is_refused_for_the_one_in_use(
    place: Workplace, window: TrainingWindow
) -> None:
    used = trained(place)
    trained(place, seed=1)
    look(place, window, 2)
    place.session.models.use(used)
    place.until(lambda: place.current.scoring.model == used.id)
    select(window, 1)
    window.models.delete_button.click()
    assert "Washers is judged by this model" in place.notices[-1]
    assert window.findChildren(QMessageBox) == []
    select(window, 0)
    window.models.delete_button.click()
    (box,) = window.findChildren(QMessageBox)
    assert not box.isModal()
    (delete,) = [b for b in box.buttons() if b.text() == "Delete"]
    delete.click()
    place.until(lambda: window.models.table.rowCount() == 1)
    assert [m.id for m in ModelFiles(models_of(place)).list()] == [used.id]


def test_without_models_it_says_what_to_do(window: TrainingWindow) -> None:
    window.tab_buttons[1].click()
    assert window.models.hint.isVisible()
    assert not window.models.table.isVisible()


# Words


def test_times_are_no_more_exact_than_they_are_known() -> None:
    assert [duration_words(s) for s in (4.4, 70, 120, 3700)] == [
        "4 s", "1 min 10 s", "2 min", "1 h 2 min",
    ]  # fmt: skip
    assert [left_words(s) for s in (0.2, 34, 73, 754)] == [
        "1 s left", "34 s left", "1 min 10 s left", "13 min left",
    ]  # fmt: skip


def test_a_model_says_whether_it_is_its_preset_as_it_stands() -> None:
    assert model_words(simplenet(PRESETS["fast"])) == "Fast, efficientnet_lite0, 96 × 96"
    other_seed = replace(PRESETS["fast"], seed=3)
    assert "changed" not in model_words(simplenet(other_seed))
    assert "Paper (changed)" in model_words(simplenet(Hyperparameters(preset="paper")))
