"""A line of the form of a training: what it is, its value, and whether that is the preset's."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from inspector_gui.core.errors import KnownError
from inspector_gui.ui.card import label, set_role
from inspector_gui.ui.training_words import value_words

_FIELD_WIDTH = 136
_NAME_WIDTH = 168
_RESET_WIDTH = 50
_MOST_LETTERS = 24  # of a number; what is typed is told in sentences
_LONG = 14  # letters that the usual width has no room for


class ChoiceField(QComboBox):
    """A choice that the wheel does not change while somebody scrolls past it."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class FieldRow(QWidget):
    """One value. `example` gives its type; with `choices` it is one of them, else it is typed.

    A value that is not the preset's is marked, and one press brings that one back.
    """

    changed = Signal()

    def __init__(
        self,
        name: str,
        text: str,
        tip: str,
        *,
        example: object,
        choices: Sequence[object] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name, self._text, self._tip = name, text, tip
        self._example, self._preset = example, example
        self.field = self._made(choices)
        self.field.setAccessibleName(text)
        self.text = label(text, "")
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.reset_button = QToolButton()
        self.reset_button.setText(self.tr("Reset"))
        self.reset_button.setProperty("role", "reset")
        self.reset_button.clicked.connect(self.reset)
        keeps = self.reset_button.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self.reset_button.setSizePolicy(keeps)
        self.reset_button.setFixedWidth(_RESET_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.text, 1)
        row.addWidget(self.reset_button)
        row.addWidget(self.field)
        self._mark()

    def _made(self, choices: Sequence[object]) -> QCheckBox | QComboBox | QLineEdit:
        if isinstance(self._example, bool):
            box = QCheckBox()
            box.toggled.connect(self._on_changed)
            box.setFixedWidth(_FIELD_WIDTH)
            return box
        if choices:
            choice = ChoiceField()
            choice.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            for value in choices:
                choice.addItem(value_words(value), value)
            choice.currentIndexChanged.connect(self._on_changed)
            longest = max(len(str(value)) for value in choices)
            choice.setFixedWidth(_NAME_WIDTH if longest > _LONG else _FIELD_WIDTH)
            return choice
        typed = QLineEdit()
        typed.setMaxLength(_MOST_LETTERS)
        typed.setFixedWidth(_FIELD_WIDTH)
        typed.textChanged.connect(self._on_changed)
        return typed

    @property
    def value(self) -> object:
        """What is chosen; raises `KnownError` where what was typed is no such value."""
        if isinstance(self.field, QCheckBox):
            return self.field.isChecked()
        if isinstance(self.field, QComboBox):
            return self.field.currentData()
        text = self.field.text().strip()
        try:
            return int(text) if isinstance(self._example, int) else float(text)
        except ValueError:
            kind = self.tr("a whole number")
            if not isinstance(self._example, int):
                kind = self.tr("a number")
            raise KnownError(
                self.tr("{} is {}, not “{}”.").format(self._text, kind, text)
            ) from None

    @property
    def is_changed(self) -> bool:
        """Whether the value is another one than the preset's."""
        try:
            return self.value != self._preset
        except KnownError:
            return True

    def show_value(self, value: object, *, preset: object) -> None:
        """Show a value, and mark it where the preset has another one."""
        self._preset = preset
        self._show(value)
        self._mark()

    def reset(self) -> None:
        """Take the preset's value."""
        self._show(self._preset)

    def _show(self, value: object) -> None:
        if isinstance(self.field, QCheckBox):
            self.field.setChecked(bool(value))
        elif isinstance(self.field, QComboBox):
            if self.field.findData(value) < 0:
                self.field.addItem(value_words(value), value)
            self.field.setCurrentIndex(self.field.findData(value))
        else:
            self.field.setText(f"{value:g}" if isinstance(value, float) else str(value))

    def _on_changed(self) -> None:
        self._mark()
        self.changed.emit()

    def _mark(self) -> None:
        is_changed = self.is_changed
        self.reset_button.setVisible(is_changed)
        set_role(self.text, "changed" if is_changed else "")
        tip = f"{self._text}: {self._tip}"
        if is_changed:
            tip += " " + self.tr("(the preset has {})").format(value_words(self._preset))
        for widget in (self, self.field):
            widget.setToolTip(tip)
        self.reset_button.setToolTip(self.tr("Back to {}").format(value_words(self._preset)))
