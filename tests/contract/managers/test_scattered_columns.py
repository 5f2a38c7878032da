"""Ports by name and device in PostgreSQL: of rows of before, of other code, moved and not."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from alcor.contracts.resources import Filter, ListQuery
from alcor.managers.port import app as port_app
from alcor.managers.port.sql import TABLE
from alcor.runtime.sql.online_migrations import migrate_server, step_rows_max
from alcor.runtime.sql.postgres import PostgresDatabase
from alcor.runtime.tables.resource_table import Row
from alcor.runtime.tables.scattered_index import Moving

VERSIONS = Path(port_app.__file__).parent / "versions"


def row(number: int, name: str, device: str = "") -> Row:
    id_ = f"{number:06d}"
    columns = ("p", "n", f"mac-{id_}", device, "", name)
    return Row(id_, columns, 1, msgspec.json.encode({"id": id_, "tags": []}), ("",))


@pytest.fixture
def url(postgres: Any, tmp_path: Path) -> str:
    """A database as the migrations before the tables left it."""
    before = tmp_path / "versions"
    before.mkdir()
    for file in VERSIONS.glob("v000*.py"):
        shutil.copy(file, before)
    found = str(postgres.url(uuid4().hex))
    migrate_server(found, before)
    return found


def on(url: str, work: Callable[[PostgresDatabase], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        database = PostgresDatabase(url, "port")
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(main())


def found(url: str, field: str, *values: str, marker: str = "") -> list[str]:
    query = ListQuery(filters=(Filter(field, values),), limit=3, marker=marker)
    page = on(url, lambda database: database.read(lambda c: TABLE.page(c, query, "p")))
    return [msgspec.json.decode(document)["id"] for document in page]


def write(url: str, rows: Sequence[Row], *, replace: bool = False) -> None:
    how = TABLE.replace if replace else TABLE.insert
    on(url, lambda database: database.write(lambda c: how(c, rows)))


def test_rows_of_before_and_of_later_are_found_by_name_and_device(url: str) -> None:
    count = step_rows_max + 10  # more than one step
    write(url, [row(n, "odd" if n % 2 else "even", f"d{n}") for n in range(count)])

    migrate_server(url, VERSIONS)

    assert found(url, "name", "odd") == ["000001", "000003", "000005"]
    assert found(url, "device_id", f"d{count - 1}") == [f"{count - 1:06d}"]

    write(url, [row(count, "odd", "d7"), row(count + 1, "")])
    write(url, [row(1, "new", "d7"), row(3, "")], replace=True)
    for _ in range(2):  # the second time when all has been moved
        assert found(url, "name", "odd") == ["000005", "000007", "000009"]
        assert found(url, "name", "odd", marker=f"{count - 3:06d}")[-1] == f"{count:06d}"
        assert found(url, "name", "new") == ["000001"]
        assert found(url, "device_id", "d7") == ["000001", "000007", f"{count:06d}"]
        assert found(url, "device_id", "d1", "d3") == []
        on(url, lambda database: Moving(database, TABLE.name, TABLE.scattered).move())

    with closing(psycopg.connect(url, autocommit=True)) as connection:
        young = connection.execute("SELECT count(*) FROM port_name_young").fetchone()
        connection.execute("DELETE FROM port WHERE id <> '000001'")
        left = connection.execute("SELECT held, holder FROM port_name_old").fetchall()
        assert (young, left) == ((0,), [("new", "000001")])
