import gzip
import hashlib
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring import standard_sets
from inspector_gui.core.measuring.class_data import PictureFiles, read_class_data
from tests.core.squares import plain, save


def make_class(folder: Path, count: int, *, value: int = 10, size: int = 8) -> None:
    for number in range(count):
        save(folder / f"part{number}.png", plain(value + number, size))


def names_of(pictures: object) -> list[str]:
    assert isinstance(pictures, PictureFiles)
    return [f"{path.parent.name}/{path.name}" for path in pictures.paths]


def test_without_a_split_the_first_80_percent_in_natural_order_are_learnt_from(
    tmp_path: Path,
) -> None:
    make_class(tmp_path / "nut", 11)
    make_class(tmp_path / "bolt", 5)
    (tmp_path / "notes").mkdir()
    data = read_class_data(tmp_path)
    assert data.classes == ("bolt", "nut")
    assert data.split == "80/20 in order"
    assert names_of(data.train.pictures)[4:] == [f"nut/part{n}.png" for n in range(8)]
    # By text, part10 would come before part2.
    assert names_of(data.test.pictures) == ["bolt/part4.png"] + [
        f"nut/part{n}.png" for n in (8, 9, 10)
    ]
    assert data.train.labels.tolist() == [0] * 4 + [1] * 8
    assert data.test.labels.tolist() == [0, 1, 1, 1]
    assert (data.test.pictures[0] == 14).all()


def test_a_split_by_folders_is_kept(tmp_path: Path) -> None:
    for name in ("bolt", "nut"):
        make_class(tmp_path / "train" / name, 1)
        make_class(tmp_path / "test" / name, 4)
    data = read_class_data(tmp_path)
    assert data.split == "train and test folders"
    assert (len(data.train), len(data.test)) == (2, 8)


def one_picture(root: Path) -> None:
    make_class(root / "nut", 1)
    make_class(root / "bolt", 5)


def one_class(root: Path) -> None:
    make_class(root / "nut", 5)


def mvtec(root: Path) -> None:
    make_class(root / "train" / "good", 5)
    make_class(root / "test" / "good", 5)
    make_class(root / "test" / "bent", 5)


def untaught(root: Path) -> None:
    for name in ("train/nut", "train/bolt", "test/nut", "test/bolt", "test/washer"):
        make_class(root / name, 2)


def untested(root: Path) -> None:
    for name in ("train/nut", "train/bolt", "test/nut"):
        make_class(root / name, 2)


def loose(root: Path) -> None:
    make_class(root, 5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (one_picture, "The class 'nut' of .* has one picture; a class needs two"),
        (one_class, "only one class with pictures to learn from, 'nut'"),
        (mvtec, "only one class with pictures to learn from, 'good'"),
        (untaught, "The class 'washer' of .* has no pictures in its folder train"),
        (untested, "The class 'bolt' of .* has no pictures in its folder test"),
        (loose, "not a folder of class folders"),
        (shutil.rmtree, "is not a folder"),
    ],
)
def test_what_is_no_data_set_of_classes_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    root = tmp_path / "parts"
    root.mkdir()
    make(root)
    with pytest.raises(KnownError, match=words):
        read_class_data(root)


# The published sets, made up at the same places and in the same form.


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, bytes], None]:
    """Write a file that counts as the published one."""
    digests = dict(standard_sets.PUBLISHED_MD5)
    monkeypatch.setattr(standard_sets, "PUBLISHED_MD5", digests)

    def write(path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
        digests[f"{path.parent.name}/{path.name}"] = digest

    return write


Write = Callable[[Path, bytes], None]
RED = np.concatenate([np.full(1024, 200), np.zeros(2048)]).astype(np.uint8)


def batch(count: int, **labels: list[int]) -> bytes:
    """Return a batch as Python 2 pickled it for publication: text and bytes are one type."""

    def text(value: str) -> bytes:
        return b"U" + bytes((len(value),)) + value.encode()

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    data = np.tile(RED, (count, 1)).tobytes()
    kind = b"(" + number(3) + text("|") + b"NNN" + number(-1) + number(-1) + number(0) + b"t"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n"
        + (b"cnumpy\nndarray\n" + number(0) + b"\x85" + text("b") + b"\x87R")
        + (b"(" + number(1) + number(count) + number(3072) + b"\x86")
        + (b"cnumpy\ndtype\n" + text("u1") + number(0) + number(1) + b"\x87R" + kind + b"b")
        + (b"\x89T" + struct.pack("<i", len(data)) + data + b"tb")
    )
    lists = b"".join(
        text(name) + b"](" + b"".join(map(number, values)) + b"e" for name, values in labels.items()
    )
    return b"\x80\x02}(" + text("data") + array + lists + b"u."


