"""A page of ports in the default order is read from an index, whatever it is filtered by.

Then it costs the same in a table of any size: nothing is sorted, and nothing is skipped.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alcor.contracts.resources import Filter, ListQuery
from alcor.managers.port.app import VERSIONS
from alcor.managers.port.sql import TABLE
from alcor.runtime.sql.migrations import migrate


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    migrate(tmp_path / "port.sqlite", VERSIONS)
    with closing(sqlite3.connect(tmp_path / "port.sqlite")) as opened:
        yield opened


_FIELDS = ["network_id", "project_id", "device_id", "binding:host_id", "name"]


@pytest.mark.parametrize("field", _FIELDS)
def test_a_page_by_one_value_of_an_often_filtered_field_is_not_sorted(
    connection: sqlite3.Connection, field: str
) -> None:
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    TABLE.page(connection, ListQuery(filters=(Filter(field, ("some",)),), limit=100))
    connection.set_trace_callback(None)
    (statement,) = asked
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
    steps = " ".join(step for *_, step in plan)
    assert re.search("SEARCH port(_[a-z_]+_young)? USING (INDEX|PRIMARY KEY)", steps)
    assert "SCAN" not in steps
    assert "TEMP B-TREE" not in steps
