import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from inspector_gui.core.types import Purpose, Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.migrations import HEAD
from inspector_gui.store.references import References
from inspector_gui.store.schema import Record
from inspector_gui.store.upgrade import open_engine

from .samples import picture, picture_file


@pytest.fixture
def config() -> Config:
    config = Config()
    config.set_main_option("script_location", "inspector_gui.store:migrations")
    return config


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Engine]:
    Workspace.open(tmp_path).close()
    engine = open_engine(tmp_path / "inspector.db")
    yield engine
    engine.dispose()


@pytest.fixture
def declared(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "declared.db")
    Record.metadata.create_all(engine)
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_declared_one(migrated: Engine) -> None:
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Record.metadata) == []


def test_constraints_have_the_declared_names(migrated: Engine, declared: Engine) -> None:
    one, other = inspect(migrated), inspect(declared)
    for table in Record.metadata.tables:
        assert one.get_pk_constraint(table) == other.get_pk_constraint(table)
        assert one.get_indexes(table) == other.get_indexes(table)
        assert one.get_unique_constraints(table) == other.get_unique_constraints(table)
        names = [sorted(str(k["name"]) for k in i.get_foreign_keys(table)) for i in (one, other)]
        assert names[0] == names[1]


def test_the_tables_can_be_made_in_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in Record.metadata.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect)).strip().startswith("CREATE TABLE")


def test_the_version_the_program_expects_is_the_newest_migration(config: Config) -> None:
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_existing_database_is_copied_before_it_is_migrated(
    tmp_path: Path, config: Config
) -> None:
    Workspace.open(tmp_path).close()
    assert not list(tmp_path.glob("*.before-*"))
    engine = open_engine(tmp_path / "inspector.db", foreign_keys=False)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    engine.dispose()
    Workspace.open(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / f"inspector.db.before-{HEAD}")) as copy:
        tables = copy.execute("SELECT name FROM sqlite_schema").fetchall()
    assert ("alembic_version",) in tables
    assert ("inspections",) not in tables


def test_what_the_first_program_kept_is_there_after_the_migration(
    tmp_path: Path, config: Config
) -> None:
    with Workspace.open(tmp_path) as workspace:
        references = References(workspace)
        screws = references.create_set("Screws", Scoring())
        references.add_image(screws.id, picture_file(1), picture(1), "a.png")
    engine = open_engine(tmp_path / "inspector.db", foreign_keys=False)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    engine.dispose()
    with Workspace.open(tmp_path) as workspace:
        (found,) = References(workspace).load_sets()
    (image,) = found.images
    assert (image.name, image.purpose, image.origin) == ("a.png", Purpose.REFERENCE, "")
    assert (image.pixels, image.width > 0) == ("", True)
