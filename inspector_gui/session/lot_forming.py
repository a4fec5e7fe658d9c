"""Inspected parts on their way into lots: every so many parts of the feed, or by file name."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from inspector_gui.core.lots.groups import NamePattern, lot_of
from inspector_gui.core.lots.model import LARGEST_LOT
from inspector_gui.core.types import InspectionRow

_KEPT = 100  # lots by name that take late parts


class Forming(StrEnum):
    """Which parts of the feed form a lot; groups that are dropped always do."""

    EVERY = "every"
    NAMES = "names"
    DROPPED = "dropped"


@dataclass(eq=False)
class Group:
    """Parts that belong together so far, in the order in which they came.

    `expected` is how many there will be, None where only the end of the lot tells.
    """

    id: int
    name: str
    expected: int | None
    rows: list[InspectionRow] = field(default_factory=list)
    is_closed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether all parts are there, as far as one can know."""
        return self.is_closed or len(self.rows) == self.expected


class FeedLots:
    """Puts parts of the feed into groups. `size` is that of a usual lot, None where unknown.

    By name, a lot ends where the next one begins; the last one is complete when it has as many
    parts as a usual lot. A part that comes later still joins its lot, if that is one of the last
    hundred. A name that its lot has already begins another one: the same folder is fed again.
    `ids` gives every group its own.
    """

    def __init__(
        self,
        forming: Forming,
        *,
        size: int | None,
        pattern: NamePattern | None,
        ids: Iterator[int],
    ) -> None:
        self._forming = forming
        self._size = size
        self._pattern = pattern
        self._ids = ids
        self._begun = 0
        self._open: Group | None = None
        self._by_key: OrderedDict[str, Group] = OrderedDict()

    def add(self, row: InspectionRow, *, begins_run: bool = False) -> Sequence[Group]:
        """Take the next part of the feed; return the groups that changed.

        `begins_run` says that the feed was started anew before this part.
        """
        match self._forming:
            case Forming.EVERY:
                return self._count(row, begins_run)
            case Forming.NAMES:
                return self._by_name(row)
            case Forming.DROPPED:
                return ()

    def end_run(self) -> Sequence[Group]:
        """Close the last lot by name where it has enough parts; return the groups that changed."""
        last = self._open
        if last is None or self._forming is not Forming.NAMES or last.is_complete:
            return ()
        last.is_closed = last.expected is not None and len(last.rows) > last.expected
        return (last,) if last.is_closed else ()

    def _count(self, row: InspectionRow, begins_run: bool) -> Sequence[Group]:
        if self._size is None:
            return ()
        if self._open is None or self._open.is_complete or begins_run:
            self._open = self._begin(f"Lot {self._begun + 1}", self._size)
        self._open.rows.append(row)
        return (self._open,)

    def _by_name(self, row: InspectionRow) -> Sequence[Group]:
        key = lot_of(row.name, self._pattern)
        if key is None:
            return ()
        group = self._by_key.get(key)
        if group is None or _is_over(group, row):
            group = self._by_key[key] = self._begin(key, self._size)
            self._by_key.move_to_end(key)
            while len(self._by_key) > _KEPT:
                self._by_key.popitem(last=False)
        group.rows.append(row)
        before, self._open = self._open, group
        if before is None or before is group or before.is_closed:
            return (group,)
        before.is_closed = True
        return (before, group)

    def _begin(self, name: str, expected: int | None) -> Group:
        self._begun += 1
        return Group(next(self._ids), name, expected)


def _is_over(group: Group, row: InspectionRow) -> bool:
    """Return whether a part of a group's name cannot be one more of its parts."""
    is_full = len(group.rows) >= LARGEST_LOT
    return is_full or any(known.name == row.name for known in group.rows)
