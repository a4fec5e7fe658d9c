"""What the desk of trainings tells: its state, and how long a training takes."""

import time
from collections import deque
from enum import Enum, auto

_WINDOW_SECONDS = 20.0
_LEAST_SECONDS = 1.5


class TrainingState(Enum):
    """What a workspace's training is doing; but for the first and the last there is a run."""

    IDLE = auto()
    RUNNING = auto()
    PAUSING = auto()
    PAUSED = auto()
    INTERRUPTED = auto()
    """It was under way when the program ended."""
    FAILED = auto()
    DONE = auto()

    @property
    def is_still(self) -> bool:
        """Whether there is a run that can go on, or be discarded."""
        return self in (TrainingState.PAUSED, TrainingState.INTERRUPTED, TrainingState.FAILED)


class Pace:
    """How fast steps are done lately: other work on the computer comes and goes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, done: int) -> None:
        """Note that so many steps are done now."""
        now = time.monotonic()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] > _WINDOW_SECONDS:
            self._seen.popleft()

    def seconds_left(self, done: int, total: int) -> float | None:
        """Return how long the other steps take; None while nothing can be said."""
        if not self._seen:
            return None
        (began, first), (last, newest) = self._seen[0], self._seen[-1]
        if last - began < _LEAST_SECONDS or newest <= first:
            return None
        return (total - done) * (last - began) / (newest - first)
