"""One workspace: a folder with a database, pictures and features, open in one program at a time."""

import json
import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from inspector_gui.core.errors import KnownError
from inspector_gui.store.files import disk_error, write_whole
from inspector_gui.store.images import ImageStore
from inspector_gui.store.upgrade import bring_up_to_date, database_error, open_engine

DATABASE_NAME = "inspector.db"
_LOCK_NAME = "inspector.lock"
_HOLDER_NAME = "inspector.lock.json"


class Workspace:
    """An open workspace folder; make one with `Workspace.open`.

    One thread writes. `images` may be used from any thread. `features_folder` is where feature
    stores live, one folder per `Scoring.features_key`.
    """

    def __init__(self, folder: Path, lock: FileLock, engine: Engine, images: ImageStore) -> None:
        self.folder = folder
        self.images = images
        self.features_folder = folder / "features"
        self._lock = lock
        self._engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._is_open = True

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the workspace in `folder`, creating what is missing; nobody else can until `close`.

        Raises `KnownError` where another program has it open (nothing is changed then), the folder
        cannot be written, the disk is full, or the database is damaged or newer than this program.
        """
        folder = folder.expanduser().absolute()
        lock = _acquire(folder)
        holder, database = folder / _HOLDER_NAME, folder / DATABASE_NAME
        was_killed = holder.exists()
        try:
            who = {"pid": os.getpid(), "host": platform.node()}
            write_whole(holder, json.dumps(who).encode(), durable=False)
            with _translated(database):
                bring_up_to_date(database, suspicious=was_killed)
                images = ImageStore(folder)
                (folder / "features").mkdir(exist_ok=True)
            return cls(folder, lock, open_engine(database), images)
        except BaseException as error:
            if not was_killed:  # else the next opening must check the database again
                with suppress(OSError):
                    holder.unlink(missing_ok=True)
            lock.release()
            if isinstance(error, OSError):
                raise disk_error(error, folder) from error
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Return a session in a transaction: committed at the end, rolled back by an exception.

        Raises `KnownError` where the disk is full or the database damaged.
        """
        if not self._is_open:
            raise RuntimeError("the workspace is closed")
        with _translated(self.folder / DATABASE_NAME), self._sessions.begin() as session:
            yield session

    def copy_to(self, folder: Path) -> None:
        """Copy the workspace into `folder`, which must not exist and appears whole.

        Features must have been flushed. Raises `KnownError` where the disk is full.
        """
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix="copying-"))
            try:
                self._copy_database(partial / DATABASE_NAME)
                under_way = shutil.ignore_patterns("runs")  # trainings go on where they began
                for name in ("images", "thumbnails", "features", "networks", "lots", "models"):
                    if (self.folder / name).is_dir():
                        shutil.copytree(self.folder / name, partial / name, ignore=under_way)
                partial.rename(folder)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise disk_error(error, folder) from error

    def _copy_database(self, target: Path) -> None:
        with (
            _translated(self.folder / DATABASE_NAME),
            closing(self._engine.raw_connection()) as pooled,
            closing(sqlite3.connect(target)) as copy,
        ):
            source = pooled.driver_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(copy)

    def close(self) -> None:
        """Let go of the database and the lock; may be called twice."""
        if not self._is_open:
            return
        self._is_open = False
        self._engine.dispose()
        with suppress(OSError):
            (self.folder / _HOLDER_NAME).unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _acquire(folder: Path) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # No soft lock where the drive cannot lock: it would survive a killed program.
        lock = FileLock(folder / _LOCK_NAME, timeout=0, thread_local=False, fallback_to_soft=False)
        lock.acquire()
    except Timeout as error:
        raise KnownError(
            f"The workspace {folder} is open in another Inspector window{_holder(folder)}. "
            "Close that one, or choose another workspace."
        ) from error
    except (FileExistsError, NotADirectoryError) as error:
        raise KnownError(f"{folder} is not a folder. Choose a folder for the workspace.") from error
    except OSError as error:
        raise disk_error(error, folder) from error
    return lock


def _holder(folder: Path) -> str:
    try:
        who = json.loads((folder / _HOLDER_NAME).read_bytes())
        return f" (process {int(who['pid'])} on {who['host']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextmanager
def _translated(database: Path) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        known = database_error(error.orig, database)
        if known is None:
            raise
        raise known from error
