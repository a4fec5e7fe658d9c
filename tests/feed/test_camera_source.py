import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Frame, Source
from inspector_gui.feed.camera import CameraSource
from inspector_gui.feed.source import EndOfSource, FrameSource

FRAMES = 30
RATE = 50.0
COLOUR = (200, 60, 20)  # red first


def shade(index: int) -> int:
    return 40 + 6 * index


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A film whose left half is COLOUR and whose right half tells the number of the frame."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, (160, 120))
    assert writer.isOpened()
    for index in range(FRAMES):
        image = np.full((120, 160, 3), shade(index), np.uint8)
        image[:, :80] = COLOUR[::-1]
        writer.write(image)
    writer.release()
    return path


def number_of(frame: Frame) -> int:
    return round((float(frame.image[20:100, 100:150].mean()) - 40) / 6)


def read_to_end(source: FrameSource) -> list[Frame]:
    frames: list[Frame] = []
    give_up_at = time.monotonic() + 20
    while time.monotonic() < give_up_at:
        try:
            frame = source.read()
        except EndOfSource:
            return frames
        if frame is not None:
            assert isinstance(frame, Frame)
            frames.append(frame)
    raise AssertionError("the film has no end")


def test_an_unpaced_film_gives_every_frame_in_order_then_ends(video: Path) -> None:
    source = CameraSource(str(video), paced=False)
    source.open()
    frames = read_to_end(source)
    assert [number_of(f) for f in frames] == list(range(FRAMES))
    assert source.dropped == 0
    with pytest.raises(EndOfSource):
        source.read()
    source.close()
    source.close()


def test_a_camera_frame_is_red_first_and_dated_by_the_clock(video: Path) -> None:
    ticks = iter(range(1000, 2000))
    source = CameraSource(str(video), clock=lambda: float(next(ticks)), paced=False)
    source.open()
    frames = read_to_end(source)
    source.close()
    left = frames[0].image[20:100, 10:70].mean(axis=(0, 1))
    np.testing.assert_allclose(left, COLOUR, atol=6)
    assert frames[0].image.dtype == np.uint8
    assert frames[0].image.shape == (120, 160, 3)
    assert [f.captured_at for f in frames[:3]] == [1000, 1001, 1002]
    assert [f.name for f in frames[:2]] == ["camera-000001", "camera-000002"]
    assert frames[0].source is Source.CAMERA
    assert frames[0].data is None


def test_a_film_plays_in_real_time(video: Path) -> None:
    source = CameraSource(str(video))
    assert source.is_live
    began = time.monotonic()
    source.open()
    frames = read_to_end(source)
    seconds = time.monotonic() - began
    source.close()
    assert FRAMES / RATE * 0.9 < seconds < FRAMES / RATE * 3
    assert len(frames) + source.dropped == FRAMES


def test_a_slow_reader_gets_the_newest_frame_and_drops_are_counted(video: Path) -> None:
    source = CameraSource(str(video))
    source.open()
    frames: list[Frame] = []
    while not frames or number_of(frames[-1]) < FRAMES - 1:
        time.sleep(0.1)
        frame = source.read()
        assert isinstance(frame, Frame)
        frames.append(frame)
    numbers = [number_of(f) for f in frames]
    assert numbers == sorted(set(numbers))
    assert len(frames) < FRAMES / 2
    assert source.dropped == FRAMES - len(frames)
    source.close()


def test_closing_ends_the_thread_of_the_camera(video: Path) -> None:
    before = set(threading.enumerate())  # threads of hanging drivers may end meanwhile
    for paced in (True, False):
        source = CameraSource(str(video), paced=paced)
        source.open()
        (reader,) = set(threading.enumerate()) - before
        began = time.monotonic()
        source.close()
        assert time.monotonic() - began < 0.5
        assert not reader.is_alive()


