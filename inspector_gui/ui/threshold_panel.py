"""The limit under a slider, with the scores it divides behind it."""

from PySide6.QtWidgets import QWidget

from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.theme import Theme


class ThresholdPanel(Card):
    """Drag to try a limit out, release to save it."""

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Threshold", parent)
