"""What usual lots of the current set look like: built by a study, kept in the workspace."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.model import LotModel, load_model
from inspector_gui.core.types import ReferenceSet
from inspector_gui.session.lot_forming import Forming
from inspector_gui.session.lot_values import (
    KindsFrom,
    LotSettings,
    ReferenceKind,
    UsualFrom,
    kind_rule,
    kinds_of,
    natural,
    pattern_of,
)
from inspector_gui.session.recording import Ask
from inspector_gui.session.references import ReferenceSets
from inspector_gui.session.studies import Studies, Study
from inspector_gui.workers.recorder import Store

STUDY = "lots"


class ModelState(Enum):
    """Whether lots can be judged; stale: by what holds no longer."""

    NONE = auto()
    BUILDING = auto()
    READY = auto()
    STALE = auto()


class UsualLots(QObject):
    """The settings of the lot check and the model that was built with them."""

    changed = Signal()
    """Settings, the state of the model, or the references it is about are others."""
    replaced = Signal()
    """There is another model, or none."""
    progressed = Signal(object)
    """A `Progress` while usual lots are looked at, None when that has ended."""

    def __init__(self, ask: Ask, references: ReferenceSets, studies: Studies) -> None:
        super().__init__()
        self._ask, self._references, self._studies = ask, references, studies
        self.settings = LotSettings()
        self.model: LotModel | None = None
        self.remark = ""
        """Why the last attempt to build failed."""
        self._built_with = self.settings
        self._set_id: int | None = None
        self._study: Study | None = None
        self._building = 0, self.settings
        self._kinds: tuple[ReferenceKind, ...] = ()
        self._kinds_of: object = None
        references.current_changed.connect(self._on_set)
        references.images_changed.connect(self.changed)

    @property
    def state(self) -> ModelState:
        """Whether lots can be judged now, and by what holds now."""
        if self._study is not None:
            return ModelState.BUILDING
        if self.model is None:
            return ModelState.NONE
        is_stale = self.has_other_references or self.has_other_settings
        return ModelState.STALE if is_stale else ModelState.READY

    @property
    def has_other_references(self) -> bool:
        """Whether the model was built from other references, or scored in another way."""
        current = self._references.current
        return self.model is not None and (
            current is None or current.fingerprint != self.model.gallery
        )

    @property
    def has_other_settings(self) -> bool:
        """Whether what makes a usual lot was said differently when the model was built."""
        return self.model is not None and _usual_rule(self.settings) != _usual_rule(
            self._built_with
        )

    @property
    def kinds(self) -> tuple[ReferenceKind, ...]:
        """The kinds of the current references, by name; raises `KnownError` for a bad pattern."""
        current = self._references.current
        if current is None:
            return ()
        key = (current.id, current.fingerprint, *kind_rule(self.settings))
        if key != self._kinds_of:
            self._kinds = kinds_of(current, self.settings)
            self._kinds_of = key
        return self._kinds

    @property
    def counts(self) -> dict[str, int]:
        """How many parts of each kind a drawn lot has: one where the settings say nothing.

        Raises `KnownError` for a bad pattern.
        """
        stated = dict(self.settings.counts)
        return {kind.name: stated.get(kind.name, 1) for kind in self.kinds}

    @property
    def size(self) -> int | None:
        """Number of parts of a usual lot, None until that was built."""
        return None if self.model is None else self.model.size

    def apply(self, settings: LotSettings) -> None:
        """Use other settings; what usual lots look like changes only by `build`."""
        if settings != self.settings:
            self.settings = settings
            self.changed.emit()

    def build(self) -> None:
        """Find out what usual lots look like, in a child process."""
        current = self._references.current
        try:
            parameters = self._parameters(current)
        except KnownError as error:
            self._fail(str(error))
            return
        self.cancel()
        self.remark = ""
        study = self._studies.begin(STUDY, parameters)
        if study is None or current is None:
            self._fail("First add pictures of good parts.")
            return
        self._study = study
        study.progressed.connect(self.progressed)
        study.failed.connect(self._on_failed)
        study.finished.connect(self._on_built)
        self.settings = replace(self.settings, counts=tuple(self.counts.items()))
        self._building = current.id, self.settings
        self.changed.emit()

    def cancel(self) -> None:
        """Stop building; what usual lots looked like before still counts."""
        study, self._study = self._study, None
        if study is not None:
            study.cancel()
            self.progressed.emit(None)
            self.changed.emit()

    def _parameters(self, current: ReferenceSet | None) -> dict[str, Any]:
        settings = self.settings
        for pattern in (settings.kind_pattern, settings.lot_pattern):
            pattern_of(pattern)
        parameters: dict[str, Any] = {
            "kinds": settings.kinds.value,
            "kind_pattern": settings.kind_pattern,
            "clusters": settings.clusters,
            "lots": settings.usual.value,
            "lot_pattern": settings.lot_pattern,
            "every": settings.lot_every,
            "counts": self.counts,
        }
        if settings.usual is UsualFrom.EVERY and current is not None:
            by_age = sorted(current.included, key=lambda image: image.id)
            parameters["order"] = [image.sha256 for image in by_age]
        return parameters

    def _fail(self, sentence: str) -> None:
        self.remark = sentence
        self.changed.emit()

    def start_over(self) -> None:
        """Forget everything: another workspace is opened, whose sets may have the same ids."""
        self._set_id = None
        self.cancel()
        self._take(None)

    def _on_failed(self, sentence: str) -> None:
        self._study = None
        self.progressed.emit(None)
        self._fail(sentence)

    def _on_built(self, found: Mapping[str, Any]) -> None:
        study, self._study = self._study, None
        if study is None:
            return
        set_id, settings = self._building
        self.progressed.emit(None)
        try:
            path = study.folder / found["model"]
            model, data = load_model(path), path.read_bytes()
        except (KnownError, OSError) as error:
            self._fail(str(error))
            return
        kinds = tuple(
            ReferenceKind(kind["kind"], kind["references"], kind["example"])
            for kind in found["kinds"]
        )
        self._kinds = tuple(sorted(kinds, key=lambda kind: natural(kind.name)))
        self._kinds_of = (set_id, model.gallery, *kind_rule(settings))
        self._built_with = settings
        self._take(model)
        facts = {"settings": asdict(settings), "kinds": [asdict(kind) for kind in self._kinds]}

        def keep(store: Store) -> None:
            from inspector_gui.store.files import write_whole

            path = _model_path(store, set_id)
            write_whole(path, data)
            write_whole(path.with_suffix(".json"), json.dumps(facts).encode())

        self._ask(keep)

    def _take(self, model: LotModel | None) -> None:
        self.model = model
        self.replaced.emit()
        self.changed.emit()

    def _on_set(self) -> None:
        current = self._references.current
        set_id = None if current is None else current.id
        if set_id != self._set_id:
            self._set_id = set_id
            self.cancel()
            self.settings, self.remark = LotSettings(), ""
            self._kinds_of = None
            self._take(None)
            if set_id is not None:
                self._ask(
                    lambda store: _remembered(store, set_id),
                    then=lambda found: self._on_remembered(set_id, found),
                )
        self.changed.emit()

    def _on_remembered(self, set_id: int, found: "_Remembered | None") -> None:
        if found is None or set_id != self._set_id or self.model is not None:
            return
        self.settings = self._built_with = found.settings
        self._kinds = found.kinds
        self._kinds_of = (set_id, found.model.gallery, *kind_rule(found.settings))
        self._take(found.model)


@dataclass(frozen=True, eq=False)
class _Remembered:
    model: LotModel
    settings: LotSettings
    kinds: tuple[ReferenceKind, ...]


def _model_path(store: Store, set_id: int) -> Path:
    return store.workspace.folder / "lots" / f"set-{set_id}.npz"


def _remembered(store: Store, set_id: int) -> _Remembered | None:
    """Return what was built for a set before; None where there is nothing that can be read."""
    path = _model_path(store, set_id)
    try:
        facts = json.loads(path.with_suffix(".json").read_bytes())
        given = facts["settings"]
        settings = LotSettings(
            **given
            | {
                "forming": Forming(given["forming"]),
                "kinds": KindsFrom(given["kinds"]),
                "usual": UsualFrom(given["usual"]),
                "counts": tuple((str(kind), int(count)) for kind, count in given["counts"]),
            }
        )
        kinds = tuple(ReferenceKind(**kind) for kind in facts["kinds"])
        return _Remembered(load_model(path), settings, kinds)
    except (OSError, KnownError, ValueError, KeyError, TypeError):
        return None


def _usual_rule(settings: LotSettings) -> LotSettings:
    """Return settings without what does not matter to what usual lots look like."""
    nothing = LotSettings()
    return replace(
        settings,
        forming=nothing.forming,
        every=nothing.every,
        part_pattern=nothing.part_pattern,
        counts=settings.counts if settings.usual is UsualFrom.DRAWN else (),
    )
