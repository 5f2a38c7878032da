"""What the subnet manager needs of others: a store, and its peers."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Raw

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import IpPeer, NetworkPeer, PortPeer, SubnetShower
from alcor.contracts.resources import ListQuery
from alcor.contracts.segments import SegmentPeer
from alcor.contracts.sharing import ReachPeer
from alcor.contracts.subnetpools import SubnetPoolPeer
from alcor.intent.records import NetworkRecord
from alcor.managers.subnet.model import Subnet

__all__ = ["KnownNetworks", "Peers", "Saved", "Store"]


class Peers(NamedTuple):
    """The other managers."""

    networks: NetworkPeer
    segments: SegmentPeer
    ports: PortPeer
    ips: IpPeer
    held_ports: HeldPortPeer
    pools: SubnetPoolPeer
    reach: ReachPeer
    shower: SubnetShower


class KnownNetworks(Protocol):
    """A copy of the networks; a miss proves nothing."""

    def get(self, id_: str) -> NetworkRecord | None: ...


class Saved(NamedTuple):
    """The documents that a transaction saved, and its last sequence."""

    documents: list[Raw]
    sequence: int


class Store(Protocol):
    """The manager's database; each method is one transaction, durable when it returns.

    A subnet is *unsettled* while peers may hold other than its row says; `project` limits what is
    seen to one project.
    """

    async def page(
        self, query: ListQuery, project: str | None, shared: Sequence[str], others: Sequence[str]
    ) -> list[Raw]:
        """Also those on networks that are shared with who looks, or (`others`) seen otherwise."""
        ...

    async def subnet(self, id_: str, project: str | None) -> Subnet:
        """`SubnetNotFound` when it is not there, or not theirs."""
        ...

    async def of_networks(self, network_ids: Sequence[str]) -> list[Subnet]: ...

    async def of_ids(self, ids: Sequence[str]) -> list[Subnet]:
        """Those that exist."""
        ...

    async def unsettle(self, ids: Sequence[str], new: Sequence[Subnet] = ()) -> None:
        """Mark as unsettled, if all of `new` could be inserted as things are."""
        ...

    async def settled(self, ids: Sequence[str]) -> None: ...

    async def unsettled(self) -> list[str]: ...

    async def insert(
        self, subnets: Sequence[Subnet], landlords: Mapping[str, str], trace: str
    ) -> Saved:
        """All or none, and settled; `landlords` are the projects of the networks of those subnets
        that are on another project's. Refuses overlap, taken ids, and networks that are going."""
        ...

    async def change(self, id_: str, decide: Callable[[Subnet], Subnet], trace: str) -> Saved: ...

    async def remove(self, id_: str, trace: str) -> int:
        """Delete a subnet, still unsettled; return the sequence."""
        ...

    async def remove_of_network(self, network_id: str, trace: str) -> list[str]:
        """Fence the network against new subnets and delete those that it has, unsettled."""
        ...

    async def show_networks(self, external_by_network: Mapping[str, bool]) -> None:
        """Show in the subnets of these networks whether they are external; nothing is told."""
        ...

    async def fence_segment(self, network_id: str, id_: str) -> bool:
        """Fence a further segment of the network against new subnets, unless it has some."""
        ...

    async def lift(self, network_ids: Sequence[str]) -> None: ...
