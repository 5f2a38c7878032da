"""What every service of this manager shares: who sees what, and the revision of a write."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Raw

from alcor.contracts.resources import Caller, Written
from alcor.contracts.sharing import AS_SHARED, SharingPolicy
from alcor.managers.subnetpool.model.pool import SubnetPool, check_scope
from alcor.managers.subnetpool.model.refusals import IllegalSubnetPoolUpdate
from alcor.managers.subnetpool.model.scope import AddressScope
from alcor.managers.subnetpool.needs import Transaction
from alcor.runtime.sharing import Viewer, wildcard
from alcor.values.revision import Revision

manager = "subnetpool"


class Makers(NamedTuple):
    """Where new ids and times come from."""

    new_id: Callable[[], str]
    now: Callable[[], str]


def seen_by(caller: Caller) -> str | None:
    """The project whose resources the caller sees; None: all projects."""
    return None if caller.sees_all else caller.project_id


def viewer_of(caller: Caller) -> Viewer:
    """Who looks."""
    return Viewer(caller.project_id, caller.sees_all)


def wildcards(
    kind: str, new: Sequence[SubnetPool | AddressScope], makers: Makers
) -> list[SharingPolicy]:
    """The policies that `shared` of new ones means."""
    return [
        wildcard(kind, each.id, AS_SHARED, each.project_id, makers.new_id())
        for each in new
        if each.shared
    ]


def written(tx: Transaction, documents: Sequence[Raw]) -> Written:
    """The answer to a write, made at its end."""
    return Written(list(documents), str(Revision(manager, tx.sequence())))


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
