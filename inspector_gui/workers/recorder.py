"""The recorder thread: it alone writes to the workspace.

Requests are answered in the order they were made. A request is a function of the open `Store`; its
answer travels back to the thread that asked.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal, Slot

from inspector_gui.workers.thread import Worker

if TYPE_CHECKING:  # SQLAlchemy comes after the window, in this thread
    from inspector_gui.store.database import Workspace
    from inspector_gui.store.inspections import Inspections
    from inspector_gui.store.references import References


@dataclass(frozen=True, eq=False)
class Store:
    """An open workspace and its two books."""

    workspace: "Workspace"
    references: "References"
    inspections: "Inspections"


@dataclass(frozen=True, eq=False)
class Request:
    """A piece of work for the recorder and what the asking thread does with the answer.

    `work` runs in the recorder's thread and must touch nothing else of the asker's. `otherwise`
    gets the sentence where it failed; without one, the sentence goes out as `failed`.
    """

    work: Callable[[Store], Any]
    then: Callable[[Any], None] | None = None
    otherwise: Callable[[str], None] | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """A request, answered."""

    request: Request
    result: Any = None
    error: str = ""


class Recorder(Worker):
    """Owns the writing connection of one workspace at a time."""

    answered = Signal(object)
    _opened = Signal(object, object)
    _requested = Signal(object)

    def __init__(self) -> None:
        super().__init__("recorder")
        self._store: Store | None = None
        self._opened.connect(self._open)
        self._requested.connect(self._answer)

    def open(self, folder: Path, request: Request) -> None:
        """Open the workspace in `folder` in place of the one before; then answer `request`.

        Where that is refused the one before stays open.
        """
        self._opened.emit(folder, request)

    def ask(self, request: Request) -> None:
        """Queue a request; may be called from any thread."""
        self._requested.emit(request)

    @Slot(object, object)
    def _open(self, folder: Path, request: Request) -> None:
        try:
            from inspector_gui.store.database import Workspace
            from inspector_gui.store.inspections import Inspections
            from inspector_gui.store.references import References

            if self._store is None or self._store.workspace.folder != folder:
                workspace = Workspace.open(folder)  # before the other one is let go
                self._close()
                self._store = Store(workspace, References(workspace), Inspections(workspace))
        except Exception as error:
            self._refuse(request, error)
        else:
            self._answer(request)

    @Slot(object)
    def _answer(self, request: Request) -> None:
        if self._store is None:
            return  # asked of a workspace that was closed or never opened
        try:
            result = request.work(self._store)
        except Exception as error:
            self._refuse(request, error)
        else:
            self.answered.emit(Answer(request, result))

    def _refuse(self, request: Request, error: Exception) -> None:
        sentence = self.report(error) if request.otherwise is None else self.in_words(error)
        self.answered.emit(Answer(request, error=sentence))

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.workspace.close()
