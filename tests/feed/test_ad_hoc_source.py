import os
import sys
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.images import encode_png, read_image
from inspector_gui.core.types import Frame, Source, UnreadableFrame
from inspector_gui.feed.ad_hoc import AdHocSource, frame_from_clipboard
from inspector_gui.feed.source import EndOfSource, FrameSource


def write(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(np.full((4, 5, 3), shade, np.uint8)))
    return path


def read_all(source: FrameSource) -> list[Frame | UnreadableFrame]:
    found: list[Frame | UnreadableFrame] = []
    source.open()
    while True:
        try:
            frame = source.read()
        except EndOfSource:
            return found
        assert frame is not None
        found.append(frame)


def test_dropped_files_and_folders_come_once_each_in_the_order_of_the_drop(tmp_path: Path) -> None:
    single = write(tmp_path / "z.png")
    for name in ["lot/part10.png", "lot/part9.png", "lot/deep/a.png"]:
        write(tmp_path / name)
    (tmp_path / "lot" / "notes.txt").write_text("not a picture")
    inside = tmp_path / "lot" / "part9.png"
    found = read_all(AdHocSource([single, tmp_path / "lot", inside, single]))
    names = ["z.png", "lot/deep/a.png", "lot/part9.png", "lot/part10.png"]
    assert [f.name for f in found] == names
    assert {f.source for f in found} == {Source.AD_HOC}


def test_a_dropped_frame_holds_the_file_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", 99)
    (frame,) = read_all(AdHocSource([path]))
    assert isinstance(frame, Frame)
    assert frame.data == path.read_bytes()
    assert frame.path == path
    assert frame.captured_at == pytest.approx(path.stat().st_mtime)
    np.testing.assert_array_equal(frame.image, read_image(path))


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    text = tmp_path / "readme.txt"
    text.write_text("not a picture")
    found = read_all(AdHocSource([text, tmp_path / "gone.png", write(tmp_path / "a.png")]))
    assert [type(f) for f in found] == [UnreadableFrame, UnreadableFrame, Frame]
    assert "readme.txt is not a picture" in getattr(found[0], "reason", "")
    assert "gone.png cannot be read" in getattr(found[1], "reason", "")


def test_the_number_of_files_is_known_once_it_is_open(tmp_path: Path) -> None:
    write(tmp_path / "lot" / "1.png")
    write(tmp_path / "lot" / "2.png")
    source = AdHocSource([tmp_path / "lot"])
    source.open()
    assert source.total == 2
    source.read()
    assert source.total == 2
    source.close()
    source.close()
    with pytest.raises(EndOfSource):
        source.read()


def test_a_pasted_picture_is_a_frame_of_its_own() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    frame = frame_from_clipboard(pixels[:, ::2], "Pasted picture")
    expected = pixels[:, ::2].copy()
    pixels[:] = 0
    np.testing.assert_array_equal(frame.image, expected)
    assert frame.image.flags.c_contiguous
    assert frame.source is Source.AD_HOC
    assert frame.name == "Pasted picture"


def test_a_pasted_picture_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        frame_from_clipboard(np.zeros((4, 4), np.uint8), "grey")


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_a_dropped_name_that_is_no_utf_8_comes_like_any_other(tmp_path: Path) -> None:
    odd = write(tmp_path / os.fsdecode(b"lot\xff") / os.fsdecode(b"b\xff\xfe.png"))
    torn = tmp_path / os.fsdecode(b"d\xe4.png")
    torn.write_bytes(b"nothing")
    first, second = read_all(AdHocSource([odd.parent, torn]))
    assert (first.name, first.path) == ("lot\ufffd/b\ufffd\ufffd.png", odd)
    assert "d\ufffd.png is not a picture" in getattr(second, "reason", "")
    assert AdHocSource([torn]).name == "d\ufffd.png"
