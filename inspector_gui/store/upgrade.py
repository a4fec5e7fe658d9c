"""Brings a database file to the version this program reads and writes, or says why not."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from inspector_gui.core.errors import KnownError
from inspector_gui.store.files import disk_error, disk_full
from inspector_gui.store.migrations import HEAD

_BUSY_SECONDS = 5.0
_ALWAYS_CHECKED_BYTES = 32 << 20
"""A database up to this size is checked whenever it is opened; about 1 ms per MB."""
_VERSION_TABLE = "alembic_version"


def open_engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    """Return an engine for a SQLite file: write-ahead log, real transactions (also for DDL)."""
    url = URL.create("sqlite", database=str(path))
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    def on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver would commit before DDL; the `begin` below takes its place.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            f"foreign_keys = {'ON' if foreign_keys else 'OFF'}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def bring_up_to_date(path: Path, *, suspicious: bool) -> None:
    """Create or migrate the database file; an existing one is copied before it is migrated.

    `suspicious`: the last program that had it open did not close it, so check it whatever its
    size. Raises `KnownError` where it is damaged, newer than this program, or not a database of
    this program; the file is not changed then.
    """
    existed = path.exists() and path.stat().st_size > 0
    version = _checked_version(path, suspicious=suspicious) if existed else None
    if version == HEAD:
        return
    _migrate(path, version, keep_copy=existed)


def database_error(error: BaseException | None, path: Path) -> KnownError | None:
    """Return the sentence for an error of SQLite, None where it is a bug of this program."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:
        case sqlite3.SQLITE_FULL:
            return disk_full(path.parent)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(path)
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return KnownError(
                f"This account may not write to {path}. "
                "Choose another workspace, or ask for the right to write there."
            )
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return KnownError(
                f"{path} is kept busy by another program. Close that program and try again."
            )
        case sqlite3.SQLITE_IOERR:
            return KnownError(f"{path} cannot be read or written. Check the drive and try again.")
    return None


def _checked_version(path: Path, *, suspicious: bool) -> str | None:
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
            query = "SELECT name FROM sqlite_schema WHERE type = 'table'"
            tables = {name for (name,) in connection.execute(query)}
            if suspicious or path.stat().st_size <= _ALWAYS_CHECKED_BYTES:
                (result,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if result != "ok":
                    raise _damaged(path)
            versions: list[str] = []
            if _VERSION_TABLE in tables:
                rows = connection.execute(f"SELECT version_num FROM {_VERSION_TABLE}")
                versions = [str(version) for (version,) in rows]
    except sqlite3.Error as error:
        raise database_error(error, path) or _damaged(path) from error
    if not versions and tables - {_VERSION_TABLE}:
        raise KnownError(
            f"{path} belongs to another program. Choose another folder for the workspace."
        )
    return versions[0] if versions else None


def _migrate(path: Path, version: str | None, *, keep_copy: bool) -> None:
    # Slow to import, and needed at the first start and after an update only.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "inspector_gui.store:migrations")
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise KnownError(
            f"{path} was written by a newer version of Inspector. "
            "Install the newest version to open this workspace, or choose another one."
        )
    if keep_copy:
        _copy(path, path.with_name(f"{path.name}.before-{HEAD}"))
    engine = open_engine(path, foreign_keys=False)  # so that a migration may rebuild tables
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def _copy(path: Path, target: Path) -> None:
    temporary = target.with_name(f"{target.name}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(temporary)) as copy:
            source.backup(copy)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except sqlite3.Error as error:
        temporary.unlink(missing_ok=True)
        raise database_error(error, target) or _damaged(path) from error
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise disk_error(error, path.parent) from error


def _damaged(path: Path) -> KnownError:
    return KnownError(
        f"{path} is damaged. Put back a copy of the workspace, "
        "or move this file away to start with an empty one."
    )
