"""How lots are formed and what a usual one is: the left side of the lot check."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QWidget,
)

from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.groups import lot_of
from inspector_gui.core.lots.model import LARGEST_LOT
from inspector_gui.core.types import Progress
from inspector_gui.session import Session
from inspector_gui.session.lot_forming import Forming
from inspector_gui.session.lot_values import KindsFrom, UsualFrom, pattern_of
from inspector_gui.session.lots import LotDesk
from inspector_gui.session.usual_lots import ModelState, UsualLots
from inspector_gui.ui.card import Card, label, set_role
from inspector_gui.ui.lot_kinds import KindCounts
from inspector_gui.ui.number_field import NumberField

_MOST_CLUSTERS = 50


class FormingCard(Card):
    """Which parts form a lot."""

    def __init__(self, session: Session, desk: LotDesk, parent: QWidget) -> None:
        super().__init__(self.tr("Which parts form a lot"), parent)
        self._history, self._desk, self._usual = session.history, desk, desk.usual
        self.forming = _choice(
            self.tr("Which parts form a lot"),
            {
                Forming.EVERY: self.tr("Every few parts of the feed"),
                Forming.NAMES: self.tr("Parts whose file names agree"),
                Forming.DROPPED: self.tr("Only what is dropped here"),
            },
        )
        self.every = NumberField(0, LARGEST_LOT, name=self.tr("Parts in a lot"))
        self.every.setSpecialValueText(self.tr("as in a usual lot"))
        self.pattern = _pattern_line(self.tr("Pattern of the lot's number in file names"))
        self.pattern.setPlaceholderText(self.tr("what is before the last _ or -"))
        self.example = label("", "small")
        self.example.setWordWrap(True)
        self.form = QFormLayout()
        self.form.addRow(self.forming)
        self.form.addRow(self.tr("Parts in a lot"), self.every)
        self.form.addRow(self.tr("Number is"), self.pattern)
        self.form.addRow(self.example)
        self.body.addLayout(self.form)
        self.forming.activated.connect(self._on_edited)
        self.every.valueChanged.connect(self._on_edited)
        self.pattern.editingFinished.connect(self._on_edited)
        session.history.reset.connect(self.refresh)
        self._usual.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the settings that hold now."""
        settings = self._usual.settings
        _show_choice(self.forming, settings.forming)
        _show_number(self.every, settings.every)
        _show_line(self.pattern, settings.part_pattern)
        self.form.setRowVisible(self.every, settings.forming is Forming.EVERY)
        by_name = settings.forming is Forming.NAMES
        self.form.setRowVisible(self.pattern, by_name)
        self.form.setRowVisible(self.example, by_name)
        if by_name:
            self._show_example()

    def _show_example(self) -> None:
        if remark := self._desk.pattern_remark:
            self.example.setText(remark)
            set_role(self.example, "bad")
            return
        set_role(self.example, "small")
        newest = next(reversed(self._history.rows), None)
        name = self.tr("4711_front.png") if newest is None else newest.name
        lot = lot_of(name, pattern_of(self._usual.settings.part_pattern))
        said = self.tr("no lot") if lot is None else self.tr("lot {}").format(lot)
        self.example.setText(f"{name} → {said}")

    def _on_edited(self) -> None:
        self._usual.apply(
            replace(
                self._usual.settings,
                forming=Forming(self.forming.currentData()),
                every=self.every.value(),
                part_pattern=self.pattern.text().strip(),
            )
        )


