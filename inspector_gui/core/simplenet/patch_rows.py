"""Patch features of the references in one file, read where they lie: memory stays bounded."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Gallery
from inspector_gui.core.neighbours import Ints, ShouldStop
from inspector_gui.core.simplenet.patches import PatchPooling
from inspector_gui.core.types import Floats, Inside, Progress


@dataclass(frozen=True, eq=False)
class PatchRows:
    """The patches of some pictures: float32, one row each, picture after picture.

    `values`: N x D, may be a map of a file. `ends`: int64, one more than pictures; those of picture
    n are rows `ends[n]` .. `ends[n + 1]`.
    """

    values: Floats
    ends: Ints

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def width(self) -> int:
        """Values of a patch."""
        return int(self.values.shape[1])

    def of(self, picture: int) -> Floats:
        """Return the patches of a picture."""
        return self.values[self.ends[picture] : self.ends[picture + 1]]

    def batch(
        self, pictures: Sequence[int] | Ints, patches: int, draw: np.random.Generator
    ) -> Floats:
        """Return the patches of some pictures, `patches` of each drawn with repetition (0: all)."""
        if patches == 0:
            return np.concatenate([self.of(int(picture)) for picture in pictures])
        chosen = np.asarray(pictures, np.int64)
        first, count = self.ends[chosen], np.diff(self.ends)[chosen]
        shares = draw.random((len(chosen), patches))
        places = first[:, None] + (shares * count[:, None]).astype(np.int64)
        return self.values[places.ravel()]

    def split(self, count: int) -> tuple["PatchRows", "PatchRows"]:
        """Return the patches of the first pictures, and those of all others."""
        place = int(self.ends[count])
        first = PatchRows(self.values[:place], self.ends[: count + 1])
        return first, PatchRows(self.values[place:], self.ends[count:] - place)

    def sample(self, most: int) -> Floats:
        """Return at most that many patches, evenly spread."""
        step = -(-len(self.values) // most)
        return np.array(self.values[:: max(step, 1)])


@contextmanager
def patch_rows(
    gallery: Gallery,
    rows: Sequence[int],
    pooling: PatchPooling,
    *,
    folder: Path | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> Iterator[PatchRows]:
    """Yield the patches of some rows of a gallery, in a file that is gone afterwards.

    It lies in `folder` or among the system's temporary ones. Patches of padding are left out.
    Raises `KnownError` for features that are no numbers and where the disk refuses, `Cancelled` on
    request.
    """
    place = Path(folder or tempfile.gettempdir())
    with tempfile.TemporaryDirectory(prefix="patches-", dir=place, ignore_cleanup_errors=True) as d:
        path = Path(d) / "patches.f32"
        ends = [0]
        try:
            with path.open("wb") as file:
                for done, row in enumerate(rows):
                    if should_stop():
                        raise Cancelled
                    report(Progress("patches", done, len(rows)))
                    patches = patches_of(gallery, row, pooling)
                    if done == 0:
                        _require_room(place, patches.nbytes * len(rows))
                    file.write(patches.tobytes())
                    ends.append(ends[-1] + len(patches))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise KnownError(
                f"The patches do not fit in {place}: {reason}. Free some space there and try again."
            ) from error
        report(Progress("patches", len(rows), len(rows)))
        values = np.memmap(path, dtype="<f4", mode="r").reshape(-1, pooling.dimension)
        try:
            yield PatchRows(np.asarray(values), np.array(ends, np.int64))
        finally:
            del values


def patches_of(gallery: Gallery, row: int, pooling: PatchPooling) -> Floats:
    """Return the patches of a reference that show it: float32, P x D; `KnownError` for NaN."""
    import torch

    from inspector_gui.core.simplenet.networks import PatchFeatures

    levels = tuple(
        torch.from_numpy(np.ascontiguousarray(level.transpose(2, 0, 1)))[None]
        for level in gallery.levels(row)
    )
    with torch.inference_mode():
        grid = PatchFeatures(pooling)(levels)[0].permute(1, 2, 0).numpy()
    rows, columns = shown_area(gallery.inside(row), grid.shape[:2], pooling.finest)
    patches = np.ascontiguousarray(grid[rows, columns].reshape(-1, pooling.dimension))
    if not np.isfinite(patches).all():
        raise KnownError(
            "The features of a picture are no numbers; remove that picture or compute its "
            "features again."
        )
    return patches


def shown_area(inside: Inside | None, grid: tuple[int, ...], level: int) -> tuple[slice, slice]:
    """Return the rows and columns of a level's grid that show the picture.

    `inside` is in cells of the finest level (see `Features`), `grid` the level's rows and columns.
    """
    top, left, bottom, right = inside or (0, 0, grid[0] << level, grid[1] << level)
    rows = slice(top >> level, -(-bottom // (1 << level)))
    return rows, slice(left >> level, -(-right // (1 << level)))


def _require_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted:
        raise KnownError(
            f"Training needs {wanted / 1e9:.1f} GB for patches in {folder}, where "
            f"{free / 1e9:.1f} GB are free. Free some space, or train on fewer references."
        )
