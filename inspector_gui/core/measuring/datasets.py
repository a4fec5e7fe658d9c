"""Data sets in MVTec layout: good pictures to learn from, test pictures with known answers."""

from dataclasses import dataclass
from pathlib import Path

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import list_images


@dataclass(frozen=True)
class Sample:
    """A test picture: its kind ("good" or a defect) and its mask file, where there is one."""

    path: Path
    kind: str
    mask: Path | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the picture shows a defective part."""
        return self.kind != "good"


@dataclass(frozen=True)
class Dataset:
    """A data set in MVTec layout: `train/good`, `test/<kind>`, `ground_truth/<kind>`."""

    name: str
    train: tuple[Path, ...]
    test: tuple[Sample, ...]


def read_dataset(folder: Path) -> Dataset:
    """Return what an MVTec folder holds; raises `KnownError` where it is not one.

    A mask is `ground_truth/<kind>/<stem>_mask.png` or `<stem>.png`.
    """
    if not folder.is_dir():
        raise KnownError(f"{folder} is not a folder.")
    good = folder / "train" / "good"
    train = list_images([good]) if good.is_dir() else []
    if not train:
        raise KnownError(f"{folder} is not in MVTec layout: no pictures in its folder train/good.")
    test = folder / "test"
    kinds = sorted(p for p in test.iterdir() if p.is_dir()) if test.is_dir() else []
    samples = [
        Sample(path, kind.name, _mask_of(folder / "ground_truth" / kind.name, kind, path))
        for kind in kinds
        for path in list_images([kind])
    ]
    if not samples:
        raise KnownError(f"{folder} is not in MVTec layout: no pictures in folders below test.")
    return Dataset(folder.resolve().name, tuple(train), tuple(samples))


def _mask_of(masks: Path, kind: Path, picture: Path) -> Path | None:
    place = masks / picture.relative_to(kind)
    candidates = (place.with_name(f"{place.stem}{ending}") for ending in ("_mask.png", ".png"))
    return next((c for c in candidates if c.is_file()), None)
