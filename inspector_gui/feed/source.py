"""What every source of pictures can do; the feed worker knows no more than this."""

from typing import Protocol

from inspector_gui.core.types import Frame, UnreadableFrame


class FrameSource(Protocol):
    """A source that one thread opens, reads and closes.

    `is_live`: only the newest picture matters and the rest may be dropped (cameras); otherwise
    nothing is ever skipped (folders).
    """

    name: str
    is_live: bool

    def open(self) -> None:
        """Get ready to read; raises `KnownError` with a sentence for the operator."""
        ...

    def read(self) -> Frame | UnreadableFrame | None:
        """Return the next picture, or None where there is none yet; blocks 0.2 s at most.

        Raises `KnownError` where the source is lost and `EndOfSource` where it has ended.
        """
        ...

    def close(self) -> None:
        """Let go of files and devices; may be called twice."""
        ...


class EndOfSource(Exception):  # noqa: N818 - the expected end of a finite source
    """There will be no further pictures."""
