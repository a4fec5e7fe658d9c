"""What the process that trains writes into the folder of its run (see `store.training_runs`)."""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.facts import EpochFacts
from inspector_gui.store.files import disk_error, write_whole
from inspector_gui.store.training_runs import EVENTS, REQUEST, RESULT, TrainingRun

CHECKPOINT = "checkpoint.safetensors"


class RunFiles:
    """The files of one run; one process writes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def asked(self) -> TrainingRun:
        """Return what is to be trained; raises `KnownError` where that cannot be read."""
        try:
            given = json.loads((self.folder / REQUEST).read_bytes())
            name = Path(given["features_folder"]).name  # the workspace may have been moved
            return TrainingRun.read(self.folder, self.folder.parents[1].with_name(name))
        except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
            raise KnownError(
                f"The training in {self.folder} cannot be read; start it again."
            ) from error

    def sweep(self) -> None:
        """Remove what a killed process has left of its work."""
        for left in self.folder.glob("patches-*"):
            shutil.rmtree(left, ignore_errors=True)

    def checkpoint(self) -> bytes | None:
        """Return the newest checkpoint, None where there is none."""
        with suppress(FileNotFoundError):
            return (self.folder / CHECKPOINT).read_bytes()
        return None

    def write_checkpoint(self, data: bytes) -> None:
        """Replace the checkpoint, whole or not at all; raises `KnownError` on a full disk."""
        write_whole(self.folder / CHECKPOINT, data)

    def begin_events(self, epochs: Sequence[EpochFacts]) -> None:
        """Let the epochs of a checkpoint be all that is told so far."""
        lines = b"".join(_line(facts) for facts in epochs)
        write_whole(self.folder / EVENTS, lines, durable=False)

    def add_event(self, facts: EpochFacts) -> None:
        """Tell of one more epoch; raises `KnownError` on a full disk."""
        try:
            with (self.folder / EVENTS).open("ab") as file:
                file.write(_line(facts))
        except OSError as error:
            raise disk_error(error, self.folder) from error

    def write_result(self, model: str) -> None:
        """Say which model came of it."""
        write_whole(self.folder / RESULT, json.dumps({"model": model}).encode())


def _line(facts: EpochFacts) -> bytes:
    return json.dumps(facts.as_json()).encode() + b"\n"
