"""Drops on the reference panel: files go into the set, dragged references into another group."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject, QPoint
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from inspector_gui.ui.dropping import DropHint, dragged_references, has_pictures
from inspector_gui.ui.drops import accept_copy
from inspector_gui.ui.group_chips import GroupChips
from inspector_gui.ui.reference_model import Group


class GroupDrops(QObject):
    """Takes all drops of a panel and finds the chip they are over.

    The panel takes them, not the chips: so the chips that appear under a drag cannot end it.
    `take_files` gets the group, None beside the chips; `take_references` ids and a group.
    """

    def __init__(
        self,
        panel: QWidget,
        chips: GroupChips,
        hint: DropHint,
        *,
        take_files: Callable[[QMimeData, Group | None], None],
        take_references: Callable[[frozenset[int], Group], None],
    ) -> None:
        super().__init__(panel)
        self._panel, self._chips, self._hint = panel, chips, hint
        self._take_files, self._take_references = take_files, take_references
        panel.setAcceptDrops(True)
        panel.installEventFilter(self)

    def eventFilter(self, _: QObject, event: QEvent) -> bool:
        match event.type():
            case QEvent.Type.DragLeave:
                self._end()
                return True
            case QEvent.Type.DragEnter if isinstance(event, QDropEvent):
                return self._enter(event)
            case QEvent.Type.DragMove if isinstance(event, QDropEvent):
                self._move(event)
                return True
            case QEvent.Type.Drop if isinstance(event, QDropEvent):
                self._drop(event)
                return True
            case _:
                return False

    def _enter(self, event: QDropEvent) -> bool:
        are_references = bool(dragged_references(event.mimeData()))
        if not are_references and not has_pictures(event.mimeData()):
            return False
        self._chips.begin_drag()
        if not are_references:
            self._hint.appear()
        accept_copy(event)  # also beside the chips: an ignored entry would end the drag here
        return True

    def _move(self, event: QDropEvent) -> None:
        target = self._target(event)
        self._chips.mark_target(target)
        if target is None and dragged_references(event.mimeData()):
            event.ignore()
        else:
            accept_copy(event)

    def _drop(self, event: QDropEvent) -> None:
        target, mime = self._target(event), event.mimeData()
        self._end()
        accept_copy(event)
        if ids := dragged_references(mime):
            if target is not None:
                self._take_references(ids, target)
        else:
            self._take_files(mime, target)

    def _end(self) -> None:
        self._hint.hide()
        self._chips.end_drag()

    def _target(self, event: QDropEvent) -> Group | None:
        """Return the group under the mouse; files cannot be dropped as excluded ones."""
        point: QPoint = self._chips.mapFrom(self._panel, event.position().toPoint())
        group = self._chips.group_at(point)
        are_files = not dragged_references(event.mimeData())
        return None if are_files and group is Group.EXCLUDED else group
