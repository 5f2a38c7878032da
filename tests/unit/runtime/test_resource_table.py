"""Pages of a table equal pages cut from a list, whatever is asked."""

import sqlite3
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.contracts.resources import Filter, ListQuery, Sort
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.values.errors import NotFound

TABLE = ResourceTable("thing", "Thing", ("name", "size"), frozenset({"size"}))
SCHEMA = (
    "CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE UNIQUE INDEX thing_unique ON thing (name, size)",
    "CREATE INDEX thing_name ON thing (name, id)",
)


def table(items: list[dict[str, Any]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statement in SCHEMA:
        connection.execute(statement)
    rows = [
        Row(item["id"], (item["name"], item["size"]), i, msgspec.json.encode(item))
        for i, item in enumerate(items)
    ]
    TABLE.insert(connection, rows)
    return connection


def thing(id_: str, name: str = "n", size: int | None = None, note: Any = None) -> dict[str, Any]:
    return {"id": id_, "name": name, "size": size, "note:of": note}


def page(connection: sqlite3.Connection, **query: Any) -> list[str]:
    found = TABLE.page(connection, ListQuery(**query))
    return [msgspec.json.decode(document)["id"] for document in found]


ids = st.integers(0, 30).map(lambda n: f"{n:02d}")
things = st.lists(
    st.builds(
        thing,
        ids,
        st.sampled_from(["a", "b", "é"]),
        st.none() | st.integers(0, 1_000_000),
        st.none() | st.integers(-2, 2) | st.sampled_from(["", "x"]),
    ),
    max_size=25,
    unique_by=(lambda t: t["id"], lambda t: (t["name"], t["size"]) if t["size"] else t["id"]),
).filter(
    lambda ts: (
        len({(t["name"], t["size"]) for t in ts if t["size"] is not None})
        == len([t for t in ts if t["size"] is not None])
    )
)
sorts = st.lists(
    st.builds(Sort, st.sampled_from(["id", "name", "size", "note:of"]), st.booleans()),
    max_size=3,
    unique_by=lambda s: s.field,
)


def order(field: str, item: dict[str, Any]) -> tuple[bool, Any]:
    value = item[field]
    number = isinstance(value, int)
    return (not number, value if number else ("" if value is None else value).encode())


def sorted_as_asked(items: list[dict[str, Any]], keys: list[Sort]) -> list[str]:
    found = sorted(items, key=lambda item: str(item["id"]))
    for key in reversed(keys):
        found.sort(key=partial(order, key.field), reverse=key.descending)
    return [item["id"] for item in found]


@given(things, sorts, st.integers(1, 5))
def test_pages_one_after_the_other_are_the_list_in_order(
    items: list[dict[str, Any]], keys: list[Sort], limit: int
) -> None:
    connection = table(items)
    whole = page(connection, sorts=tuple(keys))
    assert whole == sorted_as_asked(items, keys)

    walked: list[str] = []
    marker = ""
    while some := page(connection, sorts=tuple(keys), limit=limit, marker=marker):
        walked += some
        marker = some[-1]
    assert walked == whole

    walked, marker = [], ""
    while some := page(connection, sorts=tuple(keys), limit=limit, marker=marker, reverse=True):
        walked = some + walked
        marker = some[0]
    assert walked == whole
    connection.close()


@given(things, st.sampled_from(["name", "size", "note:of"]), st.data())
def test_filters_keep_what_is_equal(
    items: list[dict[str, Any]], field: str, data: st.DataObject
) -> None:
    connection = table(items)
    values = tuple(
        data.draw(st.lists(st.sampled_from(["a", "é", "", "x", 1, 2, None]), max_size=3))
    )
    found = page(connection, filters=(Filter(field, values),))
    assert found == sorted(item["id"] for item in items if item[field] in values)
    connection.close()


def test_a_marker_that_names_nothing_is_not_found_by_the_tables_name() -> None:
    connection = table([thing("01")])
    with pytest.raises(NotFound) as caught:
        page(connection, marker="02")
    assert caught.value.type == "ThingNotFound"
    connection.close()


def test_what_is_taken_says_by_which_columns() -> None:
    connection = table([thing("01", "a", 1)])
    with pytest.raises(Taken) as caught:
        TABLE.insert(connection, [Row("02", ("a", 1), 0, b"{}")])
    assert caught.value.columns == ("name", "size")
    with pytest.raises(Taken) as caught:
        TABLE.insert(connection, [Row("01", ("b", 1), 0, b"{}")])
    assert caught.value.columns == ("id",)
    connection.close()


def test_rows_are_replaced_found_and_deleted_by_id() -> None:
    connection = table([thing(f"{i:04d}", size=i) for i in range(1_200)])
    wanted = [f"{i:04d}" for i in range(0, 1_300, 2)]
    assert TABLE.rows(connection, wanted).keys() == {id_ for id_ in wanted if id_ < "1200"}
    TABLE.replace(connection, [Row("0002", ("new", None), 9, b'{"id":"0002"}')])
    assert TABLE.row(connection, "0002") == Row("0002", ("new", None), 9, b'{"id":"0002"}')
    TABLE.delete(connection, ["0002", "nothing"])
    assert TABLE.row(connection, "0002") is None
    assert [row.id for row in TABLE.living(connection, "0001", 2)] == ["0003", "0004"]
    connection.close()


def test_a_change_sets_only_columns_that_differ_so_that_other_indexes_are_not_written() -> None:
    connection = table([thing("01", "a", 1)])
    said: list[str] = []
    connection.set_trace_callback(said.append)
    TABLE.replace(connection, [Row("01", ("a", 1), 1, b"{}")])
    TABLE.replace(connection, [Row("01", ("a", None), 2, b"{}")])
    sets = [each.partition(" SET ")[2] for each in said if each.startswith("UPDATE")]
    assert sets == [
        "sequence = 1, doc = '{}' WHERE id = '01'",
        "size = NULL, sequence = 2, doc = '{}' WHERE id = '01'",
    ]
    assert TABLE.row(connection, "01") == Row("01", ("a", None), 2, b"{}")
    connection.close()


def test_a_page_reads_in_order_from_an_index_and_sorts_nothing() -> None:
    connection = table([])
    plans: list[str] = []
    connection.set_trace_callback(plans.append)
    for query in (
        ListQuery(limit=10),
        ListQuery(limit=10, filters=(Filter("name", ("a",)),)),
    ):
        TABLE.page(connection, query)
    connection.set_trace_callback(None)
    for statement in plans:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        assert not any("TEMP B-TREE" in str(step) for step in plan), (statement, plan)
    connection.close()
