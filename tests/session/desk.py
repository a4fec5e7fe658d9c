"""A real session with its threads on a workspace of its own, and short ways to use it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytestqt.qtbot import QtBot

from inspector_gui.core.types import InspectionRow, Limits, ReferenceSet
from inspector_gui.session import Session
from inspector_gui.session.limits import LimitsDesk
from inspector_gui.session.session import Readiness
from inspector_gui.workers.recorder import Store
from tests.drawn import write_parts


class Desk:
    """What a person at the window would do, and waiting for what comes of it."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot = qtbot
        self.folder = folder
        self.notices: list[str] = []
        self.session = self.start()

    def start(self) -> Session:
        """Start a session without opening anything."""
        session = Session()
        session.noticed.connect(self.notices.append)
        session.start()
        return session

    def open(self, folder: Path | None = None) -> None:
        with self.qtbot.waitSignal(self.session.workspace_opened, timeout=20_000):
            self.session.open_workspace(folder or self.folder)

    def restart(self) -> None:
        """End the program and start it on the same workspace."""
        assert self.session.stop()
        self.session = self.start()
        self.open()

    def until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=round(seconds * 1000))

    def stored(self, work: Callable[[Store], Any]) -> Any:
        """Return the recorder's answer: what is really in the database."""
        answers: list[Any] = []
        errors: list[str] = []
        self.session.ask(work, then=answers.append, otherwise=errors.append)
        self.until(lambda: answers or errors)
        assert not errors, errors[0]
        return answers[0]

    def settle(self) -> None:
        """Wait until the recorder has answered all that was asked, and all that follows."""
        for _ in range(3):
            self.stored(lambda _: True)

    def import_files(self, paths: list[Path]) -> None:
        """Add pictures and wait until that has ended."""
        ended: list[object] = []
        self.session.references.import_progressed.connect(ended.append)
        self.session.references.add(paths)
        self.until(lambda: ended and ended[-1] is None)
        self.session.references.import_progressed.disconnect(ended.append)

    def make_ready(self, count: int = 8) -> ReferenceSet:
        """Add drawn references and wait until parts can be judged by them."""
        paths = write_parts(self.folder.parent / "good", range(count))
        self.import_files(paths)
        self.until_ready()
        return self.current

    def until_ready(self) -> None:
        self.until(lambda: self.session.readiness is Readiness.READY)
        self.settle()

    def is_now(self, readiness: Readiness) -> bool:
        return self.session.readiness is readiness

    @property
    def current(self) -> ReferenceSet:
        current = self.session.references.current
        assert current is not None
        return current

    @property
    def rows(self) -> tuple[InspectionRow, ...]:
        return self.session.history.rows

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.rows]


def save_limits(desk: LimitsDesk, limits: Limits | None) -> None:
    """Save limits as the window does, with the ones under the slider or the suggestion."""
    assert limits is not None
    desk.save(limits)
