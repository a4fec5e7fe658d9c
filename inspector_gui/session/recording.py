"""How the parts of the session ask the recorder: one sentence, answered in the main thread."""

from collections.abc import Callable
from typing import Any, Protocol

from inspector_gui.workers.recorder import Store


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
