"""A feed thread: it owns one open source, reads it and hands frames to the engine.

A live source leaves its newest frame in the engine's mailbox, and nothing is read ahead of it. Of
a lossless source one item is read ahead and two are on their way: while one is judged, the one
before is stored and the next one decoded, so that no core waits for another. Further ones are read
when one was stored, so no more queue and nothing is lost.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QTimer, Signal, Slot

from inspector_gui.core.types import Frame, UnreadableFrame
from inspector_gui.feed.source import EndOfSource, FrameSource
from inspector_gui.workers.mailbox import Mailbox
from inspector_gui.workers.thread import Worker

log = logging.getLogger(__name__)

CREDIT = 2
"""Items of a lossless source that may be on their way, from delivery to stored row."""
CREDIT_BYTES = 256 << 20
"""Of their pictures, from which on nothing more is read: large ones go one by one."""
_IDLE_MS = 30


class FeedState(Enum):
    """What a feed is doing."""

    STOPPED = auto()
    CONNECTING = auto()
    RUNNING = auto()
    PAUSED = auto()
    FINISHED = auto()
    FAILED = auto()

    @property
    def is_active(self) -> bool:
        """Whether a source is open or being opened."""
        return self in (FeedState.CONNECTING, FeedState.RUNNING, FeedState.PAUSED)


class FeedWorker(Worker):
    """Reads one source at a time. `deliver` is called in this thread with every frame."""

    state_changed = Signal(object, str)
    unreadable = Signal(object)
    _started = Signal(object)
    _paused = Signal(bool)
    _stopped = Signal()
    _credited = Signal(object)

    def __init__(self, name: str, deliver: Callable[[Frame, bool], None]) -> None:
        super().__init__(name)
        self.newest: Mailbox[Frame] = Mailbox()
        """The newest frame, for the preview; the panel takes it when it is ready to draw."""
        self._deliver = deliver
        self._source: FrameSource | None = None
        self._wanted: FrameSource | None = None
        self._delivering = threading.Lock()
        self._outstanding: deque[Frame | UnreadableFrame] = deque()
        self._ahead: Frame | UnreadableFrame | Exception | None = None
        self._is_paused = False
        self._timer: QTimer | None = None
        self._started.connect(self._start)
        self._paused.connect(self._pause)
        self._stopped.connect(self._stop)
        self._credited.connect(self._credit)

    def start_source(self, source: FrameSource) -> None:
        """Open a source in place of the one before and read it; may be called anywhere.

        Nothing of the one before is delivered after this call.
        """
        with self._delivering:
            self._wanted = source
        self._started.emit(source)

    def pause(self, paused: bool) -> None:
        """Stop reading without closing the source, or go on."""
        self._paused.emit(paused)

    def stop_source(self) -> None:
        """Close the source; nothing of it is delivered after this call."""
        with self._delivering:
            self._wanted = None
        self._stopped.emit()

    def credit(self, item: Frame | UnreadableFrame) -> None:
        """Say that an item was judged and stored; one that is not outstanding changes nothing."""
        self._credited.emit(item)

    @Slot(object)
    def _start(self, source: FrameSource) -> None:
        self._let_go()
        self._is_paused = False
        self.state_changed.emit(FeedState.CONNECTING, source.name)
        self._source = source
        try:
            source.open()
        except Exception as error:
            self._fail(error)
            return
        self.state_changed.emit(FeedState.RUNNING, source.name)
        self._schedule(0)

    @Slot(bool)
    def _pause(self, paused: bool) -> None:
        if self._source is None or paused == self._is_paused:
            return
        self._is_paused = paused
        self.state_changed.emit(
            FeedState.PAUSED if paused else FeedState.RUNNING, self._source.name
        )
        self._schedule(0)

    @Slot()
    def _stop(self) -> None:
        if self._source is not None:
            name = self._source.name
            self._let_go()
            self.state_changed.emit(FeedState.STOPPED, name)

    @Slot(object)
    def _credit(self, item: Frame | UnreadableFrame) -> None:
        for place, outstanding in enumerate(self._outstanding):
            if outstanding is item:
                del self._outstanding[place]
                self._schedule(0)
                return

    def _schedule(self, milliseconds: int) -> None:
        if self._timer is None:
            self._timer = QTimer(self)
            self._timer.setSingleShot(True)
            self._timer.timeout.connect(self._turn)
        self._timer.start(milliseconds)

    @Slot()
    def _turn(self) -> None:
        source = self._source
        if source is None or self._is_paused or self.stopping.is_set():
            return
        if self._ahead is None and not self._has_room():
            return
        item = self._ahead = self._ahead or self._read(source)
        if item is None:
            self._schedule(_IDLE_MS)
        elif self._may_go(item):
            self._ahead = None
            self._go(item, source)

    def _read(self, source: FrameSource) -> Frame | UnreadableFrame | Exception | None:
        """Return the next item, what ended the source, or None where there is nothing yet."""
        try:
            return source.read()
        except Exception as error:  # told when all before it are stored
            return error

    def _has_room(self) -> bool:
        frames = (item for item in self._outstanding if isinstance(item, Frame))
        return sum(frame.image.nbytes for frame in frames) < CREDIT_BYTES

    def _may_go(self, item: Frame | UnreadableFrame | Exception) -> bool:
        """Whether an item may leave; what does not pass the engine waits for all before it."""
        return len(self._outstanding) < (CREDIT if isinstance(item, Frame) else 1)

    def _go(self, item: Frame | UnreadableFrame | Exception, source: FrameSource) -> None:
        try:
            if isinstance(item, Exception):
                raise item
        except EndOfSource:
            self._let_go()
            self.state_changed.emit(FeedState.FINISHED, source.name)
        except Exception as error:
            self._fail(error)
        else:
            self._hand_over(item, source)
            self._schedule(0)

    def _hand_over(self, item: Frame | UnreadableFrame, source: FrameSource) -> None:
        with self._delivering:
            if source is not self._wanted:
                return  # stopped or replaced while it was being read
            if not source.is_live:
                self._outstanding.append(item)
            if isinstance(item, UnreadableFrame):
                self.unreadable.emit(item)
            else:
                self.newest.put(item)
                self._deliver(item, source.is_live)

    def _fail(self, error: Exception) -> None:
        """Close the source and say why; called in an except block."""
        sentence = self.report(error)
        self._let_go()
        self.state_changed.emit(FeedState.FAILED, sentence)

    def _let_go(self) -> None:
        source, self._source = self._source, None
        self._outstanding.clear()
        self._ahead = None
        self.newest.clear()
        if source is None:
            return
        try:
            source.close()
        except Exception:  # it is gone either way
            log.exception("%s could not be closed", source.name)

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._let_go()