def test_a_camera_that_was_closed_can_be_opened_again(video: Path) -> None:
    source = CameraSource(str(video), paced=False)
    for _ in range(2):
        source.open()
        frame = source.read()
        assert isinstance(frame, Frame)
        assert number_of(frame) == 0
        source.close()
    with pytest.raises(KnownError, match="is not open"):
        source.read()


@pytest.mark.parametrize(
    "address",
    ["93", "rtsp://user:secret@127.0.0.1:9/live", "http://127.0.0.1:9/live", "/no/such/film.avi"],
)
def test_a_missing_camera_is_one_sentence_and_nothing_else(address: str) -> None:
    code = (
        "import sys\n"
        "from inspector_gui.core.errors import KnownError\n"
        "from inspector_gui.feed.camera import CameraSource\n"
        "try:\n"
        "    CameraSource(sys.argv[1]).open()\n"
        "except KnownError as error:\n"
        "    print(error)\n"
    )
    command = [sys.executable, "-c", code, address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith("There is no picture from the camera ")
    assert done.stdout.count("\n") == 1
    assert "secret" not in done.stdout


class _Streaming(http.server.BaseHTTPRequestHandler):
    """A network camera: pictures one after the other until it is unplugged."""

    unplugged: threading.Event

    def do_GET(self) -> None:
        image = np.zeros((120, 160, 3), np.uint8)
        image[:] = COLOUR[::-1]
        done, jpeg = cv2.imencode(".jpg", image)
        assert done
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=part")
        self.end_headers()
        while not self.unplugged.wait(0.02):
            head = f"--part\r\nContent-Type: image/jpeg\r\nContent-Length: {jpeg.size}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg.tobytes() + b"\r\n")
            except OSError:
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        return


@pytest.fixture
def network_camera() -> Iterator[tuple[str, threading.Event]]:
    unplugged = threading.Event()
    handler = type("Handler", (_Streaming,), {"unplugged": unplugged})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/live", unplugged
    unplugged.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_network_camera_that_is_unplugged_is_told_in_a_sentence(
    network_camera: tuple[str, threading.Event],
) -> None:
    address, unplugged = network_camera
    source = CameraSource(address)
    source.open()
    frame = source.read()
    while frame is None:
        frame = source.read()
    assert isinstance(frame, Frame)
    np.testing.assert_allclose(frame.image.mean(axis=(0, 1)), COLOUR, atol=6)
    unplugged.set()
    began = time.monotonic()
    with pytest.raises(KnownError, match=r"The camera http.* sends no pictures any more; "):
        read_to_end(source)
    assert 0.9 < time.monotonic() - began < 5
    source.close()


class _HungDevice:
    """A driver that answers when it likes."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.answer = threading.Event()

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        return True

    def get(self, _property: int) -> float:
        return 0.0

    def read(self) -> tuple[bool, None]:
        self.answer.wait(20)
        return False, None

    def release(self) -> None:
        self.released.set()


def test_a_driver_that_hangs_blocks_neither_read_nor_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    device = _HungDevice()
    monkeypatch.setattr("inspector_gui.feed.camera._open", lambda address, is_file: device)
    source = CameraSource(0)
    source.open()
    for _ in range(3):
        began = time.monotonic()
        assert source.read() is None
        assert time.monotonic() - began < 0.2
    began = time.monotonic()
    source.close()
    assert time.monotonic() - began < 0.5
    assert not device.released.is_set()
    device.answer.set()
    assert device.released.wait(5)


def test_a_driver_that_never_opens_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()

    def opening(address: int | str, is_file: bool) -> _HungDevice:
        answer.wait(20)
        return device

    device = _HungDevice()
    monkeypatch.setattr("inspector_gui.feed.camera._open", opening)
    monkeypatch.setattr("inspector_gui.feed.camera._OPEN_SECONDS", 0.2)
    with pytest.raises(KnownError, match="There is no picture from the camera 0"):
        CameraSource("0").open()
    answer.set()
    assert device.released.wait(5)
