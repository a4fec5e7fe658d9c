"""Frames of a video file or of a folder of frames, a given number evenly spread over all of them.

SPADE's second data set (section 4.2) is surveillance video: 5,000 of the training frames are the
references there, and K = 1.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import (
    UnreadableImage,
    display_name,
    encode_png,
    list_images,
    read_bytes,
    read_image,
)
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import RGB

_ESTIMATE = 0.01
"""Share of its frames by which a whole video may be shorter than its header says: many headers
tell a duration and a rate, not a number."""

# FFmpeg inside OpenCV writes to stderr by itself; what went wrong is said in our sentence.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Frames(Protocol):
    """Numbered pictures in their order. Of one thread at a time; cheapest read in order.

    `name` is that of the video or folder, `total` how many frames there are, `remark` a sentence
    for people about what is wrong with it, "" where nothing is.
    """

    name: str
    total: int
    remark: str

    def image(self, index: int) -> tuple[str, RGB]:
        """Return a frame's name and picture (uint8, H x W x 3, RGB); raises `UnreadableImage`."""
        ...

    def file(self, index: int) -> tuple[str, bytes]:
        """Return a frame's name and it as the bytes of a file; raises `UnreadableImage`."""
        ...


def chosen_frames(total: int, count: int) -> tuple[int, ...]:
    """Return `count` of the indices 0 … total - 1, evenly spread, the first and last among them.

    All of them where there are fewer; the first alone where one is asked for. Raises `KnownError`
    for a count below 1.
    """
    if count < 1:
        raise KnownError(f"{count} frames cannot be taken; ask for 1 or more.")
    if count == 1:
        return (0,)[:total]
    if count >= total:
        return tuple(range(total))
    return tuple((n * (total - 1) + (count - 1) // 2) // (count - 1) for n in range(count))


def open_frames(path: Path) -> Frames:
    """Open a video file or a folder of frames (in the natural order of their names).

    Raises `KnownError` where there is nothing, no video, or a video or folder without a frame.
    A video that breaks off has the frames before that, and a `remark`. Takes up to the time of
    decoding the whole video where its header is wrong.
    """
    if path.is_dir():
        return _FolderFrames(path)
    return _VideoFrames(path)


def frame_files(path: Path, count: int) -> tuple[list[tuple[Path, Callable[[], bytes]]], str]:
    """Return `count` frames as named files that are read when asked for, in order, and a remark.

    Raises `KnownError` as `open_frames` does and for a count below 1.
    """
    frames = open_frames(path)

    def file(index: int) -> bytes:
        return frames.file(index)[1]

    named: list[tuple[Path, Callable[[], bytes]]] = [
        (Path(f"{frames.name} frame {index + 1}"), partial(file, index))
        for index in chosen_frames(frames.total, count)
    ]
    return named, frames.remark


class _FolderFrames:
    """Picture files as frames."""

    def __init__(self, folder: Path) -> None:
        self._paths = list_images([folder])
        self.name = display_name(folder.name)
        self.total = len(self._paths)
        self.remark = ""
        if not self._paths:
            raise KnownError(f"There are no pictures in {display_name(folder)}.")

    def image(self, index: int) -> tuple[str, RGB]:
        path = self._paths[index]
        return display_name(path.name), read_image(path)

    def file(self, index: int) -> tuple[str, bytes]:
        path = self._paths[index]
        return display_name(path.name), read_bytes(path)


class _VideoFrames:
    """A video, decoded from its start on: seeking lands beside the frame in many containers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = display_name(path.name)
        self._stem = display_name(path.stem)
        self._capture = self._open()
        self._next = 0
        self.total, self.remark = self._count()
        self._rewind()

    def image(self, index: int) -> tuple[str, RGB]:
        if index < self._next:
            self._rewind()
        while self._next < index and self._capture.grab():
            self._next += 1
        done, bgr = self._capture.read() if self._next == index else (False, None)
        if not done or bgr is None or not bgr.size:
            raise UnreadableImage(
                f"Frame {index + 1} of {self.name} cannot be read; the video is damaged there."
            )
        self._next += 1
        name = f"{self._stem} frame {index + 1:06d}.png"
        return name, np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def file(self, index: int) -> tuple[str, bytes]:
        name, image = self.image(index)
        return name, encode_png(image)

    def _open(self) -> cv2.VideoCapture:
        try:
            size = self._path.stat().st_size
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise KnownError(f"{self.name} cannot be read: {reason}.") from error
        if not size:
            raise KnownError(f"{self.name} is empty (0 bytes).")
        capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not capture.isOpened():
            raise KnownError(f"{self.name} is not a video that can be read, or it is damaged.")
        return capture

    def _rewind(self) -> None:
        self._capture.release()
        self._capture = self._open()
        self._next = 0

    def _count(self) -> tuple[int, str]:
        """Return how many frames there are to read, and what to say where some are missing."""
        told = round(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        if told > 0:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, told - 1)
            if self._capture.grab():
                return told, ""
            self._rewind()
        found = 0
        while self._capture.grab():
            found += 1
        if not found:
            raise KnownError(f"{self.name} has no frame that can be read.")
        if told - found > max(2, _ESTIMATE * told):
            return found, f"{self.name} breaks off after {found} of {told} frames; those are used."
        return found, ""
