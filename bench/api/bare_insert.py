"""The floor of a create: its rows, written by a bare loop into a database like the manager's.

Tables, indexes and rows are taken from the databases that the control plane has just filled, so
that the floor follows the real schema by itself; and the file holds all their other rows before the
loop begins, because a row costs more the larger the indexes are. All of a batch goes into one file
in one transaction, as no manager could do it.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from alcor.runtime.sql.sqlite import wal_pages_max, writer_cache_kib

_PRAGMAS = (  # as the managers' files
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
    *(f"wal_autocheckpoint={wal_pages_max}", f"cache_size=-{writer_cache_kib}"),
    "temp_store=MEMORY",
)


class Rows(NamedTuple):
    """A table with what a create writes into it."""

    schema: tuple[str, ...]  # the table, then its indexes
    insert: str
    values: list[tuple[Any, ...]]
    database: Path
    others: str  # selects the rows that were there before; empty: none


def latest_rows(database: Path, table: str, count: int) -> Rows:
    """The table's schema, its last `count` rows in order of their making, and those before."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        schema = connection.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('table', 'index') "
            "AND sql IS NOT NULL "
            "ORDER BY type = 'table' DESC",
            (table,),
        ).fetchall()
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        key = "rowid" if "WITHOUT ROWID" not in schema[0][0] else ", ".join(columns[:2])
        order = ", ".join(f"{column} DESC" for column in key.split(", "))
        rows = f"SELECT {', '.join(columns)} FROM"
        values = connection.execute(f"{rows} {table} ORDER BY {order} LIMIT {count}").fetchall()
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    others = f"(SELECT max(count(*) - {count}, 0) FROM held.{table})"
    others = f"{rows} held.{table} ORDER BY {key} LIMIT {others}" if count else ""
    return Rows(tuple(row[0] for row in schema), insert, values[::-1], database, others)


def prepare(database: Path, tables: Sequence[Rows]) -> None:
    """Make a file with these tables, and in them what was there before the rows to be written."""
    with closing(opened(database)) as connection:
        for table in tables:
            for statement in table.schema:
                connection.execute(statement)
            if table.others:
                connection.execute("ATTACH ? AS held", (f"file:{table.database}?mode=ro",))
                into = table.insert.partition(" VALUES ")[0]
                connection.execute(f"{into} {table.others}")
                connection.execute("DETACH held")


def write(database: Path, tables: Sequence[Rows], batch: int) -> list[float]:
    """Write all rows, `batch` of each table in a transaction; the seconds of each transaction."""
    with closing(opened(database)) as connection:
        count = min(len(table.values) for table in tables)
        return [
            _transaction(connection, tables, start, batch)
            for start in range(0, count - batch + 1, batch)
        ]


def opened(database: Path) -> sqlite3.Connection:
    """A connection that writes as the managers' do."""
    connection = sqlite3.connect(f"file:{database}", uri=True, isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _transaction(
    connection: sqlite3.Connection, tables: Sequence[Rows], start: int, batch: int
) -> float:
    began = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table in tables:
        connection.executemany(table.insert, table.values[start : start + batch])
    connection.execute("COMMIT")
    return perf_counter() - began
