"""Data sets of classes: a folder of class folders, or one that everybody uses.

What is normal is decided by a protocol (`core.protocols`); here is only which picture belongs to
which class, and which are to learn from. A folder whose class folders lie below `train` and
`test` keeps that split; otherwise the first 80 % of every class in natural order are learnt from
and the rest is tested with, as the DN2 paper does with its white blood cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import display_name, list_images, natural_order, read_image
from inspector_gui.core.measuring.standard_sets import read_standard_set
from inspector_gui.core.types import RGB

Ints = npt.NDArray[np.int64]

TRAIN_SHARE = 0.8
BY_FOLDER, IN_ORDER, STANDARD = "train and test folders", "80/20 in order", "standard"


class Pictures(Protocol):
    """Pictures by number: uint8, H x W x 3, RGB; raises `UnreadableImage` for one that is none."""

    def __len__(self) -> int: ...

    def __getitem__(self, row: int, /) -> RGB: ...


@dataclass(frozen=True)
class PictureFiles:
    """Pictures in files."""

    paths: tuple[Path, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int, /) -> RGB:
        return read_image(self.paths[row])


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """Pictures and the number of each one's class: int64, N."""

    pictures: Pictures
    labels: Ints

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class ClassData:
    """A data set of two or more classes; `split` says in words how it was split."""

    name: str
    classes: tuple[str, ...]
    split: str
    train: LabelledPictures
    test: LabelledPictures


def read_class_data(folder: Path) -> ClassData:
    """Return the data set of classes in a folder; `KnownError` where there is none.

    A folder with `cifar-10-batches-py`, `cifar-100-python` or `FashionMNIST/raw` in it is that
    data set, with its own split. Every class has a training and a test picture at least.
    """
    if not folder.is_dir():
        raise KnownError(f"{display_name(folder)} is not a folder.")
    published = read_standard_set(folder)
    if published is not None:
        return ClassData(
            published.name,
            published.classes,
            STANDARD,
            LabelledPictures(published.train, published.train_labels),
            LabelledPictures(published.test, published.test_labels),
        )
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        train, test = _classes_below(folder / "train"), _classes_below(folder / "test")
        split = BY_FOLDER
        _check_classes(folder, train)
        _check_both(folder, train, test)
    else:
        found = _classes_below(folder)
        split = IN_ORDER
        _check_classes(folder, found)
        train, test = _in_order(folder, found)
    names = tuple(train)
    return ClassData(
        display_name(folder.resolve().name),
        tuple(display_name(name) for name in names),
        split,
        _labelled(train, names),
        _labelled(test, names),
    )


def _classes_below(folder: Path) -> dict[str, list[Path]]:
    """Return the pictures of every class folder that has some, in natural order."""
    below = (p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    found = ((p.name, list_images([p])) for p in sorted(below, key=natural_order))
    return {name: paths for name, paths in found if paths}


def _check_classes(folder: Path, found: dict[str, list[Path]]) -> None:
    shown = display_name(folder)
    if not found:
        raise KnownError(
            f"{shown} is not a folder of class folders: there are no pictures in folders below it."
        )
    if len(found) == 1:
        raise KnownError(
            f"{shown} has only one class with pictures to learn from, {_named(found)}; the "
            "protocols set classes against each other and need two."
        )


def _check_both(folder: Path, train: dict[str, list[Path]], test: dict[str, list[Path]]) -> None:
    for there, missing, where in ((train, test, "test"), (test, train, "train")):
        lost = next((name for name in there if name not in missing), None)
        if lost is not None:
            raise KnownError(
                f"The class {display_name(lost)!r} of {display_name(folder)} has no pictures in "
                f"its folder {where}."
            )


def _in_order(
    folder: Path, found: dict[str, list[Path]]
) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    train, test = {}, {}
    for name, paths in found.items():
        if len(paths) == 1:
            raise KnownError(
                f"The class {display_name(name)!r} of {display_name(folder)} has one picture; a "
                "class needs two: one to learn from and one to test with."
            )
        first = max(1, int(TRAIN_SHARE * len(paths)))
        train[name], test[name] = paths[:first], paths[first:]
    return train, test


def _named(found: dict[str, list[Path]]) -> str:
    return ", ".join(repr(display_name(name)) for name in found)


def _labelled(classes: dict[str, list[Path]], names: Sequence[str]) -> LabelledPictures:
    paths = [path for name in names for path in classes[name]]
    labels = np.repeat(np.arange(len(names)), [len(classes[name]) for name in names])
    return LabelledPictures(PictureFiles(tuple(paths)), labels.astype(np.int64))
