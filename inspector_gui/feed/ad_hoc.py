"""Pictures somebody drops or pastes: judged once, at once, and marked as ad hoc."""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from inspector_gui.core.images import (
    UnreadableImage,
    decode,
    display_name,
    list_images,
    read_bytes,
)
from inspector_gui.core.types import RGB, Frame, Source, UnreadableFrame
from inspector_gui.feed.source import EndOfSource


class AdHocSource:
    """Dropped files and folders (with all below them), each file once, in order, then the end."""

    is_live = False

    def __init__(self, paths: Sequence[Path]) -> None:
        self.name = (
            display_name(paths[0].name) if len(paths) == 1 else f"{len(paths)} dropped items"
        )
        self._paths = tuple(paths)
        self._queue: deque[tuple[Path, str]] = deque()
        self.total = 0

    def open(self) -> None:
        """List the files; `total` is their number from here on."""
        named: dict[Path, tuple[Path, str]] = {}
        for dropped in self._paths:
            for path in list_images([dropped]):
                name = display_name(path.relative_to(dropped.parent).as_posix())
                named.setdefault(path.resolve(), (path, name))
        self._queue = deque(named.values())
        self.total = len(self._queue)

    def read(self) -> Frame | UnreadableFrame | None:
        """Return the next file's picture; raises `EndOfSource` after the last one."""
        if not self._queue:
            raise EndOfSource
        path, name = self._queue.popleft()
        captured_at = time.time()
        try:
            data = read_bytes(path)
            captured_at = path.stat().st_mtime
            image = decode(data, name=path.name)
        except (UnreadableImage, OSError) as error:
            return UnreadableFrame(name, str(error), Source.AD_HOC, captured_at, path)
        return Frame(name, image, Source.AD_HOC, captured_at, path, data)

    def close(self) -> None:
        """Forget what was not read yet."""
        self._queue.clear()


def frame_from_clipboard(image: RGB, name: str) -> Frame:
    """Return a pasted picture (uint8, H x W x 3, RGB) as an ad hoc frame with its own copy."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(f"expected uint8 H x W x 3, got {image.dtype} {image.shape}")
    own = np.array(image, order="C")
    return Frame(name, own, Source.AD_HOC, captured_at=time.time())
