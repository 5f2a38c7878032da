"""What sharing changes of subnet pools and address scopes, and who uses them."""

import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from alcor.contracts.sharing import ANYBODY, AS_SHARED, Confine, SharingPolicy, targets
from alcor.managers.subnetpool.model.refusals import ScopeNotShared, SubnetPoolNotFound
from alcor.managers.subnetpool.model.scope import AddressScopeNotFound
from alcor.managers.subnetpool.service.writes import manager
from alcor.managers.subnetpool.sql import POOLS, SCOPES, SqlTransaction
from alcor.resource.revisions import touched
from alcor.runtime.managing.sharing_service import SharedKind
from alcor.runtime.tables import sharing, usage

_OTHERS = "project_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1"


def shared_pools(now: Callable[[], str]) -> SharedKind:
    """Subnet pools, as sharing sees them; subnets use them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        tx = SqlTransaction(connection, trace, usage.unlimited)
        shared = ANYBODY in targets(policies)
        tx.save_pool(touched(tx.pool(id_, None), {"shared": shared}, now()))
        return tx.sequence()

    return SharedKind(
        manager,
        POOLS,
        SubnetPoolNotFound,
        (AS_SHARED,),
        reshared,
        used=_is_cut_by_others,
        check=_check_scope,
    )


def shared_scopes() -> SharedKind:
    """Address scopes, as sharing sees them; pools are in them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        tx = SqlTransaction(connection, trace, usage.unlimited)
        shared = ANYBODY in targets(policies)
        tx.save_scope(msgspec.structs.replace(tx.scope(id_, None), shared=shared))
        return tx.sequence()

    return SharedKind(
        manager, SCOPES, AddressScopeNotFound, (AS_SHARED,), reshared, used=_has_pools_of_others
    )


def _is_cut_by_others(connection: sqlite3.Connection, confine: Confine) -> bool:
    """Whether a subnet of a project that may not use the pool has a prefix of it."""
    found = connection.execute(
        f"SELECT 1 FROM allocation WHERE pool_id = ? AND {_OTHERS}", (confine.id, _may(confine))
    )
    return found.fetchone() is not None


def _has_pools_of_others(connection: sqlite3.Connection, confine: Confine) -> bool:
    """Whether a pool of a project that may not use the scope is in it."""
    found = connection.execute(
        f"SELECT 1 FROM subnetpool WHERE address_scope_id = ? AND {_OTHERS}",
        (confine.id, _may(confine)),
    )
    return found.fetchone() is not None


def _check_scope(connection: sqlite3.Connection, policy: SharingPolicy) -> None:
    """Who is to use a pool must be able to use its scope."""
    tx = SqlTransaction(connection, "", usage.unlimited)
    scope_id = tx.pool(policy.object_id, None).address_scope_id
    if scope_id is None:
        return
    target = policy.target_tenant
    scope = tx.scope(scope_id, None)
    if target != scope.project_id and not sharing.is_visible(
        connection, scope_id, (AS_SHARED,), target
    ):
        raise ScopeNotShared(policy.object_id, target, scope_id)


def _may(confine: Confine) -> str:
    return msgspec.json.encode([confine.owner, *confine.allowed]).decode()
