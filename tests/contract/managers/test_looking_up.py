"""In PostgreSQL a write looks up what it names in an index, also where a table is small yet."""

import asyncio
import sqlite3

import psycopg
import pytest

from alcor.managers.port.sql import MACS_TAKEN
from alcor.runtime.sql.postgres import PostgresDatabase

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


def test_a_write_looks_up_by_an_index_where_a_table_is_small_yet(url: str) -> None:
    plan = plan_of(url, LOOK_UP, '["1"]')
    assert "Index Scan using thing_pkey" in plan, plan


def test_mac_addresses_are_not_looked_for_among_all_ports_of_a_network(url: str) -> None:
    plan = plan_of(url, MACS_TAKEN, "n", '["1"]')
    assert "port_mac" in plan, plan
    assert "port_network" not in plan, plan
