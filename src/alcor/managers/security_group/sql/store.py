"""The store: transactions of this manager's database, told to the relay when they are durable."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from alcor.intent.outbox import Told
from alcor.keyed_log.log import Change
from alcor.managers.security_group import intent
from alcor.managers.security_group.needs import Transaction
from alcor.managers.security_group.sql.groups import GroupTransaction
from alcor.managers.security_group.sql.others import (
    AddressGroupTransaction,
    TemplateTransaction,
)
from alcor.managers.security_group.sql.tables import (
    ADDRESS_GROUPS,
    GROUPS,
    RULES,
    decode_address_group,
    decode_group,
    decode_rule,
)
from alcor.managers.security_group.sql.telling import Telling
from alcor.runtime import usage
from alcor.runtime.database import Database
from alcor.runtime.resource_table import Row

T = TypeVar("T")


class Publisher(Protocol):
    """Whoever tells the log what was committed."""

    def notify(self, sequence: int) -> None: ...

    def forget(self, connection: sqlite3.Connection) -> None: ...


class SqlTransaction(GroupTransaction, TemplateTransaction, AddressGroupTransaction):
    """Keeps `needs.Transaction`."""

    def __init__(
        self, connection: sqlite3.Connection, trace: str, quota: usage.Limit = usage.unlimited
    ) -> None:
        self._connection = connection
        self._telling = Telling(connection, trace)
        self._quota = quota

    def sequence(self) -> int:
        return self._telling.sequence()

    def check_quota(self, kind: str, projects: Iterable[str]) -> None:
        usage.check(self._connection, kind, projects, self._quota)


class SecurityGroupStore:
    """Keeps `needs.Store`."""

    def __init__(
        self, database: Database, publisher: Publisher, quota: usage.Limit = usage.unlimited
    ) -> None:
        self._database = database
        self._publisher = publisher
        self._quota = quota

    async def read(self, work: Callable[[Transaction], T]) -> T:
        return await self._database.read(lambda c: work(SqlTransaction(c, "", self._quota)))

    async def write(self, work: Callable[[Transaction], T], trace: str = "") -> T:
        def within(connection: sqlite3.Connection) -> tuple[T, int]:
            self._publisher.forget(connection)
            transaction = SqlTransaction(connection, trace, self._quota)
            return work(transaction), transaction.sequence()

        result, sequence = await self._database.write(within)
        self._publisher.notify(sequence)
        return result


def living(connection: sqlite3.Connection, after: str, limit: int) -> Sequence[tuple[str, Change]]:
    """The records of all living rows; a position is the number of the kind and an id."""
    kind, _, last_id = after.partition("/")
    number = int(kind or 0)
    while number < len(_LIVING):
        table, told = _LIVING[number]
        if rows := table.living(connection, last_id, limit):
            return [(f"{number}/{row.id}", Change(*told(row), row.sequence)) for row in rows]
        number, last_id = number + 1, ""
    return []


def _group(row: Row) -> Told:
    return intent.told_group(decode_group(row.doc))


def _rule(row: Row) -> Told:
    return intent.told_rule(decode_rule(row.doc))


def _address_group(row: Row) -> Told:
    return intent.told_address_group(decode_address_group(row.doc))


_LIVING = ((GROUPS, _group), (RULES, _rule), (ADDRESS_GROUPS, _address_group))
