"""In PostgreSQL a write looks up what it names in an index, also where a table is small yet,
and nobody keeps a plan of when it was."""

import asyncio
import sqlite3
from threading import Barrier

import psycopg
import pytest

from alcor.managers.port.sql import MACS_TAKEN
from alcor.runtime.sql.postgres import PostgresDatabase, readers_max

LOOK_UP = "SELECT note FROM json_each(?) CROSS JOIN thing ON thing.id = value"
few = 500  # rows: going over all of them once costs less than to look up a hundred


@pytest.fixture
def url(empty_url: str) -> str:
    with psycopg.connect(empty_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id TEXT PRIMARY KEY, note TEXT)")
        some = "SELECT n::text, 'note' FROM generate_series(1, %s) AS n"
        connection.execute(f"INSERT INTO thing {some}".encode(), (few,))
        connection.execute("ANALYZE thing")
        connection.execute(
            "CREATE TABLE port (id TEXT PRIMARY KEY, network_id TEXT, mac_address TEXT)"
        )
        connection.execute("CREATE UNIQUE INDEX port_mac ON port (network_id, mac_address)")
        connection.execute("CREATE INDEX port_network ON port (network_id, id)")
        ports = "SELECT n::text, 'n', n::text FROM generate_series(1, 5000) AS n"
        connection.execute(f"INSERT INTO port {ports}".encode())
    return empty_url


def plan_of(url: str, statement: str, *values: str) -> str:
    """How a write has it done."""

    def plan(connection: sqlite3.Connection) -> str:
        return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {statement}", values))

    async def main() -> str:
        database = PostgresDatabase(url, "test")
        try:
            return await database.write(plan)
        finally:
            await database.close()

    return asyncio.run(main())


PREPARED = "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT note FROM%'"
prepared_after = 5  # executions by psycopg, and as many more with plans of their own by the server


def kept_plan(connection: sqlite3.Connection, statement: str) -> str:
    """How a statement that this connection asks again and again, for one text, is done."""
    for _ in range(3 * prepared_after):
        connection.execute(statement, ("1",)).fetchall()
    ((name,),) = connection.execute(PREPARED).fetchall()
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN EXECUTE {name}('1')"))


@pytest.mark.parametrize("transaction", ["read", "write"])
def test_a_plan_of_when_a_table_had_a_few_rows_is_not_kept(url: str, transaction: str) -> None:
    """Also where the server has not counted the rows since."""

    async def main() -> None:
        database = PostgresDatabase(url, "test", plans_s_max=0.0)
        connections = readers_max if transaction == "read" else 1
        at_once = Barrier(connections)

        def plan(connection: sqlite3.Connection) -> str:
            at_once.wait(60)
            return kept_plan(connection, "SELECT note FROM grows WHERE id = ?")

        async def plans() -> list[str]:
            ask = getattr(database, transaction)
            found: list[str] = await asyncio.gather(*(ask(plan) for _ in range(connections)))
            return found

        try:
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("CREATE TABLE grows (id TEXT PRIMARY KEY, note TEXT)")
                other.execute("ALTER TABLE grows SET (autovacuum_enabled = off)")
                numbers = "SELECT n::text, 'note' FROM generate_series(%s::int, %s::int) AS n"
                fill = f"INSERT INTO grows {numbers}".encode()
                other.execute(fill, (1, 3))
                other.execute("ANALYZE grows")
                for found in await plans():
                    assert "Seq Scan" in found, found
                other.execute(fill, (4, 40_000))
                for found in await plans():
                    assert "Index Scan using grows_pkey" in found, found
        finally:
            await database.close()

    asyncio.run(main())


def test_a_plan_of_before_a_migration_is_not_kept_after_it(url: str) -> None:
    """The server sees to that, however young the plan."""

    def plan(connection: sqlite3.Connection) -> str:
        return kept_plan(connection, "SELECT note FROM port WHERE mac_address = ?")

    async def main() -> None:
        database = PostgresDatabase(url, "test", plans_s_max=1e9)
        try:
            with psycopg.connect(url, autocommit=True) as other:
                other.execute("ALTER TABLE port ADD COLUMN note TEXT")
                assert "Seq Scan" in await database.write(plan)
                other.execute("ALTER TABLE port ADD COLUMN more TEXT NOT NULL DEFAULT ''")
                other.execute("CREATE INDEX CONCURRENTLY port_by_mac ON port (mac_address)")
                assert "port_by_mac" in await database.write(plan)
        finally:
            await database.close()

    asyncio.run(main())


def test_a_write_looks_up_by_an_index_where_a_table_is_small_yet(url: str) -> None:
    plan = plan_of(url, LOOK_UP, '["1"]')
    assert "Index Scan using thing_pkey" in plan, plan


def test_mac_addresses_are_not_looked_for_among_all_ports_of_a_network(url: str) -> None:
    plan = plan_of(url, MACS_TAKEN, "n", '["1"]')
    assert "port_mac" in plan, plan
    assert "port_network" not in plan, plan
