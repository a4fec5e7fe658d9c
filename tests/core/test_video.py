from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import UnreadableImage, decode
from inspector_gui.core.types import RGB
from inspector_gui.core.video import chosen_frames, frame_files, open_frames
from tests.drawn import write_parts
from tests.films import FRAMES, number_of, write_film


def sample_frames(
    path: Path, count: int, *, notice: Callable[[str], object] = lambda _: None
) -> Iterator[tuple[str, RGB]]:
    """Read frames as those who learn from them do: one by one, leaving out what is unreadable."""
    files, remark = frame_files(path, count)
    if remark:
        notice(remark)
    for name, read in files:
        try:
            yield name.name, decode(read(), name=name.name)
        except UnreadableImage as error:
            notice(str(error))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "film.avi")


@given(total=st.integers(1, 5000), count=st.integers(2, 5000))
def test_chosen_frames_are_different_even_and_reach_from_first_to_last(
    total: int, count: int
) -> None:
    chosen = chosen_frames(total, count)
    assert len(chosen) == min(total, count) == len(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == total - 1
    steps = np.diff(chosen)
    assert total == 1 or steps.max() - steps.min() <= 1


def test_frames_come_in_order_with_the_first_and_the_last(film: Path) -> None:
    frames = list(sample_frames(film, 5, notice=pytest.fail))
    assert [number_of(image) for _, image in frames] == [0, 10, 20, 29, 39]
    assert frames[1][0] == "film.avi frame 11"
    assert open_frames(film).file(10)[0] == "film frame 000011.png"
    assert frames[0][1].dtype == np.uint8
    assert frames[0][1].shape == (120, 160, 3)


def test_red_stays_red(film: Path) -> None:
    _, image = next(sample_frames(film, 1))
    red, green, blue = image[20:100, 20:60].mean(axis=(0, 1))
    assert red > 180
    assert green < 80
    assert blue < 50


def test_more_frames_than_there_are_gives_all_of_them(film: Path) -> None:
    numbers = [number_of(image) for _, image in sample_frames(film, 1000)]
    assert numbers == list(range(FRAMES))


def test_a_frame_as_a_file_is_the_frame(film: Path) -> None:
    frames = open_frames(film)
    name, data = frames.file(7)
    again, image = frames.image(7)  # goes back
    assert name == again
    assert np.array_equal(decode(data), image)


def test_a_film_that_breaks_off_gives_what_there_is_and_says_so(film: Path) -> None:
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    said: list[str] = []
    numbers = [number_of(image) for _, image in sample_frames(film, 4, notice=said.append)]
    frames = open_frames(film)
    assert 4 < frames.total < FRAMES
    assert said == [f"film.avi breaks off after {frames.total} of 40 frames; those are used."]
    assert len(numbers) == 4
    assert numbers[0] == 0
    assert numbers[-1] == frames.total - 1


def test_a_film_that_is_damaged_in_the_middle_costs_frames_and_not_the_rest(film: Path) -> None:
    data = bytearray(film.read_bytes())
    hole = slice(len(data) // 3, len(data) // 2)
    data[hole] = bytes(hole.stop - hole.start)
    film.write_bytes(bytes(data))
    said: list[str] = []
    numbers = [number_of(image) for _, image in sample_frames(film, 1000, notice=said.append)]
    assert len(numbers) > FRAMES // 2
    assert max(numbers) == FRAMES - 1
    assert len(numbers) + len(said) == FRAMES
    assert all(s.startswith("Frame ") and s.endswith("damaged there.") for s in said)


def test_a_folder_of_frames_is_read_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    paths = write_parts(folder, range(9))
    for number, path in enumerate(paths):
        path.rename(folder / f"frame{number + 1}.png")  # frame10 would come after frame1 by text
    (folder / "frame9.png").rename(folder / "frame10.png")
    frames = open_frames(folder)
    names = [frames.file(index)[0] for index in chosen_frames(frames.total, 3)]
    assert names == ["frame1.png", "frame5.png", "frame10.png"]
    assert frames.file(0)[1] == (folder / "frame1.png").read_bytes()


def test_an_unreadable_frame_of_a_folder_is_left_out_and_said(tmp_path: Path) -> None:
    paths = write_parts(tmp_path, range(3))
    paths[1].write_bytes(b"no picture")
    said: list[str] = []
    names = [name for name, _ in sample_frames(tmp_path, 3, notice=said.append)]
    assert [name.split()[-1] for name in names] == ["1", "3"]
    assert len(said) == 1
    assert "frame 2" in said[0]
    with pytest.raises(UnreadableImage):
        open_frames(tmp_path).image(1)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "film.avi is empty"),
        (b"once upon a time " * 99, "film.avi is not a video"),
        (None, "film.avi cannot be read: No such file"),
    ],
)
def test_what_is_no_video_is_refused_at_once_in_a_sentence(
    tmp_path: Path, data: bytes | None, sentence: str
) -> None:
    path = tmp_path / "film.avi"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(KnownError, match=sentence):
        frame_files(path, 5)


def test_a_film_without_frames_and_an_empty_folder_are_refused(film: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.avi"
    empty.write_bytes(film.read_bytes()[:4096])  # the header alone
    with pytest.raises(KnownError, match=r"empty\.avi"):
        open_frames(empty)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(KnownError, match="no pictures"):
        open_frames(tmp_path / "nothing")


def test_no_frames_cannot_be_asked_for(film: Path) -> None:
    with pytest.raises(KnownError, match="1 or more"):
        frame_files(film, 0)
