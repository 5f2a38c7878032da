"""Pages by tags equal pages cut from a list, whoever wrote the rows and whatever is asked."""

import sqlite3
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.contracts.resources import Filter, ListQuery, Sort
from alcor.runtime.tables import tag_index
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row

TABLE = ResourceTable("thing", "Thing", ("project_id", "name"), tagged=True)
SCHEMA = (
    "CREATE TABLE thing (id TEXT PRIMARY KEY, project_id TEXT NOT NULL, name TEXT NOT NULL, "
    "sequence INTEGER NOT NULL, doc TEXT NOT NULL)",
    "CREATE INDEX thing_project ON thing (project_id, id)",
    "CREATE INDEX thing_name ON thing (name, id)",
)
SHARED = Also("name = ?", ("shared",))

names = st.sampled_from(["shared", "a", "b"])
tags = st.lists(st.sampled_from(["red", "blue", 'a"],"b', "é"]), unique=True, max_size=3)
things = st.lists(
    st.builds(
        lambda id_, project, name, some: {
            "id": f"{id_:02d}",
            "project_id": project,
            "name": name,
            "profile": {"tags": ["red"]},  # are not the thing's
            "tags": some,
        },
        st.integers(0, 30),
        st.sampled_from(["p", "q"]),
        names,
        tags,
    ),
    max_size=20,
    unique_by=lambda thing: thing["id"],
)
filters = st.lists(
    st.builds(
        Filter,
        st.sampled_from(["tags", "tags-any", "not-tags", "not-tags-any"]),
        st.lists(
            st.sampled_from(["red", "blue", 'a"],"b', "é", "none"]),
            unique=True,
            min_size=1,
            max_size=3,
        ).map(tuple),
    )
    | st.builds(Filter, st.just("name"), st.tuples(names)),
    max_size=3,
    unique_by=lambda wanted: wanted.field,
)


def table(items: list[dict[str, Any]] | None = None) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for statement in (*SCHEMA, *tag_index.schema_of("thing")):
        connection.execute(statement)
    TABLE.insert(connection, [row(item) for item in items or []])
    return connection


def row(item: dict[str, Any]) -> Row:
    return Row(item["id"], (item["project_id"], item["name"]), 1, msgspec.json.encode(item))


def page(connection: sqlite3.Connection, project: str | None = None, **query: Any) -> list[str]:
    found = TABLE.page(connection, ListQuery(**query), project, [SHARED] if project else [])
    return [msgspec.json.decode(document)["id"] for document in found]


def holds(item: dict[str, Any], wanted: Filter) -> bool:
    match wanted.field:
        case "tags":
            return set(wanted.values) <= {*item["tags"]}
        case "tags-any":
            return not {*item["tags"]}.isdisjoint(wanted.values)
        case "not-tags":
            return not set(wanted.values) <= {*item["tags"]}
        case "not-tags-any":
            return {*item["tags"]}.isdisjoint(wanted.values)
    return item["name"] in wanted.values


@given(things, filters, st.sampled_from([None, "p"]), st.booleans(), st.integers(1, 4))
def test_pages_one_after_the_other_are_what_the_tags_say(
    items: list[dict[str, Any]],
    wanted: list[Filter],
    project: str | None,
    by_name: bool,
    limit: int,
) -> None:
    connection = table(items)
    expected = [
        item
        for item in sorted(items, key=lambda item: str(item["id"]))
        if all(holds(item, each) for each in wanted)
        and (project is None or item["project_id"] == project or item["name"] == "shared")
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
    backwards: list[str] = []
    while some := page(
        connection, project, **query, marker=backwards[0] if backwards else "", reverse=True
    ):
        backwards = some + backwards

    assert walked == backwards == [item["id"] for item in expected]
    connection.close()


@given(things, st.data())
def test_the_index_follows_every_change(items: list[dict[str, Any]], data: st.DataObject) -> None:
    connection = table(items)
    for item in items:
        item["tags"] = data.draw(tags)
        match data.draw(st.sampled_from(["change", "show", "delete", "leave"])):
            case "change":
                TABLE.replace(connection, [row(item)])
            case "show":
                document = msgspec.json.encode(item).decode()
                connection.execute("UPDATE thing SET doc = ? WHERE id = ?", (document, item["id"]))
            case "delete":
                TABLE.delete(connection, [item["id"]])

    assert indexed(connection) == in_documents(connection)
    connection.close()


@given(things)
def test_rows_that_were_there_before_are_found_too(items: list[dict[str, Any]]) -> None:
    connection = table(items)
    connection.execute("DELETE FROM thing_tag")
    _, statement = tag_index.step_of("thing")

    for _ in range(2):  # it may be done again
        connection.execute(statement, ("", "10"))
        connection.execute(statement, ("10", "99"))

    assert indexed(connection) == in_documents(connection)
    connection.close()


def indexed(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    return sorted(connection.execute("SELECT tagged, owner, tag FROM thing_tag"))


def in_documents(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT thing.id, project_id, value FROM thing, json_each(doc, '$.tags')"
    )
    return sorted(rows)


@pytest.mark.parametrize(
    ("wanted", "project"),
    [
        ([Filter("tags", ("red",))], None),
        ([Filter("tags", ("red", "blue"))], None),
        ([Filter("tags-any", ("red", "blue"))], None),
        ([Filter("tags", ("red",)), Filter("not-tags", ("blue",))], None),
        ([Filter("not-tags", ("red",))], None),
        ([Filter("not-tags-any", ("red", "blue"))], None),
        ([Filter("tags", ("red",))], "p"),
        ([Filter("tags-any", ("red", "blue"))], "p"),
    ],
)
def test_a_page_reads_in_order_from_an_index_and_sorts_nothing(
    wanted: list[Filter], project: str | None
) -> None:
    connection = table()
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    TABLE.page(connection, ListQuery(limit=10, filters=tuple(wanted)), project)
    connection.set_trace_callback(None)

    for statement in asked:
        plan = [str(step) for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        assert not any("TEMP B-TREE" in step or "SCAN json" in step for step in plan), plan
    connection.close()


def test_of_a_common_tag_beside_a_filter_each_row_is_looked_up() -> None:
    connection = table()
    count = tag_index.rare_rows_max + 1
    rows = [
        row({"id": f"{n:05d}", "project_id": "p", "name": "a", "tags": ["red"]})
        for n in range(count)
    ]
    rare = (Filter("tags", ("blue",)),)
    common = (Filter("tags", ("red",)),)
    TABLE.insert(connection, rows)

    def led(filters: tuple[Filter, ...], *, is_plain: bool) -> int:
        return len(tag_index.leads(connection, "thing", filters, None, is_plain=is_plain))

    assert led(common, is_plain=True) == led(rare, is_plain=False) == 1
    assert led(common, is_plain=False) == 0
    assert led((Filter("tags-any", tuple(map(str, range(21)))),), is_plain=True) == 0
    assert page(connection, filters=(*common, Filter("name", ("a",))), limit=2) == [
        "00000",
        "00001",
    ]
    (lead,) = tag_index.leads(
        connection, "thing", (Filter("tags", ("red", "blue")),), None, is_plain=True
    )
    assert lead.values == ("blue",)
    connection.close()
