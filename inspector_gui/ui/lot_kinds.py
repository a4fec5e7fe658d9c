"""The kinds of references: a picture, a name, how many there are, and how many a lot has."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from inspector_gui.core.lots.model import LARGEST_LOT
from inspector_gui.session import Session
from inspector_gui.session.lot_values import ReferenceKind
from inspector_gui.ui.card import label
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.number_field import NumberField
from inspector_gui.ui.thumbnails import Thumbnails

_SIDE = 32
_FIELD_WIDTH = 58


class KindCounts(QWidget):
    """A line a kind. `edited` says that a person changed how many a lot has."""

    edited = Signal()

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._thumbnails = Thumbnails(session, self)
        self._kinds: tuple[ReferenceKind, ...] | None = None
        self._pictures: dict[str, list[QLabel]] = {}
        self.fields: dict[str, NumberField] = {}
        self.is_editable = False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.total = label("", "title")
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._thumbnails.arrived.connect(self._on_arrived)

    @property
    def values(self) -> dict[str, int]:
        """How many of each kind a lot has."""
        return {kind: field.value() for kind, field in self.fields.items()}

    def show_kinds(self, kinds: Sequence[ReferenceKind], counts: Mapping[str, int] | None) -> None:
        """Show kinds; with `counts` these can be edited."""
        is_editable = counts is not None
        if tuple(kinds) != self._kinds or is_editable != self.is_editable:
            self._kinds, self.is_editable = tuple(kinds), is_editable
            self._lay_out()
        for kind, field in self.fields.items():
            with QSignalBlocker(field):
                field.setValue((counts or {}).get(kind, 1))
        self._show_total()

    def _lay_out(self) -> None:
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                if widget is not self.total:
                    widget.deleteLater()
        self._pictures, self.fields = {}, {}
        kinds = self._kinds or ()
        if not kinds:
            return
        self._grid.addWidget(label(self.tr("Kind"), "small"), 0, 0, 1, 2)
        self._grid.addWidget(_right(label(self.tr("Have"), "small")), 0, 2)
        if self.is_editable:
            self._grid.addWidget(_right(label(self.tr("In a lot"), "small")), 0, 3)
        for row, kind in enumerate(kinds, start=1):
            self._add(row, kind)
        if self.is_editable:
            self._grid.addWidget(self.total, len(kinds) + 1, 0, 1, 4)
            self.total.show()

    def _add(self, row: int, kind: ReferenceKind) -> None:
        picture = QLabel()
        picture.setFixedSize(QSize(_SIDE, _SIDE))
        self._grid.addWidget(picture, row, 0)
        if kind.example is not None:
            self._pictures.setdefault(kind.example, []).append(picture)
            self._show_picture(kind.example)
        name = ElidedLabel("", mode=Qt.TextElideMode.ElideMiddle)
        name.setText(kind.name)
        self._grid.addWidget(name, row, 1)
        have = "?" if kind.references is None else str(kind.references)
        self._grid.addWidget(_right(label(have, "muted")), row, 2)
        if not self.is_editable:
            return
        name_of_field = self.tr("{} in a lot").format(kind.name)
        field = NumberField(0, LARGEST_LOT, name=name_of_field)
        field.setFixedWidth(_FIELD_WIDTH)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.valueChanged.connect(self._on_edited)
        self._grid.addWidget(field, row, 3)
        self.fields[kind.name] = field

    def _show_picture(self, sha256: str) -> None:
        pixmap = self._thumbnails.get(sha256)
        if pixmap is not None:
            for picture in self._pictures.get(sha256, ()):
                picture.setPixmap(_square(pixmap))

    def _on_arrived(self, hashes: frozenset[str]) -> None:
        for sha256 in hashes & self._pictures.keys():
            self._show_picture(sha256)

    def _on_edited(self) -> None:
        self._show_total()
        self.edited.emit()

    def _show_total(self) -> None:
        count = sum(self.values.values())
        parts = self.tr("1 part in a lot") if count == 1 else self.tr("{} parts in a lot")
        self.total.setText(parts.format(count))


def _right(widget: QLabel) -> QLabel:
    widget.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return widget


def _square(pixmap: QPixmap) -> QPixmap:
    side = min(pixmap.width(), pixmap.height())
    left, top = (pixmap.width() - side) // 2, (pixmap.height() - side) // 2
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.KeepAspectRatio
    return pixmap.copy(left, top, side, side).scaled(_SIDE, _SIDE, keep, smooth)
