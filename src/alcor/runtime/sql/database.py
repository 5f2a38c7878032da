"""One manager's database: transactions as functions, one writer at a time, several readers.

A store hands a function to `write` or `read`; it runs in a thread with a connection inside one
transaction, and must do nothing but SQL and pure decisions: it may be run again. The SQL is what
SQLite speaks; a database of another kind translates it (`dialect`). Wherever it is kept,
there is one writer at a time, so the sequences of an outbox are in order of commit.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import msgspec

from alcor.values.errors import Unavailable

T = TypeVar("T")


class Database(Protocol):
    """A manager's database, open."""

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction that is durable when this returns; undone if it raises."""
        ...

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one read transaction: it sees one state of the database."""
        ...

    @property
    def refuses_writes(self) -> bool:
        """Whether the last write was refused: there is no room, or no right to write."""
        ...

    async def try_write(self) -> None:
        """Write something that leaves nothing; `Unavailable` when that is refused."""
        ...

    async def lead(self) -> None:
        """Wait until no other process leads this database, and lead it: from then on writes of
        ours fail with `Deposed` as soon as we don't any more."""
        ...

    async def deposed(self) -> None:
        """Wait until it is known that we lead no more, and raise `Deposed`: no other write will do
        better, so what is in memory of the database has to be forgotten."""
        ...

    async def close(self) -> None:
        """Wait for what runs, then close every connection."""
        ...


class Deposed(Unavailable):
    """Another process may lead the database by now: nothing was written; begin anew. Whoever asked
    us is to ask again."""

    def __init__(self, message: str) -> None:
        super().__init__(message, type=Unavailable.__name__)


class DuplicateKey(Exception):
    """A row with the same values of these columns is there already."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__(", ".join(columns))
        self.columns = columns


def each_of(values: Iterable[object]) -> str:
    """Values as the parameter of `json_each(?)`, which makes a row of each."""
    return msgspec.json.encode(list(values)).decode()
