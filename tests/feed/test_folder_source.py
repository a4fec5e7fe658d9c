import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import encode_png, read_image
from inspector_gui.core.types import Frame, Source, UnreadableFrame
from inspector_gui.feed.folder import FolderSource

POLL = 0.02
PATIENCE = 10.0


def picture(shade: int = 0) -> bytes:
    return encode_png(np.full((12, 16, 3), shade % 256, np.uint8))


def opened(folder: Path, *, recursive: bool = True) -> FolderSource:
    source = FolderSource(folder, recursive=recursive, poll_seconds=POLL)
    source.open()
    return source


def read_until(
    source: FolderSource, is_enough: Callable[[list[Frame | UnreadableFrame]], bool]
) -> list[Frame | UnreadableFrame]:
    found: list[Frame | UnreadableFrame] = []
    give_up_at = time.monotonic() + PATIENCE
    while not is_enough(found):
        assert time.monotonic() < give_up_at, f"only {[f.name for f in found]}"
        frame = source.read()
        if frame is not None:
            found.append(frame)
    return found


def read_names(source: FolderSource, count: int) -> list[str]:
    return [f.name for f in read_until(source, lambda found: len(found) >= count)]


def read_for(source: FolderSource, seconds: float) -> list[Frame | UnreadableFrame]:
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        frame = source.read()
        if frame is not None:
            found.append(frame)
    return found


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_what_is_there_comes_in_natural_order_whatever_its_age(tmp_path: Path) -> None:
    for index, name in enumerate(["part10.png", "part2.png", "part1.PNG", "b/part3.png"]):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture(index))
        age(path, index * 60)
    source = opened(tmp_path)
    assert read_names(source, 4) == ["b/part3.png", "part1.PNG", "part2.png", "part10.png"]


def test_arrivals_come_by_time_of_change_then_by_natural_name(tmp_path: Path) -> None:
    source = opened(tmp_path)
    assert source.read() is None
    staged = tmp_path.parent / f"{tmp_path.name}-staged"
    staged.mkdir()
    moment = time.time() - 50
    for name, offset in [("a.png", 2.0), ("z10.png", 1.0), ("z9.png", 1.0), ("m.png", 0.0)]:
        (staged / name).write_bytes(picture())
        os.utime(staged / name, (moment + offset, moment + offset))
    staged.rename(tmp_path / "lot")
    assert read_names(source, 4) == ["lot/m.png", "lot/z9.png", "lot/z10.png", "lot/a.png"]


def test_a_frame_holds_the_file_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "Prüfteil 1.png"
    path.parent.mkdir()
    path.write_bytes(picture(77))
    age(path, 3600)
    frame = read_until(opened(tmp_path), bool)[0]
    assert isinstance(frame, Frame)
    assert frame.name == "sub/Prüfteil 1.png"
    assert frame.path == path
    assert frame.data == path.read_bytes()
    assert frame.source is Source.FOLDER
    assert frame.captured_at == pytest.approx(path.stat().st_mtime)
    np.testing.assert_array_equal(frame.image, read_image(path))


def test_every_file_comes_exactly_once_while_others_arrive(tmp_path: Path) -> None:
    written = [f"{index:03d}.png" for index in range(120)]
    for name in written[:40]:
        (tmp_path / name).write_bytes(picture())

    def produce() -> None:
        for name in written[40:]:
            (tmp_path / f"{name}.tmp").write_bytes(picture())
            (tmp_path / f"{name}.tmp").rename(tmp_path / name)
            time.sleep(random.Random(name).uniform(0, 0.006))

    source = opened(tmp_path)
    producer = threading.Thread(target=produce)
    producer.start()
    names = read_names(source, len(written))
    producer.join()
    names += [f.name for f in read_for(source, 0.3)]
    assert sorted(names) == written


def test_a_file_written_anew_counts_as_new(tmp_path: Path) -> None:
    path = tmp_path / "station.png"
    path.write_bytes(picture(1))
    age(path, 60)
    source = opened(tmp_path)
    first = read_until(source, bool)[0]
    path.write_bytes(picture(200))
    second = read_until(source, bool)[0]
    assert isinstance(first, Frame)
    assert isinstance(second, Frame)
    assert (first.image[0, 0, 0], second.image[0, 0, 0]) == (1, 200)
    assert read_for(source, 0.2) == []


