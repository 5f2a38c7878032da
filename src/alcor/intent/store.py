"""A manager's database as its use cases see it: transactions whose changes the log is told.

`Store` is what use cases need of it. `Telling` writes what the relay must hear of, and wakes it
when that is durable. `ToldTransaction` is one transaction with its outbox, and `ToldStore` runs
them. `told_rows` and `living_of` give the relay the rows that it publishes again after a start.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from alcor.intent import outbox
from alcor.intent.outbox import Told
from alcor.intent.relay import Living, Transactions
from alcor.keyed_log.log import Change

T = TypeVar("T")


Seen_co = TypeVar("Seen_co", covariant=True)


class Store(Protocol[Seen_co]):
    """A manager's database, as what its use cases see of a transaction."""

    async def read(self, work: Callable[[Seen_co], T]) -> T:
        """Run `work` on one state of the database; it must not write."""
        ...

    async def write(self, work: Callable[[Seen_co], T], trace: str = "") -> T:
        """Run `work` in one transaction, durable when this returns; undone if it raises."""
        ...


class Publisher(Protocol):
    """Whoever tells the log what was committed."""

    def notify(self, sequence: int, changes: Sequence[Change] = ()) -> None:
        """All up to and with `sequence` was; who has those changes at hand gives them as well."""
        ...

    def forget(self, connection: sqlite3.Connection) -> None:
        """Within a write: drop what the log has been told."""
        ...


class Sequenced(Protocol):
    """What a write comes to: among other things, the sequence of the last change that it saved."""

    @property
    def sequence(self) -> int: ...


Saved = TypeVar("Saved", bound=Sequenced)


class Telling:
    """Writes into a manager's database and its outbox."""

    def __init__(self, database: Transactions, publisher: Publisher) -> None:
        self._database = database
        self._publisher = publisher

    async def write(self, work: Callable[[sqlite3.Connection], Saved]) -> Saved:
        """Run `work` in one transaction; the log is told when it is durable."""

        def within(connection: sqlite3.Connection) -> Saved:
            self._publisher.forget(connection)
            return work(connection)

        saved = await self._database.write(within)
        self._publisher.notify(saved.sequence)
        return saved


class ToldTransaction:
    """One transaction and its outbox; all it tells bears the trace of its request."""

    def __init__(self, connection: sqlite3.Connection, trace: str) -> None:
        self._connection = connection
        self._trace = trace

    def sequence(self) -> int:
        """Of the last change saved."""
        return outbox.last(self._connection)

    def _tell(self, told: Sequence[Told]) -> int:
        """Tell these in order; return the sequence of the first."""
        first = outbox.take(self._connection, len(told))
        outbox.tell(self._connection, first, told, self._trace)
        return first


Transaction = TypeVar("Transaction", bound=ToldTransaction)


class ToldStore(Generic[Transaction]):
    """Runs transactions, made by `begin` from a connection and the trace of a request."""

    def __init__(
        self,
        database: Transactions,
        publisher: Publisher,
        begin: Callable[[sqlite3.Connection, str], Transaction],
    ) -> None:
        self._database = database
        self._telling = Telling(database, publisher)
        self._begin = begin

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.read(lambda connection: work(self._begin(connection, "")))

    async def write(self, work: Callable[[Transaction], T], trace: str = "") -> T:
        def within(connection: sqlite3.Connection) -> _Done[T]:
            transaction = self._begin(connection, trace)
            return _Done(work(transaction), transaction.sequence())

        return (await self._telling.write(within)).result


class _Done(NamedTuple, Generic[T]):
    result: T
    sequence: int


class LivingRow(Protocol):
    """As much of a row as is asked here."""

    @property
    def id(self) -> str: ...
    @property
    def sequence(self) -> int: ...


Row = TypeVar("Row", bound=LivingRow)


def told_rows(
    rows: Callable[[sqlite3.Connection, str, int], Sequence[Row]], told: Callable[[Row], Told]
) -> Living:
    """The records of one kind: `rows` after an id, in order of id, and what is `told` of each."""

    def living(
        connection: sqlite3.Connection, after: str, limit: int
    ) -> Sequence[tuple[str, Change]]:
        found = rows(connection, after, limit)
        return [(row.id, Change(*told(row), row.sequence)) for row in found]

    return living


def living_of(*kinds: Living) -> Living:
    """Kind after kind; a position is the number of a kind and an id of it."""

    def living(
        connection: sqlite3.Connection, after: str, limit: int
    ) -> Sequence[tuple[str, Change]]:
        kind, _, last = (after or "0/").partition("/")
        for number in range(int(kind), len(kinds)):
            if found := kinds[number](connection, last, limit):
                return [(f"{number}/{id_}", change) for id_, change in found]
            last = ""
        return []

    return living
