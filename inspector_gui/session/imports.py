"""Pictures on their way into a reference set: one at a time, told as they go, taken back whole."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.types import Progress, Purpose, ReferenceImage
from inspector_gui.session.recording import Ask
from inspector_gui.workers.recorder import Store

Load = Callable[[], tuple[str, bytes]]
"""Returns a picture's name and the bytes of its file; called in the recorder's thread."""

_NAMED_FAILURES = 3


@dataclass(frozen=True)
class Incoming:
    """A picture to add, what it is for, and where it came from."""

    load: Load
    purpose: Purpose = Purpose.REFERENCE
    origin: str = ""
    is_recognised: bool = False


@dataclass(eq=False)
class _Running:
    """An import under way; `ids` of pictures that are stored belongs to the recorder's thread."""

    set_id: int
    total: int = 0
    known: int = 0
    waiting: deque[Incoming] = field(default_factory=deque)
    added: list[ReferenceImage] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    is_recognised: bool = False


class PictureImport(QObject):
    """Adds pictures to one set at a time; a cancelled import leaves the set as it was."""

    progressed = Signal(object)
    """A `Progress` while pictures are added, None when that has ended."""
    ended = Signal(int, object, int)
    """The set's id, the `ReferenceImage`s that were added, and how many it had already."""
    noticed = Signal(str)

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask
        self._running: _Running | None = None

    @property
    def set_id(self) -> int | None:
        """The set that pictures are being added to, if any."""
        return None if self._running is None else self._running.set_id

    def begin(self, set_id: int, look: Callable[[Store], list[Incoming]]) -> None:
        """Find pictures by `look`, in the recorder's thread, and add them one by one."""
        self._running = running = _Running(set_id)
        self.progressed.emit(Progress("Looking for pictures", 0, 0))

        def found(incoming: list[Incoming]) -> None:
            if self._running is running:
                self._on_found(running, incoming)

        def failed(sentence: str) -> None:
            if self._running is running:
                self._give_up(sentence)

        self._ask(look, then=found, otherwise=failed)

    def cancel(self) -> None:
        """Stop adding pictures and take back those this import has added."""
        stopped, self._running = self._running, None
        if stopped is None:
            return
        # Asked after the last addition, so the list is whole when this is answered.
        self._ask(lambda store: store.references.remove_images(tuple(stopped.ids)))
        self.progressed.emit(None)
        self.noticed.emit("Adding pictures was cancelled; the set is as it was before.")

    def _give_up(self, sentence: str) -> None:
        self.noticed.emit(sentence)
        self.cancel()

    def _on_found(self, running: _Running, incoming: list[Incoming]) -> None:
        if not incoming:
            self._running = None
            self.progressed.emit(None)
            self.noticed.emit("There are no pictures in what was dropped or chosen.")
            return
        running.waiting.extend(incoming)
        running.total = len(incoming)
        running.is_recognised = any(one.is_recognised for one in incoming)
        self._add_next(running)

    def _add_next(self, running: _Running) -> None:
        done = running.total - len(running.waiting)
        self.progressed.emit(Progress("Adding pictures", done, running.total))
        if not running.waiting:
            self._finish(running)
            return
        incoming = running.waiting.popleft()

        def work(store: Store) -> ReferenceImage | str | None:
            from inspector_gui.core.images import UnreadableImage, decode

            try:
                name, data = incoming.load()
                image = decode(data, name=name)
            except UnreadableImage as error:
                return str(error)
            purpose, origin = incoming.purpose, incoming.origin
            added = store.references.add_image(
                running.set_id, data, image, name, purpose=purpose, origin=origin
            )
            if added is not None:
                running.ids.append(added.id)
            return added

        def added(result: ReferenceImage | str | None) -> None:
            if self._running is not running:
                return  # cancelled meanwhile
            if isinstance(result, ReferenceImage):
                running.added.append(result)
            elif result is None:
                running.known += 1
            else:
                running.refused.append(result)
            self._add_next(running)

        def failed(sentence: str) -> None:
            if self._running is running:
                self._give_up(sentence)

        self._ask(work, then=added, otherwise=failed)

    def _finish(self, ended: _Running) -> None:
        self._running = None
        self.ended.emit(ended.set_id, tuple(ended.added), ended.known)
        self.progressed.emit(None)
        said = []
        if ended.is_recognised:
            counts = Counter(image.purpose for image in ended.added)
            purposes = ", ".join(f"{n} {purpose}" for purpose, n in counts.items())
            said.append(f"By the folders: {purposes}.")
        if ended.known:
            said.append(f"{ended.known} of them were in the set already.")
        if ended.refused:
            said.append(f"{len(ended.refused)} could not be used: ")
            said.append(" ".join(ended.refused[:_NAMED_FAILURES]))
            if len(ended.refused) > _NAMED_FAILURES:
                said.append(f"and {len(ended.refused) - _NAMED_FAILURES} more.")
        if said:
            pictures = (
                "1 picture was" if len(ended.added) == 1 else f"{len(ended.added)} pictures were"
            )
            self.noticed.emit(f"{pictures} added. " + " ".join(said))


def pictures_in(paths: Sequence[Path], purpose: Purpose | None) -> list[Incoming]:
    """Return the pictures among and below `paths`; without a purpose the folders tell it."""
    from inspector_gui.core.images import display_name
    from inspector_gui.core.layout import sort_pictures

    return [
        Incoming(
            partial(_read, found.path),
            found.purpose,
            display_name(found.path.absolute().parent),
            found.is_recognised,
        )
        for found in sort_pictures(paths, purpose)
    ]


def _read(path: Path) -> tuple[str, bytes]:
    from inspector_gui.core.images import display_name, read_bytes

    return display_name(path.name), read_bytes(path)
