"""A folder as a source: the pictures that are there and those that arrive, each exactly once.

Folders are polled, since network shares send no events. A file is identified by its path, size
and time of change, and taken when a second look, at least `poll_seconds` later, finds it unchanged.
"""

import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from pathlib import Path

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import (
    UnreadableImage,
    decode,
    display_name,
    is_image_name,
    natural_order,
    read_bytes,
)
from inspector_gui.core.types import Frame, Source, UnreadableFrame

_SCAN_BUDGET = 0.05  # seconds of one read spent looking around; 100,000 files need several
_SKIP_BUDGET = 0.1  # seconds of one read spent on files that turn out to be gone or changed
_LONGEST_WAIT = 0.1  # seconds a read without anything to do waits, so that its caller never spins
_STILL_WRITTEN = 2.0  # seconds for which a file that cannot be decoded may still be being written

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Look:
    """How a file looked: its size, its time of change, and when we saw it so for the first time."""

    path: str
    size: int
    mtime_ns: int
    seen_at: float
    reason: str = ""
    """Why it could not be decoded when it was read last; empty where it was not read yet."""

    @property
    def identity(self) -> tuple[int, int]:
        return self.size, self.mtime_ns


_Order = tuple[int, list[tuple[int, int | str]], str]
_Queued = tuple[_Order, _Look]


