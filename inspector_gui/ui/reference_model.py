"""The pictures of a reference set as a list for Qt's views."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from enum import Enum, auto
from itertools import groupby
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from inspector_gui.core.types import Purpose, ReferenceImage
from inspector_gui.ui.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex
IMAGE_ROLE = int(Qt.ItemDataRole.UserRole)
_NOWHERE = QModelIndex()
_FLAGS = (
    Qt.ItemFlag.ItemIsEnabled
    | Qt.ItemFlag.ItemIsSelectable
    | Qt.ItemFlag.ItemIsDragEnabled
    | Qt.ItemFlag.ItemNeverHasChildren
)


class Group(Enum):
    """Where a picture stands: every one is in exactly one group."""

    GOOD = auto()
    VALIDATION = auto()
    BAD = auto()
    EXCLUDED = auto()

    @property
    def purpose(self) -> Purpose | None:
        """What pictures of this group are for; None for those left out."""
        return _PURPOSES.get(self)


_PURPOSES = {
    Group.GOOD: Purpose.REFERENCE,
    Group.VALIDATION: Purpose.VALIDATION,
    Group.BAD: Purpose.BAD,
}
_GROUPS = {purpose: group for group, purpose in _PURPOSES.items()}


def group_of(image: ReferenceImage) -> Group:
    """Return the group a picture is in."""
    return _GROUPS[image.purpose] if image.included else Group.EXCLUDED


def count_groups(images: Collection[ReferenceImage]) -> dict[Group, int]:
    """Return how many pictures are in each group."""
    # Counted in lists: a dict would hash 10,000 enum members one by one in Python.
    included = [image.purpose for image in images if image.included]
    counts = {group: included.count(purpose) for group, purpose in _PURPOSES.items()}
    return {**counts, Group.EXCLUDED: len(images) - len(included)}


class ReferenceModel(QAbstractListModel):
    """Pictures in the order in which they were added; thumbnails come when they are asked for."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._images: tuple[ReferenceImage, ...] = ()
        self._source: Sequence[ReferenceImage] = ()
        self._shown: Group | None = None
        self._rows: dict[str, list[int]] | None = None
        thumbnails.arrived.connect(self._on_arrived)

    @property
    def images(self) -> tuple[ReferenceImage, ...]:
        """What is listed."""
        return self._images

    def show_images(self, images: Sequence[ReferenceImage], shown: Group | None) -> None:
        """List the pictures of a group, or all; what stays keeps its place and its selection."""
        if images is self._source and shown is self._shown:  # sets are values
            return
        self._source, self._shown = images, shown
        if shown is None:
            new = tuple(images)
        else:
            new = tuple(image for image in images if group_of(image) is shown)
        old_ids = [image.id for image in self._images]
        new_ids = [image.id for image in new]
        if new_ids == old_ids:
            self._replace(new)
        elif new_ids[: len(old_ids)] == old_ids:
            self.beginInsertRows(_NOWHERE, len(old_ids), len(new_ids) - 1)
            self._take(new)
            self.endInsertRows()
        elif self._is_shortened(old_ids, new_ids):
            self._remove_all_but(frozenset(new_ids))
            self._replace(new)
        else:
            self.beginResetModel()
            self._take(new)
            self.endResetModel()

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._images)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not 0 <= index.row() < len(self._images):
            return None
        image = self._images[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return image.name
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnails.get(image.sha256)
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._description(image)
            case _:
                return image if role == IMAGE_ROLE else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS if index.isValid() else Qt.ItemFlag.NoItemFlags

    def _description(self, image: ReferenceImage) -> str:
        words = {
            Purpose.REFERENCE: "",
            Purpose.VALIDATION: self.tr("V: validation good, a good part that checks the limit"),
            Purpose.BAD: self.tr("✕: known bad, a defective part that checks the limit"),
        }
        lines = [image.name, words[image.purpose]]
        if not image.included:
            reason = f": {image.reason}" if image.reason else ""
            lines.append(self.tr("excluded") + reason)
        return "\n".join(filter(None, lines))

    def _take(self, images: tuple[ReferenceImage, ...]) -> None:
        self._images = images
        self._rows = None

    def _replace(self, new: tuple[ReferenceImage, ...]) -> None:
        changed = [r for r, (a, b) in enumerate(zip(self._images, new, strict=True)) if a is not b]
        self._take(new)
        if changed:
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))

    @staticmethod
    def _is_shortened(old_ids: list[int], new_ids: list[int]) -> bool:
        remaining = frozenset(new_ids)
        return bool(new_ids) and [i for i in old_ids if i in remaining] == new_ids

    def _remove_all_but(self, ids: frozenset[int]) -> None:
        gone = [row for row, image in enumerate(self._images) if image.id not in ids]
        grouped = groupby(enumerate(gone), lambda pair: pair[1] - pair[0])
        runs = [[row for _, row in run] for _, run in grouped]
        for run in reversed(runs):
            self.beginRemoveRows(_NOWHERE, run[0], run[-1])
            self._take(self._images[: run[0]] + self._images[run[-1] + 1 :])
            self.endRemoveRows()

    def _on_arrived(self, hashes: frozenset[str]) -> None:
        if self._rows is None:
            self._rows = defaultdict(list)
            for row, image in enumerate(self._images):
                self._rows[image.sha256].append(row)
        role = [int(Qt.ItemDataRole.DecorationRole)]
        for sha256 in hashes:
            for row in self._rows.get(sha256, ()):
                self.dataChanged.emit(self.index(row), self.index(row), role)
