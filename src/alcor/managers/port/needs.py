"""What the port manager needs of others: a store with transactions, and its peers."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Raw

from alcor.contracts.peers import (
    IpPeer,
    MacPeer,
    NetworkPeer,
    NodePeer,
    SecurityGroupPeer,
    SubnetPeer,
)
from alcor.contracts.qos import QosPolicyPeer
from alcor.contracts.resources import ListQuery, Written
from alcor.contracts.routing import FloatingIpPeer
from alcor.managers.port.macs import Place
from alcor.managers.port.model.bindings import Bindings
from alcor.managers.port.model.jobs import Job
from alcor.managers.port.model.port import Port

T = TypeVar("T")


class Peers(NamedTuple):
    """The other managers."""

    networks: NetworkPeer
    subnets: SubnetPeer
    nodes: NodePeer
    ips: IpPeer
    macs: MacPeer
    groups: SecurityGroupPeer
    policies: QosPolicyPeer
    floating_ips: FloatingIpPeer


class Queue(Protocol):
    """Has writes done in the order in which they are asked for, many together."""

    def ask(self, request: Job, weight: int = 1) -> Awaitable[Written]: ...


class NewGroup(NamedTuple):
    """Ports to be saved together."""

    ports: Sequence[Port]
    trace: str  # of their request
    owner_by_network: Mapping[str, str] = {}  # of their networks; left out: the ports' own project


class Saved(NamedTuple):
    """The documents that a write saved, and its last sequence."""

    documents: list[Raw]
    sequence: int
    unplugged: str = ""  # of a change of one: the host that it is not bound to, though it is named


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store."""

    def ports(self, ids: Sequence[str]) -> dict[str, Port]:
        """Those that exist, by id."""
        ...

    def existing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that ports have."""
        ...

    def landlord(self, id_: str) -> str:
        """The project of the port's network; empty where it is the port's own."""
        ...

    def confined(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Of those (networks, groups, policies) whose use is confined, who may use them."""
        ...

    def confine(self, id_: str, allowed: Iterable[str]) -> None: ...

    def used_by_others(self, id_: str, allowed: Iterable[str]) -> bool:
        """Whether a port of another project is on the network, in the group, or has the policy."""
        ...

    def room(self, projects: Iterable[str]) -> dict[str, int]:
        """How many more ports each of these projects may have; without a limit it is left out."""
        ...

    def macs_taken(self, macs_by_network: Mapping[str, Sequence[str]]) -> set[tuple[str, str]]:
        """Those of the MAC addresses that ports have, with their network."""
        ...

    def insert(self, groups: Sequence[NewGroup]) -> list[Saved]:
        """Add groups of ports; count them as used."""
        ...

    def replace(self, old: Port, new: Port, trace: str) -> Saved:
        """Change a port, and tell the intent log."""
        ...

    def show(self, ports: Sequence[Port]) -> None:
        """Change documents only: what the intent log is told stays as it is."""
        ...

    def delete(self, port: Port, trace: str) -> Saved:
        """Remove a port, and count it as used no more."""
        ...

    def bindings(self, port_id: str) -> Bindings:
        """Those of a port that wait, in order of host."""
        ...

    def save_bindings(self, port_id: str, waiting: Bindings) -> None:
        """These, and no others."""
        ...

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def save_place(self, place: Place) -> None:
        """Where in the block of MAC addresses the manager is."""
        ...

    def fenced(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids (networks, subnets, groups, ports) that may not be referred to."""
        ...

    def fence(self, ids: Iterable[str]) -> None: ...

    def lift(self, ids: Iterable[str]) -> None: ...

    def networks_used(self, ids: Sequence[str]) -> set[str]:
        """Those of the networks that have ports."""
        ...

    def ports_on(self, network_ids: Sequence[str], count_max: int) -> list[str]:
        """The ids of some ports of these networks."""
        ...

    def subnets_used(self, ids: Sequence[str]) -> set[str]:
        """Those of the subnets that ports have addresses of."""
        ...

    def routed(self, ids: Sequence[str]) -> set[str]:
        """Those of the subnets that routers have addresses of."""
        ...

    def addresses_held(self, subnet_ids: Sequence[str]) -> dict[str, int]:
        """How many addresses of these subnets ports have; a subnet of none is left out."""
        ...

    def bound_to(self, hosts: Sequence[str]) -> dict[str, int]:
        """How many ports are bound to each of these hosts, or wait to be; none is left out."""
        ...

    def ports_of_subnet(self, subnet_id: str, limit: int) -> list[Port]:
        """Some that have an address of the subnet."""
        ...

    def ports_lacking(
        self, network_id: str, subnet_id: str, after: str, limit: int
    ) -> list[tuple[str, str]]:
        """Id and device owner of ports of the network that have no address of the subnet, in order
        of id after one."""
        ...

    def ports_at(self, subnet_id: str, address: str) -> list[str]:
        """The id of the port that has the address, if any."""
        ...

    def groups_used(self, ids: Sequence[str]) -> set[str]:
        """Those of the security groups that ports are in."""
        ...

    def policies_used(self, ids: Sequence[str]) -> set[str]:
        """Those of the QoS policies that ports have."""
        ...

    def unsettle(self, port_ids: Iterable[str]) -> None:
        """Note that the leases of these ports may differ from their rows."""
        ...

    def settled(self, port_ids: Iterable[str]) -> None:
        """Forget these notes."""
        ...

    def unsettled(self, limit: int) -> list[str]: ...


class Store(Protocol):
    """The manager's database."""

    async def page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    async def place(self) -> Place:
        """Where in the block of MAC addresses the manager was."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one durable transaction; undone if it raises."""
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T: ...
