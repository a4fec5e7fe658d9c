"""The feeds: the source parts come from, ad hoc checks beside it, and how they are doing."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.types import RGB, Frame, Inspection, Source, UnreadableFrame
from inspector_gui.feed.source import FrameSource
from inspector_gui.workers.engine import Engine
from inspector_gui.workers.feed_worker import FeedState, FeedWorker

_RATE_SECONDS = 5.0


@dataclass(frozen=True)
class FeedFigures:
    """How the feed is doing: parts judged, per second, and dropped.

    `latency_p95`: seconds from exposure to row of camera frames, of judging for all others.
    """

    judged: int = 0
    per_second: float = 0.0
    dropped: int = 0
    latency_p95: float | None = None


class Feeds(QObject):
    """Starts and stops sources; the engine gets their frames directly."""

    state_changed = Signal()
    goes_on = Signal()
    """A source begins or goes on: what could not be stored of it before is tried again."""
    unreadable = Signal(object)
    noticed = Signal(str)
    failed = Signal(str)

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self.state = FeedState.STOPPED
        self.source_name = ""
        self.source: FrameSource | None = None
        self.worker = FeedWorker("feed", engine.submit)
        self.ad_hoc = FeedWorker("ad hoc", engine.submit)
        self._waiting: deque[FrameSource] = deque()
        self._ad_hoc_is_busy = False
        self._unstored: list[Callable[[], None]] = []
        self._judged = 0
        self._dropped_before = 0
        self._recent: deque[tuple[float, float]] = deque(maxlen=500)
        self.worker.state_changed.connect(self._on_state)
        self.ad_hoc.state_changed.connect(self._on_ad_hoc_state)
        for worker in (self.worker, self.ad_hoc):
            worker.unreadable.connect(self.unreadable)
            worker.failed.connect(self.failed)

    @property
    def figures(self) -> FeedFigures:
        """The figures of the running or last feed."""
        now = time.monotonic()
        recent = [at for at, _ in self._recent if now - at <= _RATE_SECONDS]
        rate = len(recent) / _RATE_SECONDS if recent else 0.0
        if len(recent) > 1 and now - self._recent[0][0] < _RATE_SECONDS:
            rate = (len(recent) - 1) / max(recent[-1] - recent[0], 1e-3)
        latencies = sorted(seconds for _, seconds in self._recent)
        p95 = latencies[int(0.95 * (len(latencies) - 1))] if latencies else None
        dropped = self._engine.live.dropped - self._dropped_before
        dropped += getattr(self.source, "dropped", 0) if self.source is not None else 0
        return FeedFigures(self._judged, rate, dropped, p95)

    def start(self, source: FrameSource) -> None:
        """Judge what a source delivers, in place of the one before."""
        self.worker.stop_source()
        self._engine.forget_frames()
        self._unstored.clear()
        self._judged = 0
        self._recent.clear()
        self._dropped_before = self._engine.live.dropped
        self.source = source
        self.goes_on.emit()
        self.worker.start_source(source)

    def pause(self) -> None:
        """Take no further frames for now."""
        self.worker.pause(True)

    def resume(self) -> None:
        """Go on after `pause`, first with what could not be stored."""
        self.goes_on.emit()
        again, self._unstored = self._unstored, []
        for store in again:
            store()
        self.worker.pause(False)

    def hold(self, again: Callable[[], None]) -> None:
        """Pause the feed, whose part could not be stored; `again` tries it once it goes on."""
        self._unstored.append(again)
        self.worker.pause(True)

    def stop(self) -> None:
        """Close the source."""
        self.worker.stop_source()
        self._engine.forget_frames()
        self._unstored.clear()

    def stop_all(self) -> None:
        """Close the source and drop every ad hoc check."""
        self.stop()
        self._waiting.clear()
        self.ad_hoc.stop_source()
        self._engine.forget_frames(ad_hoc=True)

    def check(self, paths: list[Path]) -> None:
        """Judge pictures and folders once, ad hoc, beside the feed."""
        from inspector_gui.feed.ad_hoc import AdHocSource

        self._waiting.append(AdHocSource(paths))
        self._next_ad_hoc()

    def check_picture(self, image: RGB, name: str) -> None:
        """Judge one pasted picture (uint8, H x W x 3, RGB) ad hoc."""
        from inspector_gui.feed.ad_hoc import frame_from_clipboard

        self._engine.submit(frame_from_clipboard(image, name), False)

    def newest_frame(self) -> Frame | None:
        """Take the newest frame for a preview, None where there is no new one."""
        return self.worker.newest.take()

    def recorded(self, frame: Frame | UnreadableFrame, inspection: Inspection | None) -> None:
        """Note that a frame was judged (or refused) and stored: its feed may send the next."""
        if frame.source is Source.AD_HOC:
            self.ad_hoc.credit(frame)
            return
        self._judged += isinstance(frame, Frame)
        if inspection is not None:
            seconds = sum(inspection.scores.timings.values())
            if inspection.frame.source is Source.CAMERA:
                seconds = time.time() - inspection.frame.captured_at
            self._recent.append((time.monotonic(), seconds))
        self.worker.credit(frame)

    @Slot(object, str)
    def _on_state(self, state: FeedState, name: str) -> None:
        self.state = state
        self.source_name = name
        self.state_changed.emit()

    @Slot(object, str)
    def _on_ad_hoc_state(self, state: FeedState, _name: str) -> None:
        if not state.is_active:
            self._ad_hoc_is_busy = False
            self._next_ad_hoc()

    def _next_ad_hoc(self) -> None:
        if self._waiting and not self._ad_hoc_is_busy:
            self._ad_hoc_is_busy = True
            self.ad_hoc.start_source(self._waiting.popleft())
