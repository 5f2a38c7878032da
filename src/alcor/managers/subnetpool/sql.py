"""The subnet pool manager's store: pools, scopes and what subnets have of pools."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import Filter, ListQuery
from alcor.intent import outbox
from alcor.intent.outbox import Told
from alcor.keyed_log.log import Change
from alcor.managers.subnetpool import intent
from alcor.managers.subnetpool.model.allocation import Allocation
from alcor.managers.subnetpool.model.pool import SubnetPool
from alcor.managers.subnetpool.model.refusals import (
    DefaultSubnetPoolExists,
    SubnetPoolIdInUse,
    SubnetPoolNotFound,
)
from alcor.managers.subnetpool.model.scope import (
    AddressScope,
    AddressScopeIdInUse,
    AddressScopeNotFound,
)
from alcor.managers.subnetpool.needs import Transaction
from alcor.runtime import usage
from alcor.runtime.database import Database
from alcor.runtime.resource_table import ResourceTable, Row, Taken

T = TypeVar("T")

_SEEN_BY = {"seen_by": "(project_id IN ({}) OR shared = 1)"}
POOLS = ResourceTable(
    "subnetpool",
    "SubnetPool",
    ("project_id", "name", "shared", "is_default", "ip_version", "address_scope_id"),
    nullable=frozenset({"address_scope_id"}),
    conditions=_SEEN_BY,
    counted=True,
)
SCOPES = ResourceTable(
    "address_scope", "AddressScope", ("project_id", "name", "shared"), conditions=_SEEN_BY
)

_encode = msgspec.json.Encoder().encode
_decode_pool = msgspec.json.Decoder(SubnetPool).decode
_decode_scope = msgspec.json.Decoder(AddressScope).decode


class Publisher(Protocol):
    """Whoever tells the log what was committed."""

    def notify(self, sequence: int) -> None: ...

    def forget(self, connection: sqlite3.Connection) -> None: ...


class SqlTransaction:
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, trace: str, quota: usage.Limit) -> None:
        self._connection = connection
        self._trace = trace
        self._quota = quota

    def sequence(self) -> int:
        return outbox.last(self._connection)

    def pool(self, id_: str, project: str | None) -> SubnetPool:
        row = POOLS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise SubnetPoolNotFound(id_)
        return _decode_pool(row.doc)

    def usable_pool(self, id_: str, project: str | None) -> SubnetPool:
        row = POOLS.row(self._connection, id_)
        if row is None or not _usable(row, project):
            raise SubnetPoolNotFound(id_)
        return _decode_pool(row.doc)

    def default_pool(self, ip_version: int) -> SubnetPool | None:
        rows = POOLS.where(self._connection, "is_default = 1 AND ip_version = ?", (ip_version,))
        return _decode_pool(rows[0].doc) if rows else None

    def pools_of_scope(self, scope_id: str) -> list[SubnetPool]:
        rows = POOLS.where(self._connection, "address_scope_id = ?", (scope_id,))
        return [_decode_pool(row.doc) for row in rows]

    def insert_pools(self, pools: Sequence[SubnetPool]) -> list[Raw]:
        first = self._tell([intent.told_pool(pool) for pool in pools])
        rows = [_pool_row(pool, first + i) for i, pool in enumerate(pools)]
        self._put_pools(lambda: POOLS.insert(self._connection, rows))
        projects = {pool.project_id for pool in pools}
        usage.check(self._connection, POOLS.name, projects, self._quota)
        return [Raw(row.doc) for row in rows]

    def save_pool(self, pool: SubnetPool) -> Raw:
        row = _pool_row(pool, self._tell([intent.told_pool(pool)]))
        self._put_pools(lambda: POOLS.replace(self._connection, [row]))
        return Raw(row.doc)

    def remove_pool(self, id_: str) -> None:
        POOLS.delete(self._connection, [id_])
        self._tell([intent.told_gone(intent.pool_kind, id_)])

    def pool_page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return POOLS.page(self._connection, _seen(query, project))

    def scope(self, id_: str, project: str | None) -> AddressScope:
        row = SCOPES.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise AddressScopeNotFound(id_)
        return _decode_scope(row.doc)

    def usable_scope(self, id_: str, project: str | None) -> AddressScope:
        row = SCOPES.row(self._connection, id_)
        if row is None or not _usable(row, project):
            raise AddressScopeNotFound(id_)
        return _decode_scope(row.doc)

    def insert_scopes(self, scopes: Sequence[AddressScope]) -> list[Raw]:
        first = self._tell([intent.told_scope(scope) for scope in scopes])
        rows = [_scope_row(scope, first + i) for i, scope in enumerate(scopes)]
        try:
            SCOPES.insert(self._connection, rows)
        except Taken:
            raise AddressScopeIdInUse from None
        return [Raw(row.doc) for row in rows]

    def save_scope(self, scope: AddressScope) -> Raw:
        row = _scope_row(scope, self._tell([intent.told_scope(scope)]))
        SCOPES.replace(self._connection, [row])
        return Raw(row.doc)

    def remove_scope(self, id_: str) -> None:
        SCOPES.delete(self._connection, [id_])
        self._tell([intent.told_gone(intent.scope_kind, id_)])

    def scope_page(self, query: ListQuery, project: str | None) -> list[Raw]:
        return SCOPES.page(self._connection, _seen(query, project))

    def allocations_of_pool(self, pool_id: str) -> list[Allocation]:
        return self._allocations("pool_id = ?", [pool_id])

    def allocations(self, subnet_ids: Sequence[str]) -> list[Allocation]:
        return [each for id_ in subnet_ids for each in self._allocations("subnet_id = ?", [id_])]

    def save_allocation(self, allocation: Allocation) -> None:
        self._connection.execute(
            "INSERT INTO allocation (subnet_id, pool_id, project_id, cidr) VALUES (?, ?, ?, ?)",
            tuple(allocation),
        )

    def forget_allocations(self, subnet_ids: Iterable[str]) -> None:
        self._connection.executemany(
            "DELETE FROM allocation WHERE subnet_id = ?", [(id_,) for id_ in subnet_ids]
        )

    def _allocations(self, condition: str, values: Sequence[str]) -> list[Allocation]:
        rows = self._connection.execute(
            f"SELECT subnet_id, pool_id, project_id, cidr FROM allocation WHERE {condition}",
            tuple(values),
        )
        return [Allocation(*row) for row in rows]

    def _put_pools(self, put: Callable[[], None]) -> None:
        try:
            put()
        except Taken as taken:
            if "ip_version" in taken.columns:
                raise DefaultSubnetPoolExists from None
            raise SubnetPoolIdInUse from None

    def _tell(self, told: Sequence[Told]) -> int:
        first = outbox.take(self._connection, len(told))
        outbox.tell(self._connection, first, told, self._trace)
        return first


class SubnetPoolStore:
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
    """The records of all rows, scopes first; a position is the table's number and an id."""
    number, _, last = (after or "0/").partition("/")
    if number == "0":
        if rows := SCOPES.living(connection, last, limit):
            told = [(r, intent.told_scope(_decode_scope(r.doc))) for r in rows]
            return [(f"0/{row.id}", Change(*each, row.sequence)) for row, each in told]
        last = ""
    told = [
        (r, intent.told_pool(_decode_pool(r.doc))) for r in POOLS.living(connection, last, limit)
    ]
    return [(f"1/{row.id}", Change(*each, row.sequence)) for row, each in told]


def _seen(query: ListQuery, project: str | None) -> ListQuery:
    if project is None:
        return query
    return msgspec.structs.replace(query, filters=(*query.filters, Filter("seen_by", (project,))))


def _usable(row: Row, project: str | None) -> bool:
    return project in (None, row.columns[0]) or bool(row.columns[2])


def _pool_row(pool: SubnetPool, sequence: int) -> Row:
    columns = (
        pool.project_id,
        pool.name,
        int(pool.shared),
        int(pool.is_default),
        pool.ip_version,
        pool.address_scope_id,
    )
    return Row(pool.id, columns, sequence, _encode(pool))


def _scope_row(scope: AddressScope, sequence: int) -> Row:
    return Row(
        scope.id, (scope.project_id, scope.name, int(scope.shared)), sequence, _encode(scope)
    )
