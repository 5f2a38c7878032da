"""Migrations: a database comes to the schema of the code, once, and all at once or not at all."""

import sqlite3
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from alcor.managers.network import app as network_app
from alcor.runtime.sql.migrations import head, migrate

ALL = sorted(Path(network_app.__file__).parents[1].glob("*/versions"))

FIRST = """
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.execute("CREATE TABLE thing (id TEXT)")
"""
SECOND = """
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    op.execute("ALTER TABLE thing ADD COLUMN name TEXT")
    op.execute("{more}")
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
def test_the_name_of_the_newest_file_is_alembics_head(folder: Path) -> None:
    scripts = ScriptDirectory(str(folder.parent), version_locations=[str(folder)])

    assert scripts.get_heads() == [head(folder)]


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
