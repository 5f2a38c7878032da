"""The store: transactions of this manager's database, told to the relay when they are durable."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from alcor.keyed_log.log import Change
from alcor.managers.elastic_ip import intent
from alcor.managers.elastic_ip.needs import Transaction
from alcor.managers.elastic_ip.sql.tables import (
    FLOATING_IPS,
    FORWARDINGS,
    forwarding_of,
    held_of,
)
from alcor.managers.elastic_ip.sql.transaction import SqlTransaction
from alcor.runtime import usage
from alcor.runtime.database import Database

T = TypeVar("T")


class Publisher(Protocol):
    """Whoever tells the log what was committed."""

    def notify(self, sequence: int) -> None: ...

    def forget(self, connection: sqlite3.Connection) -> None: ...


class ElasticIpStore:
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
    if int(kind or 0) == 0:
        if rows := FLOATING_IPS.living(connection, last_id, limit):
            return [
                (f"0/{r.id}", Change(*intent.told_floating_ip(held_of(r)), r.sequence))
                for r in rows
            ]
        last_id = ""
    return [
        (
            f"1/{r.id}",
            Change(*intent.told_port_forwarding(forwarding_of(r)), r.sequence),
        )
        for r in FORWARDINGS.living(connection, last_id, limit)
    ]