def write_cifar10(folder: Path, write: Write) -> Path:
    place = folder / "cifar-10-batches-py"
    for number in range(1, 6):
        write(place / f"data_batch_{number}", batch(2, labels=[number, 0]))
    write(place / "test_batch", batch(2, labels=[3, 4]))
    names = [f"class {n}" for n in range(10)]
    write(place / "batches.meta", pickle.dumps({"label_names": names}, protocol=2))
    return place


def test_cifar_10_is_read_with_its_own_split(tmp_path: Path, published: Write) -> None:
    place = write_cifar10(tmp_path, published)
    for folder in (tmp_path, place):
        data = read_class_data(folder)
        assert (data.name, data.split, len(data.classes)) == ("CIFAR-10", "standard", 10)
        assert data.train.labels.tolist() == [1, 0, 2, 0, 3, 0, 4, 0, 5, 0]
        assert data.test.labels.tolist() == [3, 4]
        picture = data.train.pictures[0]
        assert picture.shape == (32, 32, 3)
        assert picture.dtype == np.uint8
        assert (picture == [200, 0, 0]).all()


def test_cifar_100_is_read_by_its_coarse_labels(tmp_path: Path, published: Write) -> None:
    place = tmp_path / "cifar-100-python"
    published(place / "train", batch(2, coarse_labels=[19, 3], fine_labels=[99, 50]))
    published(place / "test", batch(1, coarse_labels=[7], fine_labels=[1]))
    names = {"coarse_label_names": list("abcdefghijklmnopqrst"), "fine_label_names": ["x"] * 100}
    published(place / "meta", pickle.dumps(names, protocol=2))
    data = read_class_data(tmp_path)
    assert len(data.classes) == 20
    assert "coarse" in data.name
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([19, 3], [7])


def idx(array: np.ndarray) -> bytes:
    header = bytes((0, 0, 8, array.ndim))
    return header + np.array(array.shape, ">u4").tobytes() + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize("is_packed", [True, False])
@pytest.mark.parametrize("below", ["", "FashionMNIST", "FashionMNIST/raw"])
def test_fashion_mnist_is_read_packed_or_not(
    tmp_path: Path, published: Write, below: str, is_packed: bool
) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    for part, count in (("train", 3), ("t10k", 2)):
        images = np.full((count, 28, 28), 77)
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", [9] * count)):
            content = idx(np.asarray(array))
            if is_packed:
                published(raw / f"{name}-ubyte.gz", gzip.compress(content))
            else:
                published(raw / f"{name}-ubyte", content)
    data = read_class_data(tmp_path / below)
    assert (data.name, data.classes[9]) == ("FashionMNIST", "Ankle boot")
    assert (len(data.train), len(data.test)) == (3, 2)
    assert data.test.pictures[1].shape == (28, 28, 3)
    assert (data.test.pictures[1] == 77).all()


def test_a_changed_file_of_a_published_set_is_refused(tmp_path: Path, published: Write) -> None:
    place = write_cifar10(tmp_path, published)
    data = (place / "test_batch").read_bytes()
    (place / "test_batch").write_bytes(data[:-1] + b"x")
    with pytest.raises(KnownError, match="test_batch is damaged or not the published file"):
        read_class_data(tmp_path)
    (place / "test_batch").unlink()
    with pytest.raises(KnownError, match="test_batch belongs to this data set and cannot be read"):
        read_class_data(tmp_path)


class Touch:
    """A pickle that would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_that_would_run_something_does_not_run_it(
    tmp_path: Path, published: Write
) -> None:
    place = write_cifar10(tmp_path, published)
    trap = tmp_path / "sprung"
    published(place / "test_batch", pickle.dumps({"data": Touch(trap)}, protocol=2))
    with pytest.raises(KnownError, match="damaged or not the published data set"):
        read_class_data(tmp_path)
    assert not trap.exists()
    pickle.loads((place / "test_batch").read_bytes())
    assert trap.exists()  # so the trap was a real one


def test_several_published_sets_in_a_folder_have_to_be_told_apart(
    tmp_path: Path, published: Write
) -> None:
    write_cifar10(tmp_path, published)
    (tmp_path / "cifar-100-python").mkdir()
    with pytest.raises(KnownError, match="several data sets: cifar-10-batches-py and cifar-100"):
        read_class_data(tmp_path)
