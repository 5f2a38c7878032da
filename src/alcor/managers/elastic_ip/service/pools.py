"""Pools of floating IPs: the IPv4 subnets of the external networks that a project may use.

Source: Neutron API reference v2, "Floating IP pools".
"""

from collections.abc import Sequence

from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller
from alcor.contracts.sharing import Project
from alcor.intent.records import SubnetRecord
from alcor.managers.elastic_ip.needs import Peers
from alcor.resource.selection import Item
from alcor.runtime.managing.listed import ListedService
from alcor.values.errors import NotFound


class FloatingIPPoolNotFound(NotFound):
    """No subnet is such a pool."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Floating IP pool {id_[:255]} could not be found.")


class PoolService(ListedService):
    """Keeps the contract ResourceManager, for reading only. A pool's id is its subnet's."""

    def __init__(self, peers: Peers) -> None:
        super().__init__(self._pools, FloatingIPPoolNotFound, shows_id=False)
        self._peers = peers

    async def _pools(self, caller: Caller) -> Sequence[Item]:
        external = (await self._peers.reach.reachable(Project(caller.project_id))).external
        subnets = (await self._peers.subnets.subnets_of(Ids(sorted(external)))).subnets
        return [_pool(subnet) for subnet in subnets if subnet.ip_version == 4]


def _pool(subnet: SubnetRecord) -> Item:
    return {
        "id": subnet.id,
        "network_id": subnet.network_id,
        "subnet_id": subnet.id,
        "subnet_name": subnet.name,
        "tenant_id": subnet.project_id,
        "project_id": subnet.project_id,
        "cidr": subnet.cidr,
    }
