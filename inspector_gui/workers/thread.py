"""A worker and its thread: named, started once, stopped with a deadline."""

import contextlib
import logging
import os
import sys
import threading
import time

from PySide6.QtCore import QObject, QThread, Signal, Slot

from inspector_gui.core.errors import KnownError

log = logging.getLogger(__name__)

_NICENESS = 5


class Worker(QObject):
    """Lives in its own thread from `start` to `stop`; talks through signals and slots.

    Subclasses let go of what they own in `_close`, which runs in the worker's thread.
    """

    failed = Signal(str)
    """A sentence for the operator. What is not a `KnownError` is in the log with a traceback."""
    _asked_to_end = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.stopping = threading.Event()
        self._thread = QThread()
        self._thread.setObjectName(name)
        self.moveToThread(self._thread)
        self._asked_to_end.connect(self._end)

    @property
    def name(self) -> str:
        return self._thread.objectName()

    def start(self) -> None:
        """Start the thread, behind the UI thread; slots run in it from now on."""
        self._thread.started.connect(self._give_way)
        self._thread.start(QThread.Priority.LowPriority)

    def ask_to_stop(self) -> None:
        """Make a running piece of work end early and the thread after it; returns at once."""
        if not self.stopping.is_set():
            self.stopping.set()
            self._asked_to_end.emit()

    def wait(self, deadline: float) -> bool:
        """Wait for the end of the thread until `deadline` (of time.monotonic)."""
        if not self._thread.isRunning():
            return True
        left = max(0, round((deadline - time.monotonic()) * 1000))
        return self._thread.wait(left)

    def report(self, error: Exception) -> str:
        """Tell the operator that something went wrong and return the sentence."""
        sentence = self.in_words(error)
        self.failed.emit(sentence)
        return sentence

    def in_words(self, error: Exception) -> str:
        """Return the sentence for an error and log it; called in an except block."""
        if isinstance(error, KnownError):
            log.info("%s: %s", self.name, error)
            return str(error)
        log.exception("%s failed", self.name)
        what = ": ".join(filter(None, (type(error).__name__, str(error))))
        return f"Something went wrong in the program ({what}). Details are in the log."

    def _close(self) -> None:
        """Let go of everything that was opened in this thread."""

    @Slot()
    def _give_way(self) -> None:
        """Let the UI thread go first on Linux, where Qt's priorities have no effect.

        Threads that libraries start from this one inherit it.
        """
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)

    @Slot()
    def _end(self) -> None:
        try:
            self._close()
        except Exception as error:
            self.report(error)
        finally:
            self._thread.quit()
