"""What can be undone: each change of the session as a command with its opposite."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TypeVar

from PySide6.QtGui import QUndoCommand, QUndoStack

from inspector_gui.core.types import Limits, Purpose, ReferenceImage, Verdict
from inspector_gui.session import Session

_Key = TypeVar("_Key")


class Change(QUndoCommand):
    """A change and its opposite; `text` names it in the Edit menu."""

    def __init__(self, text: str, do: Callable[[], None], undo: Callable[[], None]) -> None:
        super().__init__(text)
        self._do = do
        self._undo = undo

    def redo(self) -> None:
        self._do()

    def undo(self) -> None:
        self._undo()


class Commands:
    """The undoable verbs; panels call these instead of the session's."""

    def __init__(self, session: Session, stack: QUndoStack) -> None:
        self._session = session
        self._stack = stack

    def judge(self, row_ids: Sequence[int], verdict: Verdict) -> None:
        """Give parts a verdict; the same verdict again takes it back."""
        history = self._session.history
        rows = [row for i in row_ids if (row := history.row(i)) is not None]
        if not rows:
            return
        before = [(row.id, row.verdict) for row in rows]
        if all(row.verdict is verdict for row in rows):
            verdict = Verdict.NONE
        after = [(row.id, verdict) for row in rows]
        what = rows[0].name if len(rows) == 1 else f"{len(rows)} parts"
        self._push(
            f"verdict on {what}",
            lambda: history.set_verdicts(after),
            lambda: history.set_verdicts(before),
        )

    def include(self, images: Sequence[ReferenceImage], included: bool, reason: str) -> None:
        """Exclude or include references."""
        references = self._session.references
        changing = [image for image in images if image.included != included]
        if not changing:
            return
        ids = [image.id for image in changing]
        before = _by(changing, lambda image: image.reason)

        def take_back() -> None:
            for old, those in before.items():
                references.set_included(those, not included, old)

        verb = "include" if included else "exclude"
        what = changing[0].name if len(ids) == 1 else f"{len(ids)} references"
        self._push(
            f"{verb} {what}",
            lambda: references.set_included(ids, included, "" if included else reason),
            take_back,
        )

    def set_purpose(self, images: Sequence[ReferenceImage], purpose: Purpose) -> None:
        """Let references serve another purpose; excluded ones are counted in again by that."""
        references = self._session.references
        moving = [i for i in images if i.purpose is not purpose or not i.included]
        if not moving:
            return
        ids = [image.id for image in moving if image.purpose is not purpose]
        excluded = [image.id for image in moving if not image.included]
        purposes = _by(moving, lambda image: image.purpose)
        reasons = _by([i for i in moving if not i.included], lambda image: image.reason)

        def do() -> None:
            if ids:
                references.set_purpose(ids, purpose)
            if excluded:
                references.set_included(excluded, True)

        def take_back() -> None:
            for reason, those in reasons.items():
                references.set_included(those, False, reason)
            for old, those in purposes.items():
                if old is not purpose:
                    references.set_purpose(those, old)

        what = moving[0].name if len(moving) == 1 else f"{len(moving)} references"
        self._push(f"{what} as {purpose}", do, take_back)

    def delete_set(self, set_id: int) -> None:
        """Delete a set."""
        references = self._session.references
        name = next((s.name for s in references.sets if s.id == set_id), "")
        self._push(
            f"delete set {name}",
            lambda: references.delete(set_id),
            lambda: references.restore(set_id),
        )

    def rename_set(self, set_id: int, name: str) -> None:
        """Rename a set."""
        references = self._session.references
        old = next((s.name for s in references.sets if s.id == set_id), name)
        if name.strip() != old:
            self._push(
                f"rename set {old}",
                lambda: references.rename(set_id, name),
                lambda: references.rename(set_id, old),
            )

    def set_scale(self, set_id: int, mm_per_pixel: float | None) -> None:
        """State the scale of a set's pictures; None: unknown."""
        references = self._session.references
        known = next((s for s in references.sets if s.id == set_id), None)
        if known is None or known.mm_per_pixel == mm_per_pixel:
            return
        before = known.mm_per_pixel
        self._push(
            f"scale of {known.name}",
            lambda: references.set_scale(set_id, mm_per_pixel),
            lambda: references.set_scale(set_id, before),
        )

    def save_limits(self, limits: Limits) -> None:
        """Make limits count."""
        desk = self._session.limits
        before = desk.saved
        if before is None:
            desk.save(limits)
            return
        self._push("change of the limit", lambda: desk.save(limits), lambda: desk.save(before))

    def _push(self, text: str, do: Callable[[], None], undo: Callable[[], None]) -> None:
        self._stack.push(Change(text, do, undo))


def _by(
    images: Sequence[ReferenceImage], key: Callable[[ReferenceImage], _Key]
) -> dict[_Key, list[int]]:
    """Return the ids of pictures by what they had before a change."""
    ids: defaultdict[_Key, list[int]] = defaultdict(list)
    for image in images:
        ids[key(image)].append(image.id)
    return ids
