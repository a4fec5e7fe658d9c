"""The memory bank of PatchCore, chosen by a child process while the window stays usable."""

import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.types import Scoring
from inspector_gui.workers.jobs import ChildJob


class BankBuilding(QObject):
    """One bank at a time. Lives in one thread."""

    progressed = Signal(int)
    """Per cent of it that are chosen."""
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None
        self._request: Path | None = None
        self.belongs_to = ""
        """The fingerprint of the references and the scoring whose bank is being chosen."""

    def begin(
        self, folder: Path, scoring: Scoring, hashes: Sequence[str], fingerprint: str
    ) -> None:
        """Choose the bank of references in a feature folder, unless that is being done.

        Raises `KnownError` where the disk refuses.
        """
        from inspector_gui.store.files import write_whole

        if self.belongs_to == fingerprint:
            return
        self.cancel()
        request = folder / f"bank-request-{secrets.token_hex(4)}.json"
        asked = {"references": list(hashes), "coreset": scoring.coreset}
        write_whole(request, json.dumps(asked).encode(), durable=False)
        self._request, self.belongs_to = request, fingerprint
        self._job = ChildJob(["bank", "--features", str(folder), "--request", str(request)], self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def cancel(self) -> None:
        """End the child; nothing of what it did is kept."""
        job, self._job = self._job, None
        request, self._request = self._request, None
        self.belongs_to = ""
        if job is not None:
            job.cancel()
            job.deleteLater()
        if request is not None:
            with suppress(OSError):
                request.unlink(missing_ok=True)

    @Slot(str, int, int)
    def _on_progressed(self, what: str, done: int, total: int) -> None:
        if what == "patches chosen":
            self.progressed.emit(100 * done // max(total, 1))

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        self.cancel()
        self.ended.emit(sentence)
