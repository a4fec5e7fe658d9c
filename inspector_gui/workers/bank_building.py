"""The memory bank of PatchCore, chosen by a child process while the window stays usable."""

import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.workers.gallery_work import Setup
from inspector_gui.workers.jobs import ChildJob


class BankBuilding(QObject):
    """One bank at a time. Lives in one thread."""

    progressed = Signal()
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None
        self._of: tuple[Path, str] | None = None
        self.done = 0
        """Per cent of it that are chosen."""

    @property
    def is_running(self) -> bool:
        """Whether a bank is being chosen."""
        return self._job is not None

    def is_of(self, setup: Setup | None) -> bool:
        """Whether the bank of this setup is being chosen."""
        return self._job is not None and setup is not None and self._of == _key(setup)

    def begin(self, folder: Path, setup: Setup, hashes: Sequence[str]) -> None:
        """Choose the bank of some of a setup's references, whose features are in a folder.

        Any other choice ends. Raises `KnownError` where the disk refuses.
        """
        from inspector_gui.store.files import write_whole

        self.cancel()
        request = folder / f"bank-request-{secrets.token_hex(4)}.json"
        asked = {"references": list(hashes), "coreset": setup.scoring.coreset}
        write_whole(request, json.dumps(asked).encode(), durable=False)
        self._of, self.done = _key(setup), 0
        self._job = ChildJob(["bank", "--features", str(folder)], self, request=request)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def keep_only(self, setup: Setup | None) -> None:
        """End the choice of a bank that nobody waits for any more."""
        if not self.is_of(setup):
            self.cancel()

    def cancel(self) -> None:
        """End the child; nothing of what it did is kept."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.deleteLater()

    @Slot(str, int, int)
    def _on_progressed(self, what: str, done: int, total: int) -> None:
        if what == "patches chosen":
            self.done = 100 * done // max(total, 1)
            self.progressed.emit()

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        self.cancel()
        self.ended.emit(sentence)


def _key(setup: Setup) -> tuple[Path, str]:
    """Return what the bank of a setup is of."""
    return setup.features_folder, setup.fingerprint
