from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui.health import HealthBench, health_bench
from tests.ui.workplace import Workplace, workplace


@pytest.fixture
def place(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Workplace]:
    """A real session on a workspace of its own."""
    with workplace(qtbot, qapp, tmp_path / "workspace") as place:
        yield place


@pytest.fixture
def bench(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HealthBench]:
    """The window of a set's health on an empty workspace."""
    with health_bench(qtbot, qapp, tmp_path, monkeypatch) as bench:
        yield bench
