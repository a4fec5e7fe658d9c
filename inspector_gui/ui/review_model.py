"""The inspected parts as a list for Qt's views: filtered, in order, and fast while it grows."""

import time
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from inspector_gui.core.types import Decision, InspectionRow, Outcome, Source, Verdict
from inspector_gui.session.history import History
from inspector_gui.ui.thumbnails import PixmapCache, pixmap_of

Index = QModelIndex | QPersistentModelIndex
ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)
_NOWHERE = QModelIndex()
_FLAGGED = frozenset({Outcome.FAIL, Outcome.UNSURE})
_THUMBNAILS_KEPT = 300


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A part and its decision under the limits that are shown."""

    row: InspectionRow
    decision: Decision

    @property
    def is_flagged(self) -> bool:
        """Whether a person should look at it: it failed or is unsure."""
        return self.decision.outcome in _FLAGGED

    @property
    def is_unreviewed(self) -> bool:
        """Whether a person should look at it and has not said anything yet."""
        return self.decision.outcome in _FLAGGED and self.row.verdict is Verdict.NONE


class Queue(Enum):
    """What is listed."""

    FLAGGED = auto()
    UNREVIEWED = auto()
    ALL = auto()
    ERRORS = auto()

    def holds(self, entry: Entry) -> bool:
        """Return whether a part is listed."""
        match self:
            case Queue.FLAGGED:
                return entry.is_flagged
            case Queue.UNREVIEWED:
                return entry.is_unreviewed
            case Queue.ERRORS:
                return entry.decision.outcome is Outcome.ERROR
            case Queue.ALL:
                return True

    def place(self, entry: Entry) -> tuple[float, int]:
        """Return the sort key: flagged parts worst first, all others newest first."""
        multiple = entry.decision.multiple
        worst = -multiple if self is Queue.FLAGGED and multiple is not None else 0.0
        return worst, -entry.row.id


class InspectionModel(QAbstractListModel):
    """Mirrors the history. A part that comes is one inserted row, a new limit one pass over all.

    The part that is open stays listed although it fits no longer (say, because it was just
    judged), until another one is opened: so a list never moves under the operator's keys.
    """

    def __init__(self, history: History, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._shown: list[Entry] = []
        self._places: list[tuple[float, int]] = []
        self._pixmaps = PixmapCache(_THUMBNAILS_KEPT)
        self._open_id: int | None = None
        self.queue = Queue.FLAGGED
        self.counts = dict.fromkeys(Queue, 0)
        self.is_changing = False
        """Whether rows are being taken out, so that a view's current row moves by itself."""

    @property
    def ids(self) -> list[int]:
        """The ids of the parts that are listed, from the top."""
        return [entry.row.id for entry in self._shown]

    def entry(self, row_id: int) -> Entry | None:
        """Return a part of the history, listed or not."""
        return self._entries.get(row_id)

    def index_of(self, row_id: int) -> QModelIndex:
        """Return where a part is listed; an invalid index where it is not."""
        entry = self._entries.get(row_id)
        at = self._find(entry) if entry is not None else None
        return _NOWHERE if at is None else self.index(at)

    # What happened in the history

    def reload(self) -> None:
        """Take over all rows of the history."""
        rows = self._history.rows
        self._pixmaps = PixmapCache(_THUMBNAILS_KEPT)
        self._open_id = None
        self._entries = OrderedDict((r.id, Entry(r, self._history.decision_of(r))) for r in rows)
        self._relist()

    def judge_again(self) -> None:
        """Take over the decisions under other limits."""
        decision_of = self._history.decision_of
        self._entries = OrderedDict(
            (i, Entry(entry.row, decision_of(entry.row))) for i, entry in self._entries.items()
        )
        self._relist()

    def add(self, row: InspectionRow) -> None:
        """Append a part; the oldest leave with those that left the history."""
        entry = self._entries[row.id] = Entry(row, self._history.decision_of(row))
        self._count(entry, 1)
        if self.queue.holds(entry):
            self._insert(entry)
        while self._entries:
            oldest = next(iter(self._entries))
            if self._history.row(oldest) is not None:
                break
            gone = self._entries.pop(oldest)
            self._count(gone, -1)
            self._remove(gone)

    def change(self, row: InspectionRow) -> None:
        """Replace a part by one with another verdict."""
        old = self._entries.get(row.id)
        if old is None:
            return
        new = self._entries[row.id] = Entry(row, old.decision)
        self._count(old, -1)
        self._count(new, 1)
        at = self._find(old)
        if at is None:
            if self.queue.holds(new):
                self._insert(new)
        elif self.queue.holds(new) or row.id == self._open_id:
            self._shown[at] = new
            self.dataChanged.emit(self.index(at), self.index(at))
        else:
            self._remove(old)

    # What is listed

    def list_queue(self, queue: Queue) -> None:
        """List other parts."""
        if queue is not self.queue:
            self.queue = queue
            self._open_id = None
            self._relist()

    def keep_open(self, row_id: int | None) -> None:
        """Keep the part that is open listed; the one before goes where it belongs."""
        before, self._open_id = self._open_id, row_id
        entry = None if before is None else self._entries.get(before)
        if before != row_id and entry is not None and not self.queue.holds(entry):
            self._remove(entry)

    def next_unreviewed(self, after: int | None) -> int | None:
        """Return the id of the next part to review: of those listed, then of all."""
        at = next((n for n, e in enumerate(self._shown) if e.row.id == after), -1)
        listed = [*self._shown[at + 1 :], *self._shown[: at + 1]]
        ordered = [*listed, *reversed(self._entries.values())]
        found = (e.row.id for e in ordered if e.is_unreviewed and e.row.id != after)
        return next(found, None)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not 0 <= index.row() < len(self._shown):
            return None
        entry = self._shown[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return entry.row.name
            case Qt.ItemDataRole.DecorationRole:
                return self._pixmap(entry.row)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._description(entry)
            case _:
                return entry if role == ENTRY_ROLE else None

    def _description(self, entry: Entry) -> str:
        row, decision = entry.row, entry.decision
        words = [row.name, f"{decision.outcome.value.upper()}: {decision.reason}"]
        if decision.multiple is not None:
            words.append(self.tr("{} × limit").format(f"{decision.multiple:.2f}"))
        if row.source is Source.AD_HOC:
            words.append(self.tr("ad hoc"))
        if row.verdict is not Verdict.NONE:
            words.append(self.tr("verdict: {}").format(row.verdict.value))
        words.append(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row.judged_at)))
        return "\n".join(words)

    def _pixmap(self, row: InspectionRow) -> Any:
        if row.thumbnail is None:
            return None
        pixmap = self._pixmaps.get(row.id)
        if pixmap is None:
            pixmap = pixmap_of(row.thumbnail)
            self._pixmaps.put(row.id, pixmap)
        return pixmap

    def _find(self, entry: Entry) -> int | None:
        at = bisect_left(self._places, self.queue.place(entry))
        is_there = at < len(self._shown) and self._shown[at].row.id == entry.row.id
        return at if is_there else None

    def _insert(self, entry: Entry) -> None:
        place = self.queue.place(entry)
        at = bisect_left(self._places, place)
        self.beginInsertRows(_NOWHERE, at, at)
        self._shown.insert(at, entry)
        self._places.insert(at, place)
        self.endInsertRows()

    def _remove(self, entry: Entry) -> None:
        at = self._find(entry)
        if at is None:
            return
        self.is_changing = True
        self.beginRemoveRows(_NOWHERE, at, at)
        del self._shown[at], self._places[at]
        self.endRemoveRows()
        self.is_changing = False

    def _relist(self) -> None:
        """List everything anew; where the same parts stay in the same order, only repaint."""
        listed_before = {entry.row.id for entry in self._shown}
        stays = self._open_id if self._open_id in listed_before else None
        holds, place = self.queue.holds, self.queue.place
        self.counts = dict.fromkeys(Queue, 0)
        for entry in self._entries.values():
            self._count(entry, 1)
        found = [e for e in self._entries.values() if holds(e) or e.row.id == stays]
        placed = sorted([(place(entry), entry) for entry in found], key=lambda pair: pair[0])
        shown = [entry for _, entry in placed]
        is_same = [e.row.id for e in shown] == self.ids
        if not is_same:
            self.beginResetModel()
        self._shown, self._places = shown, [at for at, _ in placed]
        if not is_same:
            self.endResetModel()
        elif shown:
            self.dataChanged.emit(self.index(0), self.index(len(shown) - 1))

    def _count(self, entry: Entry, by: int) -> None:
        counts, outcome = self.counts, entry.decision.outcome
        counts[Queue.ALL] += by
        if outcome is Outcome.ERROR:
            counts[Queue.ERRORS] += by
        elif outcome in _FLAGGED:
            counts[Queue.FLAGGED] += by
            if entry.row.verdict is Verdict.NONE:
                counts[Queue.UNREVIEWED] += by
