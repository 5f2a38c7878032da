"""Bring a manager's database to the schema of this code, by Alembic.

Every manager has a package of its own with migrations, `managers/<manager>/versions/`, one file
each, `v0001_<what>.py` with `revision = "0001"`. A database that is up to date costs one query;
Alembic is loaded only when there is something to do. One that is ahead of this code is left alone:
migrations only add, so that the code before them goes on (`online_migrations` says how).

What a migration has to do with rows that are there it names as `STEPS`: here they are taken all at
once, after the migrations and in their transaction.
"""

import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlalchemy
    from alembic.script import ScriptDirectory

room_bytes_min = 1 << 20  # with less a file system is called full
_LAST = "\U0010ffff"  # after every id

_FILE = re.compile(r"v(\d{4})_\w+\.py")


class Step(NamedTuple):
    """A statement for the rows of a table after one id (its first parameter) up to another one (its
    second). Done again, it changes nothing."""

    table: str
    statement: str


def migrate(database: Path, versions: Path) -> None:
    """Upgrade (or create) the SQLite file to the newest migration: wholly, or not at all.

    `OSError` when the file can't be written, or is no database.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    if missing := following(_held(database), versions):
        _upgrade(database, versions, missing)


def head(versions: Path) -> str:
    """The newest revision in the folder, by the name of its file."""
    return following(None, versions)[-1]


def following(held: str | None, versions: Path) -> list[str]:
    """The revisions in the folder that come after the one that a database has, oldest first."""
    numbers = [match[1] for path in versions.iterdir() if (match := _FILE.fullmatch(path.name))]
    assert numbers, f"no migrations in {versions}"
    return sorted(number for number in numbers if held is None or number > held)


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


def _upgrade(database: Path, versions: Path, missing: Sequence[str]) -> None:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import OperationalError

    engine = create_engine(f"sqlite:///{database}")
    # The driver would commit before every change of the schema: we say ourselves when to begin.
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            run_up_to("head", connection, versions)
            for step in steps(versions, missing):
                connection.exec_driver_sql(step.statement, ("", _LAST))
    except OperationalError as error:
        raise _unusable(database, error.orig) from error
    finally:
        engine.dispose()


def _unusable(database: Path, error: object) -> OSError:
    full = shutil.disk_usage(database.parent).free < room_bytes_min
    why = f"{error}: there is no room left on its file system" if full else error
    return OSError(f"{database}: {why}")


def run_up_to(target: str, connection: "sqlalchemy.Connection", versions: Path) -> None:
    """Every migration up to `target` that the database has not seen, in its transaction."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    folder = scripts(versions)

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return folder._upgrade_revs(target, revision)

    options = {"fn": steps, "transactional_ddl": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()


def steps(versions: Path, revisions: Iterable[str]) -> list[Step]:
    """What these migrations have to do with rows that are there."""
    found = [scripts(versions).get_revision(revision) for revision in revisions]
    return [step for script in found if script for step in getattr(script.module, "STEPS", ())]


def scripts(versions: Path) -> "ScriptDirectory":
    """The migrations of a folder, as Alembic knows them."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(versions.parent), version_locations=[str(versions)])
