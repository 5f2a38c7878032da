"""Whose routers may leave by an external network: kept where gateways are saved.

Source: neutron.db.external_net_db (_validate_ext_not_in_use_by_project).
"""

import sqlite3
from collections.abc import Iterable

from alcor.contracts.peers import InUse
from alcor.contracts.sharing import ANYBODY, Confine, allows
from alcor.runtime.sql.database import Database, each_of
from alcor.runtime.tables import fences
from alcor.values.missing import NetworkNotFound


class GatewayUse:
    """Keeps the contract ConfinePeer for gateways of routers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def confine(self, request: Confine) -> InUse:
        # A network that is external to nobody is no way out for its owner either.
        allowed = {request.owner, *request.allowed} if request.allowed else set()

        def work(connection: sqlite3.Connection) -> list[str]:
            if ANYBODY not in allowed and _used_by_others(connection, request.id, allowed):
                return [request.id]
            fences.confine(connection, request.id, allowed)
            return []

        return InUse(await self._database.write(work))


def check_may_leave(connection: sqlite3.Connection, network_id: str, project: str) -> None:
    """When a gateway is saved: that its network has not been taken from its project meanwhile."""
    allowed = fences.confined(connection, [network_id]).get(network_id)
    if allowed is not None and not allows(allowed, project):
        raise NetworkNotFound(network_id)


def _used_by_others(
    connection: sqlite3.Connection, network_id: str, allowed: Iterable[str]
) -> bool:
    found = connection.execute(
        "SELECT 1 FROM attachment JOIN router ON router.id = attachment.router_id "
        "WHERE is_gateway > 0 AND network_id = ? "
        "AND project_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1",
        (network_id, each_of(allowed)),
    )
    return found.fetchone() is not None
