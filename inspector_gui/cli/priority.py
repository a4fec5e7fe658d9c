"""How a long job in the background leaves the processor to the window and its feed."""

import os
import sys
from contextlib import suppress

import psutil

_NICE = 15


def give_way() -> None:
    """Let judging go first: lowest priority, and threads that do not spin while they wait.

    What this process starts does the same. Call it before torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    process = psutil.Process()
    with suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            process.nice(psutil.IDLE_PRIORITY_CLASS)
        else:
            process.nice(_NICE)
