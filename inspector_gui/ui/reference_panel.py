"""The left dock: reference sets, their pictures, and whether parts can be judged by them."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.theme import Theme


class ReferencePanel(Card):
    """Sets and their pictures."""

    reference_opened = Signal(object)

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("Reference sets", parent)
        self._session, self._commands, self._theme = session, commands, theme

    def choose_images(self) -> None: ...
    def choose_folder(self) -> None: ...
    def edit_new_name(self) -> None: ...
    def edit_rename(self) -> None: ...
    def edit_duplicate(self) -> None: ...
    def delete_set(self) -> None: ...
    def exclude_selected(self) -> None: ...
    def include_selected(self) -> None: ...
