"""Parts that wait for the engine, and the features of the feed's, computed while they wait.

So the network sees one part while the one before is searched. Of a live source the newest picture
counts: nothing is computed ahead of it, since which one that will be is not known yet.
"""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from inspector_gui.core.types import Frame, Source
from inspector_gui.workers.mailbox import Mailbox

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.features import Extractor, Features


@dataclass(frozen=True, eq=False)
class WaitingPart:
    """A part, and where its features are being computed by which extractor."""

    frame: Frame
    extractor: Extractor | None = None
    made: Future[tuple[Features, float]] | None = None

    def features(self, extractor: Extractor) -> tuple[Features, float]:
        """Return the features and the seconds they took; raises what computing them does.

        They are computed here unless this extractor has done so or is about to.
        """
        if self.made is not None and self.extractor is extractor and not self.made.cancelled():
            return self.made.result()
        return _timed(self.frame, extractor)


class Waiting:
    """Ad hoc parts go first, then the feed's in their order; every method is for any thread."""

    def __init__(self) -> None:
        self.live: Mailbox[Frame] = Mailbox()
        self._queue: deque[WaitingPart] = deque()
        self._ad_hoc: deque[Frame] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="features ahead")

    def put(self, frame: Frame, extractor: Extractor | None, *, is_live: bool) -> None:
        """Let a part wait; `extractor` computes the features of one that no other can overtake."""
        if frame.source is Source.AD_HOC:
            self._ad_hoc.append(frame)
        elif is_live:
            self.live.put(frame)
        else:
            made = None
            if extractor is not None:
                with suppress(RuntimeError):  # the engine has ended
                    made = self._thread.submit(_timed, frame, extractor)
            self._queue.append(WaitingPart(frame, extractor, made))

    def take(self) -> WaitingPart | None:
        """Return the next part, None where none waits."""
        with suppress(IndexError):  # they may be forgotten at any time
            return WaitingPart(self._ad_hoc.popleft())
        with suppress(IndexError):
            return self._queue.popleft()
        frame = self.live.take()
        return None if frame is None else WaitingPart(frame)

    def forget(self, *, ad_hoc: bool = False) -> None:
        """Drop the feed's parts, and on request the ad hoc ones."""
        with suppress(IndexError):
            while True:
                part = self._queue.popleft()
                if part.made is not None:
                    part.made.cancel()
        self.live.clear()
        if ad_hoc:
            self._ad_hoc.clear()

    def close(self) -> None:
        """Compute no more features; waits for those of one part."""
        self._thread.shutdown(cancel_futures=True)


def _timed(frame: Frame, extractor: Extractor) -> tuple[Features, float]:
    began = time.perf_counter()
    features = extractor.extract(frame.image)
    return features, time.perf_counter() - began
