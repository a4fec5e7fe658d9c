"""Patch features of PatchCore: levels 2 and 3, averaged over their neighbourhood.

Roth et al. 2022, arXiv 2106.08265, equations 1 to 3 with p = 3. The average counts zeros beyond
the border, as the authors' code does; the coarser level is resized bilinearly to the finer one's
grid (half-pixel centres, borders repeated) and the two are concatenated. All channels are kept
(METHODS "PatchCore"): the authors pool them to a common width first.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Gallery, shown_cells
from inspector_gui.core.neighbours import Ints, ShouldStop
from inspector_gui.core.types import Floats, Inside, Progress

Levels = tuple[Floats, Floats, Floats]


def patch_area(levels: Levels, inside: Inside | None) -> Inside:
    """Return which patches of the grid show the picture: first row, column, last + 1 of each.

    `inside` is in cells of the finest grid (see `Features`); None: all of them.
    """
    if inside is None:
        return 0, 0, levels[1].shape[0], levels[1].shape[1]
    top, left, bottom, right = inside
    return top // 2, left // 2, -(-bottom // 2), -(-right // 2)


def patch_features(levels: Levels, inside: Inside | None = None) -> Floats:
    """Return the patches of one picture: float32, h x w x (C2 + C3) on the grid of stride 8.

    `levels`: float32, h x w x C each, finest first (`Features.levels`). Of padding there are none:
    the patches are those of `patch_area`, and its edge is a border like that of any picture.
    """
    if inside is not None:
        levels = shown_cells(levels, inside)
    middle, coarse = _averaged(levels[1]), _averaged(levels[2])
    height, width = middle.shape[:2]
    if inside is None:
        return np.concatenate([middle, _resized(coarse, height, width)], axis=2)
    whole = _resized(coarse, 2 * coarse.shape[0], 2 * coarse.shape[1])
    down, right = inside[0] // 2 % 2, inside[1] // 2 % 2
    grown = whole[down : down + height, right : right + width]
    return np.concatenate([middle, grown], axis=2)


def _averaged(level: Floats) -> Floats:
    """Return the mean over 3 x 3 places, with zeros beyond the border."""
    height, width, channels = level.shape
    padded = np.zeros((height + 2, width + 2, channels), np.float32)
    padded[1:-1, 1:-1] = level
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return np.asarray((rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(9), np.float32)


def _resized(level: Floats, height: int, width: int) -> Floats:
    """Return a level resized bilinearly."""
    rows, below, share = _between(level.shape[0], height)
    tall = level[rows] * (1 - share[:, None, None]) + level[below] * share[:, None, None]
    columns, right, share = _between(level.shape[1], width)
    wide = tall[:, columns] * (1 - share[:, None]) + tall[:, right] * share[:, None]
    return np.asarray(wide, np.float32)


def _between(old: int, new: int) -> tuple[Ints, Ints, Floats]:
    """Return for each of `new` places the two of `old` it is between, and how near the second."""
    places = np.clip((np.arange(new) + 0.5) * (old / new) - 0.5, 0, old - 1)
    first = places.astype(np.int64)
    return first, np.minimum(first + 1, old - 1), (places - first).astype(np.float32)


@contextmanager
def patches_of(
    gallery: Gallery,
    order: Sequence[int] | Ints,
    *,
    folder: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Iterator[Floats]:
    """Yield the patches of some references, one after the other: float32, N x D.

    They lie in a file that is gone afterwards, in `folder` or among the system's temporary ones:
    reading it needs no memory of its own. `order`: rows of the gallery. Raises `KnownError` for
    features that are no numbers and where the disk refuses, `Cancelled` on request.
    """
    with tempfile.TemporaryDirectory(
        prefix="patches-", dir=folder, ignore_cleanup_errors=True
    ) as scratch:
        path = Path(scratch) / "patches.f32"
        width = 0
        try:
            with path.open("wb") as file:
                for done, row in enumerate(order):
                    if should_stop():
                        raise Cancelled
                    report(Progress("patches read", done, len(order)))
                    patches = patch_features(gallery.levels(int(row)), gallery.inside(int(row)))
                    if not np.isfinite(patches).all():
                        raise KnownError(
                            "The features of a picture are no numbers; remove that picture or "
                            "compute its features again."
                        )
                    width = patches.shape[2]
                    file.write(patches.tobytes())
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise KnownError(
                f"The patches do not fit in {path.parent.parent}: {reason}. Free some space there "
                "and try again."
            ) from error
        report(Progress("patches read", len(order), len(order)))
        rows = np.memmap(path, dtype="<f4", mode="r").reshape(-1, width)
        try:
            yield np.asarray(rows)
        finally:
            del rows
