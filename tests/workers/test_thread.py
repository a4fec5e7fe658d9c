import logging
import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread, Signal, Slot
from pytestqt.qtbot import QtBot

from inspector_gui.core.errors import KnownError
from inspector_gui.workers.thread import Worker


class Clerk(Worker):
    """Does what it is told, in its own thread."""

    told = Signal(object)

    def __init__(self) -> None:
        super().__init__("clerk")
        self.ran_in: list[str] = []
        self.closed_in = ""
        self.error_on_close: Exception | None = None
        self.done: list[object] = []
        self.said: list[str] = []
        self.told.connect(self._do)
        self.failed.connect(self.said.append)

    @Slot(object)
    def _do(self, what: object) -> None:
        self.ran_in.append(QThread.currentThread().objectName())
        if isinstance(what, threading.Event):
            what.wait(20)
        elif isinstance(what, Exception):
            try:
                raise what
            except Exception as error:
                self.report(error)
        self.done.append(what)

    def _close(self) -> None:
        self.closed_in = QThread.currentThread().objectName()
        if self.error_on_close is not None:
            raise self.error_on_close


@pytest.fixture
def clerk() -> Iterator[Clerk]:
    clerk = Clerk()
    clerk.start()
    yield clerk
    clerk.ask_to_stop()
    assert clerk.wait(time.monotonic() + 20)


def test_slots_and_the_ending_run_in_the_named_thread(clerk: Clerk, qtbot: QtBot) -> None:
    clerk.told.emit("something")
    qtbot.waitUntil(lambda: clerk.done == ["something"])
    clerk.ask_to_stop()
    assert clerk.wait(time.monotonic() + 10)
    assert clerk.ran_in == ["clerk"]
    assert clerk.closed_in == "clerk"


def test_waiting_ends_at_the_deadline_although_a_slot_does_not(clerk: Clerk) -> None:
    never = threading.Event()
    clerk.told.emit(never)
    clerk.ask_to_stop()
    began = time.monotonic()
    assert not clerk.wait(began + 0.2)
    assert 0.15 < time.monotonic() - began < 2
    never.set()
    assert clerk.wait(time.monotonic() + 10)


def test_a_worker_that_was_never_started_has_ended() -> None:
    clerk = Clerk()
    clerk.ask_to_stop()
    assert clerk.wait(time.monotonic())


def test_a_known_error_is_its_sentence_and_the_thread_lives_on(clerk: Clerk, qtbot: QtBot) -> None:
    clerk.told.emit(KnownError("The camera is gone; check its cable."))
    qtbot.waitUntil(lambda: bool(clerk.said))
    assert clerk.said == ["The camera is gone; check its cable."]
    clerk.told.emit("something")
    qtbot.waitUntil(lambda: clerk.done[-1:] == ["something"])


def test_a_bug_is_one_sentence_for_people_and_a_traceback_in_the_log(
    clerk: Clerk, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    clerk.told.emit(ZeroDivisionError("by nothing"))
    qtbot.waitUntil(lambda: bool(clerk.said))
    (sentence,) = clerk.said
    assert "ZeroDivisionError: by nothing" in sentence
    assert "Traceback" not in sentence
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert record.exc_info is not None


def test_a_bug_without_words_still_makes_a_sentence(
    clerk: Clerk, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    clerk.told.emit(AssertionError())
    qtbot.waitUntil(lambda: bool(clerk.said))
    assert "AssertionError" in clerk.said[0]
    assert caplog.records


def test_a_thread_whose_ending_fails_ends_all_the_same(
    clerk: Clerk, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    clerk.error_on_close = OSError("the device hangs")
    clerk.ask_to_stop()
    qtbot.waitUntil(lambda: bool(clerk.said))
    assert clerk.wait(time.monotonic() + 10)
    assert "the device hangs" in caplog.text
