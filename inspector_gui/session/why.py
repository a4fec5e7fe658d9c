"""Why the open part was flagged: what is asked of the engine, and what it answered."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.types import Outcome, Part
from inspector_gui.session.history import History
from inspector_gui.session.references import ReferenceSets
from inspector_gui.workers.engine import Engine
from inspector_gui.workers.explaining import Answer, Question

_Point = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Why:
    """What is known of a place of a part: nothing yet, an `Answer`, or a sentence instead.

    `point` lies in the part's picture (x, y in its pixels), None for the whole part.
    """

    part: Part
    point: _Point | None
    answer: Answer | None = None
    sentence: str = ""


class WhyDesk(QObject):
    """One question at a time; answers to any but the last one are dropped."""

    changed = Signal(object)
    """The `Why` that is shown now, None for none."""

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
        self._numbers = count(1)
        self._number = 0
        self.why: Why | None = None
        engine.explained.connect(self._on_explained)
        history.opened.connect(self._on_opened)
        references.current_changed.connect(self._ask_again)
        references.images_changed.connect(self._ask_again)

    def ask(self, point: _Point | None) -> None:
        """Find out why the open part is as far from normal as it is at a point of its picture.

        None asks about the whole part, which is what methods without a map compare. The view stays
        with this part from now on.
        """
        part = self._history.part
        if part is None:
            return
        self._history.follow(False)
        current, folder = self._references.current, self._features_folder()
        sentence = self._why_not(part)
        if sentence or part.image is None or current is None or folder is None:
            self._engine.explain(None)
            self._number = 0
            self._show(Why(part, point, sentence=sentence or "No reference set is open."))
            return
        self._number = next(self._numbers)
        self._engine.explain(
            Question(
                number=self._number,
                image=part.image,
                point=point,
                nearest=part.nearest,
                fingerprint=current.fingerprint,
                features_folder=folder,
            )
        )
        self._show(Why(part, point))

    def close(self) -> None:
        """Show nothing, and want no answer any more."""
        if self.why is not None:
            self._number = 0
            self._engine.explain(None)
            self._show(None)

    def _why_not(self, part: Part) -> str:
        """Return why a part cannot be explained, "" where it can."""
        current = self._references.current
        if part.row.outcome is Outcome.ERROR:
            return "This part could not be read, so it was compared with nothing."
        if part.image is None:
            return "The picture of this part is no longer there, so it cannot be compared again."
        if current is None or current.scoring.key != part.scoring.key:
            return "This part was scored in another way; check the picture again to see why."
        return ""

    def _show(self, why: Why | None) -> None:
        self.why = why
        self.changed.emit(why)

    @Slot(object)
    def _on_explained(self, answer: Answer) -> None:
        if self.why is not None and answer.number == self._number:
            self._show(Why(self.why.part, self.why.point, answer, answer.sentence))

    @Slot(object)
    def _on_opened(self, part: Part | None) -> None:
        if self.why is not None and (part is None or part.row.id != self.why.part.row.id):
            self.close()

    @Slot()
    def _ask_again(self) -> None:
        """Ask the gallery as it is now; the answer of the one before no longer counts."""
        if self.why is None:
            return
        current = self._references.current
        if current is None or current.id != self.why.part.row.set_id:
            self.close()
        else:
            self.ask(self.why.point)
