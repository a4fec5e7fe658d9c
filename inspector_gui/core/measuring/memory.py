"""The largest resident memory of this process, where the system tells."""

import sys
from pathlib import Path

import psutil


def reset_peak_memory() -> None:
    """Let `peak_rss_mb` count from now, where the system can (Linux)."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/clear_refs").write_text("5")
        except OSError:
            return


def peak_rss_mb() -> float:
    """Return the largest resident memory of this process in MB (10^6 bytes)."""
    if sys.platform == "win32":
        return float(psutil.Process().memory_info().peak_wset) / 1e6
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":
        return largest / 1e6
    # Unlike getrusage, this line begins anew for every program and with `reset_peak_memory`.
    status = Path("/proc/self/status").read_text().splitlines()
    lines = [int(line.split()[1]) for line in status if line.startswith("VmHWM:")]
    return (lines or [largest])[0] * 1024 / 1e6
