import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, Slot
from pytestqt.qtbot import QtBot

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.references import References
from inspector_gui.workers.recorder import Answer, Recorder, Request, Store


class Asker(QObject):
    """Asks a recorder and notes its answers in order."""

    def __init__(self, qtbot: QtBot) -> None:
        super().__init__()
        self.qtbot = qtbot
        self.answers: list[Answer] = []
        self.notices: list[str] = []
        self.recorder = Recorder()
        self.recorder.answered.connect(self._on_answered)
        self.recorder.failed.connect(self.notices.append)
        self.recorder.start()

    @Slot(object)
    def _on_answered(self, answer: Answer) -> None:
        self.answers.append(answer)

    def next(self, ask: Callable[[], None]) -> Answer:
        """Return the answer to what `ask` asks."""
        self.answers.clear()
        ask()
        self.qtbot.waitUntil(lambda: bool(self.answers), timeout=20_000)
        return self.answers[0]

    def open(self, folder: Path, otherwise: Callable[[str], None] | None = None) -> Answer:
        request = Request(lambda store: store.workspace.folder, otherwise=otherwise)
        return self.next(lambda: self.recorder.open(folder, request))

    def do(
        self, work: Callable[[Store], Any], otherwise: Callable[[str], None] | None = None
    ) -> Answer:
        return self.next(lambda: self.recorder.ask(Request(work, otherwise=otherwise)))


def nothing(_: str) -> None:
    """An `otherwise` that does nothing."""


@pytest.fixture
def asker(qtbot: QtBot) -> Iterator[Asker]:
    asker = Asker(qtbot)
    yield asker
    asker.recorder.ask_to_stop()
    assert asker.recorder.wait(time.monotonic() + 20)


def test_requests_are_answered_in_the_order_they_were_made(asker: Asker, tmp_path: Path) -> None:
    asker.open(tmp_path / "w")
    asker.answers.clear()
    for n in range(50):
        asker.recorder.ask(Request(partial(lambda number, _: number, n)))
    asker.qtbot.waitUntil(lambda: len(asker.answers) == 50, timeout=20_000)
    assert [answer.result for answer in asker.answers] == list(range(50))


def test_a_known_error_goes_to_who_asked_and_only_there(asker: Asker, tmp_path: Path) -> None:
    asker.open(tmp_path / "w")

    def work(_: Store) -> None:
        raise KnownError("The disk is full.")

    assert asker.do(work, otherwise=nothing).error == "The disk is full."
    assert asker.notices == []


def test_without_otherwise_it_goes_to_the_notices(asker: Asker, tmp_path: Path) -> None:
    asker.open(tmp_path / "w")

    def work(_: Store) -> None:
        raise KnownError("The disk is full.")

    assert asker.do(work).error == "The disk is full."
    assert asker.notices == ["The disk is full."]


def test_a_bug_without_words_is_never_taken_for_a_success(
    asker: Asker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asker.open(tmp_path / "w")

    def work(_: Store) -> None:
        raise AssertionError

    for otherwise in (None, nothing):
        answer = asker.do(work, otherwise=otherwise)
        assert answer.error.startswith("Something went wrong in the program (AssertionError)")
    assert len(asker.notices) == 1
    assert caplog.text.count("Traceback") == 2
    assert asker.do(lambda _: "still here").result == "still here"


def test_a_second_program_on_a_workspace_is_told_so_and_changes_nothing(
    asker: Asker, tmp_path: Path
) -> None:
    folder = tmp_path / "w"
    with Workspace.open(folder) as held:
        References(held).create_set("Screws", Scoring())
        before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        answer = asker.open(folder, otherwise=nothing)
        assert "is open in another Inspector window" in answer.error
        assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
    assert asker.open(folder).result == folder
    (kept,) = asker.do(lambda store: store.references.load_sets()).result
    assert kept.name == "Screws"


def test_another_workspace_is_opened_in_place_and_the_first_is_let_go(
    asker: Asker, tmp_path: Path
) -> None:
    asker.open(tmp_path / "a")
    asker.do(lambda store: store.references.create_set("Screws", Scoring()))
    asker.open(tmp_path / "b")
    assert asker.do(lambda store: store.references.load_sets()).result == ()
    with Workspace.open(tmp_path / "a") as let_go:
        assert [s.name for s in References(let_go).load_sets()] == ["Screws"]


def test_what_was_asked_before_another_workspace_was_opened_still_went_to_the_first(
    asker: Asker, tmp_path: Path
) -> None:
    asker.open(tmp_path / "a")
    asker.answers.clear()
    asker.recorder.ask(Request(lambda store: store.references.create_set("Screws", Scoring())))
    asker.recorder.open(tmp_path / "b", Request(lambda store: store.references.load_sets()))
    asker.qtbot.waitUntil(lambda: len(asker.answers) == 2, timeout=20_000)
    assert asker.answers[1].result == ()


def test_ending_the_thread_lets_go_of_the_workspace(asker: Asker, tmp_path: Path) -> None:
    asker.open(tmp_path / "w")
    asker.recorder.ask_to_stop()
    assert asker.recorder.wait(time.monotonic() + 20)
    Workspace.open(tmp_path / "w").close()
