"""The centre: the open part's picture, what the machine saw in it, and what it decided."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.theme import Theme


class HeatmapPanel(Card):
    """Shows `session.history.part`; pictures dropped on it are checked."""

    demo_requested = Signal()
    add_requested = Signal()
    retry_requested = Signal()
    open_requested = Signal()

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__("", parent)

    def show_refusal(self, text: str) -> None:
        """Say why the workspace could not be opened."""

    def paste(self) -> None:
        """Check what is on the clipboard."""

    def fit(self) -> None:
        """Show the whole picture."""

    def peek(self) -> None:
        """Hide the overlay until Space is released."""

    def toggle_overlay(self) -> None:
        """Hide or show the overlay for good."""
