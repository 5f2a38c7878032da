"""Migrations only add, so that the code before one and the code after it work on what it leaves.

Every migration of every manager is run, one at a time: what was there is there afterwards, what is
new in a table may be left out, and no new rule refuses what was right before.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from alcor.integrations.nova import app as nova_app
from alcor.managers.network import app as network_app
from alcor.runtime.sql.migrations import Upgraded, following, load, run

FOLDERS = [
    *sorted(Path(network_app.__file__).parents[1].glob("*/versions")),
    Path(nova_app.__file__).parent / "versions",
]
# They took something away before there was a release that could be upgraded. What no code of the
# release before uses may be taken away by a migration that is added here, with a reason.
TAKEN_AWAY = {"port 0004", "subnetpool 0002"}


class Column(NamedTuple):
    """What who inserts or selects knows of a column."""

    type: str
    required: bool  # there is no default
    key: int


Schema = dict[str, dict[str, Column]]
Rules = dict[str, set[tuple[str, ...]]]  # columns that are unique together


def schema(connection: sqlite3.Connection) -> Schema:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        table: {
            name: Column(type_, bool(required) and default is None, key)
            for _, name, type_, required, default, key in connection.execute(
                f"PRAGMA table_info({table})"
            )
        }
        for (table,) in tables
    }


def rules(connection: sqlite3.Connection, tables: Schema) -> Rules:
    return {
        table: {
            tuple(row[2] for row in connection.execute(f"PRAGMA index_info({index[1]})"))
            for index in connection.execute(f"PRAGMA index_list({table})")
            if index[2]
        }
        for table in tables
    }


def states(database: Path, versions: Path) -> Iterator[tuple[str, tuple[Schema, Rules]]]:
    """The schema after each migration."""
    with closing(sqlite3.connect(database)) as connection:
        for migration in load(versions, following(None, versions)):
            run(Upgraded(connection.execute, is_file=True), [migration])
            found = schema(connection)
            yield migration.revision, (found, rules(connection, found))


def faults(before: tuple[Schema, Rules], after: tuple[Schema, Rules]) -> list[str]:
    """What code that knows only the schema before would stumble over."""
    found = [f"{table} is gone" for table in before[0].keys() - after[0].keys()]
    for table in before[0].keys() & after[0].keys():
        was, now = before[0][table], after[0][table]
        found += [f"{table}.{name} is gone" for name in was.keys() - now.keys()]
        found += [
            f"{table}.{name} is another"
            for name in was.keys() & now.keys()
            if was[name] != now[name]
        ]
        found += [
            f"{table}.{name} has no default"
            for name in now.keys() - was.keys()
            if now[name].required
        ]
        found += [f"{table}: {rule} is unique" for rule in after[1][table] - before[1][table]]
    return found


@pytest.mark.parametrize("versions", FOLDERS, ids=lambda path: path.parent.name)
def test_what_a_migration_finds_it_leaves(tmp_path: Path, versions: Path) -> None:
    found = list(states(tmp_path / "database.sqlite", versions))

    for (_, before), (revision, after) in pairwise(found):
        if f"{versions.parent.name} {revision}" not in TAKEN_AWAY:
            assert not faults(before, after), revision


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("DROP TABLE other", "other is gone"),
        ("ALTER TABLE thing DROP COLUMN name", "thing.name is gone"),
        ("ALTER TABLE thing RENAME COLUMN name TO title", "thing.name is gone"),
        ("CREATE UNIQUE INDEX thing_name ON thing (name)", "thing: ('name',) is unique"),
        ("ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 0", None),
        ("ALTER TABLE thing ADD COLUMN size INTEGER", None),
        ("CREATE INDEX thing_name ON thing (name)", None),
    ],
)
def test_what_takes_away_is_found(statement: str, fault: str | None) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thing (id TEXT PRIMARY KEY, name TEXT)")
        connection.execute("CREATE TABLE other (id TEXT PRIMARY KEY)")
        before = schema(connection)
        unique = rules(connection, before)
        connection.execute(statement)
        after = schema(connection)

        found = faults((before, unique), (after, rules(connection, after)))

    assert fault in found if fault else not found


def test_nobody_reads_whatever_columns_there_are() -> None:
    source = Path(network_app.__file__).parents[2]
    whatever = re.compile(r"SELECT (\w+\.)?\*")
    readers = [path for path in source.rglob("*.py") if whatever.search(path.read_text())]

    assert readers == []
