"""Laws of a database in a file."""

import asyncio
from pathlib import Path

from alcor.runtime.sqlite import SqliteDatabase

patience_s = 60.0


def test_what_was_written_gets_into_the_file_with_no_further_write(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"

    async def main() -> None:
        database = SqliteDatabase(path, copied_after_s=0.01)
        for name in ("first", "second"):  # the second one is written after a copy
            statement = f"CREATE TABLE {name} (n INTEGER)"
            await database.write(lambda c, statement=statement: c.execute(statement))
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
