"""One lot: its decision in large letters, why, its parts, and how often each kind is there."""

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.lots.result import KindCount, LotResult
from inspector_gui.core.types import InspectionRow, Outcome
from inspector_gui.session.lot_values import Lot
from inspector_gui.ui.card import label, set_role
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.lot_list import multiple_text
from inspector_gui.ui.lot_members import ROW_ROLE, LotMembers, LotMembersModel
from inspector_gui.ui.theme import OUTCOME_SIGNS, OUTCOME_WORDS, VERDICT_PX, Theme

_SENTENCE_PX = 16
_ROLES = {Outcome.PASS: "good", Outcome.UNSURE: "warn", Outcome.FAIL: "bad"}


class LotView(QFrame):
    """Shows what it is told; without a lot the hint says what to do."""

    part_chosen = Signal(int)
    """The id of a part that somebody wants to look at."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", True)
        self.word = QLabel()
        font = QFont(self.font())
        font.setPixelSize(VERDICT_PX)
        font.setWeight(QFont.Weight.DemiBold)
        self.word.setFont(font)
        self.word.setAccessibleName(self.tr("Decision on the lot"))
        self.multiple = label("", "heading")
        self.name = ElidedLabel("muted", mode=Qt.TextElideMode.ElideMiddle)
        self.name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.sentence = label("", "")
        self.sentence.setWordWrap(True)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.hint = label("", "muted")
        large = QFont(self.font())
        large.setPixelSize(_SENTENCE_PX)
        self.hint.setFont(large)
        self.sentence.setFont(large)
        self.hint.setWordWrap(True)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._members_model = LotMembersModel(self)
        self.members = LotMembers(self._members_model, theme, self)
        self.kinds = KindTable()
        self._lay_out()
        self.members.activated.connect(self._on_activated)
        self.show_lot(None, "")

    def _lay_out(self) -> None:
        self._of_a_lot = QWidget()
        column = QVBoxLayout(self._of_a_lot)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.word)
        head.addWidget(self.multiple)
        head.addWidget(self.name, 1)
        column.addLayout(head)
        column.addWidget(self.sentence)
        column.addWidget(self.members, 1)
        table = QScrollArea()
        table.setWidgetResizable(True)
        table.setFrameShape(QScrollArea.Shape.NoFrame)
        table.setWidget(self.kinds)
        for widget in (table.viewport(), self.kinds):  # the card shows through
            widget.setAutoFillBackground(False)
        table.setMinimumHeight(120)
        self._table = table
        column.addWidget(table, 1)
        self._rest = QWidget()
        column.addWidget(self._rest, 1)
        body = QVBoxLayout(self)
        body.setContentsMargins(14, 8, 12, 12)
        body.addWidget(self._of_a_lot, 1)
        body.addWidget(self.hint, 1)

    def show_lot(self, lot: Lot | None, hint: str) -> None:
        """Show a lot, or `hint` where there is none."""
        self._of_a_lot.setVisible(lot is not None)
        self.hint.setVisible(lot is None)
        self.hint.setText(hint)
        self._members_model.show_lot(lot)
        result = None if lot is None else lot.result
        self.kinds.show_result(result)
        self._table.setVisible(result is not None)
        self._rest.setVisible(result is None)
        if lot is None:
            return
        self.name.setText(lot.name)
        self.sentence.setText(lot.sentence)
        if result is None:
            self.word.setText(self.tr("NOT JUDGED") if lot.is_complete else self.tr("INCOMPLETE"))
            self.multiple.setText("")
            set_role(self.word, "muted")
            return
        self.word.setText(f"{OUTCOME_SIGNS[result.outcome]} {OUTCOME_WORDS[result.outcome]}")
        self.multiple.setText(multiple_text(result.multiple))
        set_role(self.word, _ROLES[result.outcome])

    def _on_activated(self, index: QModelIndex) -> None:
        row: InspectionRow | None = index.data(ROW_ROLE)
        if row is not None:
            self.part_chosen.emit(row.id)


class KindTable(QWidget):
    """Kinds of parts: how many a usual lot has, how many this one, and whether that is odd."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 8, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(4, 1)
        self._grid.setColumnMinimumWidth(0, 150)
        self._shown: tuple[object, ...] = ()
        self._rows = 0
        self.marks: dict[str, str] = {}
        """What is said of each kind, for screen readers and tests."""

    def show_result(self, result: LotResult | None) -> None:
        """Show the kinds of a lot; the odd ones first."""
        kinds = () if result is None else result.kinds
        unknown = 0 if result is None else result.unknown
        shown = (*kinds, unknown)
        if shown == self._shown:
            return
        self._shown = shown
        while self._grid.count():
            item = self._grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._grid.setRowStretch(self._rows, 0)
        self._rows = 0
        self.marks = {}
        if result is None:
            return
        titles = (self.tr("Kind"), self.tr("Expected"), self.tr("Found"), "")
        self._add(titles, "small")
        for kind in sorted(kinds, key=lambda k: not (k.is_over or k.is_under)):
            mark, role = self._mark(kind)
            self.marks[kind.kind] = mark
            self._add((kind.kind, kind.range, str(kind.found), mark), role)
        if unknown:
            mark = self.tr("? unlike every reference")
            self.marks[""] = mark
            self._add((self.tr("unknown"), "0", str(unknown), mark), "bad")
        self._grid.setRowStretch(self._rows, 1)

    def _add(self, texts: tuple[str, ...], role: str) -> None:
        for column, text in enumerate(texts):
            is_number = column in (1, 2)
            cell = label(text, role if role == "small" or column >= 2 else "")
            side = Qt.AlignmentFlag.AlignRight if is_number else Qt.AlignmentFlag.AlignLeft
            cell.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            cell.setTextFormat(Qt.TextFormat.PlainText)
            self._grid.addWidget(cell, self._rows, column)
        self._rows += 1

    def _mark(self, kind: KindCount) -> tuple[str, str]:
        if kind.is_over:
            return self.tr("▲ too many"), "bad"
        if kind.is_under and kind.found == 0:
            return self.tr("▼ missing"), "bad"
        if kind.is_under:
            return self.tr("▼ too few"), "bad"
        return self.tr("✓ as expected"), "good"
