"""Trainings that are under way or stand still: a folder each, beside the models of a workspace.

The window writes the request; the child process that trains writes the rest (epochs, checkpoints,
the result). A folder without a request is of no use to anybody and is swept.
"""

import json
import logging
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from inspector_gui.core.errors import KnownError
from inspector_gui.core.scoring import Scoring
from inspector_gui.core.simplenet.facts import EpochFacts, ModelFacts
from inspector_gui.store.files import disk_error, write_whole
from inspector_gui.store.model_files import ModelFiles, models_beside

REQUEST, EVENTS, RESULT = "request.json", "events.jsonl", "result.json"
_RUNS = "runs"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingRun:
    """What is trained on what, and where.

    `scoring` has SimpleNet as its method, hyperparameters and no model; `references` are content
    hashes in canonical order, `gallery` is the fingerprint of both. `started_at`: seconds since the
    epoch.
    """

    folder: Path
    scoring: Scoring
    references: tuple[str, ...]
    features_folder: Path
    models_folder: Path
    set_id: int
    set_name: str
    gallery: str
    started_at: float

    @property
    def epochs(self) -> int:
        """How many epochs it has."""
        return 0 if self.scoring.training is None else self.scoring.training.epochs

    def write(self) -> None:
        """Make the folder with the request; raises `KnownError` where the disk refuses."""
        asked = {
            "scoring": asdict(self.scoring),
            "references": list(self.references),
            "features_folder": str(self.features_folder),
            "models_folder": str(self.models_folder),
            "set_id": self.set_id,
            "set_name": self.set_name,
            "gallery": self.gallery,
            "started_at": self.started_at,
        }
        write_whole(self.folder / REQUEST, json.dumps(asked).encode())

    @classmethod
    def read(cls, folder: Path, features_folder: Path) -> "TrainingRun":
        """Return the run in a folder, whose workspace may have been moved.

        Raises `ValueError`, `KeyError`, `TypeError` or `OSError` where its request cannot be used.
        """
        asked: Mapping[str, Any] = json.loads((folder / REQUEST).read_bytes())
        return cls(
            folder,
            Scoring(**asked["scoring"]),
            tuple(str(sha) for sha in asked["references"]),
            features_folder,
            models_beside(features_folder),
            int(asked["set_id"]),
            str(asked["set_name"]),
            str(asked["gallery"]),
            float(asked["started_at"]),
        )

    def forget(self) -> None:
        """Take the request away, so that nothing goes on with the run whatever happens next."""
        with suppress(OSError):
            (self.folder / REQUEST).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove what there is of it, also a model that it has made a moment ago.

        Raises `KnownError` where the disk refuses.
        """
        self.forget()
        files = ModelFiles(self.models_folder)
        for model in files.list():
            facts = model.facts
            if facts is not None and self._has_made(facts):
                files.delete(model.id)
        _remove(self.folder)

    def finish(self) -> ModelFacts:
        """Return the facts of the model that it has made, and remove the rest.

        Raises `KnownError` where there is none, or none that can be read.
        """
        try:
            name = str(json.loads((self.folder / RESULT).read_bytes())["model"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise KnownError(
                "The training ended without a model; go on with it, or start it anew."
            ) from error
        facts = ModelFiles(self.models_folder).facts(name)
        with suppress(KnownError):  # swept when the workspace is opened again
            _remove(self.folder)
        return facts

    def _has_made(self, facts: ModelFacts) -> bool:
        is_same = replace(facts.scoring, model="") == self.scoring
        return is_same and facts.created_at >= self.started_at


def new_run_folder(features_folder: Path) -> Path:
    """Return where a new run of a workspace is, whose folder of features is given."""
    started = time.strftime("%Y%m%d-%H%M%S")
    return models_beside(features_folder) / _RUNS / f"{started}-{secrets.token_hex(2)}"


def unfinished_run(features_folder: Path) -> tuple[TrainingRun, tuple[EpochFacts, ...]] | None:
    """Return the newest run of a workspace that has not ended, with its epochs.

    What is left of those that have ended is removed.
    """
    found = []
    for folder in sorted((models_beside(features_folder) / _RUNS).glob("*")):
        is_over = (folder / RESULT).exists() or not (folder / REQUEST).exists()
        if is_over:
            with suppress(KnownError):
                _remove(folder)
            continue
        try:
            found.append(TrainingRun.read(folder, features_folder))
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("the training in %s cannot be read", folder, exc_info=True)
    if not found:
        return None
    newest = max(found, key=lambda run: run.started_at)
    events = EventsReader(newest.folder)
    events.read()
    return newest, events.epochs


class EventsReader:
    """Follows the file of epochs that a training writes; a line counts once it is complete."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / EVENTS
        self.start_over()

    def start_over(self) -> None:
        """Forget what was read: the file may have been cut back."""
        self._read = 0
        self.epochs: tuple[EpochFacts, ...] = ()

    def read(self) -> bool:
        """Read what is new; returns whether there was anything."""
        try:
            size = self._path.stat().st_size
            if size < self._read:
                self.start_over()
            if size == self._read:
                return False
            with self._path.open("rb") as file:
                file.seek(self._read)
                data = file.read(size - self._read)
        except OSError:
            return False
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        new = [facts for line in whole.splitlines() if (facts := _facts_in(line)) is not None]
        if new:
            earlier = (known for known in self.epochs if known.epoch < new[0].epoch)
            self.epochs = (*earlier, *new)
        return bool(new)


def _facts_in(line: bytes) -> EpochFacts | None:
    with suppress(ValueError, TypeError, AttributeError):
        return EpochFacts.from_json(json.loads(line))
    return None


def _remove(folder: Path) -> None:
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise disk_error(error, folder.parent) from error
