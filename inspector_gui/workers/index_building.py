"""The index of a large gallery, made by a child process while parts are judged without it."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.workers.jobs import ChildJob


class IndexBuilding(QObject):
    """One index at a time; a folder where it failed is not tried again. Lives in one thread."""

    progressed = Signal()
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None
        self._folder: Path | None = None
        self._refused: set[Path] = set()
        self.words = ""
        """What is being done, "" for nothing."""

    def begin(self, folder: Path) -> bool:
        """Build the index of a feature folder; returns whether that has been started."""
        if self._job is not None or folder in self._refused:
            return False
        self._folder = folder
        self.words = "an index is being built"
        self._job = ChildJob(["index", "--features", str(folder)], self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()
        self.progressed.emit()
        return True

    def cancel(self) -> None:
        """End the child; the folder keeps the index it had."""
        job, self._job = self._job, None
        self.words = ""
        if job is not None:
            job.cancel()
            job.deleteLater()

    @Slot(str, int, int)
    def _on_progressed(self, _what: str, done: int, total: int) -> None:
        self.words = f"an index is being built ({100 * done // max(total, 1)} %)"
        self.progressed.emit()

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        if sentence and self._folder is not None:
            self._refused.add(self._folder)
        self.cancel()
        self.ended.emit(sentence)
