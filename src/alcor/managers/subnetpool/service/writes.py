"""What every service of this manager shares: its name, and the answer to a write."""

from collections.abc import Sequence

from alcor.contracts.sharing import AS_SHARED, SharingPolicy
from alcor.managers.subnetpool.model.pool import SubnetPool, check_scope
from alcor.managers.subnetpool.model.refusals import IllegalSubnetPoolUpdate
from alcor.managers.subnetpool.model.scope import AddressScope
from alcor.managers.subnetpool.needs import Transaction
from alcor.runtime.managing.writes import Makers, written_by
from alcor.runtime.tables.sharing import wildcard

manager = "subnetpool"
written = written_by(manager)


def wildcards(
    kind: str, new: Sequence[SubnetPool | AddressScope], makers: Makers
) -> list[SharingPolicy]:
    """The policies that `shared` of new ones means."""
    return [
        wildcard(kind, each.id, AS_SHARED, each.project_id, makers.new_id())
        for each in new
        if each.shared
    ]


def check_owner(tx: Transaction, new: SubnetPool, project: str | None) -> None:
    """Which addresses are in a scope is its owner's to say; None: anybody's."""
    if new.address_scope_id is None:
        return
    scope = tx.usable_scope(new.address_scope_id, None)
    if project not in (None, scope.project_id):
        raise IllegalSubnetPoolUpdate(
            f"only the owner of its address scope can change the prefixes of subnet pool {new.id}"
        )
    check_scope(new, scope, tx.pools_of_scope(scope.id))