class UsualCard(Card):
    """What a usual lot is, and the button that finds out what it looks like."""

    def __init__(self, session: Session, usual: UsualLots, parent: QWidget) -> None:
        super().__init__(self.tr("What a usual lot is"), parent)
        self._references, self._usual = session.references, usual
        self.source = _choice(
            self.tr("Where usual lots come from"),
            {
                UsualFrom.DRAWN: self.tr("Stated below, drawn from references"),
                UsualFrom.ORIGIN: self.tr("The references of one folder each"),
                UsualFrom.NAMES: self.tr("References whose file names agree"),
                UsualFrom.EVERY: self.tr("Every few references as added"),
            },
        )
        self.lot_every = NumberField(1, LARGEST_LOT, name=self.tr("References in a lot"))
        self.lot_pattern = _pattern_line(self.tr("Pattern of the lot's number in references"))
        self.lot_pattern.setPlaceholderText(self.tr("what is before the last _ or -"))
        self.kinds_from = _choice(
            self.tr("Where kinds come from"),
            {
                KindsFrom.ORIGIN: self.tr("Folder"),
                KindsFrom.NAMES: self.tr("File name"),
                KindsFrom.CLUSTERS: self.tr("Likeness"),
            },
        )
        self.kind_pattern = _pattern_line(self.tr("Pattern of the kind in file names"))
        self.kind_pattern.setPlaceholderText(self.tr("name without its number"))
        self.clusters = NumberField(1, _MOST_CLUSTERS, name=self.tr("Number of kinds"))
        self.counts = KindCounts(session, self)
        self.build_button = QPushButton()
        self.build_button.setProperty("role", "primary")
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.state = label("", "muted")
        self.state.setWordWrap(True)
        self.remarks = label("", "small")
        self.remarks.setWordWrap(True)
        self._lay_out()
        self._connect()
        self.refresh()

    def _lay_out(self) -> None:
        self.form = QFormLayout()
        self.form.addRow(self.source)
        self.form.addRow(self.tr("References in a lot"), self.lot_every)
        self.form.addRow(self.tr("Number is"), self.lot_pattern)
        self.form.addRow(self.tr("Kinds by"), self.kinds_from)
        self.form.addRow(self.tr("Kind is"), self.kind_pattern)
        self.form.addRow(self.tr("Number of kinds"), self.clusters)
        self.body.addLayout(self.form)
        self.body.addWidget(self.counts)
        buttons = QHBoxLayout()
        buttons.addWidget(self.build_button, 1)
        buttons.addWidget(self.progress, 1)
        buttons.addWidget(self.cancel_button)
        self.body.addLayout(buttons)
        self.body.addWidget(self.state)
        self.body.addWidget(self.remarks)

    def _connect(self) -> None:
        for choice in (self.source, self.kinds_from):
            choice.activated.connect(self._on_edited)
        for number in (self.lot_every, self.clusters):
            number.valueChanged.connect(self._on_edited)
        for line in (self.lot_pattern, self.kind_pattern):
            line.editingFinished.connect(self._on_edited)
        self.counts.edited.connect(self._on_edited)
        self.build_button.clicked.connect(self._usual.build)
        self.cancel_button.clicked.connect(self._usual.cancel)
        self._usual.changed.connect(self.refresh)
        self._usual.progressed.connect(self._on_progressed)

    def refresh(self) -> None:
        """Show the settings and the state that hold now."""
        settings, usual = self._usual.settings, self._usual
        _show_choice(self.source, settings.usual)
        _show_choice(self.kinds_from, settings.kinds)
        _show_number(self.lot_every, settings.lot_every)
        _show_number(self.clusters, settings.clusters)
        _show_line(self.lot_pattern, settings.lot_pattern)
        _show_line(self.kind_pattern, settings.kind_pattern)
        is_drawn = settings.usual is UsualFrom.DRAWN
        visible = {
            self.lot_every: settings.usual is UsualFrom.EVERY,
            self.lot_pattern: settings.usual is UsualFrom.NAMES,
            self.kind_pattern: settings.kinds is KindsFrom.NAMES,
            self.clusters: settings.kinds is KindsFrom.CLUSTERS,
        }
        for widget, is_visible in visible.items():
            self.form.setRowVisible(widget, is_visible)
        try:
            self.counts.show_kinds(usual.kinds, usual.counts if is_drawn else None)
        except KnownError as error:
            self.counts.show_kinds((), None)
            self._say(str(error), "bad")
            self.build_button.setEnabled(False)
            return
        self._show_state()

    def _show_state(self) -> None:
        usual = self._usual
        state, model = usual.state, usual.model
        is_building = state is ModelState.BUILDING
        self.progress.setVisible(is_building)
        self.cancel_button.setVisible(is_building)
        self.build_button.setVisible(not is_building)
        current = self._references.current
        self.build_button.setEnabled(current is not None and bool(current.included))
        again = self.tr("Build again") if model is not None else self.tr("Build")
        self.build_button.setText(again)
        set_role(self.build_button, "" if state is ModelState.READY else "primary")
        self.remarks.setText("\n".join(() if model is None else model.remarks))
        self.remarks.setVisible(bool(self.remarks.text()))
        if usual.remark:
            self._say(usual.remark, "bad")
        elif is_building:
            self._say(self.tr("Looking at the references…"), "muted")
        elif model is None:
            self._say(self.tr("● Not built yet"), "muted")
        elif usual.has_other_references:
            self._say(self.tr("● Stale: the references have changed; build again"), "warn")
        elif usual.has_other_settings:
            self._say(self.tr("● Stale: built with other settings; build again"), "warn")
        else:
            found = self.tr("drawn") if model.is_drawn else self.tr("gathered")
            ready = self.tr("● Ready: {} parts, compared with {} {} lots")
            self._say(ready.format(model.size, len(model.lots), found), "good")

    def _say(self, text: str, role: str) -> None:
        self.state.setText(text)
        set_role(self.state, role)

    def _on_progressed(self, progress: Progress | None) -> None:
        if progress is not None:
            self.progress.setRange(0, progress.total)
            self.progress.setValue(progress.done)
            self._say(f"{progress.what}…", "muted")

    def _on_edited(self) -> None:
        settings = self._usual.settings
        changed = replace(
            settings,
            usual=UsualFrom(self.source.currentData()),
            lot_every=self.lot_every.value(),
            lot_pattern=self.lot_pattern.text().strip(),
            kinds=KindsFrom(self.kinds_from.currentData()),
            kind_pattern=self.kind_pattern.text().strip(),
            clusters=self.clusters.value(),
        )
        if self.counts.is_editable:
            changed = replace(changed, counts=tuple(self.counts.values.items()))
        self._usual.apply(changed)


def _choice(name: str, texts: Mapping[Any, str]) -> QComboBox:
    combo = QComboBox()
    combo.setAccessibleName(name)
    for value, text in texts.items():
        combo.addItem(text, str(value))
    combo.setMinimumContentsLength(8)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    return combo


def _pattern_line(name: str) -> QLineEdit:
    line = QLineEdit()
    line.setAcceptDrops(False)  # the window takes drops
    line.setAccessibleName(name)
    line.setToolTip(
        line.tr(
            "Put * where it stands in the name: LOT*_*. "
            "Or a regular expression with a group: ^([A-Z]+)"
        )
    )
    return line


def _show_choice(combo: QComboBox, value: object) -> None:
    with QSignalBlocker(combo):
        combo.setCurrentIndex(combo.findData(str(value)))


def _show_number(field: QSpinBox, value: int) -> None:
    with QSignalBlocker(field):
        field.setValue(value)


def _show_line(line: QLineEdit, text: str) -> None:
    if line.text().strip() != text:
        with QSignalBlocker(line):
            line.setText(text)
