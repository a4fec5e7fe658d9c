"""The inspected parts of the current set: their rows, the one that is open, and verdicts."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, QTimer, Signal

from inspector_gui.core.decision import decide
from inspector_gui.core.types import (
    Decision,
    Floats,
    Inspection,
    InspectionRow,
    Outcome,
    Part,
    Scoring,
    Verdict,
)
from inspector_gui.session.limits import LimitsDesk
from inspector_gui.session.recording import Ask
from inspector_gui.workers.recorder import Store

LONGEST = 2000
"""Rows kept in memory; older ones stay in the workspace."""
_PARTS_AT_HAND = 8
_FOLLOW_MS = 12


class History(QObject):
    """Rows are values; the newest come last."""

    reset = Signal()
    added = Signal(object)
    """A row that was added at the end."""
    changed = Signal(object)
    """A row that replaced the one with its id."""
    opened = Signal(object)
    """The `Part` that is looked at now, None for none."""
    follow_changed = Signal(bool)

    def __init__(self, ask: Ask, limits: LimitsDesk) -> None:
        super().__init__()
        self._ask = ask
        self._limits = limits
        self._rows: OrderedDict[int, InspectionRow] = OrderedDict()
        self._parts: OrderedDict[int, Part] = OrderedDict()
        self._wanted: int | None = None
        self._scoring_key = ""
        self.part: Part | None = None
        self.follows = True
        """Whether the newest part is opened as it comes."""
        # In a turn of its own: a row and a picture in one would hold up the window.
        self._follow_soon = QTimer(self)
        self._follow_soon.setSingleShot(True)
        self._follow_soon.setInterval(_FOLLOW_MS)
        self._follow_soon.timeout.connect(self._open_newest)

    @property
    def rows(self) -> tuple[InspectionRow, ...]:
        """All rows at hand, oldest first."""
        return tuple(self._rows.values())

    def row(self, row_id: int) -> InspectionRow | None:
        """Return a row by its id, None where it is not at hand."""
        return self._rows.get(row_id)

    def load(self, rows: Iterable[InspectionRow], scoring: Scoring | None) -> None:
        """Take over the rows of another set, oldest first."""
        self._rows = OrderedDict((row.id, row) for row in rows)
        self._scoring_key = scoring.key if scoring else ""
        self._parts.clear()
        self.part, self._wanted = None, None
        self.reset.emit()
        self.opened.emit(None)

    def judge_by(self, scoring: Scoring) -> None:
        """Take over the scoring of the current set, whose rows stay."""
        self._scoring_key = scoring.key

    def decision_of(self, row: InspectionRow) -> Decision:
        """Return the decision under the limits that are shown; never runs the network.

        Parts that were scored in another way keep the decision of their time.
        """
        limits = self._limits.shown
        if limits is None or row.score is None or row.scoring_key != self._scoring_key:
            return Decision(row.outcome, row.multiple, row.reason)
        return decide(row.score, limits)

    def is_flagged(self, row: InspectionRow) -> bool:
        """Return whether a person should look at a part: it failed or is unsure."""
        return self.decision_of(row).outcome in (Outcome.FAIL, Outcome.UNSURE)

    def add(self, row: InspectionRow, inspection: Inspection | None) -> None:
        """Append a judged (or unreadable) part; opened where the view follows the feed."""
        self._rows[row.id] = row
        while len(self._rows) > LONGEST:
            self._rows.popitem(last=False)
        if inspection is not None:
            self._keep(
                Part(
                    row=row,
                    image=inspection.frame.image,
                    patches=inspection.scores.patches,
                    scoring=inspection.scoring,
                    nearest=inspection.nearest,
                    timings=inspection.scores.timings,
                )
            )
        self.added.emit(row)
        if self.follows:
            self._follow_soon.start()

    def follow(self, follows: bool) -> None:
        """Open the newest part as it comes, or stay where the operator is."""
        if follows != self.follows:
            self.follows = follows
            self.follow_changed.emit(follows)
            self._open_newest()

    def _open_newest(self) -> None:
        if self.follows and self._rows:
            self.open(next(reversed(self._rows)))

    def open(self, row_id: int) -> None:
        """Look at a part."""
        row = self._rows.get(row_id)
        if row is None:
            return
        self._wanted = row_id
        if row_id in self._parts:
            self._show(self._parts[row_id])
            return
        self._ask(lambda store: store.inspections.part(row_id), then=self._on_part)

    def complete(self, row_id: int, patches: Floats) -> None:
        """Give a part the map that was computed for looking at it; its decision stays."""
        part = self._parts.get(row_id)
        if part is None:
            return
        self._parts[row_id] = whole = replace(part, patches=patches)
        if self.part is not None and self.part.row.id == row_id:
            self._show(whole)

    def set_verdicts(self, verdicts: Sequence[tuple[int, Verdict]]) -> None:
        """Say what a person thinks of parts; what was said before is superseded, never lost."""
        known = [(i, v) for i, v in verdicts if i in self._rows]
        if not known:
            return

        def said(_: None) -> None:
            for row_id, verdict in known:
                self._replace(row_id, verdict)

        def work(store: Store) -> None:
            for row_id, verdict in known:
                store.inspections.add_verdict(row_id, verdict)

        self._ask(work, then=said)

    def _replace(self, row_id: int, verdict: Verdict) -> None:
        row = self._rows.get(row_id)
        if row is None:
            return
        self._rows[row_id] = changed = replace(row, verdict=verdict)
        if row_id in self._parts:
            self._parts[row_id] = replace(self._parts[row_id], row=changed)
        if self.part is not None and self.part.row.id == row_id:
            self.part = replace(self.part, row=changed)
        self.changed.emit(changed)

    def _on_part(self, part: Part) -> None:
        self._keep(part)
        if part.row.id == self._wanted:
            self._show(part)

    def _keep(self, part: Part) -> None:
        self._parts[part.row.id] = part
        while len(self._parts) > _PARTS_AT_HAND:
            self._parts.popitem(last=False)

    def _show(self, part: Part) -> None:
        self.part = part
        self.opened.emit(part)
