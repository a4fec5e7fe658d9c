"""How the parts of the session ask the recorder: one sentence, answered in the main thread."""

from collections.abc import Callable
from typing import Any, Protocol

from inspector_gui.core.errors import KnownError
from inspector_gui.workers.recorder import Store

Work = Callable[[Store], Any]


class Ask(Protocol):
    """Queues `work` for the recorder thread; `then` gets its result back in the main thread.

    Where it fails, `otherwise` gets the sentence; without one it goes to the notices.
    """

    def __call__(
        self,
        work: Callable[[Store], Any],
        *,
        then: Callable[[Any], None] | None = None,
        otherwise: Callable[[str], None] | None = None,
    ) -> None: ...


class InTurn:
    """Keeps parts of a feed in their order: behind one that could not be stored, none is.

    What it returns runs in the recorder's thread, which alone knows what was refused.
    """

    def __init__(self) -> None:
        self._refused = ""

    def __call__(self, work: Work) -> Work:
        """Return `work` that is refused, too, while something before it is."""

        def in_turn(store: Store) -> Any:
            if self._refused:
                raise KnownError(self._refused)
            try:
                return work(store)
            except KnownError as error:
                self._refused = str(error)
                raise

        return in_turn

    def go_on(self, _store: Store) -> None:
        """Try again from here on."""
        self._refused = ""
