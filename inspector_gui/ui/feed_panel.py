"""The feed's card: where parts come from, and how it is doing."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.theme import Theme


class FeedPanel(Card):
    """Source, start, pause, stop."""

    recent_changed = Signal(object)

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("Feed", parent)
        self._session, self._theme = session, theme

    def set_recent(self, recent: Sequence[str]) -> None: ...
    def choose_folder(self) -> None: ...
    def enter_camera(self) -> None: ...
    def start(self) -> None: ...
    def toggle_pause(self) -> None: ...
    def stop(self) -> None: ...
