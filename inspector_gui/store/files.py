"""Files that appear whole or not at all, and what to tell people when the disk refuses."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from inspector_gui.core.errors import KnownError

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` under a temporary name beside `path`, then rename it to `path`.

    Readers see the old file or the new one, never a part. `durable` waits until the disk has the
    bytes. Raises `KnownError` where the disk refuses, and leaves nothing behind then.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise disk_error(error, path.parent) from error
        raise


def disk_error(error: OSError, folder: Path) -> KnownError:
    """Return the sentence for a failed file operation in `folder`."""
    if error.errno in _FULL:
        return disk_full(folder)
    if error.errno in _FORBIDDEN:
        return KnownError(
            f"This account may not write to {folder}. "
            "Choose another folder, or ask for the right to write there."
        )
    reason = error.strerror or type(error).__name__
    return KnownError(f"{folder} cannot be used: {reason}. Check the drive and try again.")


def disk_full(folder: Path) -> KnownError:
    """Return the sentence for a full disk under `folder`."""
    return KnownError(f"The disk that holds {folder} is full. Free some space and try again.")
