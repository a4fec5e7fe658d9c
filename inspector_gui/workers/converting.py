"""The network of a recipe, made by a child process: this one need not import torch.

It is converted once on a computer; for int8 it is then quantised, once for a recipe, calibrated on
references of the set.
"""

import json
import secrets
from dataclasses import asdict
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.runtimes import INT8
from inspector_gui.workers.gallery_work import Setup
from inspector_gui.workers.jobs import ChildJob


class Conversion(QObject):
    """One network at a time. Lives in one thread."""

    progressed = Signal(int, int)
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: ChildJob | None = None
        self._of: tuple[object, ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether a network is being made."""
        return self._job is not None

    def begin(self, setup: Setup) -> None:
        """Make the network of a setup; raises `KnownError` where a picture of it is missing."""
        self._of = _network_of(setup)
        if setup.scoring.precision == INT8:
            self._job = ChildJob(["quantise"], self, request=_request(setup))
        else:
            self._job = ChildJob(["convert", "--backbone", setup.scoring.backbone], self)
        self._job.progressed.connect(self._on_progressed)
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def keep_only(self, setup: Setup | None) -> None:
        """End the making of a network that nobody waits for any more."""
        if self._job is not None and self._of != _network_of(setup):
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


def _network_of(setup: Setup | None) -> tuple[object, ...]:
    """Return what decides which network it is that a setup waits for."""
    if setup is None:
        return ()
    if setup.scoring.precision == INT8:
        return setup.features_folder, setup.scoring.calibration
    return (setup.scoring.backbone,)


def _request(setup: Setup) -> Path:
    """Write what the child is to make of which pictures, and return that file."""
    from inspector_gui.core.quantising import spread
    from inspector_gui.store.features_cache import networks_beside
    from inspector_gui.store.files import write_whole
    from inspector_gui.store.images import ImageStore

    images = ImageStore(setup.features_folder.parent)
    folder = networks_beside(setup.features_folder)
    asked = {
        "scoring": asdict(setup.scoring),
        "pictures": [str(images.path(sha)) for sha in spread(setup.hashes)],
        "folder": str(folder),
    }
    request = folder / f"quantise-request-{secrets.token_hex(4)}.json"
    write_whole(request, json.dumps(asked).encode(), durable=False)
    return request
