"""How a command ends: with its status, with one sentence, or stopped by Ctrl+C."""

import functools
import signal
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from inspector_gui.core.errors import Cancelled, KnownError

STOPPED = 130
"""Exit status after Ctrl+C, as shells have it (128 + SIGINT)."""

P = ParamSpec("P")
R = TypeVar("R")


def ends_in_words(command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn the status that `command` returns, and the errors it knows, into the process's end.

    `KnownError` becomes its sentence on stderr and status 1, a stop the words below and 130. A
    command that returns None lets the process go on.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        status: int | None
        try:
            status = command(*args, **kwargs)
        except KnownError as error:
            sys.stderr.write(f"{error}\n")
            status = 1
        except (KeyboardInterrupt, Cancelled):
            sys.stderr.write("Stopped; nothing was written.\n")
            status = STOPPED
        if status is not None:
            sys.exit(status)

    return run


def stops_when_ended(command: Callable[P, R]) -> Callable[P, R]:
    """Let a request to end the process (SIGTERM) stop `command` like Ctrl+C, so it tidies up."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return command(*args, **kwargs)
        finally:
            signal.signal(signal.SIGTERM, before)

    return run
