"""The pictures of a reference set as a list for Qt's views."""

from collections.abc import Sequence
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

from inspector_gui.core.types import ReferenceImage
from inspector_gui.ui.thumbnails import Thumbnails

Index = QModelIndex | QPersistentModelIndex
IMAGE_ROLE = int(Qt.ItemDataRole.UserRole)
_NOWHERE = QModelIndex()


class Shown(Enum):
    """Which pictures of a set are listed."""

    ALL = auto()
    INCLUDED = auto()
    EXCLUDED = auto()

    def holds(self, image: ReferenceImage) -> bool:
        """Return whether a picture is listed."""
        return self is Shown.ALL or image.included == (self is Shown.INCLUDED)


class ReferenceModel(QAbstractListModel):
    """Pictures in the order in which they were added; thumbnails come when they are asked for."""

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._images: tuple[ReferenceImage, ...] = ()
        thumbnails.arrived.connect(self._on_arrived)

    @property
    def images(self) -> tuple[ReferenceImage, ...]:
        """What is listed."""
        return self._images

    def show_images(self, images: Sequence[ReferenceImage], shown: Shown) -> None:
        """List other pictures; what stays keeps its place and its selection."""
        new = tuple(image for image in images if shown.holds(image))
        old_ids = [image.id for image in self._images]
        new_ids = [image.id for image in new]
        if new_ids == old_ids:
            self._replace(new)
        elif new_ids[: len(old_ids)] == old_ids:
            self.beginInsertRows(_NOWHERE, len(old_ids), len(new_ids) - 1)
            self._images = new
            self.endInsertRows()
        elif self._is_shortened(old_ids, new_ids):
            self._remove_all_but(frozenset(new_ids))
            self._replace(new)
        else:
            self.beginResetModel()
            self._images = new
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

    def _description(self, image: ReferenceImage) -> str:
        if image.included:
            return image.name
        excluded = self.tr("excluded")
        reason = f": {image.reason}" if image.reason else ""
        return f"{image.name}\n{excluded}{reason}"

    def _replace(self, new: tuple[ReferenceImage, ...]) -> None:
        changed = [r for r, (a, b) in enumerate(zip(self._images, new, strict=True)) if a is not b]
        self._images = new
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
            self._images = self._images[: run[0]] + self._images[run[-1] + 1 :]
            self.endRemoveRows()

    def _on_arrived(self, hashes: frozenset[str]) -> None:
        rows = [row for row, image in enumerate(self._images) if image.sha256 in hashes]
        if rows:
            role = [int(Qt.ItemDataRole.DecorationRole)]
            self.dataChanged.emit(self.index(rows[0]), self.index(rows[-1]), role)
