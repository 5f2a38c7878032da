"""What the network manager needs of others: a store, and peers for deleting safely."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.peers import IpPeer, NodePeer, PortPeer, SubnetPeer
from alcor.contracts.qos import QosPolicyPeer
from alcor.contracts.resources import ListQuery
from alcor.contracts.routing import FloatingIpPeer
from alcor.contracts.sharing import ConfinePeer, SharingPolicy
from alcor.managers.network.model.network import Network, Reach
from alcor.managers.network.model.network_segment import NetworkSegment
from alcor.managers.network.subnets_seen import SubnetSeen
from alcor.runtime.tables.sharing import Viewer


class Peers(NamedTuple):
    """The other managers."""

    ports: PortPeer
    subnets: SubnetPeer
    floating_ips: FloatingIpPeer
    users: ConfinePeer  # whose ports are on networks
    gateways: ConfinePeer  # whose routers lead to them
    nodes: NodePeer
    ips: IpPeer
    policies: QosPolicyPeer


class Draft(NamedTuple):
    """A network to be made, and its segments beside the first one."""

    network: Network
    further: Sequence[NetworkSegment] = ()


class Saved(NamedTuple):
    """The documents that a transaction saved, and its last sequence."""

    documents: list[Raw]
    sequence: int


class Store(Protocol):
    """The manager's database; each method is one transaction, durable when it returns.

    `project` limits what is seen to one project; None sees all.
    """

    async def page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...

    async def networks(self, ids: Sequence[str]) -> list[tuple[Network, Reach]]:
        """Those that exist and are not being deleted, with whom their policies let use them."""
        ...

    async def reachable(self, project: str) -> tuple[list[str], list[str]]:
        """The networks that are shared with a project, and those external to it."""
        ...

    async def insert(
        self,
        drafts: Sequence[Draft],
        policies: Sequence[SharingPolicy],
        project: str | None,
        trace: str,
    ) -> Saved:
        """All or none; chooses the VNIs that are 0. Refuses ids and VNIs that are taken."""
        ...

    async def change(
        self,
        id_: str,
        decide: Callable[[Network], Network],
        project: str | None,
        trace: str,
        new_id: Callable[[], str],
    ) -> Saved:
        """With the policy that `shared` and `external` mean, of a new id where one is needed."""
        ...

    async def network(self, id_: str, project: str | None) -> Network: ...

    async def mark(self, id_: str, project: str | None) -> Network:
        """Mark as being deleted; `NetworkInUse` when somebody else is at it."""
        ...

    async def unmark(self, id_: str) -> None: ...

    async def marked(self) -> list[Network]:
        """Those whose deletion was begun and not finished."""
        ...

    async def remove(self, id_: str, trace: str) -> int:
        """Delete for good; return the sequence."""
        ...

    async def replace_subnets(self, seen: Mapping[str, SubnetSeen]) -> None:
        """These are all subnets there are."""
        ...

    async def apply_subnets(self, seen: Mapping[str, SubnetSeen | None]) -> None:
        """These subnets are there now, or (None) gone."""
        ...

    async def replace_scopes(self, scopes: Mapping[str, str]) -> None:
        """The address scopes of all pools; empty: none."""
        ...

    async def apply_scopes(self, scopes: Mapping[str, str]) -> None: ...
