"""PostgreSQL databases are upgraded while others use them: nobody waits long, nobody fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from alcor.runtime.sql.online_migrations import lock_s_max, migrate_server, step_rows_max

UP = """
def upgrade(database):
    for statement in {!r}:
        database.execute(statement)
"""
busy_s_max = 60.0  # of a machine that does a lot besides


class Versions:
    """A folder of migrations that grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._count = 0

    def add(self, *statements: str, more: str = "") -> Path:
        self._count += 1
        path = self.folder / f"v{self._count:04}_more.py"
        path.write_text(more + UP.format(statements))
        return path


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    found = Versions(tmp_path / "versions")
    found.add(
        "CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT)",
        "INSERT INTO thing VALUES ('a', 'x'), ('b', 'y')",
    )
    return found


@pytest.fixture
def url(postgres: Any, versions: Versions) -> str:
    found = str(postgres.url(uuid4().hex))
    migrate_server(found, versions.folder)
    return found


def names(url: str) -> list[Any]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return connection.execute("SELECT * FROM thing ORDER BY id").fetchall()


def until(holds: Callable[[], bool]) -> None:
    end, pause = monotonic() + busy_s_max, Event()
    while not holds():
        assert monotonic() < end
        pause.wait(0.05)


def test_who_reads_waits_no_longer_than_a_migration_may_wait(url: str, versions: Versions) -> None:
    versions.add("ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
    longest = 0.0
    with (
        closing(psycopg.connect(url)) as reading,
        closing(psycopg.connect(url, autocommit=True)) as other,
        ThreadPoolExecutor(1) as upgrading,
    ):
        reading.execute("SELECT * FROM thing")  # and holds its lock until it ends
        done = upgrading.submit(migrate_server, url, versions.folder)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'"
        turns = 0
        for _ in range(2):  # it comes again after it has let others pass
            until(lambda: other.execute(waits).fetchone() is not None)
            began = monotonic()
            other.execute("SELECT * FROM thing").fetchall()
            longest = max(longest, monotonic() - began)
            turns += not done.done()
        reading.rollback()
        done.result(busy_s_max)

    assert turns == 2
    assert longest < lock_s_max + 10  # and not until the reader ended, which was after this
    assert names(url) == [("a", "x", 0), ("b", "y", 0)]


def test_an_index_is_made_while_others_write(url: str, versions: Versions) -> None:
    index = "CREATE INDEX IF NOT EXISTS thing_name ON thing (name, id)"
    versions.add(index, more=f"INDEXES = {(index,)!r}\n")
    with (
        closing(psycopg.connect(url)) as writing,
        closing(psycopg.connect(url, autocommit=True)) as other,
        ThreadPoolExecutor(1) as upgrading,
    ):
        writing.execute("UPDATE thing SET name = 'z' WHERE id = 'a'")  # waits for nobody
        done = upgrading.submit(migrate_server, url, versions.folder)
        making = "SELECT 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting%'"
        until(lambda: other.execute(making).fetchone() is not None)
        other.execute("UPDATE thing SET name = 'q' WHERE id = 'b'")  # nor does this one
        assert not done.done()
        writing.commit()
        done.result(busy_s_max)
        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('thing_name')"
        assert other.execute(valid).fetchone() == (True,)

    assert names(url) == [("a", "z"), ("b", "q")]


def test_an_index_that_was_left_half_made_is_made_again(url: str, versions: Versions) -> None:
    index = "CREATE UNIQUE INDEX IF NOT EXISTS thing_name ON thing (name)"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("INSERT INTO thing VALUES ('c', 'x')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY thing_name ON thing (name)")
        connection.execute("DELETE FROM thing WHERE id = 'c'")
        versions.add(index, more=f"INDEXES = {(index,)!r}\n")

        migrate_server(url, versions.folder)

        valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('thing_name')"
        assert connection.execute(valid).fetchone() == (True,)


def test_what_fails_leaves_the_steps_before_it(url: str, versions: Versions) -> None:
    versions.add("ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
    bad = versions.add("ALTER TABLE thing ADD COLUMN more TEXT", "SELECT nonsense")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate_server(url, versions.folder)
    assert names(url) == [("a", "x", 0), ("b", "y", 0)]

    bad.write_text(bad.read_text().replace("nonsense", "1"))
    migrate_server(url, versions.folder)
    assert names(url) == [("a", "x", 0, None), ("b", "y", 0, None)]


def test_a_database_that_newer_code_has_upgraded_is_left_alone(
    url: str, versions: Versions
) -> None:
    newer = versions.add("ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 0")
    migrate_server(url, versions.folder)
    newer.unlink()

    migrate_server(url, versions.folder)

    assert names(url) == [("a", "x", 0), ("b", "y", 0)]


def test_processes_that_start_together_take_turns(url: str, versions: Versions) -> None:
    for n in range(3):
        versions.add(f"ALTER TABLE thing ADD COLUMN n{n} INTEGER NOT NULL DEFAULT {n}")
    threads = [Thread(target=migrate_server, args=(url, versions.folder)) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert names(url) == [("a", "x", 0, 1, 2), ("b", "y", 0, 1, 2)]


STEPS = """
from alcor.runtime.sql.migrations import Step
STEPS = (Step("thing", "UPDATE thing SET name = 'n' WHERE id > ? AND id <= ? AND name = 'old'"),)
"""


def test_rows_that_are_there_are_taken_some_at_a_time(url: str, versions: Versions) -> None:
    versions.add(more=STEPS)
    with (
        closing(psycopg.connect(url, autocommit=True)) as writing,
        closing(psycopg.connect(url, autocommit=True)) as other,
        ThreadPoolExecutor(1) as upgrading,
    ):
        other.execute("TRUNCATE thing")
        rows = f"generate_series(1, {2 * step_rows_max + 1}) AS n"
        other.execute(f"INSERT INTO thing SELECT lpad(n::text, 6, '0'), 'old' FROM {rows}")
        writing.execute("SELECT pg_advisory_lock(1)")  # a write
        done = upgrading.submit(migrate_server, url, versions.folder)
        waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
        until(lambda: other.execute(waits).fetchone() is not None)
        assert other.execute("SELECT count(*) FROM thing WHERE name = 'n'").fetchone() == (0,)
        writing.execute("SELECT pg_advisory_unlock(1)")
        done.result(busy_s_max)

    assert {row[1] for row in names(url)} == {"n"}
