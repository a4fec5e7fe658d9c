"""How a long job in the background leaves the processor to the window and its feed."""

import os
import sys
from contextlib import suppress

import psutil

_NICE, _A_LITTLE = 15, 5


def give_way(*, a_little: bool = False) -> None:
    """Let judging go first: lowest priority, and threads that do not spin while they wait.

    `a_little`: where somebody waits for the result. What this process starts does the same. Call it
    before torch is loaded.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    process = psutil.Process()
    with suppress(psutil.Error, OSError):
        if sys.platform == "win32":
            lowest, low = psutil.IDLE_PRIORITY_CLASS, psutil.BELOW_NORMAL_PRIORITY_CLASS
            process.nice(low if a_little else lowest)
        else:
            process.nice(_A_LITTLE if a_little else _NICE)
