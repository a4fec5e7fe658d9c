"""What comes next is made ready while something is in hand: pictures are read beside judging."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD = 2
"""Items that are made ready, or being made, beside the one in hand."""


def ahead(
    items: Iterable[Item], make: Callable[[Item], Made]
) -> Iterator[tuple[Item, Callable[[], Made]]]:
    """Yield every item, in order, with a function that returns what `make` made of it.

    It waits for that, and raises what `make` raised of this item; the others are not touched by it.
    `make` runs in one thread of its own, item after item, and at most `AHEAD` of them ahead. An
    iteration that is left early ends with the item that is being made.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as thread:
        waiting: deque[tuple[Item, Future[Made]]] = deque()
        try:
            for item in items:
                waiting.append((item, thread.submit(make, item)))
                if len(waiting) > AHEAD:
                    yield _first(waiting)
            while waiting:
                yield _first(waiting)
        finally:
            for _, future in waiting:
                future.cancel()


def _first(waiting: deque[tuple[Item, Future[Made]]]) -> tuple[Item, Callable[[], Made]]:
    item, future = waiting.popleft()
    return item, future.result
