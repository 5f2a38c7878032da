"""Lists by a scattered column equal lists cut from all rows, whatever was written and moved."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.contracts.resources import Filter, ListQuery, Sort
from alcor.runtime.tables import scattered_index
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row
from alcor.runtime.tables.scattered_index import Moving
from alcor.values.errors import Unavailable

T = TypeVar("T")

TABLE = ResourceTable(
    "thing", "Thing", ("project_id", "device", "name"), scattered=("device", "name")
)
SCHEMA = (
    "CREATE TABLE thing (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, device TEXT NOT NULL, "
    "name TEXT NOT NULL, sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX thing_project ON thing (project_id, id)",
    *scattered_index.schema_of("thing", TABLE.scattered),
)
SHARED = Also("sequence = 0")

words = st.sampled_from(["", "a", "b", "é"])
things = st.builds(
    lambda id_, project, device, name: {
        "id": f"{id_:02d}",
        "project_id": project,
        "device": device,
        "name": name,
    },
    st.integers(0, 20),
    st.sampled_from(["p", "q"]),
    words,
    words,
)
writes = st.lists(
    st.tuples(st.sampled_from(["save", "save", "save", "delete", "move"]), things), max_size=30
)
filters = st.lists(
    st.builds(
        Filter,
        st.sampled_from(["device", "name"]),
        st.lists(words, unique=True, min_size=1, max_size=2).map(tuple),
    ),
    max_size=2,
    unique_by=lambda wanted: wanted.field,
)


class Held:
    """A database of one connection; `away` when it can't be used now."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.away = False
        self.changes: list[int] = []  # rows that each write added, changed or removed

    def counts(self) -> tuple[int, int]:
        """How many devices are young, and old."""
        young, old = (
            self.connection.execute(f"SELECT count(*) FROM thing_device_{age}").fetchone()[0]
            for age in ("young", "old")
        )
        return int(young), int(old)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self.away:
            raise Unavailable("no room")
        before = self.connection.total_changes
        result = work(self.connection)
        self.changes.append(self.connection.total_changes - before)
        return result

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return work(self.connection)

    @property
    def refuses_writes(self) -> bool:
        return self.away

    async def try_write(self) -> None:
        await self.write(lambda _: None)

    async def lead(self) -> None: ...

    async def deposed(self) -> None: ...

    async def close(self) -> None: ...


def table() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statement in SCHEMA:
        connection.execute(statement)
    return connection


def row(item: dict[str, Any]) -> Row:
    columns = (item["project_id"], item["device"], item["name"])
    return Row(item["id"], columns, int(item["id"]) % 3, msgspec.json.encode(item))


def written(connection: sqlite3.Connection, steps: Any) -> list[dict[str, Any]]:
    """What is there in the end, in order of id."""
    moving = Moving(Held(connection), "thing", TABLE.scattered)
    item_by_id: dict[str, dict[str, Any]] = {}
    for what, item in steps:
        if what == "move":
            asyncio.run(moving.move())
        elif what == "delete":
            TABLE.delete(connection, [item["id"]])
            item_by_id.pop(item["id"], None)
        elif item["id"] in item_by_id:
            TABLE.replace(connection, [row(item)])
            item_by_id[item["id"]] = item
        else:
            TABLE.insert(connection, [row(item)])
            item_by_id[item["id"]] = item
    return [item for _, item in sorted(item_by_id.items())]


def page(connection: sqlite3.Connection, project: str | None = None, **query: Any) -> list[str]:
    found = TABLE.page(connection, ListQuery(**query), project, [SHARED] if project else [])
    return [msgspec.json.decode(document)["id"] for document in found]


