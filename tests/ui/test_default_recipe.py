"""The default recipe in the window: its menu entry, its parameters, and what it is called."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inspector_gui.core.images import encode_png
from inspector_gui.core.method_options import AUTOMATIC_PRESET, DEFAULT_RECIPE
from inspector_gui.core.types import KEEP, SQUASH, ReferenceSet, Scoring
from inspector_gui.session import Session
from inspector_gui.settings import Settings
from inspector_gui.ui.heatmap_panel import HeatmapPanel
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.ui.method_words import method_words
from inspector_gui.ui.recipe_dialog import RecipeDialog
from inspector_gui.ui.status import StatusLine
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.engine import Engine
from tests.ui.parts import part, picture, ready_session, row, spot


@pytest.fixture
def window(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """A window on an empty workspace; nothing is computed, only chosen."""
    monkeypatch.setattr(Engine, "configure", lambda *_: None)
    session = Session()
    session.start()
    window = MainWindow(session, Theme(qapp), Settings(tmp_path / "window.ini"))
    with qtbot.waitExposed(window):
        window.show()
    with qtbot.waitSignal(session.workspace_opened, timeout=20_000):
        window.open_workspace(str(tmp_path / "workspace"))
    yield window
    window.close()
    assert session.stop()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def current(window: MainWindow) -> ReferenceSet:
    found = window._session.references.current
    assert found is not None
    return found


def drop(
    window: MainWindow, qtbot: QtBot, folder: Path, shape: tuple[int, int], count: int
) -> None:
    """Add pictures of a height and width."""
    folder.mkdir()
    for number in range(count):
        values = np.random.default_rng([number, *shape]).integers(0, 256, (*shape, 3))
        (folder / f"{number}.png").write_bytes(encode_png(values.astype(np.uint8)))
    with qtbot.waitSignal(window._session.references.imported, timeout=20_000):
        window._session.references.add([folder])


def choose(window: MainWindow, qtbot: QtBot, name: str) -> Scoring:
    with qtbot.waitSignal(window._session.references.current_changed, timeout=20_000):
        window.actions_by_name[name].trigger()
    return current(window).scoring


def ticked(window: MainWindow) -> list[str]:
    actions = window.actions_by_name.items()
    return [n for n, action in actions if n.startswith("method_") and action.isChecked()]


def parameters(window: MainWindow) -> RecipeDialog:
    window.actions_by_name["parameters"].trigger()
    return window.findChildren(RecipeDialog)[-1]


def seen(scoring: Scoring) -> tuple[int, int, str]:
    return scoring.size, scoring.height, scoring.fit


def test_default_is_ticked_and_choosing_it_lets_the_references_choose_again(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    drop(window, qtbot, tmp_path / "squares", (96, 96), 5)
    assert window.actions_by_name["method_default"].text() == "Default"
    assert ticked(window) == ["method_default"]
    assert seen(current(window).scoring) == (192, 0, SQUASH)
    drop(window, qtbot, tmp_path / "strips", (96, 240), 9)
    assert seen(current(window).scoring) == (192, 0, SQUASH)
    scoring = choose(window, qtbot, "method_default")
    assert seen(scoring) == (512, 192, KEEP)
    assert scoring.preset == AUTOMATIC_PRESET
    assert ticked(window) == ["method_default"]
    choose(window, qtbot, "method_spade")
    assert ticked(window) == ["method_spade"]
    assert seen(choose(window, qtbot, "method_default")) == (512, 192, KEEP)
    assert ticked(window) == ["method_default"]


def test_the_pictures_choice_stands_until_somebody_states_another_input(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    drop(window, qtbot, tmp_path / "strips", (96, 240), 6)
    before = current(window).scoring
    assert seen(before) == (512, 192, SQUASH)
    dialog = parameters(window)
    dialog.apply()
    assert current(window).scoring == before
    dialog = parameters(window)
    dialog.fields["k"].setValue(7)
    with qtbot.waitSignal(window._session.references.current_changed, timeout=20_000):
        dialog.apply()
    assert current(window).scoring == replace(before, k=7)
    assert ticked(window) == ["method_default"]
    dialog = parameters(window)
    dialog.fields["size"].setValue(576)
    with qtbot.waitSignal(window._session.references.current_changed, timeout=20_000):
        dialog.apply()
    assert current(window).scoring == replace(before, k=7, size=576, preset="default")
    assert ticked(window) == ["method_spade"]


def test_sides_step_by_what_two_scales_need(qtbot: QtBot) -> None:
    dialog = RecipeDialog(ready_session(), DEFAULT_RECIPE)
    qtbot.addWidget(dialog)
    sides = dialog.fields["size"], dialog.fields["height"]
    assert [field.singleStep() for field in sides] == [64, 64]
    dialog.scales.setChecked(False)
    assert [field.singleStep() for field in sides] == [32, 32]


def test_people_read_the_default_recipe_as_default(qtbot: QtBot, qapp: QApplication) -> None:
    methods = (Scoring(), Scoring(method="patchcore"), Scoring(method="dn2"), DEFAULT_RECIPE)
    assert [method_words(one) for one in methods] == ["SPADE", "PatchCore", "DN2", "Default"]
    session = ready_session([row(1, 6.5)])
    known = session.references.current
    assert known is not None
    session.references.load([replace(known, scoring=DEFAULT_RECIPE)], known.id)
    status = StatusLine(session)
    qtbot.addWidget(status)
    assert "Default, efficientnet_lite0, 384 × 384" in status._facts.text()
    panel = HeatmapPanel(session, Theme(qapp))
    qtbot.addWidget(panel)
    judged = part(row(1, 6.5), image=picture(), patches=spot(9.0))
    session.history.opened.emit(replace(judged, scoring=DEFAULT_RECIPE))
    assert panel.remark.text().startswith("Default")
