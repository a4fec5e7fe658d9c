"""The lots of inspected parts and their decisions: formed and judged as parts come."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.model import LotModel
from inspector_gui.core.types import Floats, InspectionRow, Outcome, Source
from inspector_gui.session.feeds import Feeds
from inspector_gui.session.history import History
from inspector_gui.session.lot_forming import FeedLots, Forming, Group
from inspector_gui.session.lot_values import Lot, LotSettings, pattern_of
from inspector_gui.session.recording import Ask
from inspector_gui.session.references import ReferenceSets
from inspector_gui.session.studies import Studies
from inspector_gui.session.usual_lots import UsualLots
from inspector_gui.workers.recorder import Store

MOST_LOTS = 100
"""Lots kept in the list; older parts stay in the history."""
MOST_PARTS = 2000
"""Parts in the lots that are kept, as they hold pictures."""


class LotDesk(QObject):
    """Forms lots of the parts that come, and judges them by `usual`. Lots are values."""

    listed = Signal()
    """The lots are others altogether."""
    lot_changed = Signal(object)
    """A `Lot` that was formed, grew, or was judged."""
    noticed = Signal(str)

    def __init__(
        self,
        ask: Ask,
        references: ReferenceSets,
        history: History,
        feeds: Feeds,
        studies: Studies,
        *,
        can_judge: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._ask, self._history, self._feeds = ask, history, feeds
        self._can_judge = can_judge
        self.usual = UsualLots(ask, references, studies)
        self._sized: dict[int, LotModel | str | None] = {}
        self._lots: dict[int, Lot] = {}
        self._features: dict[int, Floats | None] = {}
        self._asked: set[int] = set()
        self._dropped: list[tuple[Group, frozenset[str]]] = []
        self._ids = count(1)
        self._runs: set[int] = set()
        self._live_from: int | None = None
        self._was_active = self._begins_run = False
        self._formed_by: tuple[object, ...] = ()
        self._forming = self._new_forming()
        history.reset.connect(self._on_reset)
        history.added.connect(self._on_added)
        feeds.state_changed.connect(self._on_feed)
        self.usual.changed.connect(self._on_settings)
        self.usual.replaced.connect(self._on_model)

    @property
    def pattern_remark(self) -> str:
        """What is wrong with the pattern of the parts' names, "" where nothing is."""
        try:
            pattern_of(self.usual.settings.part_pattern)
        except KnownError as error:
            return str(error)
        return ""

    def _on_settings(self) -> None:
        if self._formed_by != self._rule():
            self._form_again()

    def _on_model(self) -> None:
        self._sized = {}
        if self._formed_by == self._rule():
            self._judge_all()
        else:
            self._form_again()

    def _rule(self) -> tuple[object, ...]:
        settings = self.usual.settings
        return settings.forming, settings.every, settings.part_pattern, self.usual.size

    @property
    def lots(self) -> tuple[Lot, ...]:
        """The lots, newest first."""
        return tuple(reversed(self._lots.values()))

    def lot(self, lot_id: int) -> Lot | None:
        """Return a lot by its id, None where it is not listed any more."""
        return self._lots.get(lot_id)

    def check(self, paths: Sequence[Path]) -> None:
        """Judge pictures and folders ad hoc and form one lot of them."""

        def look(_: Store) -> list[str]:
            from inspector_gui.core.images import list_images

            return [str(path) for path in {p.resolve(): p for p in list_images([*paths])}.values()]

        def found(files: list[str]) -> None:
            if not files:
                self.noticed.emit("There is no picture in what was dropped.")
                return
            name = paths[0].name if len(paths) == 1 else f"{len(files)} dropped parts"
            group = Group(next(self._ids), name, len(files))
            self._dropped.append((group, frozenset(files)))
            self._feeds.check(list(paths))

        if self._can_judge():
            self._ask(look, then=found)

    def _on_feed(self) -> None:
        is_active = self._feeds.state.is_active
        self._begins_run |= is_active and not self._was_active
        if self._was_active and not is_active:
            for group in self._forming.end_run():
                self._put(group)
        self._was_active = is_active

    def _on_reset(self) -> None:
        self._lots.clear()
        self._features.clear()
        self._asked.clear()
        self._dropped.clear()
        self._runs.clear()
        self._live_from = None
        self._form_again()

    def _on_added(self, row: InspectionRow) -> None:
        if row.source is Source.AD_HOC:
            self._add_dropped(row)
            return
        if self._live_from is None:
            self._live_from = row.id
        if self._begins_run:
            self._runs.add(row.id)
            self._begins_run = False
        for group in self._forming.add(row, begins_run=row.id in self._runs):
            self._put(group)

    def _add_dropped(self, row: InspectionRow) -> None:
        for group, files in self._dropped:
            is_known = any(known.path == row.path for known in group.rows)
            if str(row.path) in files and not is_known:
                group.rows.append(row)
                self._put(group)
                if group.is_complete:
                    self._dropped = [kept for kept in self._dropped if kept[0] is not group]
                return

    def _new_forming(self) -> FeedLots:
        settings: LotSettings = self.usual.settings
        self._formed_by = self._rule()
        if self.pattern_remark:
            return FeedLots(Forming.DROPPED, size=None, pattern=None, ids=self._ids)
        by_name = settings.forming is Forming.NAMES
        return FeedLots(
            settings.forming,
            size=self.usual.size if by_name else settings.every or self.usual.size,
            pattern=pattern_of(settings.part_pattern),
            ids=self._ids,
        )

    def _form_again(self) -> None:
        """Form all lots of the parts at hand; what was dropped as a group stays one."""
        dropped = {lot.id: lot for lot in self._lots.values() if _is_dropped(lot)}
        self._forming = self._new_forming()
        groups: dict[int, Group] = {}
        for row in self._history.rows:
            is_live = self._live_from is not None and row.id >= self._live_from
            may_form = is_live or self.usual.settings.forming is Forming.NAMES
            if row.source is Source.AD_HOC or not may_form:
                continue
            for group in self._forming.add(row, begins_run=row.id in self._runs):
                groups[group.id] = group
        if not self._feeds.state.is_active:
            self._forming.end_run()
        formed = {group.id: _lot_of(group) for group in groups.values()}
        ordered = sorted([*dropped.values(), *formed.values()], key=lambda lot: lot.rows[-1].id)
        for gone in _too_many(ordered):
            ordered.remove(gone)
        self._lots = {lot.id: lot for lot in ordered}
        listed = {row.id for lot in self._lots.values() for row in lot.rows}
        self._features = {i: known for i, known in self._features.items() if i in listed}
        self._judge_all()

    def _put(self, group: Group) -> None:
        lot = _lot_of(group)
        self._lots[lot.id] = lot
        for gone in _too_many([*self._lots.values()]):
            del self._lots[gone.id]
            for row in gone.rows:
                self._features.pop(row.id, None)
        self._lots[lot.id] = self._judged(lot)
        self.lot_changed.emit(self._lots[lot.id])

    def _judge_all(self) -> None:
        self._lots = {lot.id: self._judged(lot) for lot in self._lots.values()}
        self.listed.emit()

    def _judge_again(self, row_ids: frozenset[int]) -> None:
        for lot in self.lots:
            if any(row.id in row_ids for row in lot.rows):
                self._lots[lot.id] = self._judged(lot)
                self.lot_changed.emit(self._lots[lot.id])

    def _judged(self, lot: Lot) -> Lot:
        """Return a lot with its decision, or with the reason why there is none (yet)."""
        remark, model = self._obstacle(lot), None
        if not remark:
            remark, model = self._model_for(len(lot.rows))
        if model is None:
            return replace(lot, result=None, remark=remark)
        features = np.stack([self._features[row.id] for row in lot.rows])  # type: ignore[misc]
        return replace(lot, result=model.judge(features), remark="")

    def _obstacle(self, lot: Lot) -> str:
        if not lot.is_complete:
            size = self._expected(lot)
            count = len(lot.rows)
            so_far = f"{count} of {size} parts" if size and count < size else f"{count} parts"
            return f"Incomplete: {so_far} so far."
        if self.usual.model is None:
            return "Not judged: build what usual lots look like first."
        if unreadable := sum(row.outcome is Outcome.ERROR for row in lot.rows):
            parts = "1 part" if unreadable == 1 else f"{unreadable} parts"
            return f"Not judged: {parts} could not be read. Inspect the lot again."
        if any(row.scoring_key != self.usual.model.scoring_key for row in lot.rows):
            return "Not comparable: parts were scored in another way than the references are now."
        unknown = [row.id for row in lot.rows if row.id not in self._features]
        if unknown:
            self._fetch([i for i in unknown if i not in self._asked])
            return "Comparing…"
        if missing := sum(self._features[row.id] is None for row in lot.rows):
            parts = "1 part was" if missing == 1 else f"{missing} parts were"
            return (
                f"Not comparable: {parts} inspected before features were kept. "
                "Inspect the lot again."
            )
        return ""

    def _expected(self, lot: Lot) -> int | None:
        for group, files in self._dropped:
            if group.id == lot.id:
                return len(files)
        by_name = self.usual.settings.forming is Forming.NAMES
        return self.usual.size if by_name else self.usual.settings.every or self.usual.size

    def _fetch(self, row_ids: Sequence[int]) -> None:
        if not row_ids:
            return
        wanted = frozenset(row_ids)
        self._asked |= wanted

        def then(found: dict[int, Floats]) -> None:
            if wanted <= self._asked:  # not so after a reset
                self._asked -= wanted
                self._features |= {row_id: found.get(row_id) for row_id in wanted}
                self._judge_again(wanted)

        def otherwise(sentence: str) -> None:
            self._asked -= wanted
            self.noticed.emit(sentence)

        self._ask(lambda store: store.inspections.pooled(wanted), then=then, otherwise=otherwise)

    def _model_for(self, size: int) -> tuple[str, LotModel | None]:
        """Return the model for lots of a size, or why there is none."""
        model = self.usual.model
        if model is None or size == model.size:
            return "", model
        if size in self._sized:
            known = self._sized[size]
            return (known, None) if isinstance(known, str) else ("Comparing…", known)
        self._sized[size] = None

        def then(found: LotModel | str) -> None:
            if self.usual.model is model:
                self._sized[size] = found
                same = [lot for lot in self.lots if len(lot.rows) == size]
                self._judge_again(frozenset(row.id for lot in same for row in lot.rows))

        def work(_: Store) -> LotModel | str:
            try:
                return model.of_size(size)
            except KnownError as error:
                return f"Not judged: {error}"

        self._ask(work, then=then)
        return "Comparing…", None


def _lot_of(group: Group) -> Lot:
    return Lot(group.id, group.name, tuple(group.rows), group.is_complete)


def _too_many(lots: Sequence[Lot]) -> list[Lot]:
    """Return the oldest of `lots` (oldest first) that are to be forgotten; never the newest."""
    kept = parts = 0
    for lot in reversed(lots):
        parts += len(lot.rows)
        if kept and (kept == MOST_LOTS or parts > MOST_PARTS):
            break
        kept += 1
    return list(lots[: len(lots) - kept])


def _is_dropped(lot: Lot) -> bool:
    return all(row.source is Source.AD_HOC for row in lot.rows)
