"""Bring a manager's database to the schema of this code.

Every manager has a package of its own with migrations, `managers/<manager>/versions/`, one file
each, `v0001_<what>.py`; they are taken in the order of their numbers. A database that is up to date
costs one query. One that is ahead of this code is left alone: migrations only add, so that the code
before them goes on (`online_migrations` says how).

A file has an `upgrade(database: Upgraded)`, or `STEPS`, or both. Steps are what a migration has to
do with rows that are there: here they are taken all at once, after the migrations and in their
transaction.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import NamedTuple

room_bytes_min = 1 << 20  # with less a file system is called full
_LAST = "\U0010ffff"  # after every id

_FILE = re.compile(r"v(\d{4})_\w+\.py")
# The name is Alembic's, which brought the databases of releases before to their schema.
_HELD = "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) PRIMARY KEY)"


class Upgraded(NamedTuple):
    """The database that a migration changes, in its transaction."""

    execute: Callable[..., object]  # a statement as SQLite has it, and a row for its placeholders
    is_file: bool  # of SQLite: no code of before works on it meanwhile


class Step(NamedTuple):
    """A statement for the rows of a table after one id (its first parameter) up to another one (its
    second). Done again, it changes nothing."""

    table: str
    statement: str


class Migration(NamedTuple):
    """What one file says."""

    revision: str
    upgrade: Callable[[Upgraded], None]
    indexes: Sequence[str]
    steps: Sequence[Step]


def migrate(database: Path, versions: Path) -> None:
    """Upgrade (or create) the SQLite file to the newest migration: wholly, or not at all.

    `OSError` when the file can't be written, or is no database.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    if missing := following(_held(database), versions):
        _upgrade(database, load(versions, missing))


def head(versions: Path) -> str:
    """The newest revision in the folder, by the name of its file."""
    return following(None, versions)[-1]


def following(held: str | None, versions: Path) -> list[str]:
    """The revisions in the folder that come after the one that a database has, oldest first."""
    return sorted(number for number in _files(versions) if held is None or number > held)


def load(versions: Path, revisions: Iterable[str]) -> list[Migration]:
    """These migrations of the folder."""
    files = _files(versions)
    return [_load(revision, files[revision]) for revision in revisions]


def run(database: Upgraded, migrations: Sequence[Migration]) -> None:
    """Carry them out in their order, and write down which is the last."""
    for each in migrations:
        each.upgrade(database)
    database.execute(_HELD)
    database.execute("DELETE FROM alembic_version")
    database.execute("INSERT INTO alembic_version VALUES (?)", (migrations[-1].revision,))


def _files(versions: Path) -> dict[str, Path]:
    """The files of a folder by their numbers."""
    found: dict[str, Path] = {}
    for path in versions.iterdir():
        if match := _FILE.fullmatch(path.name):
            other = found.setdefault(match[1], path)
            assert other is path, f"{path} and {other.name} have one number"
    assert found, f"no migrations in {versions}"
    return found


def _load(revision: str, path: Path) -> Migration:
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    indexes, steps = getattr(module, "INDEXES", ()), getattr(module, "STEPS", ())
    upgrade = getattr(module, "upgrade", None)
    assert upgrade or steps, f"{path} says nothing"
    return Migration(revision, upgrade or _nothing, indexes, steps)


def _nothing(_: Upgraded) -> None:
    """Its steps are all."""


def _held(database: Path) -> str | None:
    if not database.exists():
        return None
    connection = sqlite3.connect(database)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):  # nothing has been migrated yet
            return None
        raise _unusable(database, error) from error
    finally:
        connection.close()


def _upgrade(database: Path, migrations: Sequence[Migration]) -> None:
    try:
        # The driver begins nothing by itself, nor commits before a change of the schema.
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            run(Upgraded(connection.execute, is_file=True), migrations)
            for step in (step for each in migrations for step in each.steps):
                connection.execute(step.statement, ("", _LAST))
            connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        raise _unusable(database, error) from error


def _unusable(database: Path, error: object) -> OSError:
    full = shutil.disk_usage(database.parent).free < room_bytes_min
    why = f"{error}: there is no room left on its file system" if full else error
    return OSError(f"{database}: {why}")
