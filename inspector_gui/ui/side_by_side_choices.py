"""What is compared: which methods, on which parts; and in short what came of each method."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from inspector_gui.core.sets.side_by_side import (
    FEWEST_METHODS,
    MOST_PARTS,
    Contender,
    SideBySide,
    tally,
)
from inspector_gui.core.types import Progress
from inspector_gui.session import Session
from inspector_gui.ui.before_after import milliseconds
from inspector_gui.ui.card import Card
from inspector_gui.ui.elided import ElidedLabel
from inspector_gui.ui.health_tab import StudyLine, button, wrapped
from inspector_gui.ui.side_by_side_offers import Known, Offer, in_order


class MethodsLine(StudyLine):
    """How far a comparison is, method by method: "PatchCore: 12 of 60 parts"."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        words = self.tr("Comparing methods")
        super().__init__(session, "side_by_side", words, parent, is_narrow=True)

    def in_words(self, progress: Progress) -> str:
        return f"{progress.what} ·" if progress.total else progress.what


class MethodsCard(Card):
    """A box for each method that is offered."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("Methods"))
        self.boxes: dict[str, QCheckBox] = {}
        self._offers: tuple[Offer, ...] = ()
        self._column = QVBoxLayout()
        self._column.setSpacing(4)
        self.body.addLayout(self._column)

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """The methods that are chosen."""
        chosen = {key: box.isChecked() for key, box in self.boxes.items()}
        return in_order(chosen, self._offers)

    def offer(self, offers: Sequence[Offer]) -> None:
        """Offer methods; those that were chosen stay so, at first the first two and models are."""
        before = {key: box.isChecked() for key, box in self.boxes.items()}
        is_first = not before
        self._offers = tuple(offers)
        names = {offer.key: offer for offer in offers}
        for key in [key for key in self.boxes if key not in names]:
            self._take_out(key)
        for place, offer in enumerate(offers):
            box = self.boxes.get(offer.key)
            if box is None:
                box = self.boxes[offer.key] = QCheckBox()
                box.setChecked(is_first and place < FEWEST_METHODS)
                box.toggled.connect(self.changed)
            self._column.removeWidget(box)
            self._column.insertWidget(place, box)
            is_own = offer.contender.is_own
            name = offer.contender.name
            box.setText(self.tr("{} (this set's recipe)").format(name) if is_own else name)
            box.setToolTip(offer.tip)
        self.changed.emit()

    def _take_out(self, key: str) -> None:
        box = self.boxes.pop(key)
        self._column.removeWidget(box)
        box.hide()
        box.deleteLater()


class PartsCard(Card):
    """Which pictures are compared."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("Parts"))
        self.folder: Path | None = None
        self.inspected, self.validation, self.bad = QCheckBox(), QCheckBox(), QCheckBox()
        self.folder_button = button(
            self.tr("Folder…"), self.tr("Compare on the pictures in a folder, too"), self._choose
        )
        self.folder_name = ElidedLabel("small", mode=Qt.TextElideMode.ElideLeft)
        self.forget_button = button(
            self.tr("✕"), self.tr("Leave the folder out"), lambda: self.set_folder(None)
        )
        self.forget_button.setAccessibleName(self.tr("Leave the folder out"))
        for box in (self.inspected, self.validation, self.bad):
            box.setChecked(True)
            box.toggled.connect(self.changed)
            self.body.addWidget(box)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.folder_button)
        row.addWidget(self.folder_name, 1)
        row.addWidget(self.forget_button)
        self.body.addLayout(row)
        self.set_folder(None)
        self.show_counts(0, 0, 0)

    def show_counts(self, inspected: int, validation: int, bad: int) -> None:
        """Say how many pictures there are of each kind; a kind without any cannot be chosen."""
        texts = (
            (self.inspected, self.tr("Inspected parts"), inspected, self.tr("the newest {}")),
            (self.validation, self.tr("Validation good"), validation, self.tr("{} of them")),
            (self.bad, self.tr("Known bad"), bad, self.tr("{} of them")),
        )
        for box, words, count, cut in texts:
            said = f"{count:,}"
            if count > MOST_PARTS:
                said = f"{said}, {cut.format(MOST_PARTS)}"
            box.setText(f"{words} ({said})")
            box.setEnabled(count > 0)
            box.setToolTip(self.tr("At most {} pictures are compared").format(MOST_PARTS))
        self.changed.emit()

    def is_wanted(self, box: QCheckBox) -> bool:
        """Whether pictures of a kind are there and chosen."""
        return box.isEnabled() and box.isChecked()

    @property
    def has_any(self) -> bool:
        """Whether any picture is chosen."""
        boxes = (self.inspected, self.validation, self.bad)
        return self.folder is not None or any(self.is_wanted(box) for box in boxes)

    def set_folder(self, folder: Path | None) -> None:
        """Compare on the pictures in a folder, too; None: on no folder."""
        self.folder = folder
        self.folder_name.setText("" if folder is None else str(folder))
        self.forget_button.setVisible(folder is not None)
        self.changed.emit()

    def _choose(self) -> None:
        dialog = QFileDialog(self, self.tr("Compare on the pictures in a folder"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.set_folder(Path(name)))
        dialog.open()


class OutcomeCard(Card):
    """A few lines for each method: what it failed, how often it was wrong, how long it took."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.title.setText(self.tr("What each method says"))
        self.lines: dict[str, str] = {}
        """What is said by the method's name, for tests and screen readers."""
        self._column = QVBoxLayout()
        self._column.setSpacing(6)
        self.body.addLayout(self._column)
        self.hide()

    def show_result(self, found: SideBySide | None, known: Mapping[str, Known]) -> None:
        """Show what came of a comparison; without one the card is not seen."""
        self.setVisible(found is not None)
        is_bad = {key: one.is_bad for key, one in known.items() if one.is_bad is not None}
        methods = () if found is None else found.methods
        lines = {}
        for number, ran in enumerate(methods):
            assert found is not None
            said = ran.failure or self._in_words(found, number, is_bad)
            lines[ran.contender.name] = said
        if lines == self.lines:
            return
        self.lines = lines
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for ran in methods:
            text = wrapped("bad" if ran.failure else "small")
            text.setText(lines[ran.contender.name])
            if ran.limits is not None:
                text.setToolTip(self._about(ran.limits.rule, ran.among))
            name = wrapped("title")
            name.setText(ran.contender.name)
            self._column.addWidget(name)
            self._column.addWidget(text)

    def _in_words(self, found: SideBySide, method: int, is_bad: Mapping[str, bool]) -> str:
        tr, counts = self.tr, tally(found, method, is_bad)
        words = [tr("{} of {} fail").format(counts.failed, counts.judged)]
        ran = found.methods[method]
        if ran.seconds is not None:
            words.append(tr("{} a part").format(milliseconds(ran.seconds)))
        lines = [" · ".join(words)]
        if counts.good:
            lines.append(tr("false alarms: {} of {} good").format(counts.false_alarms, counts.good))
        if counts.bad:
            lines.append(tr("missed: {} of {} bad").format(counts.missed, counts.bad))
        return "\n".join(lines)

    def _about(self, rule: str, among: int) -> str:
        return self.tr(
            "Limit: {}.\nCompared with {} references.\nThe time is the median for features and "
            "score, beside what else this computer did."
        ).format(rule, among)
