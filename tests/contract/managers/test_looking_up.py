"""In PostgreSQL a write looks up what it names in an index, also where a table is small yet."""

import asyncio
import sqlite3
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from alcor.runtime.postgres import PostgresDatabase

LOOK_UP = "SELECT note FROM json_each(?) CROSS JOIN thing ON thing.id = value"
few = 500  # rows: going over all of them once costs less than to look up a hundred


@pytest.fixture
def url(postgres: Any) -> str:
    name = f"t{uuid4().hex}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
    made = str(postgres.url(name))
    with psycopg.connect(made, autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (id TEXT PRIMARY KEY, note TEXT)")
        some = "SELECT n::text, 'note' FROM generate_series(1, %s) AS n"
        connection.execute(f"INSERT INTO thing {some}".encode(), (few,))
        connection.execute("ANALYZE thing")
    return made


def test_a_write_looks_up_by_an_index_where_a_table_is_small_yet(url: str) -> None:
    def plan(connection: sqlite3.Connection) -> str:
        return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {LOOK_UP}", ('["1"]',)))

    async def main() -> None:
        database = PostgresDatabase(url, "test")
        try:
            written = await database.write(plan)
        finally:
            await database.close()
        assert "Index Scan using thing_pkey" in written, written

    asyncio.run(main())
