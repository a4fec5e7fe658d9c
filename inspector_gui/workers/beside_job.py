"""Work of a child process that parts are judged beside: an index, the compiled search."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.workers.jobs import ChildJob


class BesideJob(QObject):
    """One command at a time; one that failed is not tried again. Lives in one thread."""

    progressed = Signal()
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None
        self._refused: set[tuple[str, ...]] = set()
        self._what = self._share = ""

    @property
    def words(self) -> str:
        """What is being done, "" for nothing."""
        return f"{self._what}{self._share}" if self._job is not None else ""

    def begin(self, arguments: Sequence[str], what: str) -> bool:
        """Run a command of this program; returns whether it has been started."""
        if self._job is not None or tuple(arguments) in self._refused:
            return False
        self._what, self._share = what, ""
        self._job = ChildJob(list(arguments), self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()
        self.progressed.emit()
        return True

    def cancel(self) -> None:
        """End the child; what it was making is not there."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.deleteLater()

    @Slot(str, int, int)
    def _on_progressed(self, _what: str, done: int, total: int) -> None:
        self._share = f" ({100 * done // max(total, 1)} %)"
        self.progressed.emit()

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        if sentence and self._job is not None:
            self._refused.add(self._job.arguments)
        self.cancel()
        self.ended.emit(sentence)
