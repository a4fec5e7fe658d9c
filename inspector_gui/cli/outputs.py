"""Files that a command writes: whole and all together at its end, or not at all."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from inspector_gui.core.errors import KnownError
from inspector_gui.store.files import disk_error

Content = str | bytes | Callable[[BinaryIO], None]
"""What a file will hold, or what writes it into the open file."""


class Outputs:
    """A context that checks places before the work, stages files, and puts them in place last.

    Whatever is staged and not committed is removed when the context ends.
    """

    def __init__(self, *, files: Iterable[Path | None] = (), folder: Path | None = None) -> None:
        given = [file for file in files if file is not None]
        for file in given:
            check_file(file)
        _check_different([*given, folder] if folder is not None else given)
        self._staged: list[tuple[Path, Path]] = []
        self._made = folder if folder is not None and _make_folder(folder) else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for temporary, _ in self._staged:
            temporary.unlink(missing_ok=True)
        if self._made is not None and not any(self._made.iterdir()):
            self._made.rmdir()

    def stage(self, path: Path, content: Content) -> int:
        """Keep what will be `path` under a temporary name beside it; return its bytes.

        Raises `KnownError` where the disk refuses.
        """
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            self._staged.append((Path(name), path))
            with os.fdopen(handle, "wb") as file:
                if callable(content):
                    content(file)
                else:
                    file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
                return os.fstat(file.fileno()).st_size
        except OSError as error:
            raise disk_error(error, path.parent) from error

    def stage_json(self, path: Path | None, value: object) -> None:
        """Stage `value` as JSON, if there is a path."""
        if path is not None:
            self.stage(path, json.dumps(value, indent=2, allow_nan=False) + "\n")

    def commit(self) -> None:
        """Give every staged file its name."""
        mask = os.umask(0)
        os.umask(mask)
        try:
            while self._staged:
                temporary, path = self._staged[0]
                temporary.chmod(0o666 & ~mask)
                temporary.replace(path)
                del self._staged[0]
        except OSError as error:
            raise KnownError(f"{path} cannot be written: {error.strerror}.") from error


def check_file(path: Path) -> None:
    """Raise `KnownError` where a file could not be written, before any work is done for it."""
    if path.is_dir():
        raise KnownError(f"{path} is a folder; name a file to write.")
    _check_writable(path.parent)


def _check_different(places: Iterable[Path]) -> None:
    seen: set[Path] = set()
    for place in places:
        found = place.resolve()
        if found in seen:
            raise KnownError(f"{place} is named for two results; give each a place of its own.")
        seen.add(found)


def _check_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise KnownError(f"The folder {folder} does not exist; make it first.")
    if not os.access(folder, os.W_OK):
        raise KnownError(f"The folder {folder} cannot be written to.")


def _make_folder(path: Path) -> bool:
    """Make sure that a folder is there; returns whether it was made now."""
    if path.is_dir():
        _check_writable(path)
        return False
    if path.exists():
        raise KnownError(f"{path} is a file; name a folder.")
    _check_writable(path.parent)
    path.mkdir()
    return True