class FolderSource:
    """The picture files in a folder, first what is there in natural order, then what arrives.

    Arrivals found in one look around are ordered by their time of change, then by name. A file
    that is written anew counts as new. Only names are queued, never pictures. Opened again, it goes
    on where it was.
    """

    is_live = False

    def __init__(self, folder: Path, *, recursive: bool = True, poll_seconds: float = 0.2) -> None:
        self.name = display_name(folder.name or folder)
        self._shown = display_name(folder)
        self._folder = folder
        self._recursive = recursive
        self._poll_seconds = poll_seconds
        self._known: dict[str, tuple[int, int]] = {}  # queued or taken; path -> identity
        self._queue: list[_Queued] = []  # a heap, since sorting many names at once takes seconds
        self._found: list[_Queued] = []  # likewise, of the look around that is under way
        self._unfinished: list[_Look] = []  # could not be decoded, perhaps not yet
        self._scan: Iterator[_Look | None] | None = None
        self._scan_seconds = 0.0
        self._next_scan_at = 0.0
        self._looked_around = False

    def open(self) -> None:
        """Check that the folder can be listed; raises `KnownError` where it cannot."""
        try:
            with os.scandir(self._folder):
                pass
        except FileNotFoundError:
            raise KnownError(
                f"The folder {self._shown} does not exist; choose another one."
            ) from None
        except NotADirectoryError:
            raise KnownError(f"{self._shown} is not a folder; choose a folder.") from None
        except OSError as error:
            raise self._unlistable(error) from error

    def read(self) -> Frame | UnreadableFrame | None:
        """Return the next picture, or None where there is none yet.

        Raises `KnownError` once the folder itself is gone or can no longer be listed.
        """
        now = time.monotonic()
        if not self._queue and now >= self._next_scan_at:
            self._look_around(until=now + _SCAN_BUDGET)
        give_up_at = time.monotonic() + _SKIP_BUDGET
        while self._queue and time.monotonic() < give_up_at:
            due = self._queue[0][1].seen_at + self._poll_seconds
            if time.monotonic() < due:
                break
            frame = self._take(heappop(self._queue)[1])
            if frame is not None:
                return frame
        self._wait()
        return None

    def close(self) -> None:
        """Stop a look around that is not finished."""
        self._scan = None

    def _wait(self) -> None:
        if self._scan is not None:
            return
        due = self._queue[0][1].seen_at + self._poll_seconds if self._queue else self._next_scan_at
        time.sleep(max(0.0, min(due - time.monotonic(), _LONGEST_WAIT)))

    def _look_around(self, *, until: float) -> None:
        """Go on looking through the folder; at the end of a pass, queue what is new in order."""
        began = time.monotonic()
        if self._scan is None:
            self._scan, self._scan_seconds = self._walk(), 0.0
            for look in self._unfinished:
                heappush(self._found, self._queued(look))
            self._unfinished = []
        try:
            for found in self._scan:
                if found is not None:
                    self._known[found.path] = found.identity
                    heappush(self._found, self._queued(found))
                if time.monotonic() >= until:
                    self._scan_seconds += time.monotonic() - began
                    return
        except KnownError:
            self._scan = None
            raise
        self._scan = None
        self._scan_seconds += time.monotonic() - began
        # A huge folder is not looked through more than half of the time.
        self._next_scan_at = time.monotonic() + max(self._poll_seconds, self._scan_seconds)
        self._looked_around = True
        self._queue, self._found = self._found, []

    def _queued(self, look: _Look) -> _Queued:
        changed = look.mtime_ns if self._looked_around else 0
        return (changed, natural_order(Path(look.path).relative_to(self._folder)), look.path), look

    def _walk(self) -> Iterator[_Look | None]:
        """Yield every file that is new, and None for every entry that is not, so time is asked."""
        folders = [os.fspath(self._folder)]
        while folders:
            folder = folders.pop()
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            yield None
                        elif entry.is_dir(follow_symlinks=False):
                            if self._recursive:
                                folders.append(entry.path)
                            yield None
                        else:
                            yield self._news(entry)
            except OSError as error:
                if folder == os.fspath(self._folder):
                    raise self._lost(error) from error
                if not isinstance(error, FileNotFoundError):
                    _log.warning("The folder %s cannot be read: %s", display_name(folder), error)

    def _news(self, entry: os.DirEntry[str]) -> _Look | None:
        if entry.name.startswith("~") or not is_image_name(Path(entry.name)):
            return None
        known = self._known.get(entry.path)
        try:
            if known is not None and known == _identity(entry.stat()):
                return None
            # A directory's own note of size and time may be old on Windows: ask the file.
            status = Path(entry.path).stat()
        except OSError:
            return None  # gone again, or a link to nowhere
        if not stat.S_ISREG(status.st_mode) or known == _identity(status):
            return None
        return _Look(entry.path, *_identity(status), seen_at=time.monotonic())

    def _take(self, look: _Look) -> Frame | UnreadableFrame | None:
        """Read a queued file; None where it changed, is gone, or may still be being written."""
        path = Path(look.path)
        try:
            if _identity(path.stat()) != look.identity:
                self._forget(look)
                return None
            data = read_bytes(path)
            image = decode(data, name=path.name)
            if _identity(path.stat()) != look.identity:
                self._forget(look)
                return None
        except FileNotFoundError:
            return self._vanished(look)
        except (UnreadableImage, OSError) as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return self._vanished(look)
            return self._undecoded(look, str(error))
        return Frame(
            name=self._name_of(path),
            image=image,
            source=Source.FOLDER,
            captured_at=look.mtime_ns / 1e9,
            path=path,
            data=data,
        )

    def _forget(self, look: _Look) -> None:
        """Let the next look around find the file again, unless it has found it since."""
        if self._known.get(look.path) == look.identity:
            del self._known[look.path]

    def _vanished(self, look: _Look) -> UnreadableFrame | None:
        if not self._folder.is_dir():
            heappush(self._queue, self._queued(look))
            raise self._lost(FileNotFoundError())
        self._forget(look)
        return self._unreadable(look, look.reason) if look.reason else None

    def _undecoded(self, look: _Look, reason: str) -> UnreadableFrame | None:
        # Both clocks: a file server's may be ahead of ours.
        is_young = time.time() - look.mtime_ns / 1e9 < _STILL_WRITTEN
        if is_young and time.monotonic() - look.seen_at < _STILL_WRITTEN:
            self._unfinished.append(replace(look, reason=reason))
            return None
        return self._unreadable(look, reason)

    def _unreadable(self, look: _Look, reason: str) -> UnreadableFrame:
        path = Path(look.path)
        return UnreadableFrame(
            name=self._name_of(path),
            reason=reason,
            source=Source.FOLDER,
            captured_at=look.mtime_ns / 1e9,
            path=path,
        )

    def _name_of(self, path: Path) -> str:
        return display_name(path.relative_to(self._folder).as_posix())

    def _lost(self, error: OSError) -> KnownError:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return KnownError(
                f"The folder {self._shown} is gone; bring it back or choose another one, then "
                "start again."
            )
        return self._unlistable(error)

    def _unlistable(self, error: OSError) -> KnownError:
        reason = error.strerror or type(error).__name__
        return KnownError(
            f"The folder {self._shown} cannot be read ({reason}); check its permissions and its "
            "connection."
        )


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
