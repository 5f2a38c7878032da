"""One process leads a PostgreSQL database; who is deposed writes nothing, and hears of it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import psycopg
import pytest

from alcor.runtime.sql import postgres
from alcor.runtime.sql.database import Deposed
from alcor.runtime.sql.postgres import PostgresDatabase, look_every_s, unreachable
from alcor.values.errors import Unavailable


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


def with_table(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id TEXT)")
    return url


@pytest.fixture
def url(empty_url: str) -> str:
    return with_table(empty_url)


def insert(id_: str) -> Callable[[sqlite3.Connection], None]:
    def work(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO thing VALUES (?)", (id_,))

    return work


def things(url: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute("SELECT id FROM thing").fetchall()


def cut(url: str) -> None:
    """End the server's side of the connections that write, as a failover does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'alcor-test-writer' AND datname = current_database()"
        )


def test_who_is_deposed_writes_nothing_and_hears_of_it(url: str) -> None:
    async def main() -> None:
        async with opened(url) as one, opened(url) as other:
            await one.lead()
            await one.write(insert("a"))
            hears = asyncio.ensure_future(one.deposed())
            cut(url)
            await other.lead()

            with pytest.raises(Deposed):
                await one.write(insert("b"))
            with pytest.raises(Deposed):
                await hears
            await other.write(insert("c"))

    run(main)
    assert things(url) == [("a",), ("c",)]


def test_a_write_of_who_led_is_refused_at_once_when_the_server_is_gone(own_postgres: Any) -> None:
    """Whoever asked waited for half a minute, though no write of ours could be taken again."""
    url = with_table(own_postgres.made())

    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            await one.write(insert("a"))
            own_postgres.crash()
            try:
                async with asyncio.timeout(postgres.away_max_s / 2):
                    for id_ in ("b", "c"):
                        with pytest.raises(Unavailable, match="does not answer"):
                            await one.write(insert(id_))
            finally:
                own_postgres.start()
            with pytest.raises(Deposed):
                await one.write(insert("d"))

    run(main)
    assert things(url) == [("a",)]


def test_a_read_of_who_led_does_not_wait_for_longer_than_a_write(own_postgres: Any) -> None:
    """The first reads waited for half a minute, each."""
    url = with_table(own_postgres.made())

    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            looks = asyncio.ensure_future(one.deposed())
            await asyncio.sleep(0)  # it has begun
            own_postgres.crash()
            try:
                async with asyncio.timeout(postgres.away_max_s / 2):
                    with pytest.raises(Unavailable, match="does not answer"):
                        await one.read(lambda c: c.execute("SELECT id FROM thing").fetchall())
            finally:
                own_postgres.start()
            with pytest.raises(Deposed):
                await looks

    run(main)


def test_a_server_that_is_read_only_is_known_to_refuse_writes(url: str) -> None:
    """Connections that were there went on to read, so nothing said that writes are refused."""

    def turn(on: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            name = connection.info.dbname
            connection.execute(
                f'ALTER DATABASE "{name}" SET default_transaction_read_only = {on}'.encode()
            )
        cut(url)

    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            turn("on")
            with pytest.raises(Unavailable, match="does not answer"):
                await one.write(insert("a"))
            assert one.refuses_writes
            with pytest.raises(Unavailable):
                await one.try_write()
            turn("off")
            with pytest.raises(Deposed):  # it is there: whoever leads begins anew
                await one.try_write()

    run(main)
    assert things(url) == []


def test_nobody_else_leads_while_a_write_of_who_does_may_be_committed_yet(url: str) -> None:
    begun, goes_on = Event(), Event()

    def slowly(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO thing VALUES ('a')")
        begun.set()
        goes_on.wait(60)

    async def main() -> None:
        async with opened(url) as one, opened(url) as other:
            await one.lead()
            writes = asyncio.ensure_future(one.write(slowly))
            await asyncio.to_thread(begun.wait)
            cut(url)
            await other.lead()
            goes_on.set()

            with pytest.raises((Deposed, Unavailable)):
                await writes
            with pytest.raises(Deposed):
                await one.write(insert("b"))

    run(main)
    assert things(url) == []


def test_a_statement_that_the_server_breaks_off_costs_nobody_the_lead(url: str) -> None:
    attempts: list[int] = []

    def breaks_off_once(connection: sqlite3.Connection) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            connection.execute("SET LOCAL statement_timeout = 10")
            connection.execute("SELECT pg_sleep(60)")
        connection.execute("INSERT INTO thing VALUES ('a')")

    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            await one.write(breaks_off_once)
            await one.write(insert("b"))

    run(main)
    assert len(attempts) == 2
    assert things(url) == [("a",), ("b",)]


def test_a_server_that_was_away_is_led_anew(own_postgres: Any) -> None:
    """Nobody is deposed while it is away: others need not end for that."""
    url = with_table(own_postgres.made())

    async def main() -> None:
        async with opened(url) as one:
            await one.lead()
            hears = asyncio.ensure_future(one.deposed())
            own_postgres.kill()
            done, _ = await asyncio.wait([hears], timeout=2 * look_every_s)
            assert not done
            own_postgres.start()

            with pytest.raises(Deposed):
                await hears
            with pytest.raises(Deposed):
                await one.write(insert("a"))
        async with opened(url) as later:
            await later.lead()
            await later.write(insert("b"))

    run(main)
    assert things(url) == [("b",)]


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
            cut(url)
            await other.lead()

            with pytest.raises(Deposed):
                await hears
            await other.write(insert("a"))

        assert things(url) == [("a",)]

    run(main)


def writers(url: str) -> int:
    """How many sessions there are that write, or would."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'alcor-test-writer'"
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_a_server_that_takes_no_writes_is_waited_for(own_postgres: Any) -> None:
    """Managers of a standby that was not promoted yet ended, each time with a fault of ours."""
    url = with_table(own_postgres.made())

    def take_writes(value: bytes) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(b"ALTER SYSTEM SET default_transaction_read_only = " + value)
            connection.execute("SELECT pg_reload_conf()")

    async def write_on(database: PostgresDatabase) -> None:
        while True:
            await database.write(insert("a"))

    async def main() -> None:
        async with opened(url) as one, opened(url) as other:
            await one.lead()
            take_writes(b"on")
            writes = asyncio.ensure_future(write_on(one))
            while await asyncio.to_thread(writers, url):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            leads = asyncio.ensure_future(other.lead())
            assert "read-only" in await asyncio.to_thread(unreachable, url)
            assert not writes.done()
            assert not leads.done()

            take_writes(b"off")
            with pytest.raises(Deposed):
                await writes
            await leads
            await other.write(insert("b"))
            assert await asyncio.to_thread(unreachable, url) == ""

    run(main)
    assert ("b",) in things(url)
