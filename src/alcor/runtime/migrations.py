"""Bring a manager's database to the schema of this code, by Alembic.

Every manager has a package of its own with migrations, `managers/<manager>/versions/`, one file
each, `v0001_<what>.py` with `revision = "0001"`. A database that is up to date costs one query;
Alembic is loaded only when there is something to do.
"""

import re
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alcor.runtime import dialect

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy

_FILE = re.compile(r"v(\d{4})_\w+\.py")


def migrate(database: Path, versions: Path) -> None:
    """Upgrade (or create) the SQLite file to the newest migration: wholly, or not at all."""
    database.parent.mkdir(parents=True, exist_ok=True)
    if _held(database) != head(versions):
        _upgrade(database, versions)


def head(versions: Path) -> str:
    """The newest revision in the folder, by the name of its file."""
    numbers = [match[1] for path in versions.iterdir() if (match := _FILE.fullmatch(path.name))]
    assert numbers, f"no migrations in {versions}"
    return max(numbers)


def _held(database: Path) -> str | None:
    if not database.exists():
        return None
    connection = sqlite3.connect(database)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
    except sqlite3.OperationalError:  # no such table: nothing has been migrated yet
        return None
    finally:
        connection.close()


def migrate_server(url: str, versions: Path) -> None:
    """Upgrade (or create) the PostgreSQL database of the URL: wholly, or not at all.

    `psycopg.Error` when the server can't be reached, or the user may not do it. Processes that
    start together take turns.
    """
    with closing(_connect(url)) as connection:
        if _held_by_server(connection) == head(versions):
            return
    _upgrade_server(url, versions)


def _connect(url: str) -> "psycopg.Connection[Any]":
    """A connection to the database, which is made if it is not there."""
    import psycopg
    from psycopg import conninfo, errors, sql

    try:
        return psycopg.connect(url, autocommit=True)
    except psycopg.OperationalError as problem:
        if "does not exist" not in str(problem):
            raise
    name = conninfo.conninfo_to_dict(url)["dbname"]
    statement = sql.SQL(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    with (
        closing(psycopg.connect(url, dbname="postgres", autocommit=True)) as connection,
        suppress(errors.DuplicateDatabase, errors.UniqueViolation),  # another was quicker
    ):
        connection.execute(statement.format(sql.Identifier(str(name))))
    return psycopg.connect(url, autocommit=True)


def _held_by_server(connection: "psycopg.Connection[Any]") -> str | None:
    row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _upgrade_server(url: str, versions: Path) -> None:
    from sqlalchemy import create_engine, event, text
    from sqlalchemy.engine import make_url

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def translate(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _m: bool) -> Any:
        return dialect.schema(
            statement, parameters=isinstance(values, tuple) and bool(values)
        ), values

    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
            for function in dialect.FUNCTIONS:
                connection.exec_driver_sql(function)
            _run(connection, versions)
    finally:
        engine.dispose()


def _upgrade(database: Path, versions: Path) -> None:
    from sqlalchemy import create_engine, event

    engine = create_engine(f"sqlite:///{database}")
    # The driver would commit before every change of the schema: we say ourselves when to begin.
    event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            _run(connection, versions)
    finally:
        engine.dispose()


def _run(connection: "sqlalchemy.Connection", versions: Path) -> None:
    """Every migration that the database has not seen, in its transaction."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(versions.parent), version_locations=[str(versions)])

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", revision)

    options = {"fn": steps, "transactional_ddl": True}
    context = MigrationContext.configure(connection, opts=options)
    with Operations.context(context):
        context.run_migrations()
