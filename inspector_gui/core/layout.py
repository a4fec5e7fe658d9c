"""What pictures in folders are for, where the folders say so: the layout of MVTec's data sets.

`train/good` holds references, `test/good` good pictures for validation, every other folder of
`test` known bad ones, and `ground_truth` masks, which are no pictures of parts. A folder counts as
such a data set only where it has `train/good`: other folders called `test` mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inspector_gui.core.images import list_images
from inspector_gui.core.types import Purpose

_GOOD, _TRAIN, _TEST, _MASKS = "good", "train", "test", "ground_truth"


@dataclass(frozen=True)
class Found:
    """A picture file, what it is for, and whether the folders said so."""

    path: Path
    purpose: Purpose
    is_recognised: bool = False


def sort_pictures(paths: Sequence[Path], purpose: Purpose | None = None) -> tuple[Found, ...]:
    """Return the picture files among and below `paths` with what they are for, in order.

    A given `purpose` counts for all; otherwise the layout decides, and what is in none is a
    reference. Masks of a data set are left out.
    """
    found = []
    for path in list_images(list(paths)):
        parts = _place(path)
        if parts[:1] == (_MASKS,):
            continue
        told = _purpose(parts)
        chosen = purpose or told or Purpose.REFERENCE
        found.append(Found(path, chosen, is_recognised=purpose is None and told is not None))
    return tuple(found)


def _place(path: Path) -> tuple[str, ...]:
    """Return the folders from the data set's root down to a picture, () outside of one."""
    folders = path.absolute().parents
    for depth, folder in enumerate(folders):
        is_below = depth >= 1 and folders[depth - 1].name in (_TRAIN, _TEST, _MASKS)
        if is_below and (folder / _TRAIN / _GOOD).is_dir():
            return path.absolute().relative_to(folder).parts[:-1]
    return ()


def _purpose(place: tuple[str, ...]) -> Purpose | None:
    match place:
        case ("train", "good", *_):
            return Purpose.REFERENCE
        case ("test", "good", *_):
            return Purpose.VALIDATION
        case ("test", _, *_):
            return Purpose.BAD
        case _:
            return None
