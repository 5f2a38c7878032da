"""The IPv6 address scope of a network, as the pools of its subnets say; asked each time."""

from alcor.contracts.peers import Ids, SubnetPeer
from alcor.contracts.subnetpools import SubnetPoolPeer


async def ipv6_scope(network_id: str, subnets: SubnetPeer, pools: SubnetPoolPeer) -> str:
    """The scope of all IPv6 subnets of the network; empty: they are of none, or there are none."""
    found = (await subnets.subnets_of(Ids([network_id]))).subnets
    ids = sorted({each.subnetpool_id for each in found if each.ip_version == 6} - {""})
    scopes = (await pools.scopes(Ids(ids))).scope_by_pool if ids else {}
    return min(scopes.values(), default="")
