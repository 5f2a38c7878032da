"""Laws of writes that wait together."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from alcor.runtime.sql.group_commit import GroupCommit, together_max
from alcor.runtime.sql.sqlite import SqliteDatabase

patience_s = 60.0
Write = Callable[[sqlite3.Connection], Any]


class Refused(Exception):
    """A work's own refusal."""


def insert(number: int) -> Write:
    return lambda c: c.execute("INSERT INTO t VALUES (?)", (number,))


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]


def run(
    tmp_path: Path, main: Callable[[SqliteDatabase, "Held"], Awaitable[None]]
) -> tuple[list[str], list[int]]:
    """The statements of the writer while `main` ran, and what the table holds afterwards."""

    async def within() -> tuple[list[str], list[int]]:
        database = SqliteDatabase(tmp_path / "a.sqlite")
        await database.write(lambda c: c.execute("CREATE TABLE t (n INTEGER UNIQUE)"))
        held = Held(database)
        async with asyncio.timeout(patience_s):
            await main(database, held)
        found = await database.read(numbers)
        await database.close()
        return held.statements, found

    return asyncio.run(within())


class Held:
    """Keeps the writer busy until what is to wait together does wait."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.statements: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None  # what a test does while they wait
        self._database = database

    async def all_of(self, *works: Write) -> list[Any]:
        begun, go_on = threading.Event(), threading.Event()

        def hold(connection: sqlite3.Connection) -> None:
            begun.set()
            assert go_on.wait(patience_s)
            connection.set_trace_callback(self.statements.append)

        holding = asyncio.ensure_future(self._database.write(hold))
        assert await asyncio.to_thread(begun.wait, patience_s)
        self.waiting = [asyncio.ensure_future(self._database.write(work)) for work in works]
        await asyncio.sleep(0)  # each of them has been put into the queue
        self.meanwhile()
        await asyncio.sleep(0)  # who was cancelled knows it
        go_on.set()
        await holding
        return await asyncio.gather(*self.waiting, return_exceptions=True)


def test_writes_that_wait_together_are_committed_once(tmp_path: Path) -> None:
    async def main(database: SqliteDatabase, held: Held) -> None:
        await held.all_of(*(insert(n) for n in range(10)))

    statements, found = run(tmp_path, main)

    assert found == list(range(10))
    assert statements.count("COMMIT") == 2  # theirs, and that of the one before
    assert statements.count("SAVEPOINT one") == 10


def test_no_transaction_has_more_writes_than_the_limit(tmp_path: Path) -> None:
    async def main(database: SqliteDatabase, held: Held) -> None:
        await held.all_of(*(insert(n) for n in range(together_max + 5)))

    statements, found = run(tmp_path, main)

    assert found == list(range(together_max + 5))
    assert statements.count("COMMIT") == 3


def test_a_lone_write_needs_no_savepoint(tmp_path: Path) -> None:
    async def main(database: SqliteDatabase, held: Held) -> None:
        await held.all_of(insert(1))

    statements, found = run(tmp_path, main)

    assert found == [1]
    assert "SAVEPOINT one" not in statements


def test_one_that_raises_is_undone_and_hurts_no_other(tmp_path: Path) -> None:
    def refuse(connection: sqlite3.Connection) -> None:
        insert(99)(connection)
        raise Refused

    async def main(database: SqliteDatabase, held: Held) -> None:
        answers = await held.all_of(insert(1), refuse, insert(2), insert(1), insert(3))
        kinds = [type(each).__name__ for each in answers if isinstance(each, Exception)]
        assert kinds == ["Refused", "IntegrityError"]

    _, found = run(tmp_path, main)

    assert found == [1, 2, 3]


def test_each_sees_what_those_before_it_wrote(tmp_path: Path) -> None:
    def count_and_insert(connection: sqlite3.Connection) -> int:
        (count,) = connection.execute("SELECT count(*) FROM t").fetchone()
        insert(count)(connection)
        return int(count)

    async def main(database: SqliteDatabase, held: Held) -> None:
        assert await held.all_of(*[count_and_insert] * 5) == [0, 1, 2, 3, 4]

    run(tmp_path, main)


def test_when_the_whole_transaction_is_lost_each_is_done_by_itself(tmp_path: Path) -> None:
    def lose(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT OR ROLLBACK INTO t VALUES (1)")

    async def main(database: SqliteDatabase, held: Held) -> None:
        answers = await held.all_of(insert(1), insert(2), lose, insert(3))
        assert isinstance(answers[2], sqlite3.IntegrityError)
        assert not any(isinstance(answers[i], Exception) for i in (0, 1, 3))

    _, found = run(tmp_path, main)

    assert found == [1, 2, 3]


def test_what_nobody_waits_for_any_more_is_not_begun(tmp_path: Path) -> None:
    async def main(database: SqliteDatabase, held: Held) -> None:
        held.meanwhile = lambda: held.waiting[1].cancel()
        answers = await held.all_of(insert(1), insert(2), insert(3))
        assert isinstance(answers[1], asyncio.CancelledError)

    _, found = run(tmp_path, main)

    assert found == [1, 3]


@pytest.mark.timeout(60)  # it once went round for ever, and all writes after it waited
def test_who_is_cancelled_as_the_thread_comes_to_it_ends() -> None:
    writes, connection = GroupCommit(), sqlite3.connect(":memory:")
    waiting = writes.add(insert(1))
    waiting.dropped = True

    writes.settle(connection, waiting)

    connection.close()
    assert waiting.outcome is not None
    assert isinstance(waiting.outcome.error, asyncio.CancelledError)


@pytest.mark.parametrize("seen", [1, 2])
def test_what_was_answered_is_in_the_file(tmp_path: Path, seen: int) -> None:
    async def main(database: SqliteDatabase, held: Held) -> None:
        await held.all_of(insert(1), insert(2))
        other = sqlite3.connect(tmp_path / "a.sqlite")
        try:
            assert seen in numbers(other)
        finally:
            other.close()

    run(tmp_path, main)
