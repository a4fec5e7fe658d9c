"""What is said below a part and the reference it was compared with, and the next candidates."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from inspector_gui.ui.elided import ElidedLabel

MOST_CANDIDATES = 6
_THUMBNAIL_PX = 48
_LEAST_TEXT_PX = 150


class WhyStrip(QWidget):
    """Shows what it is told; says which candidate is wanted, and when enough has been seen."""

    chosen = Signal(int)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline = ElidedLabel("heading")
        self.details = ElidedLabel("small")
        self.candidates = [QToolButton() for _ in range(MOST_CANDIDATES)]
        self._group = QButtonGroup(self)
        self._names: tuple[str, ...] = ()
        text = QVBoxLayout()
        text.setContentsMargins(0, 0, 0, 0)
        text.setSpacing(2)
        text.addStretch(1)
        text.addWidget(self.headline)
        text.addWidget(self.details)
        text.addStretch(1)
        self.close_button = QToolButton()
        self.close_button.setText("✕")
        self.close_button.setAccessibleName(self.tr("Close the explanation"))
        self.close_button.setToolTip(self.tr("Close the explanation (Esc or W)"))
        self.close_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 0)
        row.setSpacing(4)
        row.addLayout(text, 1)
        for number, button in enumerate(self.candidates):
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setIconSize(QSize(_THUMBNAIL_PX, _THUMBNAIL_PX))
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setProperty("role", "candidate")
            self._group.addButton(button, number)
            row.addWidget(button)
        row.addWidget(self.close_button)
        self.setMinimumWidth(_LEAST_TEXT_PX)
        self._group.idClicked.connect(self.chosen)
        self.close_button.clicked.connect(self.closed)

    def say(self, headline: str, details: str) -> None:
        """Show a headline and the lines below it."""
        self.headline.setText(headline)
        self.details.setText(details)

    def show_candidates(self, names: Sequence[str], distances: Sequence[str]) -> None:
        """Offer references by their names and distances, the first one chosen."""
        self._names = tuple(names)
        for number, button in enumerate(self.candidates):
            button.setVisible(number < len(names))
            button.setIcon(QIcon())
            if number < len(names):
                button.setText(distances[number])
                button.setToolTip(f"{number + 1}. {names[number]} · {distances[number]}")
                button.setAccessibleName(f"{names[number]}, {distances[number]}")
        if names:
            self.candidates[0].setChecked(True)

    def set_thumbnail(self, number: int, pixmap: QPixmap) -> None:
        """Show the picture of a candidate, its middle as a square."""
        side = min(pixmap.width(), pixmap.height())
        left, top = (pixmap.width() - side) // 2, (pixmap.height() - side) // 2
        self.candidates[number].setIcon(QIcon(pixmap.copy(left, top, side, side)))
