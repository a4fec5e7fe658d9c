"""The map of an open part that stage 1 let through: asked of the engine, shown when it comes."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.types import Part
from inspector_gui.session.history import History
from inspector_gui.session.references import ReferenceSets
from inspector_gui.workers.engine import Engine
from inspector_gui.workers.map_on_demand import FoundMap, WantedMap


class MapDesk(QObject):
    """Wants the map of whatever part is open; its decision stays that of stage 1."""

    noticed = Signal(str)

    def __init__(
        self,
        engine: Engine,
        references: ReferenceSets,
        history: History,
        features_folder: Callable[[], Path | None],
    ) -> None:
        super().__init__()
        self._engine = engine
        self._references = references
        self._history = history
        self._features_folder = features_folder
        engine.mapped.connect(self._on_mapped)
        history.opened.connect(self._on_opened)

    @Slot(object)
    def _on_opened(self, part: Part | None) -> None:
        if part is None or not part.row.passed_stage1 or part.image is None:
            return
        current, folder = self._references.current, self._features_folder()
        if part.patches is not None or current is None or folder is None:
            return
        if current.id == part.row.set_id and current.scoring.key == part.scoring.key:
            self._engine.compute_map(
                WantedMap(part.row.id, part.image, current.fingerprint, folder)
            )

    @Slot(object)
    def _on_mapped(self, found: FoundMap) -> None:
        if found.patches is not None:
            self._history.complete(found.row_id, found.patches)
        elif found.sentence:
            self.noticed.emit(found.sentence)
