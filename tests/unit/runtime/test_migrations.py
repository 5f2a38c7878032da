"""Migrations: a database comes to the schema of the code, once, and all at once or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from alcor.managers.network import app as network_app
from alcor.runtime.sql.migrations import following, head, migrate

ALL = sorted(Path(network_app.__file__).parents[1].glob("*/versions"))

FIRST = """
def upgrade(database):
    database.execute("CREATE TABLE thing (id TEXT)")
"""
SECOND = """
def upgrade(database):
    database.execute("ALTER TABLE thing ADD COLUMN name TEXT")
    database.execute("{more}")
"""


def columns(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        found = [row[1] for row in connection.execute("PRAGMA table_info(thing)")]
    connection.close()
    return found


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    (folder / "v0001_first.py").write_text(FIRST)
    return folder


def test_a_database_is_made_then_upgraded_and_then_left_alone(
    tmp_path: Path, versions: Path
) -> None:
    database = tmp_path / "new" / "a.sqlite"
    migrate(database, versions)
    assert columns(database) == ["id"]

    # Of another length: Python takes what it compiled in the same second for the same otherwise.
    (versions / "v0002_second.py").write_text(SECOND.format(more="SELECT 1 + 1"))
    migrate(database, versions)
    assert columns(database) == ["id", "name"]

    migrate(database, versions)
    assert columns(database) == ["id", "name"]


def test_a_migration_that_fails_is_tried_again_by_the_next_start(
    tmp_path: Path, versions: Path
) -> None:
    database = tmp_path / "a.sqlite"
    migrate(database, versions)
    (versions / "v0002_second.py").write_text(SECOND.format(more="NONSENSE"))

    with pytest.raises(Exception, match="NONSENSE"):
        migrate(database, versions)

    # Of another length: Python takes what it compiled in the same second for the same otherwise.
    (versions / "v0002_second.py").write_text(SECOND.format(more="SELECT 1 + 1"))
    migrate(database, versions)
    assert columns(database) == ["id", "name"]


@pytest.mark.parametrize("folder", ALL, ids=lambda path: path.parent.name)
def test_migrations_are_numbered_without_a_gap(folder: Path) -> None:
    revisions = following(None, folder)

    assert revisions == [f"{number:04}" for number in range(1, int(head(folder)) + 1)]


def test_two_migrations_of_one_number_are_told(versions: Path) -> None:
    (versions / "v0001_other.py").write_text(FIRST)

    with pytest.raises(AssertionError, match="have one number"):
        head(versions)


def test_a_migration_that_says_nothing_is_told(tmp_path: Path, versions: Path) -> None:
    (versions / "v0002_second.py").write_text("STATEMENTS = ('SELECT 1',)")

    with pytest.raises(AssertionError, match="says nothing"):
        migrate(tmp_path / "a.sqlite", versions)


def test_a_database_that_alembic_made_is_gone_on_from(tmp_path: Path, versions: Path) -> None:
    database = tmp_path / "a.sqlite"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));"
            "INSERT INTO alembic_version VALUES ('0001'); CREATE TABLE thing (id TEXT);"
        )
    (versions / "v0002_second.py").write_text(SECOND.format(more="SELECT 1"))

    migrate(database, versions)

    assert columns(database) == ["id", "name"]
    with closing(sqlite3.connect(database)) as connection:
        held = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert held == [("0002",)]


def test_a_database_that_newer_code_has_upgraded_is_left_alone(
    tmp_path: Path, versions: Path
) -> None:
    database = tmp_path / "a.sqlite"
    second = versions / "v0002_second.py"
    second.write_text(SECOND.format(more="SELECT 1"))
    migrate(database, versions)
    second.unlink()

    migrate(database, versions)

    assert columns(database) == ["id", "name"]


def test_a_file_that_is_no_database_is_named(tmp_path: Path, versions: Path) -> None:
    database = tmp_path / "a.sqlite"
    database.write_bytes(b"not of SQLite's making" * 400)

    with pytest.raises(OSError, match="file is not a database") as told:
        migrate(database, versions)

    assert str(told.value).startswith(f"{database}: ")
