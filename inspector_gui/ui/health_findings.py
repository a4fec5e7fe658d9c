"""The tab "Findings": suspects, duplicates, leaks and mixed pictures, one at a time to look at."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from inspector_gui.core.types import Purpose, ReferenceImage
from inspector_gui.ui.card import Card
from inspector_gui.ui.health_facts import Facts, Finding, Kind
from inspector_gui.ui.health_pictures import PicturesBeside
from inspector_gui.ui.health_rows import Row, RowList
from inspector_gui.ui.health_tab import HealthTab, Place, button, hint_label, wrapped

_LIST_WIDTH = 250
_KINDS = (Kind.SUSPECT, Kind.DUPLICATES, Kind.LEAK, Kind.MIXED, Kind.UNCOMPARED)


class FindingsTab(HealthTab):
    """Findings of one kind on the left, the chosen one in large on the right."""

    found_fine = Signal(str)
    """The content hash of a suspect that a person says is good."""

    def __init__(self, place: Place, parent: QWidget | None = None) -> None:
        super().__init__(place, parent)
        self._facts: Facts | None = None
        self._findings: tuple[Finding, ...] = ()
        self.kind = Kind.SUSPECT
        self.list = RowList(place.thumbnails, place.theme, self.tr("Findings"), self)
        self.list.setFixedWidth(_LIST_WIDTH)
        self.pictures = PicturesBeside(place.session, place.theme, self)
        self.sentence = wrapped()
        self.nothing = hint_label()
        self._make_chips()
        self._make_buttons()
        self._lay_out()
        self.list.currentRowChanged.connect(self._show_chosen)

    def _make_chips(self) -> None:
        self.chips: dict[Kind, QPushButton] = {}
        self._group = QButtonGroup(self)
        for kind in _KINDS:
            chip = QPushButton()
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setProperty("role", "chip")
            chip.setToolTip(self._words(kind)[1])
            self._group.addButton(chip)
            self.chips[kind] = chip
        self.chips[self.kind].setChecked(True)
        self._group.buttonClicked.connect(self._on_chip)

    def _words(self, kind: Kind) -> tuple[str, str, str]:
        """Return the name of a kind, what it is, and what is said where there is none."""
        return {
            Kind.SUSPECT: (
                self.tr("Suspects"),
                self.tr("References that stand out from the others"),
                self.tr("No reference stands out from the others."),
            ),
            Kind.DUPLICATES: (
                self.tr("Duplicates"),
                self.tr("References that show the same part"),
                self.tr("Every reference shows another part."),
            ),
            Kind.LEAK: (
                self.tr("In two groups"),
                self.tr("The same part as a reference and for validation, or as a bad part"),
                self.tr("No part is in two groups."),
            ),
            Kind.MIXED: (
                self.tr("Mixed"),
                self.tr("Several sizes, or pictures of one place that look different"),
                self.tr("All pictures are of one size, and no place looks different."),
            ),
            Kind.UNCOMPARED: (
                self.tr("Not compared"),
                self.tr("Pictures whose features could not be computed"),
                self.tr("All pictures could be compared."),
            ),
        }[kind]

    def _make_buttons(self) -> None:
        tr = self.tr
        self.exclude_button = button(
            tr("Exclude"), tr("Leave it out; it stays in the set (Delete)"), self.exclude_selected
        )
        self.fine_button = button(
            tr("It is fine"), tr("Do not show this suspect any more"), self.say_fine
        )
        self.bad_button = button(
            tr("Known bad"), tr("It is a bad part: check the limit with it"), self.move_to_bad
        )
        self.keep_button = button(
            tr("Keep the first"),
            tr("Leave out the doubles; the one that was added first stays (Delete)"),
            self.exclude_selected,
        )
        self.keep_all_button = button(
            tr("Keep the first of all groups"),
            tr("Leave out the doubles of every group in the list"),
            self.exclude_all_doubles,
        )
        self.exclude_reference_button = button(
            tr("Exclude the reference"),
            tr("Leave the reference out; the other picture stays (Delete)"),
            self.exclude_selected,
        )
        self.exclude_other_button = button(
            tr("Exclude the other"),
            tr("Leave out the picture that is no reference"),
            self.exclude_other,
        )
        self.grid_button = button(
            tr("Show in the grid"), tr("Select these pictures in the main window"), self._to_grid
        )
        self._buttons = {
            Kind.SUSPECT: (
                self.exclude_button, self.fine_button, self.bad_button, self.grid_button,
            ),
            Kind.DUPLICATES: (self.keep_button, self.keep_all_button, self.grid_button),
            Kind.LEAK: (
                self.exclude_reference_button, self.exclude_other_button, self.grid_button,
            ),
            Kind.MIXED: (self.grid_button,),
            Kind.UNCOMPARED: (self.exclude_button, self.grid_button),
        }  # fmt: skip

    def _lay_out(self) -> None:
        chips = QHBoxLayout()
        chips.setSpacing(6)
        for chip in self.chips.values():
            chips.addWidget(chip)
        chips.addStretch(1)
        self._detail = Card("")
        self._detail.title.hide()
        self._detail.remark.hide()
        self._detail.body.addWidget(self.pictures, 1)
        self._detail.body.addWidget(self.sentence)
        row = QHBoxLayout()
        row.setSpacing(6)
        made = dict.fromkeys(b for buttons in self._buttons.values() for b in buttons)
        for one in made:
            row.addWidget(one)
            one.hide()
        row.addStretch(1)
        self._detail.body.addLayout(row)
        body = QHBoxLayout()
        body.setSpacing(8)
        body.addWidget(self.list)
        body.addWidget(self._detail, 1)
        body.addWidget(self.nothing, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(chips)
        column.addLayout(body, 1)

    @property
    def finding(self) -> Finding | None:
        """The finding that is looked at."""
        row = self.list.currentRow()
        return self._findings[row] if 0 <= row < len(self._findings) else None

    def refresh(self, facts: Facts | None) -> None:
        """Show what is found now; the chosen finding stays chosen, or the next one is."""
        self._facts = facts
        for kind, chip in self.chips.items():
            count = 0 if facts is None else facts.count(kind)
            chip.setText(f"{self._words(kind)[0]} {count}" if facts else self._words(kind)[0])
            chip.setVisible(kind is not Kind.UNCOMPARED or bool(count))
        if self.kind is Kind.UNCOMPARED and self.chips[self.kind].isHidden():
            self.show_kind(Kind.SUSPECT)
        self._list(() if facts is None else facts.of(self.kind))

    def show_kind(self, kind: Kind) -> None:
        """List the findings of a kind."""
        self.kind = kind
        self.chips[kind].setChecked(True)
        self._list(() if self._facts is None else self._facts.of(kind))

    def exclude_selected(self) -> None:
        """Leave out the suspect, the doubles of the group, or the reference of a pair."""
        if (finding := self.finding) is None:
            return
        match finding.kind:
            case Kind.SUSPECT:
                reason = self.tr("suspect: {}").format(finding.detail)
                self.exclude(finding.images, reason)
            case Kind.DUPLICATES:
                self._exclude_doubles([finding])
            case Kind.LEAK:
                other = finding.images[1]
                reason = self.tr("same part as {}, {}").format(other.name, other.purpose)
                self.exclude(finding.images[:1], reason)
            case Kind.UNCOMPARED:
                self.exclude(finding.images, self.tr("could not be compared"))
            case _:
                return

    def say_fine(self) -> None:
        """Do not list this suspect any more."""
        if (finding := self.finding) is not None and finding.kind is Kind.SUSPECT:
            self.found_fine.emit(finding.images[0].sha256)

    def move_to_bad(self) -> None:
        """Let the suspect be a known bad part."""
        if (finding := self.finding) is not None and finding.kind is Kind.SUSPECT:
            self.place.commands.set_purpose(finding.images, Purpose.BAD)

    def exclude_all_doubles(self) -> None:
        """Leave out the doubles of all groups, as one step."""
        if self.kind is Kind.DUPLICATES:
            self._exclude_doubles(self._findings)

    def exclude_other(self) -> None:
        """Leave out the picture of a pair that is no reference."""
        if (finding := self.finding) is not None and finding.kind is Kind.LEAK:
            reference, other = finding.images
            reason = self.tr("same part as the reference {}").format(reference.name)
            self.exclude([other], reason)

    def _exclude_doubles(self, findings: Sequence[Finding]) -> None:
        doubles: list[ReferenceImage] = []
        for finding in findings:
            doubles += finding.images[1:]
        names = [finding.images[0].name for finding in findings]
        of = names[0] if len(names) == 1 else self.tr("another reference")
        self.exclude(doubles, self.tr("double of {}").format(of))

    def _to_grid(self) -> None:
        if (finding := self.finding) is not None:
            self.grid_requested.emit(finding.images)

    def _on_chip(self, chip: QPushButton) -> None:
        self.show_kind(next(kind for kind, own in self.chips.items() if own is chip))

    def _list(self, findings: tuple[Finding, ...]) -> None:
        before, row, shown = self.finding, self.list.currentRow(), self._findings
        self._findings = findings
        kept = [n for n, f in enumerate(findings) if before and f.images == before.images]
        is_same_kind = bool(shown and findings) and shown[0].kind is findings[0].kind
        at = kept[0] if kept else min(max(row, 0), len(findings) - 1) if is_same_kind else 0
        rows = [Row(f.images[0].sha256, f.title, f.detail) for f in findings]
        self.list.show_rows(rows, at if findings else -1)
        self._show_chosen()

    def _show_chosen(self) -> None:
        finding = self.finding
        self.list.setVisible(bool(self._findings))
        self._detail.setVisible(finding is not None)
        self.nothing.setVisible(finding is None)
        waiting = self.tr("Findings follow as soon as the set has been looked at.")
        is_known = self._facts is not None and not self._facts.unseen
        self.nothing.setText(f"✓ {self._words(self.kind)[2]}" if is_known else waiting)
        if finding is None:
            return
        self.sentence.setText(finding.sentence)
        self.pictures.show_pictures(finding.beside)
        for one in {b for buttons in self._buttons.values() for b in buttons}:
            one.setVisible(one in self._buttons[finding.kind])
        self.keep_all_button.setVisible(finding.kind is Kind.DUPLICATES and len(self._findings) > 1)
        if finding.kind is Kind.DUPLICATES:
            count = len(finding.images) - 1
            text = self.tr("Keep the first, exclude the other {}") if count > 1 else ""
            self.keep_button.setText(
                text.format(count) or self.tr("Keep the first, exclude the other")
            )
        if finding.kind is Kind.LEAK:
            is_bad = finding.images[1].purpose is Purpose.BAD
            other = self.tr("known bad") if is_bad else self.tr("validation")
            self.exclude_other_button.setText(self.tr("Exclude the {} picture").format(other))
