"""What the intent log is told of pools and scopes. Pure."""

from alcor.intent import records
from alcor.intent.outbox import Told
from alcor.intent.records import AddressScopeRecord, SubnetPoolRecord
from alcor.managers.subnetpool.model.pool import SubnetPool
from alcor.managers.subnetpool.model.scope import AddressScope

pool_kind, scope_kind = "subnetpool", "address_scope"


def told_pool(pool: SubnetPool) -> Told:
    """That the pool is so."""
    record = SubnetPoolRecord(
        id=pool.id,
        project_id=pool.project_id,
        name=pool.name,
        ip_version=pool.ip_version,
        prefixes=pool.prefixes,
        address_scope_id=pool.address_scope_id or "",
    )
    return Told(records.key(pool_kind, pool.id), records.encode(record))


def told_scope(scope: AddressScope) -> Told:
    """That the scope is so."""
    record = AddressScopeRecord(
        id=scope.id, project_id=scope.project_id, name=scope.name, ip_version=scope.ip_version
    )
    return Told(records.key(scope_kind, scope.id), records.encode(record))


def told_gone(kind: str, id_: str) -> Told:
    """That one of a kind is gone."""
    return Told(records.key(kind, id_), None)
