"""CIFAR-10, CIFAR-100 and FashionMNIST as torchvision leaves them in a folder; nothing is fetched.

CIFAR's batches are pickles. They are opened only where their MD5 is the one torchvision
publishes, and even then nothing but arrays, text, numbers, lists and dictionaries is let through.
CIFAR-100 is read by its 20 coarse labels, as in the papers.
"""

import gzip
import hashlib
import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector_gui.core.errors import KnownError

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

PUBLISHED_MD5: Mapping[str, str] = MappingProxyType(
    {
        "cifar-10-batches-py/data_batch_1": "c99cafc152244af753f735de768cd75f",
        "cifar-10-batches-py/data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "cifar-10-batches-py/data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "cifar-10-batches-py/data_batch_4": "634d18415352ddfa80567beed471001a",
        "cifar-10-batches-py/data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "cifar-10-batches-py/test_batch": "40351d587109b95175f43aff81a1287e",
        "cifar-10-batches-py/batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        "cifar-100-python/train": "16019d7e3df5f24257cddd939b257f8d",
        "cifar-100-python/test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
        "cifar-100-python/meta": "7973b15100ade9c7d40fb424638fde48",
        "raw/train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "raw/train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "raw/t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "raw/t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    }
)
_FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip
_IDX_UBYTE = 8  # the type code of unsigned bytes in an IDX file


@dataclass(frozen=True, eq=False)
class StandardSet:
    """A published data set with its own split into training and test pictures.

    `train`, `test`: uint8, N x H x W x 3, RGB, with labels 0 .. len(classes) - 1.
    """

    name: str
    classes: tuple[str, ...]
    train: Bytes
    train_labels: Ints
    test: Bytes
    test_labels: Ints


def read_standard_set(folder: Path) -> StandardSet | None:
    """Return the published data set in a folder, or the one that the folder is; None without.

    Raises `KnownError` where there are several, or where files are missing or damaged.
    """
    found: list[tuple[str, Callable[[], StandardSet]]] = []
    for name, read in (("cifar-10-batches-py", _cifar10), ("cifar-100-python", _cifar100)):
        for place in (folder, folder / name):
            if place.name == name and place.is_dir():
                found.append((name, partial(read, place)))
    raw = next((p for p in _fashion_places(folder) if _has_idx(p)), None)
    if raw is not None:
        found.append(("FashionMNIST", partial(_fashion, raw)))
    if len(found) > 1:
        names = " and ".join(name for name, _ in found)
        raise KnownError(f"{folder} holds several data sets: {names}. Name the folder of one.")
    return found[0][1]() if found else None


def _fashion_places(folder: Path) -> list[Path]:
    named = [folder / "FashionMNIST" / "raw"]
    if folder.name == "FashionMNIST":
        named.append(folder / "raw")
    if folder.name == "raw" and folder.absolute().parent.name == "FashionMNIST":
        named.append(folder)
    return named


def _has_idx(raw: Path) -> bool:
    return raw.is_dir() and any(raw.glob("t*-images-idx3-ubyte*"))


def _cifar10(folder: Path) -> StandardSet:
    batches = [_unpickled(folder / f"data_batch_{number}") for number in range(1, 6)]
    test, meta = _unpickled(folder / "test_batch"), _unpickled(folder / "batches.meta")
    return StandardSet(
        "CIFAR-10",
        _texts(meta, "label_names", folder),
        np.concatenate([_rgb(batch, folder) for batch in batches]),
        np.concatenate([_labels(batch, "labels", folder) for batch in batches]),
        _rgb(test, folder),
        _labels(test, "labels", folder),
    )


def _cifar100(folder: Path) -> StandardSet:
    train, test, meta = (_unpickled(folder / name) for name in ("train", "test", "meta"))
    return StandardSet(
        "CIFAR-100 (20 coarse labels)",
        _texts(meta, "coarse_label_names", folder),
        _rgb(train, folder),
        _labels(train, "coarse_labels", folder),
        _rgb(test, folder),
        _labels(test, "coarse_labels", folder),
    )


def _fashion(raw: Path) -> StandardSet:
    images = [_idx(raw, f"{part}-images-idx3-ubyte", 3) for part in ("train", "t10k")]
    labels = [_idx(raw, f"{part}-labels-idx1-ubyte", 1) for part in ("train", "t10k")]
    for pictures, of_them in zip(images, labels, strict=True):
        if len(pictures) != len(of_them) or of_them.max(initial=0) >= len(_FASHION):
            raise _damaged(raw)
    train, test = (np.repeat(pictures[..., None], 3, axis=3) for pictures in images)
    return StandardSet(
        "FashionMNIST",
        _FASHION,
        train,
        labels[0].astype(np.int64),
        test,
        labels[1].astype(np.int64),
    )


def _idx(raw: Path, name: str, dimensions: int) -> Bytes:
    """Return the array in an IDX file, plain or gzipped."""
    plain = raw / name
    if plain.is_file():
        data = _read(plain)
    else:
        try:
            data = gzip.decompress(_checked(raw / f"{name}.gz"))
        except (OSError, EOFError) as error:
            raise _damaged(raw) from error
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes((0, 0, _IDX_UBYTE, dimensions)):
        raise _damaged(raw)
    shape = tuple(int(n) for n in np.frombuffer(data[4:start], ">u4"))
    if len(data) - start != np.prod(shape, dtype=np.int64):
        raise _damaged(raw)
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _checked(path: Path) -> bytes:
    """Return a file's content where it is the published one."""
    data = _read(path)
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if digest != PUBLISHED_MD5[f"{path.absolute().parent.name}/{path.name}"]:
        raise KnownError(f"{path} is damaged or not the published file; download it again.")
    return data


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KnownError(
            f"{path} belongs to this data set and cannot be read: "
            f"{error.strerror or type(error).__name__}."
        ) from error


class _ArraysOnly(pickle.Unpickler):
    """Refuses to make anything but numpy arrays and what pickles know by themselves."""

    # A pickled array names the function that makes an empty one; numpy has moved it about.
    _MADE_BY = np.empty(0).__reduce__()[0]
    _ADMITTED = MappingProxyType(
        {
            ("numpy.core.multiarray", "_reconstruct"): _MADE_BY,
            ("numpy._core.multiarray", "_reconstruct"): _MADE_BY,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle may name; `UnpicklingError` for anything else."""
        try:
            return self._ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not admitted") from None


def _unpickled(path: Path) -> dict[str, Any]:
    data = _checked(path)
    try:
        found = _ArraysOnly(io.BytesIO(data), encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise _damaged(path) from error
    if not isinstance(found, dict):
        raise _damaged(path)
    return found


def _rgb(batch: Mapping[str, Any], place: Path) -> Bytes:
    data = batch.get("data")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3072,):
        raise _damaged(place)
    return np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _labels(batch: Mapping[str, Any], key: str, place: Path) -> Ints:
    labels = batch.get(key)
    if not isinstance(labels, list) or len(labels) != len(batch["data"]):
        raise _damaged(place)
    return np.asarray(labels, np.int64)


def _texts(meta: Mapping[str, Any], key: str, place: Path) -> tuple[str, ...]:
    names = meta.get(key)
    if not isinstance(names, list):
        raise _damaged(place)
    return tuple(str(name) for name in names)


def _damaged(place: Path) -> KnownError:
    return KnownError(f"{place} is damaged or not the published data set; download it again.")
