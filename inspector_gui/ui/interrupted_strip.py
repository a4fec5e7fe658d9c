"""The strip in the main window that offers to go on with a training that was interrupted."""

from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QWidget

from inspector_gui.session.training import TrainingDesk
from inspector_gui.session.training_values import TrainingState
from inspector_gui.ui.card import label
from inspector_gui.ui.health_tab import button


class InterruptedStrip(QFrame):
    """Stays until one of its buttons was pressed; nothing waits for it."""

    def __init__(self, desk: TrainingDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self._desk = desk
        self.text = label("", "")
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.resume_button = button(
            self.tr("Go on"), self.tr("Go on with it from its last checkpoint"), desk.resume
        )
        self.discard_button = button(
            self.tr("Discard"), self.tr("Remove it; nothing of it is kept"), desk.discard
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self.text, 1)
        row.addWidget(self.resume_button)
        row.addWidget(self.discard_button)
        desk.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        self.text.setText(self._desk.reason)
        self.setVisible(self._desk.state is TrainingState.INTERRUPTED)
