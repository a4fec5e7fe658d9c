"""The review card: inspected parts, worst first, and a person's verdicts."""

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from inspector_gui.core.types import InspectionRow, Part, Verdict
from inspector_gui.session import Session
from inspector_gui.ui.card import Card
from inspector_gui.ui.commands import Commands
from inspector_gui.ui.review_list import ReviewList
from inspector_gui.ui.review_model import ENTRY_ROLE, InspectionModel, Queue
from inspector_gui.ui.theme import Theme

_KEYS = {
    Qt.Key.Key_A: Verdict.ACCEPT,
    Qt.Key.Key_U: Verdict.UNSURE,
    Qt.Key.Key_R: Verdict.REJECT,
}
_Flag = QItemSelectionModel.SelectionFlag


class ReviewPanel(Card):
    """The queue of parts. Moving in it opens parts and never judges them."""

    def __init__(
        self, session: Session, commands: Commands, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("Review"))
        self._session, self._commands = session, commands
        self._opened_id: int | None = None
        self._is_following = False
        self._selected_before: list[int] = []
        self._scrolled_before = 0
        self.model = InspectionModel(session.history, self)
        self.list = ReviewList(self.model, theme, self)
        self.chips: dict[Queue, QPushButton] = {}
        self.buttons: dict[Verdict, QPushButton] = {}
        self._lay_out()
        self._connect()
        self._on_reset()

    def _lay_out(self) -> None:
        self.list.setAccessibleName(self.tr("Inspected parts"))
        self.body.addLayout(self._chip_row())
        self.body.addWidget(self.list, 1)
        self.body.addLayout(self._button_row())

    def _chip_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        group = QButtonGroup(self)
        tips = {
            Queue.FLAGGED: self.tr("Parts that failed or are unsure, worst first"),
            Queue.UNREVIEWED: self.tr("Flagged parts without a verdict, newest first"),
            Queue.ALL: self.tr("All parts, newest first"),
            Queue.ERRORS: self.tr("Files that could not be judged, newest first"),
        }
        for queue, tip in tips.items():
            chip = self.chips[queue] = QPushButton()
            chip.setCheckable(True)
            chip.setChecked(queue is Queue.FLAGGED)
            chip.setProperty("role", "chip")
            chip.setProperty("queue", queue)
            chip.setStyleSheet("padding: 3px 4px; font-size: 12px;")
            chip.setToolTip(tip)
            group.addButton(chip)
            row.addWidget(chip, 1)
        group.buttonClicked.connect(self._on_chip)
        return row

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        tips = {
            Verdict.ACCEPT: self.tr("Accept: the part is good (A)"),
            Verdict.UNSURE: self.tr("Unsure: somebody else should look at the part (U)"),
            Verdict.REJECT: self.tr("Reject: the part is bad (R)"),
        }
        for verdict, tip in tips.items():
            button = self.buttons[verdict] = QPushButton()
            button.setProperty("role", verdict.value)
            button.setProperty("verdict", verdict)
            button.setStyleSheet("padding-left: 2px; padding-right: 2px;")
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setToolTip(tip)
            button.clicked.connect(self._on_verdict_clicked)
            row.addWidget(button, 1)
        return row

    def _connect(self) -> None:
        history = self._session.history
        history.reset.connect(self._on_reset)
        history.added.connect(self._on_added)
        history.changed.connect(self._on_changed)
        history.opened.connect(self._on_opened)
        self._session.limits.previewed.connect(self._on_previewed)
        self.model.modelAboutToBeReset.connect(self._remember_selection)
        self.model.modelReset.connect(self._restore_selection)
        selection = self.list.selectionModel()
        selection.currentChanged.connect(self._on_current_changed)
        selection.selectionChanged.connect(self._on_selection_changed)
        self.list.clicked.connect(self._open_by_hand)

    # Verbs

    def selected_ids(self) -> tuple[int, ...]:
        """Return the parts that are selected, from the top; else the one that is open."""
        rows = sorted(self.list.selectionModel().selectedIndexes(), key=lambda index: index.row())
        if rows:
            return tuple(index.data(ENTRY_ROLE).row.id for index in rows)
        part = self._session.history.part
        return () if part is None else (part.row.id,)

    def judge(self, verdict: Verdict) -> None:
        """Give the selected parts a verdict, or the open one where none is selected."""
        self._commands.judge(self.selected_ids(), verdict)

    def next_part(self) -> None:
        """Open the part below."""
        self._step(1)

    def previous_part(self) -> None:
        """Open the part above."""
        self._step(-1)

    def next_unreviewed(self) -> None:
        """Open the next part that waits for a verdict."""
        found = self.model.next_unreviewed(self._opened_id)
        if found is None:
            self._session.notice(self.tr("No part waits for a verdict."))
            return
        if not self.model.index_of(found).isValid():
            self.show_queue(Queue.UNREVIEWED)
        self._open(found)
        self._select(found)

    def show_queue(self, queue: Queue) -> None:
        """List other parts."""
        self.chips[queue].setChecked(True)
        self.model.list_queue(queue)
        self.model.keep_open(self._opened_id)
        if self._opened_id is not None:
            self._select(self._opened_id)
        self._refresh()

    def _step(self, by: int) -> None:
        count = self.model.rowCount()
        if not count:
            return
        here = None if self._opened_id is None else self.model.index_of(self._opened_id)
        row = here.row() + by if here is not None and here.isValid() else 0
        index = self.model.index(min(max(row, 0), count - 1))
        row_id = index.data(ENTRY_ROLE).row.id
        self._open(row_id)
        self._select(row_id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        verdict = _KEYS.get(Qt.Key(event.key()))
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if verdict is not None and plain and not event.isAutoRepeat():
            self.judge(verdict)
        else:
            super().keyPressEvent(event)

    # Opening and following

    def _open(self, row_id: int) -> None:
        """Look at a part because the operator wants to, and stay there."""
        self._session.history.follow(False)
        if row_id != self._opened_id:
            self._opened_id = row_id
            self._session.history.open(row_id)
            self.model.keep_open(row_id)

    def _select(self, row_id: int) -> None:
        """Show which part is open, without opening it again."""
        index = self.model.index_of(row_id)
        self._is_following = True
        selection = self.list.selectionModel()
        if index.isValid():
            selection.setCurrentIndex(index, _Flag.ClearAndSelect)
            self.list.scrollTo(index)
        else:
            selection.clear()
        self._is_following = False
        self._refresh_buttons()

    def _open_by_hand(self, index: QModelIndex) -> None:
        if index.isValid():
            self._open(index.data(ENTRY_ROLE).row.id)

    def _on_current_changed(self, current: QModelIndex, _: QModelIndex) -> None:
        if not self._is_following and not self.model.is_changing:
            self._open_by_hand(current)

    def _on_selection_changed(self, _: QItemSelection, __: QItemSelection) -> None:
        if not self._is_following:
            self._refresh_buttons()

    def _on_opened(self, part: Part | None) -> None:
        self._opened_id = None if part is None else part.row.id
        self.model.keep_open(self._opened_id)
        if self._opened_id is None:
            self._refresh()
        elif self._current_id() != self._opened_id:
            self._select(self._opened_id)
        else:
            self._refresh_buttons()

    def _current_id(self) -> int | None:
        current = self.list.currentIndex()
        return current.data(ENTRY_ROLE).row.id if current.isValid() else None

    def _remember_selection(self) -> None:
        selected = self.list.selectionModel().selectedIndexes()
        self._selected_before = [index.data(ENTRY_ROLE).row.id for index in selected]
        self._scrolled_before = self.list.verticalScrollBar().value()

    def _restore_selection(self) -> None:
        self._is_following = True
        selection = self.list.selectionModel()
        if self._opened_id is not None:
            index = self.model.index_of(self._opened_id)
            selection.setCurrentIndex(index, _Flag.NoUpdate)
        for row_id in self._selected_before:
            index = self.model.index_of(row_id)
            if index.isValid():
                selection.select(index, _Flag.Select)
        self.list.verticalScrollBar().setValue(self._scrolled_before)
        self._is_following = False

    # What happened

    def _on_reset(self) -> None:
        part = self._session.history.part
        self._opened_id = None if part is None else part.row.id
        self.model.reload()
        self._refresh()

    def _on_added(self, row: InspectionRow) -> None:
        self.model.add(row)
        self._refresh()

    def _on_changed(self, row: InspectionRow) -> None:
        self.model.change(row)
        self._refresh()

    def _on_previewed(self) -> None:
        self.model.judge_again()
        self._refresh()

    def _on_chip(self, chip: QPushButton) -> None:
        self.show_queue(chip.property("queue"))

    def _on_verdict_clicked(self) -> None:
        self.judge(Verdict(self.sender().property("verdict")))

    def _refresh(self) -> None:
        counts = self.model.counts
        words = {
            Queue.FLAGGED: self.tr("Flagged"),
            Queue.UNREVIEWED: self.tr("Unreviewed"),
            Queue.ALL: self.tr("All"),
            Queue.ERRORS: self.tr("Errors"),
        }
        for queue, chip in self.chips.items():
            chip.setText(f"{words[queue]}\n{counts[queue]:,}")
        waiting = counts[Queue.UNREVIEWED]
        self.remark.setText(self.tr("{} to review").format(waiting) if waiting else "")
        self.list.hint = self._hint()
        self._refresh_buttons()

    def _hint(self) -> str:
        if not self.model.counts[Queue.ALL]:
            return self.tr("Inspected parts appear here")
        match self.model.queue:
            case Queue.FLAGGED:
                return self.tr("No part was flagged")
            case Queue.UNREVIEWED:
                return self.tr("Nothing waits for a verdict")
            case _:
                return self.tr("Every file could be judged")

    def _refresh_buttons(self) -> None:
        ids = self.selected_ids()
        entries = [entry for i in ids if (entry := self.model.entry(i)) is not None]
        given = {entry.row.verdict for entry in entries}
        words = {
            Verdict.ACCEPT: (self.tr("Accept"), "A"),
            Verdict.UNSURE: (self.tr("Unsure"), "U"),
            Verdict.REJECT: (self.tr("Reject"), "R"),
        }
        for verdict, button in self.buttons.items():
            word, key = words[verdict]
            is_given = given == {verdict}
            button.setText(f"✓ {word} {key}" if is_given else f"{word}  {key}")
            said = self.tr("this is the verdict now") if is_given else ""
            button.setAccessibleName(f"{word}: {said}" if said else word)
            button.setEnabled(bool(entries))
