"""Trained models in a workspace: one safetensors file and one JSON file each, never a pickle."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.model import (
    DamagedModelError,
    SimplenetModel,
    facts_in,
    model_in,
)
from inspector_gui.store.files import disk_error, write_whole

MODEL_ENDINGS = _WEIGHTS, _FACTS = ".safetensors", ".json"
"""Of the two files of a model, which its identifier names."""


def models_beside(features: Path) -> Path:
    """Return the folder of models, beside that of all features of a workspace."""
    return features.with_name("models")


@dataclass(frozen=True)
class ListedModel:
    """A model that is there, or why it is not usable (`facts` is None then)."""

    id: str
    size: int
    facts: ModelFacts | None
    reason: str = ""


class ModelFiles:
    """The models in one folder; every method reads or writes the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self) -> tuple[ListedModel, ...]:
        """Return all models, the newest first; damaged ones with their reason at the end.

        Of the weights their length is looked at; `read` finds whatever else was changed.
        """
        listed = [self._listed(path) for path in sorted(self.folder.glob(f"*{_FACTS}"))]
        return tuple(
            sorted(listed, key=lambda m: -m.facts.created_at if m.facts is not None else 0.0)
        )

    def facts(self, name: str) -> ModelFacts:
        """Return what a model says of itself; raises `KnownError` where it is gone or damaged."""
        return facts_in(self._read(name, _FACTS), name=name)

    def read(self, name: str) -> SimplenetModel:
        """Return a model; raises `KnownError` where it is gone, damaged or changed."""
        facts = self.facts(name)
        if facts.id != name:
            raise DamagedModelError(f"The description of the model {name} is that of another one.")
        return model_in(self._read(name, _WEIGHTS), facts)

    def write(self, model: SimplenetModel) -> None:
        """Write a model: it is there once its description is; raises `KnownError` on a full disk.

        What was written of one that failed goes again.
        """
        name = model.facts.id
        try:
            write_whole(self.folder / f"{name}{_WEIGHTS}", model.file)
            write_whole(self.folder / f"{name}{_FACTS}", model.description)
        except KnownError:
            self.delete(name)
            raise

    def delete(self, name: str) -> None:
        """Remove a model; one that is gone already is no error. Raises `KnownError` otherwise."""
        for ending in (_FACTS, _WEIGHTS):
            try:
                (self.folder / f"{name}{ending}").unlink(missing_ok=True)
            except OSError as error:
                raise disk_error(error, self.folder) from error

    def _listed(self, path: Path) -> ListedModel:
        name = path.name.removesuffix(_FACTS)
        size = 0
        with suppress(OSError):
            size = path.stat().st_size + path.with_suffix(_WEIGHTS).stat().st_size
        try:
            facts = self.facts(name)
            if not path.with_suffix(_WEIGHTS).exists():
                raise KnownError(f"The weights of the model {name} are gone; train it again.")
            if not _is_whole(path.with_suffix(_WEIGHTS)):
                raise KnownError(f"The weights of the model {name} are cut off; train it again.")
        except (KnownError, OSError) as error:
            return ListedModel(name, size, None, str(error))
        return ListedModel(name, size, facts)

    def _read(self, name: str, ending: str) -> bytes:
        try:
            return (self.folder / f"{name}{ending}").read_bytes()
        except FileNotFoundError as error:
            raise KnownError(
                f"The model {name} is not in this workspace any more; train it again, or choose "
                "another method."
            ) from error
        except OSError as error:
            raise disk_error(error, self.folder) from error


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its own header says; raises `OSError`."""
    with path.open("rb") as file:
        size = path.stat().st_size
        length = int.from_bytes(file.read(8), "little")
        if not length <= size - 8:
            return False
        try:
            header = json.loads(file.read(length))
            ends = [int(one["data_offsets"][1]) for name, one in header.items() if name[:2] != "__"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return False
    return size == 8 + length + max(ends, default=0)
