"""A camera as a source, through OpenCV: a device number, a stream address, or a video file.

A driver may block as long as it likes, so the device belongs to one thread of its own that opens
it, reads it and lets it go; `CameraSource` only looks into the slot where that thread leaves the
newest picture.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB, Frame, Source, UnreadableFrame
from inspector_gui.feed.source import EndOfSource

_OPEN_SECONDS = 2.5
_READ_SECONDS = 3.0  # after which OpenCV gives up a read of a stream
_SILENT_SECONDS = 10.0  # without a picture, whatever the driver says
_LOST_SECONDS = 1.0  # of reads that fail one after the other
_LOST_READS = 3
_RETRY_SECONDS = 0.05
_WAIT_SECONDS = 0.1  # for the next picture in one read
_CLOSE_SECONDS = 0.4
_LIKELY_RATE = 25.0  # pictures per second of a video file that does not say its own

# FFmpeg inside OpenCV writes to stderr by itself; what went wrong is said in our sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class CameraSource:
    """A live picture: the newest frame wins, and `dropped` counts those nobody asked for in time.

    `address` is a device number (0), a stream address (rtsp, http) or a video file, which plays in
    real time in place of a device; `paced=False` plays it as fast as it is read, without drops.
    `clock` dates the frames, in seconds since 1970.
    """

    is_live = True

    def __init__(
        self, address: int | str, *, clock: Callable[[], float] = time.time, paced: bool = True
    ) -> None:
        text = str(address).strip()
        self._address: int | str = int(text) if text.isdecimal() else text
        self.name = f"camera {_without_password(text)}"
        self._clock = clock
        self._paced = paced
        self._reader: _Reader | None = None
        self._delivered = 0

    @property
    def dropped(self) -> int:
        """Number of frames that a newer one replaced before they were read."""
        return self._reader.dropped if self._reader else 0

    def open(self) -> None:
        """Open the device; raises `KnownError` where there is none or it does not answer."""
        self.close()
        reader = _Reader(self._address, clock=self._clock, paced=self._paced)
        self._reader = reader
        reader.start()
        if not reader.wait_until_open(_OPEN_SECONDS):
            self.close()
            raise KnownError(
                f"There is no picture from the {self.name}; check that it is connected, that the "
                "address is right and that no other program uses it."
            )

    def read(self) -> Frame | UnreadableFrame | None:
        """Return the newest frame, None where none came in time.

        Raises `EndOfSource` at the end of a video file, `KnownError` where the camera is lost.
        """
        if self._reader is None:
            raise KnownError(f"The {self.name} is not open.")
        picture = self._reader.newest(_WAIT_SECONDS)
        if picture is not None:
            image, captured_at = picture
            self._delivered += 1
            return Frame(
                name=f"camera-{self._delivered:06d}",
                image=image,
                source=Source.CAMERA,
                captured_at=captured_at,
            )
        if self._reader.ended:
            raise EndOfSource
        if self._reader.lost:
            raise KnownError(
                f"The {self.name} sends no pictures any more; check its cable and its "
                "power, then start it again."
            )
        return None

    def close(self) -> None:
        """Let go of the device; where its driver hangs, as soon as that comes back."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.stop()


class _Reader(threading.Thread):
    """The thread that owns the device. One slot, the newest picture wins."""

    def __init__(self, address: int | str, *, clock: Callable[[], float], paced: bool) -> None:
        super().__init__(name=f"camera {address}", daemon=True)  # a hung driver must not keep us
        self.dropped = 0
        self.ended = False
        self._failed = False
        self._address = address
        self._is_file = isinstance(address, str) and Path(address).is_file()
        self._clock = clock
        self._paced = paced
        self._is_open = False
        self._tried = threading.Event()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._slot: tuple[RGB, float] | None = None
        self._last_at = time.monotonic()

    @property
    def lost(self) -> bool:
        """Whether the device is gone, or has been silent for so long that it might as well be."""
        return self._failed or time.monotonic() - self._last_at > _SILENT_SECONDS

    def wait_until_open(self, seconds: float) -> bool:
        """Return whether the device was opened within `seconds`."""
        return self._tried.wait(seconds) and self._is_open

    def newest(self, seconds: float) -> tuple[RGB, float] | None:
        """Take the newest picture out of the slot, waiting for one where it is empty."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._slot is not None or self.ended or self._failed, seconds
            )
            picture, self._slot = self._slot, None
            self._changed.notify_all()
            return picture

    def stop(self) -> None:
        """Ask the thread to end and wait for it a short while."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        self.join(_CLOSE_SECONDS)

    def run(self) -> None:
        capture = _open(self._address, is_file=self._is_file)
        try:
            self._is_open = capture.isOpened()
            self._last_at = time.monotonic()
            self._tried.set()
            if self._is_open:
                self._read_all(capture)
        finally:
            self._tried.set()
            self._finish(ended=self.ended)
            capture.release()

    def _read_all(self, capture: cv2.VideoCapture) -> None:
        rate = capture.get(cv2.CAP_PROP_FPS)
        period = 1.0 / (rate if 0 < rate <= 1000 else _LIKELY_RATE)
        due = time.monotonic()
        while not self._stopping.is_set():
            picture = self._next(capture)
            if picture is None:
                return
            if self._is_file and self._paced:
                self._stopping.wait(max(0.0, due - time.monotonic()))
                due += period
            self._put(picture)

    def _next(self, capture: cv2.VideoCapture) -> RGB | None:
        """Return the device's next picture; None once it has ended, is lost or shall stop."""
        failures, since = 0, time.monotonic()
        while not self._stopping.is_set():
            done, bgr = capture.read()
            if done and bgr is not None and bgr.size:
                return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
            if self._is_file:
                self._finish(ended=True)
                return None
            failures += 1
            if failures >= _LOST_READS and time.monotonic() - since >= _LOST_SECONDS:
                self._finish(ended=False)
                return None
            self._stopping.wait(_RETRY_SECONDS)
        return None

    def _put(self, image: RGB) -> None:
        lossless = self._is_file and not self._paced
        with self._changed:
            if lossless:
                self._changed.wait_for(lambda: self._slot is None or self._stopping.is_set())
            if self._slot is not None:
                self.dropped += 1
            self._slot = image, self._clock()
            self._last_at = time.monotonic()
            self._changed.notify_all()

    def _finish(self, *, ended: bool) -> None:
        with self._changed:
            self.ended, self._failed = ended, not ended
            self._changed.notify_all()


def _without_password(address: str) -> str:
    """Return an address as it may be shown and logged."""
    return re.sub(r"(?<=://)[^/@]*@", "", address)


def _open(address: int | str, *, is_file: bool) -> cv2.VideoCapture:
    """Open a device by its system's own driver, everything else by FFmpeg, both without noise."""
    if isinstance(address, int):
        drivers = {"win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
        return cv2.VideoCapture(address, drivers.get(sys.platform, cv2.CAP_V4L2))
    if is_file:
        return cv2.VideoCapture(address, cv2.CAP_FFMPEG)
    limits = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(_OPEN_SECONDS * 1000)),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(_READ_SECONDS * 1000)),
    ]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)