def test_a_file_is_not_taken_while_it_grows(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    data = encode_png(noise)
    path = tmp_path / "growing.png"
    stop_at = len(data) - 1000
    source = opened(tmp_path)
    with path.open("wb") as file:
        for start in range(0, stop_at, 4000):
            file.write(data[start : min(start + 4000, stop_at)])
            file.flush()
            assert source.read() is None
        assert read_for(source, 0.5) == []  # stands still, but does not decode and is young
        file.write(data[stop_at:])
    frame = read_until(source, bool)[0]
    assert isinstance(frame, Frame)
    np.testing.assert_array_equal(frame.image, noise)
    assert read_for(source, 0.2) == []


def test_a_changed_file_waits_for_a_second_equal_look(tmp_path: Path) -> None:
    path = tmp_path / "part.png"
    source = FolderSource(tmp_path, poll_seconds=0.3)
    source.open()
    path.write_bytes(picture(1))
    began = time.monotonic()
    for shade in range(2, 8):  # touched more often than the polling interval
        assert source.read() is None
        path.write_bytes(picture(shade))
        time.sleep(0.02)
    frame = read_until(source, bool)[0]
    assert isinstance(frame, Frame)
    assert frame.image[0, 0, 0] == 7
    assert time.monotonic() - began >= 0.3


def test_a_fresh_damaged_file_is_reported_after_two_seconds_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    source = opened(tmp_path)
    (tmp_path / "a.png").write_bytes(picture()[:40])
    began = time.monotonic()
    read_for(source, 0.2)
    (tmp_path / "b.png").write_bytes(picture())
    good = read_until(source, bool)[0]
    assert good.name == "b.png"
    assert time.monotonic() - began < 1.5
    bad = read_until(source, bool)[0]
    assert isinstance(bad, UnreadableFrame)
    assert bad.name == "a.png"
    assert "a.png" in bad.reason
    assert bad.path == tmp_path / "a.png"
    assert 1.5 < time.monotonic() - began < 4
    assert read_for(source, 0.2) == []


def test_an_old_damaged_file_is_reported_at_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.png").write_bytes(picture())
    for path in tmp_path.iterdir():
        age(path, 10)
    began = time.monotonic()
    found = read_until(opened(tmp_path), lambda f: len(f) == 3)
    assert [type(f) for f in found] == [UnreadableFrame, UnreadableFrame, Frame]
    assert time.monotonic() - began < 1.0


def test_a_damaged_file_from_a_server_whose_clock_is_ahead_is_reported_too(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    age(tmp_path / "1.png", -3600)
    assert isinstance(read_until(opened(tmp_path), bool)[0], UnreadableFrame)


def test_other_files_hidden_and_temporary_ones_are_left_alone(tmp_path: Path) -> None:
    for name in ["notes.txt", ".hidden.png", "a.png.part", "b.png~", "~c.png", ".dir/d.png"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture())
    (tmp_path / "folder.png").mkdir()
    assert read_for(opened(tmp_path), 0.3) == []


def test_subfolders_are_left_alone_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(picture())
    (tmp_path / "b.png").write_bytes(picture())
    source = opened(tmp_path, recursive=False)
    assert [f.name for f in read_for(source, 0.3)] == ["b.png"]


def test_a_file_that_vanishes_before_it_is_read_is_passed_over(tmp_path: Path) -> None:
    for name in ["a.png", "b.png", "c.png"]:
        (tmp_path / name).write_bytes(picture())
    source = opened(tmp_path)
    assert read_names(source, 1) == ["a.png"]
    (tmp_path / "b.png").unlink()
    assert [f.name for f in read_for(source, 0.3)] == ["c.png"]
    (tmp_path / "b.png").write_bytes(picture())
    assert read_names(source, 1) == ["b.png"]


def test_a_file_that_vanishes_after_it_could_not_be_decoded_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(picture()[:40])
    source = opened(tmp_path)
    assert read_for(source, 0.3) == []
    path.unlink()
    gone = read_until(source, bool)[0]
    assert isinstance(gone, UnreadableFrame)
    assert "a.png" in gone.reason


def test_the_folder_vanishing_is_said_in_a_sentence_and_loses_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "share"
    folder.mkdir()
    for name in ["1.png", "2.png", "3.png"]:
        (folder / name).write_bytes(picture())
    source = opened(folder)
    assert read_names(source, 1) == ["1.png"]
    folder.rename(tmp_path / "away")
    for _ in range(3):
        with pytest.raises(KnownError, match=r"The folder .*share is gone; "):
            read_for(source, 1.0)
    (tmp_path / "away").rename(folder)
    source.open()
    assert read_names(source, 2) == ["2.png", "3.png"]
    shutil.rmtree(folder)
    with pytest.raises(KnownError, match=r"The folder .*share is gone; "):
        read_for(source, 1.0)


def test_a_folder_that_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="nowhere does not exist"):
        opened(tmp_path / "nowhere")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KnownError, match="is not a folder"):
        opened(tmp_path / "file")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_folder_without_permission_is_said_in_a_sentence(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("an administrator may read everything")
    tmp_path.chmod(0)
    try:
        with pytest.raises(KnownError, match="cannot be read"):
            opened(tmp_path)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a permission on Windows")
def test_a_link_back_to_the_folder_is_not_followed_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture())
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "missing")
    assert [f.name for f in read_for(opened(tmp_path), 0.3)] == ["a.png"]


@pytest.mark.slow
def test_a_read_returns_soon_in_a_folder_of_forty_thousand_files(tmp_path: Path) -> None:
    data = picture()
    for folder in range(20):
        (tmp_path / f"{folder}").mkdir()
        for index in range(2000):
            (tmp_path / f"{folder}" / f"{index:05d}.png").write_bytes(data)
    source = opened(tmp_path)
    durations = []
    found = 0
    while found < 200:
        began = time.perf_counter()
        found += source.read() is not None
        durations.append(time.perf_counter() - began)
    assert np.median(durations) < 0.06
    assert max(durations) < 0.4


def test_a_read_without_news_neither_blocks_nor_spins(tmp_path: Path) -> None:
    source = opened(tmp_path)
    source.read()
    reads = 0
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        began = time.monotonic()
        assert source.read() is None
        assert time.monotonic() - began < 0.2
        reads += 1
    assert reads < 100


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_a_name_that_is_no_utf_8_comes_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"lot\xff")
    folder.mkdir()
    odd, torn = folder / os.fsdecode(b"b\xff\xfe.png"), folder / os.fsdecode(b"d\xe4.png")
    for path in (folder / "a.png", odd, folder / "c.png"):
        path.write_bytes(picture())
    torn.write_bytes(b"nothing")
    age(torn, 60)
    source = opened(folder)
    assert source.name == "lot\ufffd"
    found = read_until(source, lambda found: len(found) >= 4)
    assert [f.name for f in found] == ["a.png", "b\ufffd\ufffd.png", "c.png", "d\ufffd.png"]
    assert found[1].path == odd
    assert "d\ufffd.png is not a picture" in getattr(found[3], "reason", "")
    shutil.rmtree(folder)
    with pytest.raises(KnownError, match="lot\ufffd is gone"):
        read_until(source, lambda _: False)
