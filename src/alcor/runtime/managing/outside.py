"""The external network that a router's gateway or a floating IP is of, as its user may name it."""

from alcor.contracts.peers import Ids, NetworkPeer
from alcor.contracts.resources import Caller
from alcor.contracts.sharing import Project, ReachPeer
from alcor.intent.records import NetworkRecord
from alcor.runtime.managing.writes import seen_by
from alcor.values.missing import NetworkNotFound


async def network_for(
    id_: str, caller: Caller, networks: NetworkPeer, reach: ReachPeer
) -> NetworkRecord:
    """The network, which need not be external; `NotFound` when the caller can't see it."""
    project = seen_by(caller)
    found = (await networks.networks(Ids([id_]))).networks
    for network in found:
        if project in (None, network.project_id):
            return network
        may_use = await reach.reachable(Project(caller.project_id))
        if id_ in may_use.external or id_ in may_use.shared:
            return network
    raise NetworkNotFound(id_)
