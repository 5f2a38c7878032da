"""The floor of a create: its rows, written by a bare loop into a fresh database of the same shape.

Tables, indexes and rows are taken from the databases that the control plane has just filled, so
that the floor follows the real schema by itself. All of a batch goes into one file in one
transaction, as no manager could do it.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

from alcor.runtime.sqlite import wal_pages_max, writer_cache_kib

_PRAGMAS = (  # as the managers' files
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
    *(f"wal_autocheckpoint={wal_pages_max}", f"cache_size=-{writer_cache_kib}"),
)


class Rows(NamedTuple):
    """A table with what a create writes into it."""

    schema: tuple[str, ...]  # the table, then its indexes
    insert: str
    values: list[tuple[Any, ...]]


def latest_rows(database: Path, table: str, count: int) -> Rows:
    """The table's schema, and its last `count` rows in order of their making."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        schema = connection.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL "
            "ORDER BY type = 'table' DESC",
            (table,),
        ).fetchall()
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        key = "rowid" if "WITHOUT ROWID" not in schema[0][0] else ", ".join(columns[:2])
        order = ", ".join(f"{column} DESC" for column in key.split(", "))
        values = connection.execute(
            f"SELECT {', '.join(columns)} FROM {table} ORDER BY {order} LIMIT ?", (count,)
        ).fetchall()
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    return Rows(tuple(row[0] for row in schema), insert, values[::-1])


def write(database: Path, tables: Sequence[Rows], batch: int) -> list[float]:
    """Write all rows, `batch` of each table in a transaction; the seconds of each transaction."""
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        for table in tables:
            for statement in table.schema:
                connection.execute(statement)
        count = min(len(table.values) for table in tables)
        return [
            _transaction(connection, tables, start, batch)
            for start in range(0, count - batch + 1, batch)
        ]


def _transaction(
    connection: sqlite3.Connection, tables: Sequence[Rows], start: int, batch: int
) -> float:
    began = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for table in tables:
        connection.executemany(table.insert, table.values[start : start + batch])
    connection.execute("COMMIT")
    return perf_counter() - began
