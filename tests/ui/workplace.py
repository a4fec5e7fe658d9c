"""A real session on a workspace of its own, and parts and pictures to fill it with."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QUndoStack
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from inspector_gui.core.decision import decide
from inspector_gui.core.images import encode_png
from inspector_gui.core.types import (
    RGB,
    Frame,
    Inspection,
    Limits,
    ReferenceSet,
    Scores,
    Source,
    UnreadableFrame,
)
from inspector_gui.session import Session
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.dropping import DropHint
from inspector_gui.ui.theme import Theme
from inspector_gui.workers.recorder import Store

LIMITS = Limits(
    centre=0.0, unsure_from=0.8, fail_from=1.0, pixel=0.5, rule="set by hand", gallery=""
)


def picture(seed: int, side: int = 48) -> RGB:
    values = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3))
    return values.astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)


def write_pictures(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"part{first + n:03}.png" for n in range(count)]
    for n, path in enumerate(paths):
        path.write_bytes(encode_png(picture(first + n)))
    return paths


class Workplace:
    """What every panel gets, and short ways to wait for what the workers do."""

    def __init__(self, qtbot: QtBot, application: QApplication, folder: Path) -> None:
        self.qtbot = qtbot
        self.session = Session()
        self.stack = QUndoStack()
        self.commands = Commands(self.session, self.stack)
        self.theme = Theme(application)
        self.notices: list[str] = []
        self.session.noticed.connect(self.notices.append)
        self.session.start()
        with qtbot.waitSignal(self.session.workspace_opened, timeout=20_000):
            self.session.open_workspace(folder)

    @property
    def current(self) -> ReferenceSet:
        current = self.session.references.current
        assert current is not None
        return current

    def until(self, holds: Callable[[], object], seconds: float = 20) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=round(seconds * 1000))

    def stored(self, work: Callable[[Store], Any]) -> Any:
        """Return what the recorder answers: what is really in the database."""
        answers: list[Any] = []
        self.session.ask(work, then=answers.append)
        self.until(lambda: answers)
        return answers[0]

    def create_set(self, name: str = "Washers") -> ReferenceSet:
        with self.qtbot.waitSignal(self.session.limits.changed, timeout=20_000):
            self.session.references.create(name)
        self.until(lambda: (c := self.session.references.current) and c.name == name)
        return self.current

    def add_references(self, paths: list[Path]) -> None:
        with self.qtbot.waitSignal(self.session.references.imported, timeout=20_000):
            self.session.references.add(paths)

    def inspect(self, *scores: float | None, source: Source = Source.FOLDER) -> list[int]:
        """Store parts with these scores (None: unreadable) and put them into the history."""
        before = len(self.session.history.rows)
        for number, score in enumerate(scores, start=before):
            self._inspect(f"part{number:03}.png", score, source)
        self.until(lambda: len(self.session.history.rows) == before + len(scores))
        return [row.id for row in self.session.history.rows[before:]]

    def _inspect(self, name: str, score: float | None, source: Source) -> None:
        history, set_id = self.session.history, self.current.id
        if score is None:
            broken = UnreadableFrame(name, "not a picture", source, time.time())
            self.session.ask(
                lambda store: store.inspections.add_unreadable(broken, set_id),
                then=lambda row: history.add(row, None),
            )
            return
        limits = self.session.limits.saved or LIMITS
        inspection = Inspection(
            frame=Frame(name, picture(hash(name) % 1000), source, time.time()),
            set_id=set_id,
            scoring=self.current.scoring,
            scores=Scores(score, score, ()),
            limits=limits,
            decision=decide(score, limits),
            nearest=(),
            judged_at=time.time(),
        )
        self.session.ask(
            lambda store: store.inspections.add(inspection),
            then=lambda row: history.add(row, inspection),
        )


def drop(panel: QWidget, mime: QMimeData) -> None:
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), copy, mime, left, none)
    QApplication.sendEvent(panel, enter)
    assert enter.isAccepted()
    hint = panel.findChild(DropHint)
    assert hint is not None
    assert hint.isVisible()
    QApplication.sendEvent(panel, QDropEvent(QPointF(9, 9), copy, mime, left, none))
    assert not hint.isVisible()


@contextmanager
def workplace(qtbot: QtBot, application: QApplication, folder: Path) -> Iterator[Workplace]:
    place = Workplace(qtbot, application, folder)
    yield place
    assert place.session.stop()
