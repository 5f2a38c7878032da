"""Bring a manager's PostgreSQL database to the schema of this code while others use it.

Each migration only adds (a test sees to that), so code before and after it works on its result, and
the processes of two versions may run side by side. Each is a transaction of its own that waits for
no lock longer than `lock_s_max`, since whoever comes after it waits behind it: then it lets all of
them pass, and tries again. An index on a table that is there is made without keeping writers away:
its migration names the statements as `INDEXES`, each `CREATE INDEX IF NOT EXISTS ...`, and
`upgrade` executes them, which is nothing any more when they have been made before. What is to be
done with rows that are there a migration names as `STEPS`; they are taken before it, some rows at a
time, each time as a write among the others.

Processes that start together take turns. Source: PostgreSQL, "Explicit Locking", "CREATE INDEX".
"""

import re
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import psycopg
import structlog
from psycopg import conninfo, errors, sql

from alcor.runtime.sql import dialect
from alcor.runtime.sql.migrations import Migration, Step, Upgraded, following, load, run
from alcor.runtime.sql.postgres import AT_OUR_END

lock_s_max = 2.0  # for which a migration waits for a lock, and others for it
turn_s_max = 120.0  # of trying again, before whoever holds the lock has to be looked for
try_again_s = 0.2  # in which those who waited pass
step_rows_max = 2_000  # of a table: writes wait so long

_TURN = 3  # of the database's advisory locks: 1 is the writer's, 2 the leader's
_INDEX = re.compile(r"CREATE (?:UNIQUE )?INDEX IF NOT EXISTS (?P<name>\w+) ON ")

_log = structlog.get_logger(__name__)
_pause = Event().wait


def migrate_server(url: str, versions: Path) -> None:
    """Upgrade (or create) the PostgreSQL database of the URL, a migration at a time.

    `psycopg.Error` when the server can't be reached, the user may not do it, or a lock is not to be
    had for too long; what has been done until then is done, and the next start goes on.
    """
    with closing(_connect(url)) as connection:
        if not following(_held(connection), versions):
            return
        _take_turn(connection)
        _upgrade(connection, versions)


def _connect(url: str) -> "psycopg.Connection[Any]":
    """A connection to the database, which is made if it is not there."""
    try:
        return psycopg.connect(url, autocommit=True, **AT_OUR_END)
    except psycopg.OperationalError as problem:
        if "does not exist" not in str(problem):
            raise
    name = conninfo.conninfo_to_dict(url)["dbname"]
    statement = sql.SQL(
        "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    with (
        closing(
            psycopg.connect(url, dbname="postgres", autocommit=True, **AT_OUR_END)
        ) as connection,
        suppress(errors.DuplicateDatabase, errors.UniqueViolation),  # another was quicker
    ):
        connection.execute(statement.format(sql.Identifier(str(name))))
    return psycopg.connect(url, autocommit=True, **AT_OUR_END)


def _held(connection: "psycopg.Connection[Any]") -> str | None:
    row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if row is None or row[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _take_turn(connection: "psycopg.Connection[Any]") -> None:
    """Until the connection is closed. Who waits asks again and again: in a statement that waits it
    would hold a snapshot, which the making of an index waits for."""
    give_up = monotonic() + turn_s_max
    while connection.execute("SELECT pg_try_advisory_lock(%s)", [_TURN]).fetchone() != (True,):
        if monotonic() > give_up:
            raise errors.LockNotAvailable("another process has been migrating for too long")
        _pause(try_again_s)


def _upgrade(connection: "psycopg.Connection[Any]", versions: Path) -> None:
    give_up = monotonic() + turn_s_max
    while missing := following(held := _held(connection), versions):
        # What is made anew is nobody's yet: all at once.
        migrations = load(versions, missing if held is None else missing[:1])
        try:
            if held is not None:
                _make_indexes(connection, migrations[0].indexes)
                for each in migrations[0].steps:
                    _take(connection, each)
            _run(connection, migrations)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as problem:
            if monotonic() > give_up:
                raise
            why = str(problem).splitlines()[0]
            _log.warning("migration.waits", to=migrations[-1].revision, why=why)
            _pause(try_again_s)


def _run(connection: "psycopg.Connection[Any]", migrations: Sequence[Migration]) -> None:
    """One transaction, which no write of ours falls into."""

    def execute(statement: str, row: Sequence[object] = ()) -> None:
        there = dialect.schema(statement, parameters=bool(row))
        connection.execute(there.encode(), row or None)

    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(1)")
        connection.execute(f"SET LOCAL lock_timeout = {lock_s_max * 1_000:.0f}".encode())
        for function in dialect.FUNCTIONS:
            connection.execute(function.encode())
        run(Upgraded(execute, is_file=False), migrations)


def _make_indexes(connection: "psycopg.Connection[Any]", statements: Sequence[str]) -> None:
    """Each of them, while others write; what an attempt that was cut short left goes first."""
    for statement in statements:
        found = _INDEX.match(statement)
        assert found, f"not CREATE INDEX IF NOT EXISTS: {statement}"
        half = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
        if connection.execute(half, [found["name"]]).fetchone():
            name = sql.Identifier(found["name"])
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(name))
        there = dialect.schema(statement, parameters=False)
        concurrent = there.replace(" INDEX ", " INDEX CONCURRENTLY ", 1)
        connection.execute(concurrent.encode())


def _take(connection: "psycopg.Connection[Any]", step: Step) -> None:
    """A step, some rows at a time; no write of ours falls between reading them and what is done."""
    statement = dialect.query(step.statement).encode()
    some = f"SELECT id FROM {step.table} WHERE id > ? ORDER BY id LIMIT {step_rows_max}"
    upto = dialect.query(f"SELECT max(id) FROM ({some}) AS part").encode()
    after = ""
    while True:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(1)")
            row = connection.execute(upto, (after,)).fetchone()
            if row is None or row[0] is None:
                return
            connection.execute(statement, (after, row[0]))
            after = row[0]
