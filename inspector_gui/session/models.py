"""The trained models of a workspace: which there are, which is used, and what they were made of."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.types import ReferenceSet
from inspector_gui.session.recording import Ask
from inspector_gui.session.references import ReferenceSets
from inspector_gui.store.model_files import ListedModel, ModelFiles, models_beside
from inspector_gui.workers.recorder import Store

_OWN_SHARE = 0.5
"""Of a model's references must be in a set still for it to be one of that set."""


@dataclass(frozen=True)
class Changes:
    """How many references a set has more and fewer than a model was trained with."""

    added: int
    removed: int

    @property
    def are_none(self) -> bool:
        """Whether the model is of the set as it is."""
        return not self.added and not self.removed


class ModelDesk(QObject):
    """Lists, deletes and uses models; the disk is read in the recorder's thread."""

    changed = Signal()
    """Other models are listed, or another one is used."""
    noticed = Signal(str)

    def __init__(
        self, ask: Ask, references: ReferenceSets, features_folder: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._ask = ask
        self._references = references
        self._features_folder = features_folder
        self.models: tuple[ListedModel, ...] = ()
        """The newest first, damaged ones at the end; as of the last `refresh`."""
        references.current_changed.connect(self.changed)
        references.images_changed.connect(self.changed)
        references.sets_changed.connect(self.changed)

    def refresh(self, then: Callable[[], None] | None = None) -> None:
        """Read anew which models there are."""
        if self._features_folder() is None:
            self._take((), then)
            return
        self._ask(lambda store: _files(store).list(), then=lambda models: self._take(models, then))

    def used_by(self, name: str) -> tuple[str, ...]:
        """Return the names of the sets that are judged by a model."""
        return tuple(one.name for one in self._references.sets if one.scoring.model == name)

    def use(self, facts: ModelFacts) -> None:
        """Let the current set be judged by a model, with the recipe that it was trained for."""
        self._references.set_scoring(facts.scoring)

    def use_newest(self, otherwise: Callable[[], None]) -> None:
        """Let the current set be judged by its newest model, one of all its references first.

        `otherwise` is called where it has none.
        """

        def choose() -> None:
            facts = self.newest_of(self._references.current)
            if facts is None:
                otherwise()
            else:
                self.use(facts)

        self.refresh(choose)

    def newest_of(self, current: ReferenceSet | None) -> ModelFacts | None:
        """Return the model that a set is best judged by, None where none was trained for it."""
        if current is None:
            return None
        own = [m.facts for m in self.models if m.facts is not None and _is_own(m.facts, current)]
        whole = (facts for facts in own if changes_since(facts, current).are_none)
        return next(whole, next(iter(own), None))

    def delete(self, name: str) -> None:
        """Delete a model; one that a set is judged by stays, and that is said."""
        users = self.used_by(name)
        if users:
            self.noticed.emit(
                f"{users[0]} is judged by this model; choose another recipe or model there first."
            )
            return

        def delete(store: Store) -> tuple[ListedModel, ...]:
            files = _files(store)
            files.delete(name)
            return files.list()

        self._ask(delete, then=self._take)

    def _take(
        self, models: tuple[ListedModel, ...], then: Callable[[], None] | None = None
    ) -> None:
        self.models = models
        self.changed.emit()
        if then is not None:
            then()


def changes_since(facts: ModelFacts, current: ReferenceSet) -> Changes:
    """Return how a set's references have changed since a model was trained."""
    before = facts.references
    now = frozenset(image.sha256 for image in current.included)
    return Changes(len(now - before), len(before - now))


def _is_own(facts: ModelFacts, current: ReferenceSet) -> bool:
    before = facts.references
    return len(before) - changes_since(facts, current).removed >= _OWN_SHARE * len(before) > 0


def _files(store: Store) -> ModelFiles:
    return ModelFiles(models_beside(store.workspace.features_folder))
