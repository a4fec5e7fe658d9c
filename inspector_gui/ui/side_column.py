"""A column beside what matters: it scrolls where it is long, and is as wide as its content."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QScrollArea, QWidget


class SideColumn(QScrollArea):
    """Shows a widget at its narrowest, `least` pixels at least, with room for the scroll bar."""

    def __init__(self, content: QWidget, least: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least, self._content = least, content
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(least)
        self.setWidget(content)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest and watched is self._content:
            narrowest = self._content.minimumSizeHint().width()
            room = self.verticalScrollBar().sizeHint().width()
            self.setFixedWidth(max(self._least, narrowest + room))
        return super().eventFilter(watched, event)