def indexed(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return sorted(
        (column, held, holder)
        for column in TABLE.scattered
        for age in ("young", "old")
        for held, holder in connection.execute(f"SELECT held, holder FROM thing_{column}_{age}")
    )


def values(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((c, item[c], item["id"]) for item in items for c in TABLE.scattered if item[c])


@given(writes, filters, st.sampled_from([None, "p"]), st.booleans(), st.integers(1, 4))
def test_pages_one_after_the_other_are_what_the_rows_say(
    steps: Any, wanted: list[Filter], project: str | None, by_name: bool, limit: int
) -> None:
    connection = table()
    expected = [
        item
        for item in written(connection, steps)
        if all(item[each.field] in each.values for each in wanted)
        and (project is None or item["project_id"] == project or int(item["id"]) % 3 == 0)
    ]
    if by_name:
        expected.sort(key=lambda item: str(item["name"]))
    query = {
        "filters": tuple(wanted),
        "sorts": (Sort("name", False),) if by_name else (),
        "limit": limit,
    }

    walked: list[str] = []
    while some := page(connection, project, **query, marker=walked[-1] if walked else ""):
        walked += some

    assert walked == [item["id"] for item in expected]
    connection.close()


@given(writes)
def test_each_value_is_in_one_of_the_two(steps: Any) -> None:
    connection = table()
    items = written(connection, steps)

    assert indexed(connection) == values(items)
    connection.close()


@given(writes, writes)
def test_rows_that_were_there_before_are_found_too(before: Any, after: Any) -> None:
    connection = table()
    written(connection, before)
    for column in TABLE.scattered:
        connection.execute(f"DELETE FROM thing_{column}_young")
        connection.execute(f"DELETE FROM thing_{column}_old")
    TABLE.insert(connection, [row({"id": "99", "project_id": "p", "device": "a", "name": "b"})])

    for _ in range(2):  # it may be done again
        for column in TABLE.scattered:
            _, statement = scattered_index.step_of("thing", column)
            connection.execute(statement, ("", "10"))
            connection.execute(statement, ("10", "99"))

    rows = connection.execute("SELECT id, device, name FROM thing").fetchall()
    items = [{"id": id_, "device": device, "name": name} for id_, device, name in rows]
    assert indexed(connection) == values(items)
    connection.close()


@pytest.mark.parametrize(
    ("wanted", "project"),
    [
        ([Filter("name", ("a",))], None),
        ([Filter("name", ("a",))], "p"),
        ([Filter("device", ("a",)), Filter("name", ("b",))], None),
    ],
)
def test_a_page_reads_in_order_from_both_and_sorts_nothing(
    wanted: list[Filter], project: str | None
) -> None:
    connection = table()
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    TABLE.page(connection, ListQuery(limit=10, filters=tuple(wanted)), project)
    connection.set_trace_callback(None)

    (statement,) = asked
    plan = [str(step) for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert sum("SEARCH thing_" in step for step in plan) == 2
    assert not any("TEMP B-TREE" in step or "SCAN thing" in step for step in plan), plan
    connection.close()


def test_who_names_ids_has_them_looked_up() -> None:
    wanted = [Filter("id", ("01",)), Filter("name", ("a",))]

    assert scattered_index.leads("thing", TABLE.scattered, wanted) == []


def test_what_has_gathered_is_moved_some_rows_a_transaction() -> None:
    async def main() -> None:
        database = Held(table())
        count = scattered_index.young_rows_max
        async with moving(database) as about:
            rows = [
                row({"id": f"{n:05d}", "project_id": "p", "device": f"d{n % 7}", "name": ""})
                for n in range(count)
            ]
            TABLE.insert(database.connection, rows)
            about.written(count - 1)
            await _turn()
            assert database.counts() == (count, 0)

            about.written(1)
            await _turn()
            assert database.counts() == (0, count)
            assert max(database.changes) == 2 * scattered_index.moved_rows_max

    asyncio.run(main())


def test_a_database_that_is_away_is_tried_again_when_more_was_written() -> None:
    async def main() -> None:
        database = Held(table())
        async with moving(database) as about:
            item = {"id": "01", "project_id": "p", "device": "a", "name": ""}
            TABLE.insert(database.connection, [row(item)])
            database.away = True
            about.written(scattered_index.young_rows_max)
            await _turn()
            assert database.counts() == (1, 0)

            database.away = False
            about.written(scattered_index.young_rows_max)
            await _turn()
            assert database.counts() == (0, 1)

    asyncio.run(main())


@asynccontextmanager
async def moving(database: Held) -> AsyncIterator[Moving]:
    about = Moving(database, "thing", TABLE.scattered)
    running = asyncio.create_task(about.run())
    try:
        yield about
    finally:
        running.cancel()
        database.connection.close()


async def _turn() -> None:
    """Nothing waits for a thread or a clock here: what has to be done is done at once."""
    for _ in range(3):
        await asyncio.sleep(0)
