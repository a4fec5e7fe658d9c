"""A feed thread: it owns one open source, reads it and hands frames to the engine.

A live source leaves its newest frame in the engine's mailbox. A lossless source has a credit of
one: the next frame is read when the one before was judged, so nothing queues and nothing is lost.
"""

from collections.abc import Callable
from enum import Enum, auto

from PySide6.QtCore import QTimer, Signal, Slot

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Frame, UnreadableFrame
from inspector_gui.feed.source import EndOfSource, FrameSource
from inspector_gui.workers.mailbox import Mailbox
from inspector_gui.workers.thread import Worker

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
    _credited = Signal()

    def __init__(self, name: str, deliver: Callable[[Frame, bool], None]) -> None:
        super().__init__(name)
        self.newest: Mailbox[Frame] = Mailbox()
        """The newest frame, for the preview; the panel takes it when it is ready to draw."""
        self._deliver = deliver
        self._source: FrameSource | None = None
        self._is_paused = False
        self._has_credit = True
        self._timer: QTimer | None = None
        self._started.connect(self._start)
        self._paused.connect(self._pause)
        self._stopped.connect(self._stop)
        self._credited.connect(self._credit)

    def start_source(self, source: FrameSource) -> None:
        """Open a source in place of the one before and read it; may be called anywhere."""
        self._started.emit(source)

    def pause(self, paused: bool) -> None:
        """Stop reading without closing the source, or go on."""
        self._paused.emit(paused)

    def stop_source(self) -> None:
        """Close the source."""
        self._stopped.emit()

    def credit(self) -> None:
        """Say that the frame delivered last was judged."""
        self._credited.emit()

    @Slot(object)
    def _start(self, source: FrameSource) -> None:
        self._let_go()
        self._is_paused, self._has_credit = False, True
        self.state_changed.emit(FeedState.CONNECTING, source.name)
        try:
            source.open()
        except Exception as error:
            self.report(error)
            self.state_changed.emit(FeedState.FAILED, str(error))
            return
        self._source = source
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

    @Slot()
    def _credit(self) -> None:
        self._has_credit = True
        self._schedule(0)

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
        if not source.is_live and not self._has_credit:
            return
        try:
            item = source.read()
        except EndOfSource:
            self._let_go()
            self.state_changed.emit(FeedState.FINISHED, source.name)
            return
        except Exception as error:
            self._let_go()
            if not isinstance(error, KnownError):
                self.report(error)
            else:
                self.failed.emit(str(error))
            self.state_changed.emit(FeedState.FAILED, str(error))
            return
        if isinstance(item, UnreadableFrame):
            self.unreadable.emit(item)
        elif item is not None:
            self._has_credit = False
            self.newest.put(item)
            self._deliver(item, source.is_live)
        self._schedule(_IDLE_MS if item is None else 0)

    def _let_go(self) -> None:
        source, self._source = self._source, None
        self.newest.clear()
        if source is not None:
            source.close()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._let_go()
