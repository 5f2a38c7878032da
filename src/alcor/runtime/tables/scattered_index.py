"""Finds the rows of a resource table by a column whose values come in no order.

A plain index of such a column has a page to write for every row of a bulk, as each value falls
somewhere else, and more so the larger the index is. So new values go into a small table beside the
resource's (the *young*), where several rows of a bulk share a page; from time to time they are
moved in order into a large one (the *old*), many rows a page. Both call the value `held` and the
row's id `holder`, so that no name is also one of the resource's; empty values are left out.

Triggers keep the young table, in the transaction of whoever writes: also of an older release, which
knows nothing of it. A list by such a value is read in order from both tables.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from alcor.contracts.resources import Filter
from alcor.runtime.sql.database import Database
from alcor.runtime.sql.migrations import Step
from alcor.values.errors import Refusal

_log = structlog.get_logger(__name__)

young_rows_max = 8_000  # written since the last move: then all are moved
moved_rows_max = 2_000  # in one transaction: other writes wait so long


class Lead(NamedTuple):
    """What a part of a list is read from: an index' table, and a condition on its rows."""

    table: str
    condition: str
    values: tuple[str, ...]


def schema_of(table: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Statements of a migration: the tables of these columns, and what keeps them."""
    return tuple(statement for column in columns for statement in _schema(table, column))


def step_of(table: str, column: str) -> Step:
    """For the migration after that one: the values of rows that were there before."""
    young, old = _tables(table, column)
    statement = (
        f"INSERT OR IGNORE INTO {old} (held, holder) SELECT {column}, id FROM {table} "
        f"WHERE id > ? AND id <= ? AND {column} <> '' AND NOT EXISTS "
        f"(SELECT 1 FROM {young} WHERE held = {column} AND holder = id) ORDER BY {column}, id"
    )
    return Step(table, statement)


def leads(table: str, columns: Sequence[str], filters: Sequence[Filter]) -> list[Lead]:
    """What to read a list from, in parts that have no row in common; nothing: from the table."""
    wanted_by_field = {wanted.field: wanted for wanted in filters}
    for column in columns if "id" not in wanted_by_field else ():
        values = wanted_by_field[column].values if column in wanted_by_field else ()
        if values and all(values):
            one_of = "= ?" if len(values) == 1 else f"IN ({', '.join('?' * len(values))})"
            texts = tuple(map(str, values))
            return [Lead(each, f"held {one_of}", texts) for each in _tables(table, column)]
    return []


class Moving:
    """Moves what is young when there is enough of it."""

    def __init__(self, database: Database, table: str, columns: Sequence[str]) -> None:
        self._database = database
        self._pairs = [_tables(table, column) for column in columns]
        self._written = 0
        self._enough = asyncio.Event()

    def written(self, rows: int) -> None:
        """So many rows more have been written."""
        self._written += rows
        if self._written >= young_rows_max:
            self._enough.set()

    async def run(self) -> None:
        """Move whenever there is enough, for ever."""
        while True:
            await self._enough.wait()
            self._enough.clear()
            self._written = 0
            try:
                await self.move()
            except Refusal as refusal:  # a database that is away: the next time
                _log.warning("not_moved", reason=refusal.message)

    async def move(self) -> None:
        """Move all that is young, some rows a transaction."""
        for young, old in self._pairs:
            last: tuple[str, str] | None = ("", "")
            while last is not None:
                last = await self._database.write(_step(young, old, last))


def _step(
    young: str, old: str, after: tuple[str, str]
) -> Callable[[sqlite3.Connection], tuple[str, str] | None]:
    """Move the next rows after one; the last of them, or None when there was none."""

    def work(connection: sqlite3.Connection) -> tuple[str, str] | None:
        following = f"FROM {young} WHERE (held, holder) > (?, ?)"
        some = f"SELECT held, holder {following} ORDER BY held, holder LIMIT {moved_rows_max}"
        rows = connection.execute(some, after).fetchall()
        if not rows:
            return None
        last = rows[-1]
        these = f"{following} AND (held, holder) <= (?, ?)"
        both = (*after, *last)
        connection.execute(
            f"INSERT INTO {old} (held, holder) SELECT held, holder {these} ORDER BY held, holder",
            both,
        )
        connection.execute(f"DELETE {these}", both)
        return str(last[0]), str(last[1])

    return work


def _tables(table: str, column: str) -> tuple[str, str]:
    """Of the young, and of the old."""
    return f"{table}_{column}_young", f"{table}_{column}_old"


def _schema(table: str, column: str) -> list[str]:
    young, old = _tables(table, column)
    add = (
        f"INSERT INTO {young} (held, holder) SELECT NEW.{column}, NEW.id WHERE NEW.{column} <> '';"
    )
    drop = " ".join(
        f"DELETE FROM {each} WHERE held = OLD.{column} AND holder = OLD.id;"
        for each in (young, old)
    )
    trigger = f"CREATE TRIGGER {table}_{column}"
    return [
        *(
            f"CREATE TABLE {each} (held TEXT NOT NULL, holder TEXT NOT NULL, "
            "PRIMARY KEY (held, holder)) WITHOUT ROWID"
            for each in (young, old)
        ),
        f"{trigger}_made AFTER INSERT ON {table} "
        f"FOR EACH ROW WHEN (NEW.{column} <> '') BEGIN {add} END",
        f"{trigger}_changed AFTER UPDATE OF {column} ON {table} "
        f"FOR EACH ROW WHEN (NEW.{column} <> OLD.{column}) BEGIN {drop} {add} END",
        f"{trigger}_gone AFTER DELETE ON {table} "
        f"FOR EACH ROW WHEN (OLD.{column} <> '') BEGIN {drop} END",
    ]
