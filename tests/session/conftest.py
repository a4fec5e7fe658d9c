from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector_gui.core.types import Scoring
from tests.session.desk import Desk


@pytest.fixture
def closed_desk(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A session without a workspace; its new sets score small pictures quickly."""
    monkeypatch.setattr(
        "inspector_gui.session.session.default_scoring", lambda: Scoring(method="dn2", k=2, size=96)
    )
    desk = Desk(qtbot, tmp_path / "workspace")
    yield desk
    assert desk.session.stop()


@pytest.fixture
def desk(closed_desk: Desk) -> Desk:
    """A session on an empty workspace."""
    closed_desk.open()
    return closed_desk
