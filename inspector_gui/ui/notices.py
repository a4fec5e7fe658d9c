"""The strip above the picture that says in words what went wrong; never in the way."""

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from inspector_gui.ui.card import label

_SHOWN_MS = 20_000


class NoticeStrip(QFrame):
    """Shows the newest sentence until it is dismissed or has been there for twenty seconds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.text = label("", "")
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.text.setAccessibleName(self.tr("Notice"))
        sign = label("!", "warn")
        sign.setStyleSheet("font-weight: 600;")
        self.dismiss_button = QPushButton(self.tr("Dismiss"))
        self.dismiss_button.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(sign)
        row.addWidget(self.text, 1)
        row.addWidget(self.dismiss_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        self.hide()

    def show_sentence(self, sentence: str) -> None:
        """Show a sentence in place of the one before."""
        self.text.setText(sentence)
        self.show()
        self._timer.start()
