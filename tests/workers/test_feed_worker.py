import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Frame, Source, UnreadableFrame
from inspector_gui.feed.source import EndOfSource
from inspector_gui.workers.feed_worker import FeedState, FeedWorker
from inspector_gui.workers.mailbox import Mailbox

Item = Frame | UnreadableFrame | None


def frame(name: str) -> Frame:
    return Frame(name, np.zeros((8, 8, 3), np.uint8), Source.FOLDER, 0.0)


class Listed:
    """A source of prepared items; exceptions among them are raised."""

    name = "listed"

    def __init__(self, *items: Item | Exception, is_live: bool = False) -> None:
        self.is_live = is_live
        self.items = list(items)
        self.error_on_open: Exception | None = None
        self.error_on_close: Exception | None = None
        self.is_open = False
        self.reads = 0
        self.may_read = threading.Event()
        self.may_read.set()

    def open(self) -> None:
        if self.error_on_open is not None:
            raise self.error_on_open
        self.is_open = True

    def read(self) -> Item:
        self.reads += 1
        self.may_read.wait(20)
        if not self.items:
            raise EndOfSource
        item = self.items.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        self.is_open = False
        if self.error_on_close is not None:
            raise self.error_on_close


class Desk:
    """A feed worker, what it delivered, and what it said."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.frames: list[Frame] = []
        self.live: Mailbox[Frame] = Mailbox()
        self.unreadable: list[UnreadableFrame] = []
        self.states: list[FeedState] = []
        self.words: list[str] = []
        self.notices: list[str] = []
        self.worker = FeedWorker("feed", self._deliver)
        self.worker.unreadable.connect(self.unreadable.append)
        self.worker.state_changed.connect(self._on_state)
        self.worker.failed.connect(self.notices.append)

    def _deliver(self, item: Frame, is_live: bool) -> None:
        self.frames.append(item)
        if is_live:
            self.live.put(item)

    def _on_state(self, state: FeedState, word: str) -> None:
        self.states.append(state)
        self.words.append(word)

    def until(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=10_000)

    def until_delivered(self, count: int) -> None:
        self.until(lambda: len(self.frames) >= count)

    def settle(self) -> None:
        """Wait until the worker has answered everything asked of it so far."""
        self.until(lambda: self.states)
        self.worker.start_source(Listed(frame("last"), is_live=True))
        self.until(lambda: self.frames and self.frames[-1].name == "last")

    def settle_paused(self) -> None:
        """The same, of a source that goes on being read."""
        for paused, state in ((True, FeedState.PAUSED), (False, FeedState.RUNNING)):
            self.worker.pause(paused)
            self.until(lambda state=state: self.states[-1] is state)  # type: ignore[misc]

    @property
    def names(self) -> list[str]:
        return [f.name for f in self.frames]


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(qtbot)
    desk.worker.start()
    yield desk
    desk.worker.ask_to_stop()
    assert desk.worker.wait(time.monotonic() + 10)


def test_of_a_lossless_source_two_frames_are_on_their_way_and_one_is_read_ahead(
    desk: Desk,
) -> None:
    source = Listed(*(frame(f"{n}") for n in range(20)))
    desk.worker.start_source(source)
    for stored in range(20):
        desk.until(lambda stored=stored: source.reads == min(stored + 3, 21))  # type: ignore[misc]
        desk.until_delivered(min(stored + 2, 20))
        assert len(desk.frames) == min(stored + 2, 20)
        desk.worker.credit(desk.frames[stored])
    desk.until(lambda: FeedState.FINISHED in desk.states)
    assert desk.names == [f"{n}" for n in range(20)]
    assert not source.is_open


def test_large_pictures_go_one_by_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspector_gui.workers.feed_worker.CREDIT_BYTES", 8 * 8 * 3)
    source = Listed(frame("a"), frame("b"), frame("c"))
    desk.worker.start_source(source)
    for stored, name in enumerate("abc"):
        desk.until(lambda name=name: desk.names[-1:] == [name])  # type: ignore[misc]
        assert source.reads == stored + 1
        desk.worker.credit(desk.frames[-1])
    desk.until(lambda: FeedState.FINISHED in desk.states)


def test_the_end_and_a_loss_are_told_when_all_before_them_is_stored(desk: Desk) -> None:
    for last, told in ((EndOfSource(), FeedState.FINISHED), (KnownError("x"), FeedState.FAILED)):
        desk.frames.clear()
        source = Listed(frame("a"), frame("b"), last)
        desk.worker.start_source(source)
        desk.until(lambda: len(desk.frames) == 2 and source.reads == 3)  # noqa: B023
        desk.worker.credit(desk.frames[0])
        assert desk.states[-1] is FeedState.RUNNING
        assert source.is_open
        desk.worker.credit(desk.frames[1])
        desk.until(lambda: desk.states[-1] is told)  # noqa: B023
        assert not source.is_open


def test_of_a_live_source_nothing_is_read_before_what_was_read_is_delivered(desk: Desk) -> None:
    source = Listed(*(frame(f"{n}") for n in range(50)), is_live=True)
    read_ahead: list[int] = []
    take = source.read

    def read() -> Item:
        read_ahead.append(50 - len(source.items) - len(desk.frames))
        return take()

    source.read = read  # type: ignore[method-assign]
    desk.worker.start_source(source)
    desk.until(lambda: FeedState.FINISHED in desk.states)
    assert set(read_ahead) == {0}
    assert len(desk.frames) == 50


def test_what_was_read_ahead_is_not_delivered_while_the_source_is_paused(desk: Desk) -> None:
    source = Listed(*(frame(f"{n}") for n in range(4)))
    desk.worker.start_source(source)
    desk.until(lambda: source.reads == 3)
    desk.worker.pause(True)
    for delivered in list(desk.frames):
        desk.worker.credit(delivered)
    desk.until(lambda: desk.states[-1] is FeedState.PAUSED)
    assert desk.names == ["0", "1"]
    assert source.reads == 3
    desk.worker.pause(False)
    desk.until(lambda: desk.names == ["0", "1", "2", "3"])


def test_a_credit_for_another_frame_lets_nothing_through(desk: Desk) -> None:
    source = Listed(frame("a"), frame("b"), frame("c"))
    desk.worker.start_source(source)
    desk.until(lambda: source.reads == 3)
    for _ in range(3):
        desk.worker.credit(frame("a"))
    desk.settle()
    assert desk.names == ["a", "b", "last"]


def test_of_a_live_source_the_newest_wins_and_drops_are_counted(desk: Desk) -> None:
    desk.worker.start_source(Listed(*(frame(f"{n}") for n in range(10)), is_live=True))
    desk.until(lambda: FeedState.FINISHED in desk.states)
    newest = desk.live.take()
    assert newest is not None
    assert newest.name == "9"
    assert desk.live.dropped == 9


def test_the_preview_takes_the_newest_frame_once(desk: Desk) -> None:
    desk.worker.start_source(Listed(frame("a"), is_live=False))
    desk.until(lambda: desk.frames)
    newest = desk.worker.newest.take()
    assert newest is not None
    assert newest.name == "a"
    assert desk.worker.newest.take() is None


def test_a_paused_source_stays_open_and_is_not_read(desk: Desk) -> None:
    source = Listed(None, frame("a"))
    source.may_read.clear()
    desk.worker.start_source(source)
    desk.until(lambda: source.reads == 1)
    desk.worker.pause(True)
    source.may_read.set()
    desk.until(lambda: desk.states[-1] is FeedState.PAUSED)
    assert source.is_open
    assert source.reads == 1
    desk.worker.pause(False)
    desk.until(lambda: desk.names == ["a"])
    assert desk.states[-1] is FeedState.RUNNING


def test_a_stopped_source_is_closed(desk: Desk) -> None:
    source = Listed(*(frame(name) for name in "abcd"))
    desk.worker.start_source(source)
    desk.until(lambda: source.reads == 3)
    desk.worker.stop_source()
    for delivered in list(desk.frames):
        desk.worker.credit(delivered)
    desk.until(lambda: desk.states[-1] is FeedState.STOPPED)
    assert not source.is_open
    assert desk.names == ["a", "b"]


@pytest.mark.parametrize("item", [frame("late"), UnreadableFrame("late", "x", Source.FOLDER, 0)])
def test_what_is_being_read_while_the_source_is_stopped_is_not_delivered(
    desk: Desk, item: Frame | UnreadableFrame
) -> None:
    source = Listed(item)
    source.may_read.clear()
    desk.worker.start_source(source)
    desk.until(lambda: source.reads)
    desk.worker.stop_source()
    source.may_read.set()
    desk.until(lambda: desk.states[-1] is FeedState.STOPPED)
    assert desk.frames == []
    assert desk.unreadable == []


def test_a_new_source_takes_the_place_of_the_one_before(desk: Desk) -> None:
    first, second = Listed(*(frame(name) for name in "abx")), Listed(frame("c"))
    desk.worker.start_source(first)
    desk.until(lambda: first.reads == 3)
    desk.worker.start_source(second)
    desk.until(lambda: desk.names == ["a", "b", "c"])
    assert not first.is_open
    for delivered in list(desk.frames):
        desk.worker.credit(delivered)
    desk.until(lambda: FeedState.FINISHED in desk.states)
    assert desk.names == ["a", "b", "c"]


def test_a_source_that_cannot_be_opened_fails_in_its_own_words(desk: Desk) -> None:
    source = Listed()
    source.error_on_open = KnownError("There is no camera 7; connect it.")
    desk.worker.start_source(source)
    desk.until(lambda: FeedState.FAILED in desk.states)
    assert desk.words[-1] == "There is no camera 7; connect it."
    assert desk.notices == ["There is no camera 7; connect it."]
    desk.settle()


def test_a_source_that_is_lost_is_closed_and_says_so(desk: Desk) -> None:
    source = Listed(frame("a"), KnownError("The folder is gone."))
    desk.worker.start_source(source)
    desk.until(lambda: desk.frames)
    desk.worker.credit(desk.frames[0])
    desk.until(lambda: FeedState.FAILED in desk.states)
    assert (desk.words[-1], desk.notices) == ("The folder is gone.", ["The folder is gone."])
    assert not source.is_open


def test_a_bug_in_a_source_is_a_sentence_and_the_worker_lives_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    source = Listed(ValueError("odd"))
    source.error_on_close = OSError("closed twice")
    desk.worker.start_source(source)
    desk.until(lambda: FeedState.FAILED in desk.states)
    assert desk.words[-1] == desk.notices[0]
    assert desk.words[-1].startswith("Something went wrong")
    assert "Traceback" in caplog.text
    desk.settle()


def test_unreadable_items_are_told_in_their_place_and_need_a_credit_too(desk: Desk) -> None:
    broken = [UnreadableFrame(f"{n}.png", "empty", Source.FOLDER, 0.0) for n in range(3)]
    source = Listed(broken[0], broken[1], frame("a"), broken[2])
    desk.worker.start_source(source)
    desk.until(lambda: source.reads == 2)
    assert desk.unreadable == broken[:1]
    desk.worker.credit(broken[0])
    desk.until(lambda: source.reads == 4 and desk.frames)
    assert desk.unreadable == broken[:2]
    desk.worker.credit(broken[1])
    desk.settle_paused()
    assert desk.unreadable == broken[:2]
    desk.worker.credit(desk.frames[0])
    desk.until(lambda: len(desk.unreadable) == 3)
    assert desk.unreadable == broken


def test_a_source_with_nothing_yet_is_asked_again(desk: Desk) -> None:
    desk.worker.start_source(Listed(None, None, frame("a")))
    desk.until(lambda: desk.names == ["a"])


def test_ending_the_thread_closes_the_source(desk: Desk) -> None:
    source = Listed(frame("a"))
    desk.worker.start_source(source)
    desk.until(lambda: desk.frames)
    desk.worker.ask_to_stop()
    assert desk.worker.wait(time.monotonic() + 10)
    assert not source.is_open
