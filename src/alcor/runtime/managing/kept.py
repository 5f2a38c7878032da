"""The store of a manager whose kinds are kept whole: a table each, told to the intent log.

A manager describes each of its kinds once (`Kept`); everything else of a store is here. Whatever is
saved is told to the log in the same transaction, under the manager's next sequence.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery, Written
from alcor.intent import records, store
from alcor.intent.outbox import Told
from alcor.intent.records import Record
from alcor.intent.relay import Living, Relay
from alcor.intent.store import ToldStore, ToldTransaction, told_rows
from alcor.runtime.sql.database import Database
from alcor.runtime.tables import usage
from alcor.runtime.tables.resource_table import Also, ResourceTable, Row, Sql, Taken, missing
from alcor.values.errors import Conflict
from alcor.values.revision import Revision


class Thing(Protocol):
    """What every resource has."""

    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=Thing)
SHARED = (Also("shared = 1"),)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """One kind: its table, whose columns are named as the fields; its type; and its record.

    `kind` is its name in the intent log. `also` is seen by every project beside its own. Kinds
    whose tables have no `project_id` are everybody's to see.
    """

    kind: str
    table: ResourceTable
    type: type[T]
    record: Callable[[T], Record]
    also: Sequence[Also] = ()

    @cached_property
    def decode(self) -> Callable[[bytes], T]:
        """A thing out of its document."""
        return msgspec.json.Decoder(self.type).decode

    def row(self, thing: T, sequence: int) -> Row:
        """The row that keeps a thing."""
        columns = tuple(_column(getattr(thing, name)) for name in self.table.columns)
        return Row(thing.id, columns, sequence, msgspec.json.encode(thing))

    def told(self, thing: T) -> Told:
        """That the thing is so."""
        return Told(records.key(self.kind, thing.id), records.encode(self.record(thing)))

    def told_row(self, row: Row) -> Told:
        """What a row says."""
        return self.told(self.decode(row.doc))

    @property
    def living(self) -> Living:
        """The records of all rows."""
        return told_rows(self.table.living, self.told_row)

    def gone(self, id_: str) -> Told:
        """That there is no such thing."""
        return Told(records.key(self.kind, id_), None)

    @property
    def of_projects(self) -> bool:
        """Whether things belong to projects."""
        return "project_id" in self.table.columns


class IdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self, title: str) -> None:
        super().__init__(f"Unable to create the {title}. Its id is in use.", type=f"{title}IdInUse")


class KeptTransaction(ToldTransaction):
    """What can be read and saved within one transaction.

    `project` limits what is there to its own; None: all is there.
    """

    def __init__(
        self, connection: sqlite3.Connection, manager: str, trace: str, quota: usage.Limit
    ) -> None:
        super().__init__(connection, trace)
        self._manager = manager
        self._quota = quota

    @property
    def connection(self) -> sqlite3.Connection:
        """For what a manager keeps beside its kinds."""
        return self._connection

    def written(self, documents: Sequence[Raw]) -> Written:
        """The answer to a write, made at its end."""
        return Written(list(documents), str(Revision(self._manager, self.sequence())))

    def page(self, kind: Kept[Any], query: ListQuery, project: str | None) -> list[Raw]:
        """The documents of a page."""
        whose = project if kind.of_projects else None
        return kind.table.page(self._connection, query, whose, kind.also)

    def find(self, kind: Kept[T], id_: str) -> T | None:
        """The thing of an id."""
        row = kind.table.row(self._connection, id_)
        return None if row is None else kind.decode(row.doc)

    def get(self, kind: Kept[T], id_: str, project: str | None = None) -> T:
        """The thing of an id; `<Title>NotFound` when it is not there, or not theirs."""
        found = self.find(kind, id_)
        if found is None or (
            kind.of_projects and project not in (None, getattr(found, "project_id", None))
        ):
            raise missing(kind.table.title, id_)
        return found

    def where(self, kind: Kept[T], condition: str, *values: Sql) -> list[T]:
        """The things for which an SQL condition holds."""
        return [kind.decode(r.doc) for r in kind.table.where(self._connection, condition, values)]

    def insert(self, kind: Kept[T], things: Sequence[T]) -> list[Raw]:
        """Refuses ids that are taken, and what exceeds a quota."""
        first = self._tell([kind.told(thing) for thing in things])
        rows = [kind.row(thing, first + i) for i, thing in enumerate(things)]
        try:
            kind.table.insert(self._connection, rows)
        except Taken as taken:
            if taken.columns != ("id",):
                raise
            raise IdInUse(kind.table.title) from None
        if kind.table.counted:
            projects = {str(getattr(thing, "project_id", "")) for thing in things}
            usage.check(self._connection, kind.table.name, projects, self._quota)
        return [Raw(row.doc) for row in rows]

    def save(self, kind: Kept[T], thing: T) -> Raw:
        """A thing that is there is so now."""
        row = kind.row(thing, self._tell([kind.told(thing)]))
        kind.table.replace(self._connection, [row])
        return Raw(row.doc)

    def remove(self, kind: Kept[Any], ids: Iterable[str]) -> None:
        """These are gone."""
        gone = list(ids)
        if gone:
            kind.table.delete(self._connection, gone)
            self._tell([kind.gone(id_) for id_ in gone])


KeptStore = ToldStore[KeptTransaction]


def kept_store(database: Database, relay: Relay, quota: usage.Limit = usage.unlimited) -> KeptStore:
    """The store of a manager whose kinds are all kept whole."""
    return ToldStore(
        database, relay, lambda c, trace: KeptTransaction(c, relay.manager, trace, quota)
    )


def living_of(*kinds: Kept[Any]) -> Living:
    """The records of all rows, kind by kind."""
    return store.living_of(*(kind.living for kind in kinds))


def _column(value: object) -> Sql:
    if value is None or isinstance(value, str):
        return value
    assert isinstance(value, int), value
    return int(value)
