"""A field for a whole number: typed, or changed by arrow keys and the wheel."""

from PySide6.QtWidgets import QSpinBox

_MARGIN = 8


class NumberField(QSpinBox):
    """Tells a number once it was typed, not every digit of it."""

    def __init__(self, lowest: int, highest: int, *, name: str) -> None:
        super().__init__()
        self.setRange(lowest, highest)
        self.setKeyboardTracking(False)
        self.lineEdit().setTextMargins(_MARGIN, 0, _MARGIN, 0)
        self.lineEdit().setAcceptDrops(False)
        self.setAccessibleName(name)
        self.setToolTip(self.tr("Type a number, or use the arrow keys"))
