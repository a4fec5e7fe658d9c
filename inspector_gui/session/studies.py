"""Studies of the current set that take a while: child processes that read its features.

A study changes nothing. It sees the features that were computed so far, and can be cancelled.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.types import Progress, Purpose, ReferenceSet
from inspector_gui.session.references import ReferenceSets
from inspector_gui.workers.jobs import ChildJob

REQUEST, RESULT = "request.json", "result.json"


class Study(QObject):
    """One study under way; `finished` or `failed` ends it, `cancel` without either."""

    progressed = Signal(object)
    """A `Progress`."""
    finished = Signal(object)
    """The result: a dictionary. Files it names are in `folder`, which is gone afterwards."""
    failed = Signal(str)

    def __init__(self, kind: str, request: Mapping[str, Any], fingerprint: str) -> None:
        super().__init__()
        self.kind = kind
        self.fingerprint = fingerprint
        """Of the gallery that was studied."""
        self._files = tempfile.TemporaryDirectory(prefix="inspector-study-")
        self.folder = Path(self._files.name)
        (self.folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        self._job = ChildJob(["study", kind, "--folder", str(self.folder)], self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._is_over = False

    def start(self) -> None:
        """Start the child process."""
        self._job.start()

    def cancel(self) -> None:
        """End it now; nothing more is said. May be called at any time."""
        if not self._is_over:
            self._is_over = True
            self._job.cancel()
            self._files.cleanup()

    @Slot(str, int, int)
    def _on_progressed(self, what: str, done: int, total: int) -> None:
        self.progressed.emit(Progress(what, done, total))

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        if self._is_over:
            return
        self._is_over = True
        try:
            if sentence:
                self.failed.emit(sentence)
                return
            text = (self.folder / RESULT).read_text(encoding="utf-8")
            self.finished.emit(json.loads(text))
        finally:
            self._files.cleanup()


class Studies(QObject):
    """Starts studies of the current set; one of a kind at a time."""

    def __init__(
        self, references: ReferenceSets, features_folder: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._references = references
        self._features_folder = features_folder
        self._running: dict[str, Study] = {}

    def begin(self, kind: str, parameters: Mapping[str, Any] | None = None) -> Study | None:
        """Start a study in place of a running one of its kind; None without a set to study.

        Connect to its signals at once: they come from the event loop.
        """
        self.cancel(kind)
        current, folder = self._references.current, self._features_folder()
        if current is None or folder is None:
            return None
        request = request_for(current, folder) | {"parameters": dict(parameters or {})}
        study = Study(kind, request, current.fingerprint)
        self._running[kind] = study
        study.start()
        return study

    def cancel(self, kind: str) -> None:
        """End the running study of a kind, if there is one."""
        study = self._running.pop(kind, None)
        if study is not None:
            study.cancel()

    def cancel_all(self) -> None:
        """End all that runs."""
        for kind in tuple(self._running):
            self.cancel(kind)


def request_for(current: ReferenceSet, features_folder: Path) -> dict[str, Any]:
    """Return what a study is told of a set: pictures by purpose, in canonical order."""
    images = {purpose.name.lower(): current.of(purpose) for purpose in Purpose}
    return {
        "features_folder": str(features_folder),
        "scoring": asdict(current.scoring),
        "fingerprint": current.fingerprint,
        "images": {
            purpose: [{"sha256": i.sha256, "name": i.name, "origin": i.origin} for i in found]
            for purpose, found in images.items()
        },
    }
