"""A server that is away is waited for; one that refuses is there."""

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from alcor.runtime.sql.postgres import PostgresDatabase, unreachable
from alcor.values.errors import Unavailable


def test_a_server_answers_also_of_a_database_that_is_not_made_yet(postgres: Any) -> None:
    assert unreachable(postgres.url("postgres")) == ""
    assert unreachable(postgres.url(uuid4().hex)) == ""


def test_nobody_at_the_address_is_told_in_one_line() -> None:
    why = unreachable("postgresql://x@127.0.0.1:9/nothing")

    assert "Connection refused" in why
    assert "\n" not in why


@pytest.fixture
def full(postgres: Any) -> str:
    """A database that has no connection left for us."""
    name = f"g{uuid4().hex}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0".encode())
    return str(postgres.url("postgres").replace("alcor@", f"{name}@"))


def test_a_server_that_is_full_is_waited_for(full: str) -> None:
    assert "too many connections" in unreachable(full)


def test_why_nobody_can_lead_or_read_is_told_at_once_and_not_again_and_again(full: str) -> None:
    async def wait(database: PostgresDatabase) -> None:
        leading = asyncio.ensure_future(database.lead())
        while not waits():  # noqa: ASYNC110  # a log has no event to wait for
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)  # a few more tries
        leading.cancel()
        await database.close()

    def waits() -> list[str]:
        return [line["why"] for line in told if line["event"] == "database.waits"]

    with capture_logs() as told:
        asyncio.run(wait(PostgresDatabase(full, "port")))

    [why] = waits()
    assert "too many connections" in why


def test_that_a_disk_is_full_is_said_at_once_and_by_name(postgres: Any) -> None:
    """It was waited for as a server that is away, and called so."""
    database = PostgresDatabase(postgres.made(), "port")
    full = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"

    async def main() -> None:
        try:
            async with asyncio.timeout(20):
                with pytest.raises(Unavailable, match="the disk of the database of port is full"):
                    await database.write(lambda connection: connection.execute(full))
            done = await database.write(lambda c: c.execute("SELECT 1").fetchone())
            assert done == (1,)  # there is room again
        finally:
            await database.close()

    asyncio.run(main())


def test_that_writes_are_refused_is_known_until_one_that_is_tried_has_room(postgres: Any) -> None:
    """Reads went on, so all was said to be well while every write was refused."""
    url = postgres.made()
    database = PostgresDatabase(url, "port")
    full = "BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END"
    fills = (
        f"CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$ {full} $$",
        "CREATE EVENT TRIGGER no_room ON ddl_command_start EXECUTE FUNCTION full_disk()",
    )

    def told() -> float | None:
        return REGISTRY.get_sample_value("alcor_database_writes_refused", {"database": "port"})

    async def main() -> None:
        try:
            assert not database.refuses_writes
            with pytest.raises(Unavailable):
                await database.write(lambda connection: connection.execute(f"DO $$ {full} $$"))
            assert await database.read(lambda c: c.execute("SELECT 1").fetchone()) == (1,)
            assert (database.refuses_writes, told()) == (True, 1)
            with psycopg.connect(url, autocommit=True) as server:
                for statement in fills:
                    server.execute(statement.encode())
                with pytest.raises(Unavailable, match="is full"):
                    await database.try_write()
                assert database.refuses_writes
                server.execute("DROP EVENT TRIGGER no_room")
                await database.try_write()
                assert (database.refuses_writes, told()) == (False, 0)
                left = server.execute("SELECT 1 FROM pg_class WHERE relname = 'alcor_tried'")
                assert left.fetchall() == []
        finally:
            await database.close()

    asyncio.run(main())
