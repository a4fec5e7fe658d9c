import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import inspector_gui
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.references import References

CHECKOUT = Path(inspector_gui.__file__).parents[1]

HOLD = """
import sys, time
from pathlib import Path
from inspector_gui.core.types import Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.references import References
workspace = Workspace.open(Path(sys.argv[1]))
References(workspace).create_set("Made before the crash", Scoring())
print("held", flush=True)
time.sleep(60)
"""


def run_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [folder, *folder.rglob("*")]
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in paths}


def made(folder: Path) -> Path:
    with Workspace.open(folder) as workspace:
        for number in range(40):
            References(workspace).create_set(f"Set {number} " + "x" * 60, Scoring())
    return folder / "inspector.db"


def test_opening_creates_folders_that_do_not_exist_yet(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "works%pace ä"
    with Workspace.open(folder) as workspace:
        assert workspace.folder == folder
        assert {p.name for p in folder.iterdir() if p.is_dir()} == {
            "images",
            "thumbnails",
            "features",
        }


def test_reopening_finds_what_was_committed(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        References(workspace).create_set("Screws", Scoring(k=7))
    with Workspace.open(tmp_path) as workspace:
        (found,) = References(workspace).load_sets()
    assert (found.name, found.scoring) == ("Screws", Scoring(k=7))


def run_sql(workspace: Workspace, *statements: str) -> None:
    with workspace.session() as session:
        for statement in statements:
            session.execute(text(statement))


def test_a_failed_transaction_leaves_nothing(workspace: Workspace) -> None:
    insert = "INSERT INTO reference_sets (name, created_at) VALUES ('half', 0)"
    with pytest.raises(OperationalError, match="syntax error"):
        run_sql(workspace, insert, "NOT SQL")
    assert References(workspace).load_sets() == ()


def test_sqlite_enforces_foreign_keys_and_writes_ahead(workspace: Workspace) -> None:
    with workspace.session() as session:
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_closing_twice_is_harmless_and_a_closed_workspace_cannot_be_used(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    workspace.close()
    workspace.close()
    with pytest.raises(RuntimeError, match="closed"):
        References(workspace).load_sets()
    assert not (tmp_path / "inspector.lock.json").exists()


def test_a_second_opener_is_refused_in_words_and_changes_nothing(workspace: Workspace) -> None:
    References(workspace).create_set("Screws", Scoring())
    before = snapshot(workspace.folder)
    with pytest.raises(KnownError, match=f"open in another .* window .process {os.getpid()} on"):
        Workspace.open(workspace.folder)
    assert snapshot(workspace.folder) == before


def test_a_killed_program_frees_its_workspace_and_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        before = snapshot(tmp_path)
        with pytest.raises(KnownError, match=f"process {holder.pid} on"):
            Workspace.open(tmp_path)
        assert snapshot(tmp_path) == before
        holder.kill()
    with Workspace.open(tmp_path) as workspace:
        (found,) = References(workspace).load_sets()
    assert found.name == "Made before the crash"


def test_a_file_is_refused_as_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(KnownError, match=r"Choose a folder|cannot be used"):
            Workspace.open(folder)


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    if not hasattr(os, "seteuid"):
        pytest.skip("needs POSIX permissions")
    was = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        if was == 0:
            os.seteuid(65534)
        yield folder
        os.seteuid(was)
        folder.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_refused(read_only_folder: Path) -> None:
    with pytest.raises(KnownError, match="may not write"):
        Workspace.open(read_only_folder)
    assert list(read_only_folder.iterdir()) == []


@pytest.mark.parametrize("place", ["header", "middle", "tail"])
def test_a_damaged_database_is_refused_and_left_alone(tmp_path: Path, place: str) -> None:
    database = made(tmp_path)
    good = database.read_bytes()
    half = len(good) // 2
    damaged = {
        "header": b"garbage!" * 64 + good[512:],
        "middle": good[: half - 4096] + b"\xa5" * 8192 + good[half + 4096 :],
        "tail": good[:half],
    }[place]
    database.write_bytes(damaged)
    names = {p.name for p in tmp_path.iterdir()}
    with pytest.raises(KnownError, match="is damaged"):
        Workspace.open(tmp_path)
    assert database.read_bytes() == damaged
    assert {p.name for p in tmp_path.iterdir()} == names
    database.write_bytes(good)  # also shows that the refusal let go of the lock
    with Workspace.open(tmp_path) as workspace:
        assert len(References(workspace).load_sets()) == 40


def test_damage_found_while_working_is_told_in_words(tmp_path: Path) -> None:
    database = made(tmp_path)
    with Workspace.open(tmp_path) as workspace:
        good = database.read_bytes()
        database.write_bytes(good[:4096] + b"\xa5" * (len(good) - 4096))
        with pytest.raises(KnownError, match="is damaged"):
            References(workspace).load_sets()
        database.write_bytes(good)


def test_a_database_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = made(tmp_path)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = database.read_bytes()
    names = {p.name for p in tmp_path.iterdir()}
    with pytest.raises(KnownError, match="newer version"):
        Workspace.open(tmp_path)
    assert database.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == names


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "inspector.db")) as connection, connection:
        connection.execute("CREATE TABLE recipes_for_soup (id INTEGER)")
    with pytest.raises(KnownError, match="another program"):
        Workspace.open(tmp_path)


def test_a_full_disk_is_told_in_words_and_work_goes_on_after(workspace: Workspace) -> None:
    with workspace.session() as session:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
    references = References(workspace)
    with pytest.raises(KnownError, match="is full"):
        run_sql(
            workspace,
            "INSERT INTO reference_sets (id, name, created_at) VALUES (1, 'a', 0)",
            "INSERT INTO limits SELECT 1, 1, 0, 0, 0, 0, hex(zeroblob(99999)), '', 0",
        )
    run_sql(workspace, "PRAGMA max_page_count = 1000000")
    references.create_set("Screws", Scoring())
    assert [s.name for s in references.load_sets()] == ["Screws"]


def test_a_fresh_interpreter_loads_no_qt_and_needs_no_alembic_for_a_current_database(
    tmp_path: Path,
) -> None:
    made(tmp_path)
    code = """
import sys
from pathlib import Path
import inspector_gui.store.features_cache, inspector_gui.store.inspections
from inspector_gui.store.database import Workspace
Workspace.open(Path(sys.argv[1])).close()
print(sorted({m.partition(".")[0] for m in sys.modules} & {"PySide6", "alembic", "torch"}))
"""
    assert run_python(code, str(tmp_path)).strip() == "[]"


def test_a_copy_holds_everything_and_appears_whole(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "workspace") as workspace:
        References(workspace).create_set("Washers", Scoring())
        (workspace.features_folder / "rows.f32").write_bytes(b"features")
        workspace.copy_to(tmp_path / "copies" / "one")
        References(workspace).create_set("Later", Scoring())
    with Workspace.open(tmp_path / "copies" / "one") as copy:
        assert [s.name for s in References(copy).load_sets()] == ["Washers"]
        assert (copy.features_folder / "rows.f32").read_bytes() == b"features"
    assert [p.name for p in (tmp_path / "copies").iterdir()] == ["one"]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with Workspace.open(tmp_path / "workspace") as workspace:
        monkeypatch.setattr("shutil.copytree", full)
        with pytest.raises(KnownError, match="full"):
            workspace.copy_to(tmp_path / "copies" / "one")
    assert list((tmp_path / "copies").iterdir()) == []
