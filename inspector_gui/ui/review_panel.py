"""The review card: inspected parts, worst first, and a person's verdicts."""

from PySide6.QtWidgets import QWidget

from inspector_gui.core.types import Verdict
from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.theme import Theme


class ReviewPanel(Card):
    """The queue of parts."""

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Review", parent)
        self._session, self._commands, self._theme = session, commands, theme

    def next_part(self) -> None: ...
    def previous_part(self) -> None: ...
    def next_unreviewed(self) -> None: ...
    def selected_ids(self) -> tuple[int, ...]:
        return ()

    def judge(self, verdict: Verdict) -> None: ...
