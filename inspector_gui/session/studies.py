"""Studies of the current set that take a while: child processes that read its features.

A study changes nothing. It sees the features that were computed so far, and can be cancelled.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from inspector_gui.core.types import Progress, Purpose, ReferenceSet
from inspector_gui.session.references import ReferenceSets
from inspector_gui.workers.jobs import ChildJob

REQUEST, RESULT = "request.json", "result.json"
_PREFIX = "inspector-study-"


class Study(QObject):
    """One study under way; `finished` or `failed` ends it, `cancel` without either."""

    progressed = Signal(object)
    """A `Progress`."""
    finished = Signal(object)
    """The result: a dictionary. Files it names are in `folder`, which is gone afterwards."""
    failed = Signal(str)
    gone = Signal()
    """Its process and its files are no more."""

    def __init__(self, kind: str, request: Mapping[str, Any], fingerprint: str) -> None:
        super().__init__()
        self.kind = kind
        self.fingerprint = fingerprint
        """Of the gallery that was studied."""
        self.folder = Path(tempfile.gettempdir()) / f"{_PREFIX}{os.getpid()}-{os.urandom(4).hex()}"
        self._is_over = False
        self._refusal = ""
        self._job = ChildJob(["study", kind, "--folder", str(self.folder)], self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.ended.connect(self._clean_up)
        try:
            self.folder.mkdir(mode=0o700)
            (self.folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._refusal = f"{self.folder.parent} cannot be written: {reason}. Free some space."

    def start(self) -> None:
        """Start the child process; a full disk is told from the event loop."""
        if self._refusal:
            QTimer.singleShot(0, self, self._refuse)
        else:
            self._job.start()

    def cancel(self) -> None:
        """Have it ended; nothing more is said. May be called at any time, and does not wait."""
        if not self._is_over:
            self._is_over = True
            self._job.end()

    def wait(self) -> None:
        """Wait until its process is gone, half a second at most."""
        self._is_over = True
        self._job.cancel()
        self._clean_up()

    def _refuse(self) -> None:
        self._on_finished(self._refusal)

    @Slot(str, int, int)
    def _on_progressed(self, what: str, done: int, total: int) -> None:
        if not self._is_over:
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
            self._clean_up()

    @Slot()
    def _clean_up(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.gone.emit()


class Studies(QObject):
    """Starts studies of the current set; one of a kind at a time."""

    def __init__(
        self, references: ReferenceSets, features_folder: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._references = references
        self._features_folder = features_folder
        self._running: dict[str, Study] = {}
        self._all: set[Study] = set()

    def begin(self, kind: str, parameters: Mapping[str, Any] | None = None) -> Study | None:
        """Start a study in place of a running one of its kind; None without a set to study.

        Connect to its signals at once: they come from the event loop.
        """
        self.cancel(kind)
        current, folder = self._references.current, self._features_folder()
        if current is None or folder is None:
            return None
        _sweep()
        request = request_for(current, folder) | {"parameters": dict(parameters or {})}
        study = Study(kind, request, current.fingerprint)
        self._running[kind] = study
        self._all.add(study)
        study.gone.connect(self._on_gone)
        study.start()
        return study

    def cancel(self, kind: str) -> None:
        """Have the running study of a kind ended, if there is one."""
        study = self._running.pop(kind, None)
        if study is not None:
            study.cancel()

    def cancel_all(self) -> None:
        """Have all ended that run."""
        for kind in tuple(self._running):
            self.cancel(kind)

    def stop(self) -> None:
        """End all and wait until they are gone; at the end of the program."""
        self.cancel_all()
        for study in tuple(self._all):
            study.wait()

    @Slot()
    def _on_gone(self) -> None:
        study = self.sender()
        if isinstance(study, Study):
            self._all.discard(study)
            if self._running.get(study.kind) is study:
                del self._running[study.kind]


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


def _sweep() -> None:
    """Remove what studies of programs left that were killed."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(ValueError, IndexError):
            if not psutil.pid_exists(int(folder.name.removeprefix(_PREFIX).split("-")[0])):
                shutil.rmtree(folder, ignore_errors=True)
