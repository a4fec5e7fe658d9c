"""Training seen from the main window: the menu, the status bar, and what a closed window leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QProcess
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Scoring
from inspector_gui.session import Session, training
from inspector_gui.session.training import TrainingDesk
from inspector_gui.session.training_values import TrainingState
from inspector_gui.settings import Settings
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.ui.recipe_dialog import RecipeDialog
from inspector_gui.ui.status import StatusLine
from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_window import TrainingWindow
from inspector_gui.workers.engine import Engine
from tests.drawn import write_parts
from tests.session.pretended import Pretended
from tests.session.trained import save_model, simplenet


class Program:
    """The main window on a workspace, which can be closed and opened again."""

    def __init__(self, qtbot: QtBot, theme: Theme, folder: Path) -> None:
        self.qtbot, self.theme, self.folder = qtbot, theme, folder
        self.open()

    def open(self) -> None:
        self.session = Session()
        self.session.start()
        settings = Settings(self.folder / "window.ini")
        self.window = MainWindow(self.session, self.theme, settings)
        with self.qtbot.waitExposed(self.window):
            self.window.show()
        with self.qtbot.waitSignal(self.session.workspace_opened, timeout=20_000):
            self.window.open_workspace(str(self.folder / "workspace"))

    def close(self) -> None:
        self.window.close()
        assert self.session.stop()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def until(self, state: TrainingState) -> None:
        self.qtbot.waitUntil(lambda: self.desk.state is state, timeout=20_000)

    def train_until(self, epoch: int) -> None:
        """Begin a training that stands still at an epoch."""
        Pretended.plan["stands_at"] = epoch
        self.desk.start(simplenet())
        self.qtbot.waitUntil(lambda: len(self.desk.epochs) == epoch, timeout=20_000)

    @property
    def desk(self) -> TrainingDesk:
        return self.session.training

    @property
    def scoring(self) -> Scoring:
        current = self.session.references.current
        assert current is not None
        return current.scoring


@pytest.fixture
def program(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Program]:
    """Six references; nothing is judged, and children only pretend to train."""
    monkeypatch.setattr(Engine, "configure", lambda *_: None)
    monkeypatch.setattr(training, "ChildJob", Pretended)
    monkeypatch.setattr(Pretended, "plan", {})
    program = Program(qtbot, Theme(qapp), tmp_path)
    with qtbot.waitSignal(program.session.references.imported, timeout=20_000):
        program.session.references.add(write_parts(tmp_path / "good", range(6)))
    yield program
    program.close()


def test_closing_the_program_ends_the_child_and_the_next_start_offers_to_go_on(
    program: Program,
) -> None:
    assert not program.window.interrupted.isVisible()
    program.train_until(2)
    process = Pretended.newest.process
    program.close()
    assert process.state() is QProcess.ProcessState.NotRunning
    program.open()
    program.until(TrainingState.INTERRUPTED)
    strip = program.window.interrupted
    assert strip.isVisible()
    assert strip.text.text() == "A training of Reference set was interrupted at epoch 2 of 3."
    del Pretended.plan["stands_at"]
    strip.resume_button.click()
    assert not strip.isVisible()
    program.until(TrainingState.DONE)


def test_what_is_not_gone_on_with_is_discarded(program: Program) -> None:
    program.train_until(1)
    program.close()
    program.open()
    program.until(TrainingState.INTERRUPTED)
    program.window.interrupted.discard_button.click()
    assert not program.window.interrupted.isVisible()
    runs = program.folder / "workspace" / "models" / "runs"
    program.qtbot.waitUntil(lambda: not list(runs.iterdir()))


def test_the_status_bar_says_how_far_it_is(program: Program) -> None:
    program.train_until(1)
    status = program.window.statusBar()
    assert isinstance(status, StatusLine)
    assert status._work.text().startswith("Training: Epoch 2 of 3")
    assert (status._bar.value(), status._bar.maximum()) == (1, 3)
    program.desk.cancel()
    assert not status._work.isVisible()


def test_without_a_model_the_method_leads_to_training_one(program: Program) -> None:
    before = program.scoring
    action = program.window.actions_by_name["method_simplenet"]
    action.trigger()
    program.qtbot.waitUntil(lambda: bool(program.window.findChildren(TrainingWindow)))
    assert "no such model yet" in program.window.notices.text.text()
    assert program.scoring == before
    assert not action.isChecked()
    assert program.window.actions_by_name["method_default"].isChecked()


def test_with_a_model_the_method_judges_by_it_and_keeps_its_network(program: Program) -> None:
    current = program.session.references.current
    assert current is not None
    shas = [image.sha256 for image in current.included]
    facts = save_model(
        program.folder / "workspace" / "models", shas[:4], dict.fromkeys(shas[4:], 0.0)
    )
    program.window.actions_by_name["method_simplenet"].trigger()
    program.qtbot.waitUntil(lambda: program.scoring == facts.scoring)
    assert program.window.actions_by_name["method_simplenet"].isChecked()
    program.window.actions_by_name["backbone_resnet18"].trigger()
    program.qtbot.waitUntil(lambda: bool(program.window.findChildren(TrainingWindow)))
    assert program.scoring == facts.scoring
    assert program.window.actions_by_name["backbone_efficientnet_lite0"].isChecked()
    program.window.actions_by_name["parameters"].trigger()
    (dialog,) = program.window.findChildren(RecipeDialog)
    assert not any(dialog.fields[name].isEnabled() for name in ("size", "height", "crop", "tiles"))
    assert not dialog.fit.isEnabled()
    dialog.fields["sigma"].setValue(2)
    dialog.apply()
    assert dialog.reason.text() == ""
    program.qtbot.waitUntil(lambda: program.scoring.sigma == 2)
    assert program.scoring.model == facts.id
