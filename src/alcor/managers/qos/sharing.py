"""What sharing changes of a QoS policy."""

import sqlite3
from collections.abc import Callable, Sequence

from alcor.contracts.sharing import ANYBODY, SharingPolicy, targets
from alcor.managers.qos.service.writes import manager
from alcor.managers.qos.sql import POLICIES, VISIBLE_BY, SqlTransaction
from alcor.resource.revisions import touched
from alcor.runtime.managing.sharing_service import SharedKind
from alcor.values.qos import QosPolicyNotFound


def shared_policies(now: Callable[[], str]) -> SharedKind:
    """QoS policies, as sharing sees them; networks and ports use them."""

    def reshared(
        connection: sqlite3.Connection, id_: str, policies: Sequence[SharingPolicy], trace: str
    ) -> int:
        tx = SqlTransaction(connection, trace)
        tx.save(touched(tx.policy(id_, None), {"shared": ANYBODY in targets(policies)}, now()))
        return tx.sequence()

    return SharedKind(manager, POLICIES, QosPolicyNotFound, VISIBLE_BY, reshared, strict=True)
