"""One slot between two threads: the newest value wins, and what it replaced is counted."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one value. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: T | None = None
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many values were replaced before anybody took them."""
        return self._dropped

    def put(self, value: T) -> None:
        """Leave a value; one that nobody took is dropped and counted."""
        with self._lock:
            self._dropped += self._value is not None
            self._value = value

    def take(self) -> T | None:
        """Return the value and leave the slot empty; None where it is empty."""
        with self._lock:
            value, self._value = self._value, None
            return value

    def clear(self) -> None:
        """Forget the value without counting it."""
        self.take()
