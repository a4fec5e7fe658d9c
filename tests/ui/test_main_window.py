"""The window as a whole: its table of actions, and a workspace that is in use elsewhere."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QDialog, QDoubleSpinBox
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from inspector_gui.core.backbones import BACKBONES
from inspector_gui.core.types import ALL_REFERENCES, KEEP, SCALED, SQUASH
from inspector_gui.session import Session
from inspector_gui.settings import Settings
from inspector_gui.store.database import Workspace
from inspector_gui.ui.action_table import BACKBONE_NAMES
from inspector_gui.ui.health_window import HealthWindow
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.ui.recipe_dialog import RecipeDialog
from inspector_gui.ui.theme import Theme


@pytest.fixture
def window(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[MainWindow]:
    session = Session()
    session.start()
    theme = Theme(qapp)
    theme.apply(is_dark=True)
    window = MainWindow(session, theme, Settings(tmp_path / "window.ini"))
    with qtbot.waitExposed(window):
        window.show()
    yield window
    window.close()
    assert session.stop()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_every_network_there_is_can_be_chosen() -> None:
    assert tuple(BACKBONES) == BACKBONE_NAMES


def test_keys_are_given_once_and_named_in_the_tooltips(window: MainWindow) -> None:
    keys = [a.shortcut().toString() for a in window.actions_by_name.values()]
    given = [key for key in keys if key]
    assert len(given) == len(set(given))
    assert {"A", "R", "U", "N", "F", "F1", "Ctrl+V"} <= set(given)
    for action in window.actions_by_name.values():
        if not action.shortcut().isEmpty():
            assert action.shortcut().toString() in action.toolTip()


def test_every_action_can_be_triggered_in_an_empty_workspace(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window._session
    with qtbot.waitSignal(session.workspace_opened, timeout=20_000):
        window.open_workspace(str(tmp_path / "workspace"))
    demanded: list[bool] = []
    window.demo_requested.connect(lambda: demanded.append(True))
    for name, action in window.actions_by_name.items():
        if name != "quit":
            action.trigger()
            QApplication.processEvents()
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible():
                dialog.close()
    assert demanded == [True]
    assert window.isVisible()


def test_a_workspace_in_use_is_told_and_try_again_opens_that_very_one(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window._session
    with Workspace.open(tmp_path / "held"):
        with qtbot.waitSignal(session.workspace_refused, timeout=20_000) as refused:
            window.open_workspace(str(tmp_path / "held"))
        assert "open in another Inspector window" in refused.args[0]
        before = sorted(p.name for p in (tmp_path / "held").iterdir())
    assert "inspector.db" in before
    with qtbot.waitSignal(session.workspace_opened, timeout=20_000):
        window.heatmap.retry_requested.emit()
    assert session.workspace == tmp_path / "held"


def test_the_parameters_of_a_set_are_changed_in_the_window(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window._session
    with qtbot.waitSignal(session.workspace_opened, timeout=20_000):
        window.open_workspace(str(tmp_path / "workspace"))
    with qtbot.waitSignal(session.references.sets_changed):
        session.references.create("Washers")
    window.actions_by_name["parameters"].trigger()
    (dialog,) = window.findChildren(RecipeDialog)
    dialog.fields["size"].setValue(250)
    dialog.apply()
    assert "multiple of 32" in dialog.reason.text()
    for name, value in (("k", 20), ("kappa", 3), ("size", 256), ("height", 320), ("crop", 224)):
        dialog.fields[name].setValue(value)
    assert dialog.fit.currentData() == SQUASH
    dialog.fit.setCurrentIndex(dialog.fit.findData(KEEP))
    for box in dialog.levels.boxes:
        box.setChecked(False)
    dialog.scales.setChecked(False)
    dialog.apply()
    assert "levels of the pyramid" in dialog.reason.text()
    dialog.scales.setChecked(True)
    for box in dialog.levels.boxes[1:]:
        box.setChecked(True)
    dialog.levels.alike.setChecked(True)
    assert (dialog.pool.isChecked(), dialog.scales.isChecked()) == (True, True)
    dialog.apply()
    assert "multiples of 64" in dialog.reason.text()
    dialog.scales.setChecked(False)
    assert dialog.gate.all_maps.isChecked()
    assert not dialog.gate.field.isEnabled()
    dialog.gate.all_maps.setChecked(False)
    dialog.gate.field.setValue(2.5)
    with qtbot.waitSignal(session.references.current_changed):
        dialog.apply()
    current = session.references.current
    assert current is not None
    scoring = current.scoring
    assert (scoring.k, scoring.kappa, scoring.size, scoring.crop) == (20, 3, 256, 224)
    assert (scoring.height, scoring.fit, scoring.tiles) == (320, KEEP, 0)
    assert (scoring.levels, scoring.weights) == ("2,3", SCALED)
    assert (scoring.pool, scoring.scales, scoring.preset) == (2, 1, "default")
    assert (scoring.gate, scoring.stage1_limit) == (True, 2.5)
    window.actions_by_name["parameters"].trigger()
    again = window.findChildren(RecipeDialog)[-1]
    assert not again.all_references.isChecked()
    again.all_references.setChecked(True)
    assert not again.fields["k"].isEnabled()
    with qtbot.waitSignal(session.references.current_changed):
        again.apply()
    current = session.references.current
    assert current is not None
    assert current.scoring == replace(scoring, k=ALL_REFERENCES)
    assert scoring.border_weight


def test_a_set_is_judged_by_patchcore_with_its_own_parameters(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    session = window._session
    with qtbot.waitSignal(session.workspace_opened, timeout=20_000):
        window.open_workspace(str(tmp_path / "workspace"))
    with qtbot.waitSignal(session.references.sets_changed):
        session.references.create("Washers")
    with qtbot.waitSignal(session.references.current_changed):
        window.actions_by_name["method_patchcore"].trigger()
    window.actions_by_name["parameters"].trigger()
    (dialog,) = window.findChildren(RecipeDialog)
    shown = {name for name, field in dialog.fields.items() if field.isVisible()}
    assert shown == {"sigma", "size", "height", "crop", "tiles", "coreset"}
    share = dialog.fields["coreset"]
    assert isinstance(share, QDoubleSpinBox)
    share.setValue(0.25)
    dialog.reweight.setChecked(True)
    with qtbot.waitSignal(session.references.current_changed):
        dialog.apply()
    current = session.references.current
    assert current is not None
    scoring = current.scoring
    assert (scoring.method, scoring.coreset, scoring.reweight) == ("patchcore", 0.25, True)


def test_the_windows_of_a_set_open_once_and_close_with_the_main_window(
    window: MainWindow, qtbot: QtBot
) -> None:
    for name in ("health", "lots"):
        window.actions_by_name[name].trigger()
        window.actions_by_name[name].trigger()
    beside = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window]
    assert len(beside) == 2
    window.close()
    qtbot.waitUntil(lambda: not any(isValid(w) and w.isVisible() for w in beside))


def test_a_closed_window_of_a_set_can_be_opened_again(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["health"].trigger()
    (first,) = window.findChildren(HealthWindow)
    first.close()
    qtbot.waitUntil(lambda: not isValid(first))
    window.actions_by_name["health"].trigger()
    (second,) = window.findChildren(HealthWindow)
    assert second.isVisible()
