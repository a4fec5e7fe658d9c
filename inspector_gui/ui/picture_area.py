"""The open part's picture, beside it its nearest references and the colour scale."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from inspector_gui.core.types import RGB
from inspector_gui.ui.card import label
from inspector_gui.ui.colour_scale import ColourScale
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.picture_view import PictureView
from inspector_gui.ui.start_page import sentence_label
from inspector_gui.ui.theme import Theme

_GAP = 12
_LABEL_PX = 20
_NARROWEST, _WIDEST = 0.24, 0.4
"""Share of the width that the references take where they stand at the right."""
_LOWEST, _HIGHEST = 0.25, 0.4
"""Share of the height that they take where they stand below."""


class ReferencePane(QWidget):
    """A reference under its name, at the zoom of the part."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.caption = ElidedLabel("small", mode=Qt.TextElideMode.ElideMiddle)
        self.caption.setFixedHeight(_LABEL_PX)
        self.view = PictureView(theme)
        self.view.box.setMouseEnabled(False, False)
        self.view.setAccessibleName(self.tr("Nearest reference"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.caption)
        column.addWidget(self.view, 1)

    def show_reference(self, title: str, name: str, picture: RGB | None) -> None:
        """Show a reference; None while its picture is on its way."""
        self.caption.setText(f"{title} · {name}" if name else title)
        self.view.set_picture(picture)


class PictureArea(QWidget):
    """Gives a picture the most room: references at its right, or below a very wide one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = PictureView(theme, self)
        self.view.setAccessibleName(self.tr("Picture of the part"))
        self.view.setToolTip(self.tr("Wheel: zoom · drag: move · double click or F: whole picture"))
        self.references = (ReferencePane(theme, self), ReferencePane(theme, self))
        self.scale = ColourScale(theme, self)
        self.remark: QLabel = label("", "small")
        self.remark.setParent(self)
        self.remark.setWordWrap(True)
        self.sentence: QLabel = sentence_label()
        self.sentence.setParent(self)
        self._shown = 1
        self.view.moved.connect(self._on_moved)

    def arrange(self, *, references: int, has_scale: bool, remark: str, sentence: str) -> None:
        """Choose what is shown: how many references, the scale or a remark in its place.

        A `sentence` stands in place of everything else.
        """
        self._shown = references
        for number, pane in enumerate(self.references):
            pane.setVisible(number < references and not sentence)
        self.scale.setVisible(has_scale and not sentence)
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark) and not sentence)
        self.view.setVisible(not sentence)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place()

    def _on_moved(self, part: QRectF) -> None:
        for pane in self.references:
            if not pane.isHidden():
                pane.view.show_part(part)

    def place(self) -> None:
        """Lay everything out; compares how large the picture gets either way."""
        width, height = self.width(), self.height()
        self.sentence.setGeometry(self.rect().adjusted(width // 8, 0, -width // 8, 0))
        scale_width = 0 if self.scale.isHidden() else self.scale.sizeHint().width() + _GAP
        inner = width - scale_width
        self.scale.setGeometry(width - scale_width + _GAP, 0, max(0, scale_width - _GAP), height)
        if not self._shown:
            self._place_remark(QRect(0, 0, inner, height))
            return
        aspect = 1.0
        if self.view.size_shown is not None:
            aspect = self.view.size_shown[0] / self.view.size_shown[1]
        column = _between(inner - height * aspect - _GAP, inner * _NARROWEST, inner * _WIDEST)
        strip = _between(height - inner / aspect - _GAP, height * _LOWEST, height * _HIGHEST)
        if self._shown > 1:  # no wider than pictures one above the other can fill
            column = min(column, max(inner * _NARROWEST, (height / self._shown) * aspect))
        beside = min((inner - column - _GAP) / aspect, height)
        below = min(inner / aspect, height - strip - _GAP)
        if beside >= below:
            left = self._place_remark(QRect(0, 0, round(inner - column - _GAP), height))
            self._place_references(QRect(left + _GAP, 0, inner - left - _GAP, height), is_row=False)
        else:
            self._place_remark(QRect(0, 0, inner, round(height - strip - _GAP)))
            top = round(height - strip)
            self._place_references(QRect(0, top, inner, height - top), is_row=True)

    def _place_remark(self, room: QRect) -> int:
        """Give the picture its room, less a line for the remark; return its right edge."""
        line = 0 if self.remark.isHidden() else self.remark.heightForWidth(room.width()) + 4
        self.view.setGeometry(room.adjusted(0, 0, 0, -line))
        self.remark.setGeometry(room.x(), room.y() + room.height() - line, room.width(), line)
        return room.x() + room.width()

    def _place_references(self, room: QRect, *, is_row: bool) -> None:
        count = self._shown
        each_width = (room.width() - (count - 1) * _GAP) // count if is_row else room.width()
        each_height = room.height() if is_row else (room.height() - (count - 1) * _GAP) // count
        for number, pane in enumerate(self.references[:count]):
            left = room.x() + (number * (each_width + _GAP) if is_row else 0)
            top = room.y() + (0 if is_row else number * (each_height + _GAP))
            tall = each_height if is_row else min(each_height, self._height_for(pane, each_width))
            pane.setGeometry(left, top, each_width, tall)

    def _height_for(self, pane: ReferencePane, width: int) -> int:
        """Return the height of a pane that its picture fills."""
        size = pane.view.size_shown or self.view.size_shown or (1, 1)
        return round(width * size[1] / size[0]) + _LABEL_PX + 2


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
