"""Laws of a database in a file."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from alcor.runtime.sql.sqlite import SqliteDatabase
from alcor.values.errors import Unavailable

patience_s = 60.0


def test_what_was_written_gets_into_the_file_with_no_further_write(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"

    def make(statement: str) -> Callable[[sqlite3.Connection], object]:
        return lambda connection: connection.execute(statement)

    async def main() -> None:
        database = SqliteDatabase(path, copied_after_s=0.01)
        for name in ("first", "second"):  # the second one is written after a copy
            statement = f"CREATE TABLE {name} (n INTEGER)"
            await database.write(make(statement))
            async with asyncio.timeout(patience_s):
                while statement.encode() not in path.read_bytes():  # noqa: ASYNC110 - of a thread
                    await asyncio.sleep(0.01)
        await database.close()

    asyncio.run(main())


def test_a_database_closes_before_it_has_copied(tmp_path: Path) -> None:
    async def main() -> None:
        database = SqliteDatabase(tmp_path / "a.sqlite")
        await database.write(lambda c: c.execute("CREATE TABLE t (n INTEGER)"))
        await database.close()

        again = SqliteDatabase(tmp_path / "a.sqlite")
        assert await again.read(lambda c: c.execute("SELECT n FROM t").fetchall()) == []
        await again.close()

    asyncio.run(main())


def test_a_full_disk_refuses_what_is_to_be_written_until_there_is_room(tmp_path: Path) -> None:
    """SQLite says the same of a file that may have no more pages as of a disk without room."""

    text = "x" * 50_000

    async def main() -> None:
        database = SqliteDatabase(tmp_path / "a.sqlite")
        await database.write(lambda c: c.execute("CREATE TABLE t (text TEXT)"))
        (pages,) = await database.read(lambda c: c.execute("PRAGMA page_count").fetchone())
        await database.write(lambda c: c.execute(f"PRAGMA max_page_count={pages + 1}"))
        for _ in range(2):
            with pytest.raises(Unavailable, match="full"):
                await database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", [text]))
            assert await database.read(lambda c: c.execute("SELECT * FROM t").fetchall()) == []
        await database.write(lambda c: c.execute(f"PRAGMA max_page_count={pages + 1_000}"))
        await database.write(lambda c: c.execute("INSERT INTO t VALUES (?)", [text]))
        await database.close()

    asyncio.run(main())


def test_a_mistake_of_ours_is_no_trouble_of_the_disk(tmp_path: Path) -> None:
    async def main() -> None:
        database = SqliteDatabase(tmp_path / "a.sqlite")
        for ask in (database.read, database.write):
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await ask(lambda c: c.execute("SELECT * FROM missing"))
        await database.close()

    asyncio.run(main())
