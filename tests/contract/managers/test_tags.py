"""Tags in PostgreSQL: of rows of before, and of code that knows nothing of the index."""

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest

from alcor.contracts.resources import Filter, ListQuery
from alcor.managers.trunk import app as trunk_app
from alcor.managers.trunk.sql import TABLE
from alcor.runtime.sql.online_migrations import migrate_server, step_rows_max
from alcor.runtime.sql.postgres import PostgresDatabase
from alcor.runtime.tables.resource_table import Row

VERSIONS = Path(trunk_app.__file__).parent / "versions"


def row(number: int, tags: Sequence[str], project: str = "p") -> Row:
    id_ = f"{number:06d}"
    document = {"id": id_, "tags": tags, "profile": {"tags": ["red"]}}
    return Row(id_, (project, "", id_), 1, msgspec.json.encode(document))


@pytest.fixture
def url(postgres: Any, tmp_path: Path) -> str:
    """A database as the migrations before the index left it."""
    before = tmp_path / "versions"
    before.mkdir()
    shutil.copy(VERSIONS / "v0001_first.py", before)
    found = str(postgres.url(uuid4().hex))
    migrate_server(found, before)
    return found


def found(url: str, project: str | None, marker: str, *filters: Filter) -> list[str]:
    async def main() -> list[str]:
        database = PostgresDatabase(url, "trunk")
        query = ListQuery(filters=filters, limit=3, marker=marker)
        try:
            page = await database.read(lambda c: TABLE.page(c, query, project))
        finally:
            await database.close()
        return [msgspec.json.decode(document)["id"] for document in page]

    return asyncio.run(main())


def write(url: str, *rows: Row, replace: bool = False) -> None:
    async def main() -> None:
        database = PostgresDatabase(url, "trunk")
        try:
            await database.write(lambda c: (TABLE.replace if replace else TABLE.insert)(c, rows))
        finally:
            await database.close()

    asyncio.run(main())


def test_rows_of_before_and_of_other_code_are_found_by_their_tags(url: str) -> None:
    count = step_rows_max + 10  # more than one step
    write(url, *(row(n, ["red", "odd" if n % 2 else "even"]) for n in range(count)))

    migrate_server(url, VERSIONS)

    red, odd = Filter("tags", ("red",)), Filter("tags", ("red", "odd"))
    last = count - 3
    assert found(url, None, "", red) == ["000000", "000001", "000002"]
    assert found(url, "p", f"{last:06d}", red) == [f"{last + 1:06d}", f"{last + 2:06d}"]
    assert found(url, None, "000001", odd) == ["000003", "000005", "000007"]
    assert found(url, "q", "", red) == []
    assert found(url, None, "000001", Filter("not-tags", ("red", "odd"))) == [
        "000002",
        "000004",
        "000006",
    ]
    assert found(url, None, "", Filter("not-tags-any", ("red", "none"))) == []

    write(url, row(count, ["new"], "q"), row(count + 1, [], "q"))
    write(url, row(1, ["new"]), row(2, []), replace=True)
    either = Filter("tags-any", ("odd", "new"))
    assert found(url, None, "", either) == ["000001", "000003", "000005"]
    assert found(url, None, f"{count - 1:06d}", either) == [f"{count:06d}"]
    assert found(url, None, "", red) == ["000000", "000003", "000004"]
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute("DELETE FROM trunk WHERE id <> '000000'")
        left = connection.execute("SELECT tag, owner, tagged FROM trunk_tag ORDER BY tag")
        assert left.fetchall() == [("even", "p", "000000"), ("red", "p", "000000")]
