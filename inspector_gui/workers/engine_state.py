"""What the engine tells of itself, and the scores it sends: values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Phase(Enum):
    """What the engine is busy with before it can judge, or that it can."""

    IDLE = auto()
    LOADING = auto()
    CONVERTING = auto()
    INDEXING = auto()
    CHOOSING = auto()
    """The memory bank of PatchCore is being chosen; `done` is per cent."""
    CALIBRATING = auto()
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True)
class EngineState:
    """What the status bar and the reference panel say of the engine."""

    phase: Phase = Phase.IDLE
    done: int = 0
    total: int = 0
    device: str = ""
    reason: str = ""
    search: str = ""
    """How references are searched: exact, or approximate with its recall."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores of pictures of a set against its gallery, by hash.

    Of references they are leave-one-out scores; `is_others` says that they are of the pictures of
    other purposes.
    """

    set_id: int
    fingerprint: str
    scores: Mapping[str, float]
    is_others: bool = False
