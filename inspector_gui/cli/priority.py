"""How a long job in the background leaves the processor to the window and its feed."""

import sys
from contextlib import suppress

_NICENESS = 10


def give_way() -> None:
    """Let every other program go first from now on, and what this process starts as well."""
    import psutil

    is_windows = sys.platform == "win32"
    with suppress(psutil.Error, OSError):
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if is_windows else _NICENESS)
