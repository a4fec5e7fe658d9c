"""The demo's stream as a source: parts drawn one by one, their truth known."""

import time
from collections.abc import Iterator

from inspector_gui.core.types import Frame, Source
from inspector_gui.demo.stream import StreamPart, demo_stream
from inspector_gui.feed.source import EndOfSource


class DemoSource:
    """Draws `count` parts of a kind, a third of them defective; lossless like a folder."""

    is_live = False

    def __init__(self, kind: str, *, count: int, seed: int, size: int) -> None:
        self.name = f"demo: {kind.replace('_', ' ')}"
        self._kind, self._count, self._seed, self._size = kind, count, seed, size
        self._parts: Iterator[StreamPart] = iter(())

    def open(self) -> None:
        """Start the stream from its beginning."""
        self._parts = demo_stream(self._kind, count=self._count, seed=self._seed, size=self._size)

    def read(self) -> Frame:
        """Draw the next part; raises `EndOfSource` after the last."""
        drawn = next(self._parts, None)
        if drawn is None:
            raise EndOfSource
        truth = drawn.part.defect is not None
        return Frame(drawn.name, drawn.part.image, Source.DEMO, time.time(), truth=truth)

    def close(self) -> None:
        """Forget the stream."""
        self._parts = iter(())
