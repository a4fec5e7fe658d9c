"""The groups of a reference set as chips: how many each holds, which is shown, where to drop."""

from collections.abc import Mapping

from PySide6.QtCore import QPoint, QRectF, QSize, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from inspector_gui.ui.badges import badge_icon
from inspector_gui.ui.reference_model import Group
from inspector_gui.ui.theme import Theme

_ICON = 14
_AROUND_TEXT = 12
"""Pixels of a chip's border and padding, left and right together."""
_AFTER_ICON = 6
_COLUMNS = 2


class GroupChip(QPushButton):
    """A group and its count; pressed, the grid shows this group alone."""

    def __init__(self, group: Group, words: tuple[str, str], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.shows = group
        self.count = 0
        self._words = words
        self._theme = theme
        self._is_target = False
        self.setCheckable(True)
        self.setProperty("role", "chip")
        self.setStyleSheet("padding-left: 5px; padding-right: 5px;")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setIconSize(QSize(_ICON, _ICON))
        self._draw_icon()
        theme.changed.connect(self._draw_icon)

    def show_count(self, count: int) -> None:
        """Say how many there are; an empty group is dimmed and cannot be pressed."""
        self.count = count
        self.setEnabled(count > 0)
        self.setAccessibleName(f"{self._words[0]} {count}")
        self._fit_text()

    def mark_target(self, is_target: bool) -> None:
        """Show whether what is dragged would land here."""
        if is_target != self._is_target:
            self._is_target = is_target
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_text()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._is_target:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._theme.colours.accent), 3))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 6, 6)

    def _fit_text(self) -> None:
        """Use the short word where the long one would be cut."""
        font = self.font()
        font.setBold(True)  # as wide as it becomes when it is pressed
        icon = 0 if self.icon().isNull() else _ICON + _AFTER_ICON
        room = self.width() - _AROUND_TEXT - icon
        long, short = (f"{word} {self.count}" for word in self._words)
        fits = QFontMetrics(font).horizontalAdvance(long) <= room
        self.setText(long if fits else short)

    def _draw_icon(self) -> None:
        colours, ratio = self._theme.colours, self.devicePixelRatioF()
        self.setIcon(badge_icon(self.shows, colours, side=_ICON, ratio=ratio))


class GroupChips(QWidget):
    """The four groups in two rows."""

    chosen = Signal(object)
    """The `Group` to show alone, None for all of them."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        tr = self.tr
        words = {
            Group.GOOD: (tr("Good"), tr("Good")),
            Group.VALIDATION: (tr("Validation"), tr("Valid.")),
            Group.BAD: (tr("Bad"), tr("Bad")),
            Group.EXCLUDED: (tr("Excluded"), tr("Out")),
        }
        self._tips = {
            Group.GOOD: tr("Good parts that others are compared with (key 1)"),
            Group.VALIDATION: tr("V: good parts that check the limit (key 2)"),
            Group.BAD: tr("✕: parts known to be bad, which check the limit (key 3)"),
            Group.EXCLUDED: tr("Left out, with the reason (Del; Ins counts them in again)"),
        }
        self.chips = {group: GroupChip(group, words[group], theme, self) for group in Group}
        self._is_wanted = True
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for number, chip in enumerate(self.chips.values()):
            layout.addWidget(chip, *divmod(number, _COLUMNS))
            chip.clicked.connect(self._on_clicked)

    def show_counts(self, counts: Mapping[Group, int], shown: Group | None) -> None:
        """Show how many pictures the groups hold and which group is shown alone."""
        for group, chip in self.chips.items():
            chip.show_count(counts.get(group, 0))
            chip.setChecked(group is shown)
            what = (
                self.tr("Click: show all again") if chip.isChecked() else self.tr("Click: filter")
            )
            drag = self.tr("Drop pictures here to move them")
            chip.setToolTip(f"{self._tips[group]}\n{what}. {drag}.")

    def set_wanted(self, is_wanted: bool) -> None:
        """Show the chips, or show them only while something is dragged."""
        self._is_wanted = is_wanted
        self.setVisible(is_wanted)

    def begin_drag(self) -> None:
        """Offer the groups as targets."""
        self.show()

    def end_drag(self) -> None:
        """Take the offer back."""
        self.mark_target(None)
        self.setVisible(self._is_wanted)

    def mark_target(self, target: Group | None) -> None:
        """Show in which group what is dragged would land."""
        for group, chip in self.chips.items():
            chip.mark_target(group is target)

    def group_at(self, point: QPoint) -> Group | None:
        """Return the group at a point of this widget."""
        if not self.isVisible():
            return None
        return next((g for g, chip in self.chips.items() if chip.geometry().contains(point)), None)

    def _on_clicked(self, checked: bool) -> None:
        chip = self.sender()
        assert isinstance(chip, GroupChip)
        self.chosen.emit(chip.shows if checked else None)
