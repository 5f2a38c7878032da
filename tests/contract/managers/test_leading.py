"""One process leads a PostgreSQL database; who is deposed writes nothing, and hears of it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from alcor.runtime.sql.database import Deposed
from alcor.runtime.sql.postgres import PostgresDatabase, look_every_s


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresDatabase]:
    database = PostgresDatabase(url, "test")
    try:
        yield database
    finally:
        await database.close()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within_a_deadline() -> None:
        async with asyncio.timeout(120):
            await main()

    asyncio.run(within_a_deadline())


@pytest.fixture
def url(empty_url: str) -> str:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id TEXT)")
    return empty_url


def insert(id_: str) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO thing VALUES (?)", (id_,))

    return work


def things(url: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("SELECT id FROM thing").fetchall()


def cut(url: str, role: str) -> None:
    """End the server's side of a connection, as a failover does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [f"alcor-test-{role}"],
        )


def test_who_is_deposed_writes_nothing_and_hears_of_it(url: str) -> None:
    async def main() -> None:
        async with opened(url) as one, opened(url) as other:
            await one.lead()
            await one.write(insert("a"))
            hears = asyncio.ensure_future(one.deposed())
            cut(url, "leader")
            await other.lead()

            with pytest.raises(Deposed):
                await one.write(insert("b"))
            with pytest.raises(Deposed):
                await hears
            await other.write(insert("c"))

    run(main)
    assert things(url) == [("a",), ("c",)]


def test_who_leads_hears_nothing(url: str) -> None:
    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            hears = asyncio.ensure_future(one.deposed())
            await one.write(insert("a"))

            assert not hears.done()
            hears.cancel()

    run(main)


def test_who_has_nothing_to_write_hears_of_it_as_well(url: str) -> None:
    async def main() -> None:
        async with opened(url) as one, opened(url) as other:
            await one.lead()
            hears = asyncio.ensure_future(one.deposed())
            done, _ = await asyncio.wait([hears], timeout=2 * look_every_s)
            assert not done  # it leads
            cut(url, "leader")
            await other.lead()

            with pytest.raises(Deposed):
                await hears
            await other.write(insert("a"))

        assert things(url) == [("a",)]

    run(main)
