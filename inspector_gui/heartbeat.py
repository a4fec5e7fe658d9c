"""How smoothly the UI thread runs: the time between two ticks of a 4 ms timer."""

import time
from array import array

from PySide6.QtCore import QObject, Qt, QTimer

_PERIOD_MS = 4


class Heartbeat(QObject):
    """Collects gaps in milliseconds; `mark_ready` separates the start from the work."""

    def __init__(self) -> None:
        super().__init__()
        self._starting = array("d")
        self._working = array("d")
        self._gaps = self._starting
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_PERIOD_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Start to tick; the first gap counts from here."""
        self._last = time.perf_counter()
        self._timer.start()

    def mark_ready(self) -> None:
        """Say that the program is ready to judge from now on."""
        self._gaps = self._working

    def stop(self) -> None:
        """Stop to tick."""
        self._timer.stop()

    def _beat(self) -> None:
        now = time.perf_counter()
        self._gaps.append((now - self._last) * 1000)
        self._last = now

    def working(self) -> dict[str, float]:
        """Return `p50`, `p99` and `max` of the gaps since ready, in milliseconds."""
        gaps = sorted(self._working) or [0.0]
        at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        return {name: round(gaps[int(share * (len(gaps) - 1))], 2) for name, share in at.items()}

    def startup_max(self) -> float:
        """Return the longest gap before ready, in milliseconds."""
        return round(max(self._starting, default=0.0), 2)
