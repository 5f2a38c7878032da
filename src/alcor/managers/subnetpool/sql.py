"""The subnet pool manager's store: pools, scopes and what subnets have of pools."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.sharing import AS_SHARED, SharingPolicy
from alcor.intent.store import ToldTransaction, living_of, told_rows
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
from alcor.runtime.tables import sharing, usage
from alcor.runtime.tables.resource_table import ResourceTable, Row, Taken
from alcor.runtime.tables.sharing import Viewer

T = TypeVar("T")

POOLS = ResourceTable(
    "subnetpool",
    "SubnetPool",
    ("project_id", "name", "is_default", "ip_version", "address_scope_id"),
    nullable=frozenset({"address_scope_id"}),
    counted=True,
    tagged=True,
)
SCOPES = ResourceTable("address_scope", "AddressScope", ("project_id", "name"))

_encode = msgspec.json.Encoder().encode
_decode_pool = msgspec.json.Decoder(SubnetPool).decode
_decode_scope = msgspec.json.Decoder(AddressScope).decode


class SqlTransaction(ToldTransaction):
    """Keeps `needs.Transaction`."""

    def __init__(self, connection: sqlite3.Connection, trace: str, quota: usage.Limit) -> None:
        super().__init__(connection, trace)
        self._quota = quota

    def pool(self, id_: str, project: str | None) -> SubnetPool:
        row = POOLS.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise SubnetPoolNotFound(id_)
        return _decode_pool(row.doc)

    def usable_pool(self, id_: str, project: str | None) -> SubnetPool:
        row = POOLS.row(self._connection, id_)
        if row is None or not self._usable(row, project):
            raise SubnetPoolNotFound(id_)
        return _decode_pool(row.doc)

    def default_pool(self, ip_version: int) -> SubnetPool | None:
        rows = POOLS.where(self._connection, "is_default = 1 AND ip_version = ?", (ip_version,))
        return _decode_pool(rows[0].doc) if rows else None

    def pools_of_scope(self, scope_id: str) -> list[SubnetPool]:
        rows = POOLS.where(self._connection, "address_scope_id = ?", (scope_id,))
        return [_decode_pool(row.doc) for row in rows]

    def insert_pools(
        self, pools: Sequence[SubnetPool], policies: Sequence[SharingPolicy]
    ) -> list[Raw]:
        sharing.insert(self._connection, policies)
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
        sharing.drop_object(self._connection, id_)
        self._tell([intent.told_gone(intent.pool_kind, id_)])

    def pool_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        return sharing.objects_page(self._connection, POOLS, (AS_SHARED,), query, viewer)

    def scope(self, id_: str, project: str | None) -> AddressScope:
        row = SCOPES.row(self._connection, id_)
        if row is None or project not in (None, row.columns[0]):
            raise AddressScopeNotFound(id_)
        return _decode_scope(row.doc)

    def usable_scope(self, id_: str, project: str | None) -> AddressScope:
        row = SCOPES.row(self._connection, id_)
        if row is None or not self._usable(row, project):
            raise AddressScopeNotFound(id_)
        return _decode_scope(row.doc)

    def insert_scopes(
        self, scopes: Sequence[AddressScope], policies: Sequence[SharingPolicy]
    ) -> list[Raw]:
        sharing.insert(self._connection, policies)
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
        sharing.drop_object(self._connection, id_)
        self._tell([intent.told_gone(intent.scope_kind, id_)])

    def scope_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]:
        return sharing.objects_page(self._connection, SCOPES, (AS_SHARED,), query, viewer)

    def share_scope(self, id_: str, policy_id: str) -> None:
        sharing.toggle(self._connection, SCOPES, id_, AS_SHARED, policy_id)

    def _usable(self, row: Row, project: str | None) -> bool:
        return project in (None, row.columns[0]) or sharing.is_visible(
            self._connection, row.id, (AS_SHARED,), str(project)
        )

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


living = living_of(
    told_rows(SCOPES.living, lambda row: intent.told_scope(_decode_scope(row.doc))),
    told_rows(POOLS.living, lambda row: intent.told_pool(_decode_pool(row.doc))),
)


def _pool_row(pool: SubnetPool, sequence: int) -> Row:
    columns = (
        pool.project_id,
        pool.name,
        int(pool.is_default),
        pool.ip_version,
        pool.address_scope_id,
    )
    return Row(pool.id, columns, sequence, _encode(pool))


def _scope_row(scope: AddressScope, sequence: int) -> Row:
    return Row(scope.id, (scope.project_id, scope.name), sequence, _encode(scope))
