"""The line of reference sets: which one is current, and new, renamed, copied and deleted ones."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.session import Session
from inspector_gui.ui.card import label
from inspector_gui.ui.commands import Commands

_LONGEST_NAME = 80


class NameEdit(QWidget):
    """A name, typed in place: Enter takes it, Esc does not; a refused one stays with the reason."""

    named = Signal(str)
    left = Signal()

    def __init__(self, refuse: Callable[[str], str], parent: QWidget) -> None:
        super().__init__(parent)
        self._refuse = refuse
        self.line = QLineEdit()
        self.line.setMaxLength(_LONGEST_NAME)
        self.line.setAccessibleName(self.tr("Name of the reference set"))
        self.line.setToolTip(self.tr("Enter: take the name, Esc: leave everything as it is"))
        self.reason = label("", "bad")
        self.reason.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.reason)
        self.line.returnPressed.connect(self._on_return)
        self.line.textChanged.connect(self._on_edited)
        self.hide()

    def begin(self, name: str, placeholder: str) -> None:
        """Let a name be typed, `name` to begin with."""
        self.line.setPlaceholderText(placeholder)
        self.line.setText(name)
        self.line.selectAll()
        self._say("")
        self.show()
        self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _on_return(self) -> None:
        name = self.line.text().strip()
        reason = self._refuse(name)
        self._say(reason)
        if not reason:
            self.named.emit(name)

    def _on_edited(self) -> None:
        self._say("")

    def _say(self, reason: str) -> None:
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))


class SetBar(QWidget):
    """Chooses the current set and changes the list of sets."""

    def __init__(self, session: Session, commands: Commands, parent: QWidget) -> None:
        super().__init__(parent)
        self._references = session.references
        self._commands = commands
        self._edited: Callable[[str], object] = self._references.create
        self._keeps_own_name = False
        self.combo = QComboBox()
        self.combo.setAccessibleName(self.tr("Reference set"))
        self.combo.setToolTip(self.tr("The reference set that parts are judged by"))
        self.combo.setPlaceholderText(self.tr("No set yet"))
        self.combo.setMinimumContentsLength(6)
        policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.combo.setSizeAdjustPolicy(policy)
        self.more = QToolButton()
        self.more.setText("…")
        self.more.setAccessibleName(self.tr("Change the list of sets"))
        self.more.setToolTip(self.tr("New, rename, duplicate, delete"))
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self)
        self.menu.addAction(self.tr("New set…"), self.edit_new_name)
        self._of_a_set = [
            self.menu.addAction(self.tr("Rename…"), self.edit_rename),
            self.menu.addAction(self.tr("Duplicate…"), self.edit_duplicate),
            self.menu.addAction(self.tr("Delete"), self.delete_set),
        ]
        self.more.setMenu(self.menu)
        self.name_edit = NameEdit(self._reason_against, self)
        self._lay_out()
        self.combo.activated.connect(self._on_activated)
        self.name_edit.named.connect(self._on_named)
        self.name_edit.left.connect(self._end_edit)
        self._references.sets_changed.connect(self.refresh)
        self._references.current_changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self._row = QWidget()
        row = QHBoxLayout(self._row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.combo, 1)
        row.addWidget(self.more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._row)
        layout.addWidget(self.name_edit)

    def refresh(self) -> None:
        """Show the sets there are and which one is current."""
        sets, current = self._references.sets, self._references.current
        self.combo.blockSignals(True)
        self.combo.clear()
        for known in sets:
            self.combo.addItem(known.name, known.id)
        self.combo.setCurrentIndex(-1 if current is None else self.combo.findData(current.id))
        self.combo.blockSignals(False)
        self.combo.setEnabled(bool(sets))
        for action in self._of_a_set:
            action.setEnabled(current is not None)

    def edit_new_name(self) -> None:
        """Let the name of a new set be typed."""
        self._begin(self._references.create, "", self.tr("Name of the new set"))

    def edit_rename(self) -> None:
        """Let another name of the current set be typed."""
        current = self._references.current
        if current is not None:
            self._begin(self._rename(current.id), current.name, self.tr("New name"), own=True)

    def edit_duplicate(self) -> None:
        """Let the name of a copy of the current set be typed."""
        current = self._references.current
        if current is not None:
            name = self._references.free_name(self.tr("Copy of {}").format(current.name))
            self._begin(self._duplicate(current.id), name, self.tr("Name of the copy"))

    def delete_set(self) -> None:
        """Delete the current set; undo brings it back."""
        current = self._references.current
        if current is not None:
            self._commands.delete_set(current.id)

    def _rename(self, set_id: int) -> Callable[[str], object]:
        return lambda name: self._commands.rename_set(set_id, name)

    def _duplicate(self, set_id: int) -> Callable[[str], object]:
        return lambda name: self._references.duplicate(set_id, name)

    def _begin(
        self, take: Callable[[str], object], name: str, placeholder: str, *, own: bool = False
    ) -> None:
        self._edited, self._keeps_own_name = take, own
        self._row.hide()
        self.name_edit.begin(name, placeholder)

    def _end_edit(self) -> None:
        self.name_edit.hide()
        self._row.show()
        self.combo.setFocus(Qt.FocusReason.OtherFocusReason)

    def _reason_against(self, name: str) -> str:
        if not name:
            return self.tr("A set needs a name.")
        current = self._references.current
        own = current.id if current is not None and self._keeps_own_name else None
        for known in self._references.sets:
            if known.id != own and known.name.casefold() == name.casefold():
                return self.tr("There is a set called {} already; choose another name.").format(
                    known.name
                )
        return ""

    def _on_named(self, name: str) -> None:
        take = self._edited
        self._end_edit()
        take(name)

    def _on_activated(self, row: int) -> None:
        self._references.select(self.combo.itemData(row))
