"""The open part's picture, beside it its nearest references, its regions and the colour scale.

While a place of it is explained, the part and a reference share the room in equal halves.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from inspector_gui.core.types import RGB
from inspector_gui.ui.card import label
from inspector_gui.ui.colour_scale import ColourScale
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.picture_view import PictureView
from inspector_gui.ui.region_list import RegionList
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
        self.regions = RegionList(self)
        self.own_caption = ElidedLabel("small", parent=self)
        self.match = ReferencePane(theme, self)
        self.match.view.box.setMouseEnabled(True, True)
        self.match.view.setAccessibleName(self.tr("The reference that came closest"))
        self.strip: QWidget | None = None
        """What stands below the pair while a place is explained."""
        for widget in (self.regions, self.own_caption, self.match):
            widget.hide()
        self.remark: QLabel = label("", "small")
        self.remark.setParent(self)
        self.remark.setWordWrap(True)
        self.sentence: QLabel = sentence_label()
        self.sentence.setParent(self)
        self._shown = 1
        self._has_sentence = False
        self.view.moved.connect(self._on_moved)

    def arrange(self, *, references: int, has_scale: bool, remark: str, sentence: str) -> None:
        """Choose what is shown: how many references, the scale or a remark in its place.

        A `sentence` stands in place of everything else.
        """
        self._shown, self._has_sentence = references, bool(sentence)
        self._show_beside()
        self.scale.setVisible(has_scale and not sentence)
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark) and not sentence)
        self.view.setVisible(not sentence)
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))
        self.place()

    def compare(self, strip: QWidget | None) -> None:
        """Give the part and `match` equal halves over a strip; None: as before."""
        self.strip = strip
        if strip is not None:
            strip.setParent(self)
            strip.setVisible(True)
        for widget in (self.own_caption, self.match):
            widget.setVisible(strip is not None)
        self._show_beside()
        self.place()

    def show_regions(self, lines: Sequence[str]) -> None:
        """List the part's regions, one line each."""
        was_shown = self.regions.count()
        self.regions.show_lines(lines)
        self._show_beside()
        if was_shown != len(lines):
            self.place()

    def _show_beside(self) -> None:
        is_alone = self.strip is not None or self._has_sentence
        for number, pane in enumerate(self.references):
            pane.setVisible(number < self._shown and not is_alone)
        self.regions.setVisible(bool(self.regions.count() and self._shown) and not is_alone)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place()

    def _on_moved(self, part: QRectF) -> None:
        for pane in self.references:
            if not pane.isHidden():
                pane.view.is_fitted = self.view.is_fitted
                pane.view.show_part(part)

    def place(self) -> None:
        """Lay everything out; compares how large the picture gets either way."""
        width, height = self.width(), self.height()
        self.sentence.setGeometry(self.rect().adjusted(width // 8, 0, -width // 8, 0))
        scale_width = 0 if self.scale.isHidden() else self.scale.sizeHint().width() + _GAP
        inner = width - scale_width
        self.scale.setGeometry(width - scale_width + _GAP, 0, max(0, scale_width - _GAP), height)
        if self.strip is not None:
            self._place_pair(QRect(0, 0, inner, height), self.strip)
            return
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

    def _place_pair(self, room: QRect, strip: QWidget) -> None:
        """Part and reference side by side, or one above the other where both get larger so."""
        low = min(strip.sizeHint().height(), room.height() // 2)
        strip.setGeometry(room.x(), room.y() + room.height() - low, room.width(), low)
        wide, high = room.width(), room.height() - low - _GAP // 2
        aspect = 1.0
        if self.view.size_shown is not None:
            aspect = self.view.size_shown[0] / self.view.size_shown[1]
        line = _LABEL_PX + 2
        beside = min((wide - _GAP) / 2 / aspect, high - line)
        stacked = min(wide / aspect, (high - _GAP) / 2 - line)
        is_row = beside >= stacked
        size = QSize((wide - _GAP) // 2, high) if is_row else QSize(wide, (high - _GAP) // 2)
        own = QRect(room.topLeft(), size)
        step = QPoint(size.width() + _GAP, 0) if is_row else QPoint(0, size.height() + _GAP)
        self.own_caption.setGeometry(own.x(), own.y(), own.width(), _LABEL_PX)
        self.view.setGeometry(own.adjusted(0, line, 0, 0))
        self.match.setGeometry(own.translated(step))
        self.remark.setGeometry(0, 0, 0, 0)

    def _place_remark(self, room: QRect) -> int:
        """Give the picture its room, less a line for the remark; return its right edge."""
        line = 0 if self.remark.isHidden() else self.remark.heightForWidth(room.width()) + 4
        self.view.setGeometry(room.adjusted(0, 0, 0, -line))
        self.remark.setGeometry(room.x(), room.y() + room.height() - line, room.width(), line)
        return room.x() + room.width()

    def _place_references(self, room: QRect, *, is_row: bool) -> None:
        count = self._shown
        listed = 0 if self.regions.isHidden() else self.regions.sizeHint().height()
        if listed and is_row:
            wide = min(self.regions.sizeHint().width(), room.width() // 2)
            self.regions.setGeometry(room.right() - wide + 1, room.y(), wide, room.height())
            room = room.adjusted(0, 0, -wide - _GAP, 0)
        elif listed:
            listed = min(listed, room.height() // 2)
            room = room.adjusted(0, 0, 0, -listed - _GAP)
        each_width = (room.width() - (count - 1) * _GAP) // count if is_row else room.width()
        each_height = room.height() if is_row else (room.height() - (count - 1) * _GAP) // count
        for number, pane in enumerate(self.references[:count]):
            left = room.x() + (number * (each_width + _GAP) if is_row else 0)
            top = room.y() + (0 if is_row else number * (each_height + _GAP))
            tall = each_height if is_row else min(each_height, self._height_for(pane, each_width))
            pane.setGeometry(left, top, each_width, tall)
        if listed and not is_row:
            top = self.references[count - 1].geometry().bottom() + 1 + _GAP
            self.regions.setGeometry(room.x(), top, room.width(), listed)

    def _height_for(self, pane: ReferencePane, width: int) -> int:
        """Return the height of a pane that its picture fills."""
        size = pane.view.size_shown or self.view.size_shown or (1, 1)
        return round(width * size[1] / size[0]) + _LABEL_PX + 2


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
