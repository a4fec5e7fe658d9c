"""The reference sets of the workspace: which there are, which one is current, and its pictures."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.input_size import fitted
from inspector_gui.core.types import Purpose, ReferenceImage, ReferenceSet, Scoring
from inspector_gui.session.imports import Incoming, Load, PictureImport, pictures_in
from inspector_gui.session.recording import Ask
from inspector_gui.workers.recorder import Store

_VAGUE_NAMES = frozenset({"", "good", "train", "ok", "images", "pictures"})


class ReferenceSets(QObject):
    """Sets, pictures and imports. Sets are values: every change makes a new one."""

    sets_changed = Signal()
    """Sets were loaded, created, renamed, deleted or brought back."""
    current_changed = Signal()
    """Another set is current, or none."""
    images_changed = Signal()
    """Pictures of the current set were added, taken out, excluded or included."""
    scale_changed = Signal()
    """The scale of the current set was stated or taken back."""
    import_progressed = Signal(object)
    """A `Progress` while pictures are added, None when that has ended."""
    imported = Signal(object)
    """The tuple of `ReferenceImage`s that an import added."""
    noticed = Signal(str)

    def __init__(self, ask: Ask, default_scoring: Callable[[], Scoring]) -> None:
        super().__init__()
        self._ask = ask
        self._default_scoring = default_scoring
        self._sets: dict[int, ReferenceSet] = {}
        self._current_id: int | None = None
        self._deleted_names: dict[int, str] = {}
        self._import = PictureImport(ask)
        self._import.progressed.connect(self.import_progressed)
        self._import.noticed.connect(self.noticed)
        self._import.ended.connect(self._on_import_ended)

    @property
    def sets(self) -> tuple[ReferenceSet, ...]:
        """All sets, by name."""
        return tuple(sorted(self._sets.values(), key=lambda s: (s.name.casefold(), s.id)))

    @property
    def current(self) -> ReferenceSet | None:
        """The set that parts are judged by."""
        return None if self._current_id is None else self._sets.get(self._current_id)

    @property
    def is_importing(self) -> bool:
        """Whether pictures are being added."""
        return self._import.set_id is not None

    def load(self, sets: Sequence[ReferenceSet], current_id: int | None) -> None:
        """Take over what the workspace holds; the first set is current unless one is named."""
        self._sets = {s.id: s for s in sets}
        named = current_id if current_id in self._sets else None
        self._current_id = named if named is not None else next(iter(self._sets), None)
        self.sets_changed.emit()
        self.current_changed.emit()

    def select(self, set_id: int | None) -> None:
        """Make a set current."""
        if set_id != self._current_id and (set_id is None or set_id in self._sets):
            self.cancel_import()
            self._current_id = set_id
            self.current_changed.emit()

    def free_name(self, wanted: str) -> str:
        """Return `wanted`, with a number behind it where a set is called so already."""
        taken = {s.name.casefold() for s in self._sets.values()}
        names = [wanted, *(f"{wanted} {n}" for n in range(2, len(taken) + 3))]
        return next(name for name in names if name.casefold() not in taken)

    def create(self, name: str, *, then: Callable[[ReferenceSet], None] | None = None) -> None:
        """Create an empty set and make it current."""
        scoring = self._default_scoring()

        def created(new: ReferenceSet) -> None:
            self._put_and_select(new)
            if then is not None:
                then(new)

        self._ask(lambda store: store.references.create_set(name, scoring), then=created)

    def rename(self, set_id: int, name: str) -> None:
        """Give a set another name."""

        def renamed(_: None) -> None:
            self._sets[set_id] = replace(self._sets[set_id], name=name.strip())
            self.sets_changed.emit()

        self._ask(lambda store: store.references.rename_set(set_id, name), then=renamed)

    def duplicate(self, set_id: int, name: str) -> None:
        """Make a copy of a set and make it current."""
        self._ask(
            lambda store: store.references.duplicate_set(set_id, name), then=self._put_and_select
        )

    def delete(self, set_id: int) -> None:
        """Delete a set; `restore` brings it back."""

        def deleted(_: None) -> None:
            gone = self._sets.pop(set_id, None)
            if gone is not None:
                self._deleted_names[set_id] = gone.name
            self.sets_changed.emit()
            if self._current_id == set_id:
                self._current_id = next((s.id for s in self.sets), None)
                self.current_changed.emit()

        if self._import.set_id == set_id:
            self.cancel_import()
        self._ask(lambda store: store.references.delete_set(set_id), then=deleted)

    def restore(self, set_id: int) -> None:
        """Bring a deleted set back and make it current."""

        def restored(found: ReferenceSet) -> None:
            self._put_and_select(found)
            before = self._deleted_names.pop(set_id, found.name)
            if found.name != before:
                self.noticed.emit(f"There is another set called {before}; this is {found.name}.")

        self._ask(lambda store: store.references.restore_set(set_id), then=restored)

    def set_scoring(
        self, scoring: Scoring, *, anew: bool = False, set_id: int | None = None
    ) -> None:
        """Let a set score in another way; for int8 see `core.quantising.calibrated`.

        It is the current one unless one is named.

        The references choose the input of the default recipe where the set had another recipe,
        and with `anew` also where it has this one.
        """
        current = self.current if set_id is None else self._sets.get(set_id)
        if current is None:
            return
        if anew or current.scoring.preset != scoring.preset:
            scoring = _fitted(scoring, current)
        if current.scoring == scoring:
            return
        try:
            scoring = self.calibrated(scoring, of=current)
        except KnownError as error:
            self.noticed.emit(str(error))
            return

        def changed(_: None) -> None:
            self._sets[current.id] = replace(self._sets[current.id], scoring=scoring)
            if current.id == self._current_id:
                self.current_changed.emit()

        self._ask(lambda store: store.references.set_scoring(current.id, scoring), then=changed)

    def calibrated(
        self, scoring: Scoring, *, anew: bool = False, of: ReferenceSet | None = None
    ) -> Scoring:
        """Return what `set_scoring` would let a set score by, the current one unless one is given.

        `anew` calibrates int8 on the references as they are now. Raises `KnownError` for int8
        where it is not installed.
        """
        from inspector_gui.core.quantising import calibrated

        current = of or self.current
        assert current is not None
        hashes = [image.sha256 for image in current.included]
        return calibrated(scoring, hashes, before=None if anew else current.scoring)

    def set_scale(self, set_id: int, mm_per_pixel: float | None) -> None:
        """State how many millimetres a pixel of a set's pictures is; None: unknown."""

        def changed(_: None) -> None:
            known = self._sets.get(set_id)
            if known is not None:
                self._sets[set_id] = replace(known, mm_per_pixel=mm_per_pixel)
                if set_id == self._current_id:
                    self.scale_changed.emit()

        self._ask(lambda store: store.references.set_scale(set_id, mm_per_pixel), then=changed)

    def set_included(self, image_ids: Sequence[int], included: bool, reason: str = "") -> None:
        """Count pictures in, or leave them out for a reason; they may be of any set."""
        ids = frozenset(image_ids)

        def change(image: ReferenceImage) -> ReferenceImage:
            return replace(image, included=included, reason=reason) if image.id in ids else image

        self._ask(
            lambda store: store.references.set_included(ids, included, reason),
            then=lambda _: self._change_images(ids, change),
        )

    def set_purpose(self, image_ids: Sequence[int], purpose: Purpose) -> None:
        """Let pictures serve another purpose; they may be of any set."""
        ids = frozenset(image_ids)

        def change(image: ReferenceImage) -> ReferenceImage:
            return replace(image, purpose=purpose) if image.id in ids else image

        self._ask(
            lambda store: store.references.set_purpose(ids, purpose),
            then=lambda _: self._change_images(ids, change),
        )

    def remove(self, image_ids: Sequence[int]) -> None:
        """Take pictures out of their sets as if never added."""
        ids = frozenset(image_ids)
        self._ask(
            lambda store: store.references.remove_images(ids),
            then=lambda _: self._change_images(ids, lambda i: None if i.id in ids else i),
        )

    def add(self, paths: Sequence[Path], purpose: Purpose | None = None) -> None:
        """Add pictures and, recursively, folders of pictures to the current set.

        Without a purpose the folders tell it (see `core.layout`). Creates a set where there is
        none. Runs in the recorder's thread, one picture a request.
        """
        name = _telling_name(paths[0]) if len(paths) == 1 else "Reference set"
        self._begin_import(name, lambda _: pictures_in(paths, purpose))

    def add_loaded(
        self,
        loads: Sequence[Load],
        *,
        name: str,
        purpose: Purpose = Purpose.REFERENCE,
        origin: str = "",
    ) -> None:
        """Add pictures that `loads` return; `name` is that of a set made where there is none."""
        self._begin_import(name, lambda _: [Incoming(load, purpose, origin) for load in loads])

    def add_picture(
        self, data: bytes, name: str, purpose: Purpose = Purpose.REFERENCE, *, origin: str = ""
    ) -> None:
        """Add one picture, given as the bytes of its file, to the current set."""
        self.add_loaded(
            [lambda: (name, data)], name=Path(name).stem, purpose=purpose, origin=origin
        )

    def cancel_import(self) -> None:
        """Stop adding pictures and take back those this import has added."""
        self._import.cancel()

    def _begin_import(self, name: str, look: Callable[[Store], list[Incoming]]) -> None:
        current = self.current
        if self.is_importing:
            self.noticed.emit("Pictures are being added already; wait for that or cancel it.")
            return
        if current is None:
            free = self.free_name(name.strip()[:70] or "Reference set")
            self.create(free, then=lambda _: self._begin_import(name, look))
            return
        self._import.begin(current.id, look)

    def _on_import_ended(self, set_id: int, images: tuple[ReferenceImage, ...], known: int) -> None:
        found = self._sets.get(set_id)
        if found is not None and images:
            self._put_images(found, (*found.images, *images))
        elif known and set_id == self._current_id:
            self.images_changed.emit()  # a file that was lost may be there again
        self.imported.emit(images)

    def _change_images(
        self, ids: Collection[int], change: Callable[[ReferenceImage], ReferenceImage | None]
    ) -> None:
        for known in self.sets:
            if any(image.id in ids for image in known.images):
                changed = (change(image) for image in known.images)
                self._put_images(known, tuple(image for image in changed if image is not None))

    def _put_images(self, before: ReferenceSet, images: tuple[ReferenceImage, ...]) -> None:
        """Give a set other pictures; too few references to judge by leave its input open."""
        now = replace(before, images=images)
        is_open = len(before.included) < MIN_REFERENCES and before.included != now.included
        chosen = _fitted(now.scoring, now) if is_open and not _is_int8(now.scoring) else now.scoring
        self._sets[now.id] = replace(now, scoring=chosen)
        if chosen != before.scoring:
            # Kept before anything is asked that follows from these pictures.
            self._keep_input(before, self._sets[now.id])
        if now.id == self._current_id:
            self.images_changed.emit()

    def _keep_input(self, before: ReferenceSet, now: ReferenceSet) -> None:
        """Store the input that references chose; say so where others were there before them."""
        former, chosen = before.scoring, now.scoring

        def kept(_: None) -> None:
            if before.included:
                whose = "this set" if now.id == self._current_id else now.name
                count = len(now.included)
                references = "reference" if count == 1 else f"{count} references"
                self.noticed.emit(
                    f"Pictures of {whose} are now seen at {chosen.input_width} x "
                    f"{chosen.input_height} pixels, chosen from its {references}."
                )

        def failed(sentence: str) -> None:
            known = self._sets.get(now.id)
            if known is not None and known.scoring == chosen:  # nobody has chosen since
                self._sets[now.id] = replace(known, scoring=former)
                if now.id == self._current_id:
                    self.current_changed.emit()
            self.noticed.emit(sentence)

        self._ask(
            lambda store: store.references.set_scoring(now.id, chosen), then=kept, otherwise=failed
        )

    def _put_and_select(self, new: ReferenceSet) -> None:
        self._sets[new.id] = new
        self._current_id = new.id
        self.sets_changed.emit()
        self.current_changed.emit()


def _telling_name(path: Path) -> str:
    """Return what a set made from a folder or file is called: not just "good" or "train"."""
    from inspector_gui.core.images import display_name

    own = path.stem if path.is_file() else path.name
    names = [display_name(name) for name in (own, *(p.name for p in path.parents))]
    return next((n for n in names if n.casefold() not in _VAGUE_NAMES), "Reference set")


def _fitted(scoring: Scoring, of: ReferenceSet) -> Scoring:
    """Return a scoring with the input that references choose, where it leaves them the choice."""
    return fitted(scoring, [(i.height, i.width) for i in of.included if i.height and i.width])


def _is_int8(scoring: Scoring) -> bool:
    """Whether a network was calibrated for a scoring's input, which is kept for that."""
    from inspector_gui.core.runtimes import INT8

    return scoring.precision == INT8
