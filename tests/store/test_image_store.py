import errno
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.store.images import ImageStore

from .samples import picture, picture_file


@pytest.fixture
def images(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path)


def files(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file()]


def test_a_picture_is_kept_byte_for_byte_under_its_hash(tmp_path: Path, images: ImageStore) -> None:
    data = picture_file(1)
    sha256 = images.add(data, picture(1), ".PNG")
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert images.read(sha256) == data
    assert images.path(sha256) == tmp_path / "images" / sha256[:2] / f"{sha256}.png"


def test_a_picture_that_is_there_already_stays_untouched(images: ImageStore) -> None:
    sha256 = images.add(picture_file(1), picture(1), ".png")
    os.utime(images.path(sha256), (1, 1))
    assert images.add(picture_file(1), picture(1), ".tif") == sha256
    assert images.path(sha256).stat().st_mtime == 1
    assert images.path(sha256).suffix == ".png"


def test_an_ending_that_names_no_picture_is_not_taken_over(images: ImageStore) -> None:
    sha256 = images.add(picture_file(1), picture(1), ".exe")
    assert images.path(sha256).suffix == ".bin"


def test_a_thumbnail_shows_the_picture_at_160_pixels(images: ImageStore) -> None:
    image = picture(2, 200, 400)
    small = images.thumbnail(images.add(picture_file(2), image, ".png"))
    assert small.shape == (80, 160, 3)
    assert small.dtype == np.uint8
    middles = small[4::8, 4::8].astype(int) - image[10::20, 10::20]
    assert np.abs(middles).mean() < 12


@pytest.mark.parametrize("damage", [None, b"half a jpeg"])
def test_a_lost_or_damaged_thumbnail_is_made_again(
    tmp_path: Path, images: ImageStore, damage: bytes | None
) -> None:
    sha256 = images.add(picture_file(1), picture(1), ".png")
    (thumbnail,) = files(tmp_path / "thumbnails")
    thumbnail.unlink() if damage is None else thumbnail.write_bytes(damage)
    assert images.thumbnail(sha256).shape == (48, 160, 3)
    assert thumbnail.stat().st_size > 100


def test_a_missing_picture_is_told_in_words(images: ImageStore) -> None:
    with pytest.raises(KnownError, match="is missing from"):
        images.read("ab" * 32)
    with pytest.raises(KnownError, match="is missing from"):
        images.thumbnail("ab" * 32)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_no_half_picture(
    tmp_path: Path, images: ImageStore, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse) if step == "fsync" else patch.setattr(
            Path, "replace", refuse
        )
        with pytest.raises(KnownError, match=r"is full\. Free some space"):
            images.add(picture_file(1), picture(1), ".png")
    assert files(tmp_path) == []
    sha256 = images.add(picture_file(1), picture(1), ".png")
    assert images.read(sha256) == picture_file(1)


def test_other_threads_never_read_half_a_picture(images: ImageStore) -> None:
    data = [picture_file(seed) for seed in range(20)]
    names = [hashlib.sha256(d).hexdigest() for d in data]

    def read_all(_: int) -> set[bytes]:
        found = set()
        for name in names * 20:
            try:
                found.add(images.read(name))
            except KnownError:
                continue
        return found

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_all, i) for i in range(3)]
        for seed, file in enumerate(data):
            images.add(file, picture(seed), ".png")
        assert all(reader.result() <= set(data) for reader in readers)
    assert read_all(0) == set(data)
