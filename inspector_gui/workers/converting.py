"""The first conversion of a network, by a child process: this one need not import torch."""

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.workers.gallery_work import Setup
from inspector_gui.workers.jobs import ChildJob


class Conversion(QObject):
    """One conversion at a time. Lives in one thread."""

    progressed = Signal(int, int)
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None

    @property
    def is_running(self) -> bool:
        """Whether a network is being converted."""
        return self._job is not None

    def begin(self, setup: Setup) -> None:
        """Convert the network of a setup."""
        self._job = ChildJob(list(_arguments(setup)), self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def keep_only(self, setup: Setup | None) -> None:
        """End the conversion of a network that nobody waits for any more."""
        if self._job is not None and self._job.arguments != _arguments(setup):
            self.cancel()

    def cancel(self) -> None:
        """End the child; nothing is kept of a half-made network."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.deleteLater()

    @Slot(str, int, int)
    def _on_progressed(self, _what: str, done: int, total: int) -> None:
        self.progressed.emit(done, total)

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        self.cancel()
        self.ended.emit(sentence)


def _arguments(setup: Setup | None) -> tuple[str, ...]:
    """Return the command that converts the network of a setup."""
    return ("convert", "--backbone", setup.scoring.backbone) if setup else ()
