"""What sharing changes of a network: who may use it, and whether routers may leave by it."""

import sqlite3
from collections.abc import Callable, Sequence

from alcor.contracts.sharing import ANYBODY, AS_EXTERNAL, SharingPolicy, targets
from alcor.managers.network.sql import TABLE, VISIBLE_BY, network_of, save
from alcor.resource.revisions import touched
from alcor.runtime.managing.sharing_service import RbacPolicyInUse, SharedKind
from alcor.values.missing import NetworkNotFound


def shared_kind(now: Callable[[], str]) -> SharedKind:
    """Networks, as sharing sees them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        old = network_of(connection, id_)
        external = targets(policies, AS_EXTERNAL)
        if old.is_default and ANYBODY not in external:
            raise RbacPolicyInUse(id_)  # the default way out is everybody's
        values = {"shared": ANYBODY in targets(policies), "external": bool(external)}
        new = touched(old, values, now())
        return save(connection, [new], trace, TABLE.replace).sequence

    return SharedKind("network", TABLE, NetworkNotFound, VISIBLE_BY, reshared)
