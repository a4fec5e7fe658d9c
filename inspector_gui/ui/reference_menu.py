"""The context menu of the reference grid: what can be done with the selected pictures."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from inspector_gui.core.types import Purpose, ReferenceImage


class ReferenceMenu(QMenu):
    """Purposes, exclusion with its reason, and inclusion of some pictures."""

    purpose_given = Signal(object)
    """The `Purpose` for the pictures."""
    excluded = Signal(str)
    """The reason to leave them out, "" for none."""
    included = Signal()

    def __init__(self, selected: Sequence[ReferenceImage], parent: QWidget) -> None:
        super().__init__(parent)
        self._means: dict[QAction, Purpose | str | None] = {}  # a property would make them text
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        purposes = {
            Purpose.REFERENCE: self.tr("Reference good\t1"),
            Purpose.VALIDATION: self.tr("Validation good\t2"),
            Purpose.BAD: self.tr("Known bad\t3"),
        }
        for purpose, text in purposes.items():
            action = self._add(self, text, purpose)
            has_it = all(i.included and i.purpose is purpose for i in selected)
            action.setCheckable(True)
            action.setChecked(has_it)
            action.setEnabled(not has_it)
        self.addSeparator()
        exclude = self._add(self, self.tr("Exclude\tDel"), "")
        because = self.addMenu(self.tr("Exclude because"))
        for reason in (
            self.tr("shows a defect"),
            self.tr("blurred or badly lit"),
            self.tr("is there twice"),
        ):
            self._add(because, reason, reason)
        include = self._add(self, self.tr("Include again\tIns"), None)
        any_included = any(image.included for image in selected)
        exclude.setEnabled(any_included)
        because.setEnabled(any_included)
        include.setEnabled(not all(image.included for image in selected))
        self.triggered.connect(self._on_triggered)

    def _add(self, menu: QMenu, text: str, means: Purpose | str | None) -> QAction:
        action = menu.addAction(text)
        self._means[action] = means
        return action

    def _on_triggered(self, action: QAction) -> None:
        means = self._means[action]
        if isinstance(means, Purpose):
            self.purpose_given.emit(means)
        elif means is None:
            self.included.emit()
        else:
            self.excluded.emit(means)
