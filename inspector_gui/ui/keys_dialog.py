"""The list of all keys, made from the table of actions."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QFormLayout, QWidget

from inspector_gui import __version__
from inspector_gui.ui.card import label


def show_keys(parent: QWidget, actions: Iterable[QAction]) -> None:
    """List the keys of `actions` in a window that stays beside its parent."""
    dialog = QDialog(parent)
    dialog.setWindowTitle(parent.tr("Keys"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    form = QFormLayout(dialog)
    form.addRow(label(parent.tr("hold Space"), "title"), label(parent.tr("Hide the overlay"), ""))
    for action in actions:
        if not action.shortcut().isEmpty():
            form.addRow(label(action.shortcut().toString(), "title"), label(action.text(), ""))
    form.addRow(label(f"Inspector {__version__}", "small"))
    dialog.show()
