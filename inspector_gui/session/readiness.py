"""Whether parts can be judged."""

from enum import Enum, auto


class Readiness(Enum):
    """Whether parts can be judged by the current set, or what is missing."""

    NO_WORKSPACE = auto()
    NO_SET = auto()
    TOO_FEW = auto()
    BUSY = auto()
    READY = auto()
    STALE = auto()
    FAILED = auto()
