"""What the agent knows of its host: goal entries, interfaces on the switch, the tunnel.

Pure: no clock, no await, no I/O. Every change names the units whose flows must be made again; a
unit is the smallest thing that flows are made for.
"""

from collections.abc import Iterator, Set
from enum import IntEnum
from typing import NamedTuple, TypeVar

from alcor.goal_state.entries import (
    Addresses,
    GoalEntry,
    Group,
    Member,
    Neighbour,
    Network,
    Port,
    Rule,
    Subnet,
)
from alcor.values.addresses import Address


class UnitKind(IntEnum):
    """In the order in which flows are put on the switch; the first wins a key that two make."""

    HOST = 1
    PORT = 2
    NETWORK = 3
    SUBNET = 4
    NEIGHBOUR = 5


class Unit(NamedTuple):
    """What flows are made for: the host, a network, a subnet, a port or a neighbour."""

    kind: UnitKind
    id: str = ""
    network_id: str = ""  # of a subnet or a neighbour


T = TypeVar("T")

HOST_UNIT = Unit(UnitKind.HOST)


class Interface(NamedTuple):
    """An interface on the switch that says which port it is."""

    ofport: int  # -1 or 0: the switch could not open it
    present: bool  # its device is there
    error: str = ""


class Tunnel(NamedTuple):
    """The flow-based tunnel port, and this host's underlay address."""

    ofport: int
    endpoint: Address


class Wired(NamedTuple):
    """A port with all that its flows need."""

    port: Port
    network: Network
    ofport: int


class HostModel:
    """A plain store of values, by key; what it answers depends only on what it holds."""

    def __init__(self) -> None:
        self.ports: dict[str, Port] = {}
        self.networks: dict[str, Network] = {}
        self.subnets: dict[str, dict[str, Subnet]] = {}
        self.neighbours: dict[str, dict[str, Neighbour]] = {}
        self.interfaces: dict[str, Interface] = {}
        self.tunnel: Tunnel | None = None
        self.ports_by_network: dict[str, set[str]] = {}
        self.port_by_ofport: dict[int, str] = {}

    def put(self, entry: GoalEntry) -> set[Unit]:
        """Hold an entry in place of what its key held before."""
        match entry:
            case Port():
                return self._put_port(entry.id, entry)
            case Network():
                return self._put_network(entry.id, entry)
            case Subnet():
                return self._put_subnet(entry.network_id, entry.id, entry)
            case Neighbour():
                return self._put_neighbour(entry.network_id, entry.port_id, entry)
            case Group() | Rule() | Member() | Addresses():
                return set()  # no flow is made of security groups; nobody plans them for hosts

    def remove(self, entry: GoalEntry) -> set[Unit]:
        """Forget what the key of `entry` holds."""
        match entry:
            case Port():
                return self._put_port(entry.id, None)
            case Network():
                return self._put_network(entry.id, None)
            case Subnet():
                return self._put_subnet(entry.network_id, entry.id, None)
            case Neighbour():
                return self._put_neighbour(entry.network_id, entry.port_id, None)
            case Group() | Rule() | Member() | Addresses():
                return set()  # no flow is made of security groups; nobody plans them for hosts

    def set_interface(self, port_id: str, interface: Interface | None) -> set[Unit]:
        """The interface that is this port on the switch; None: there is none."""
        before = self.interfaces.get(port_id)
        if before == interface:
            return set()
        if before is not None and self.port_by_ofport.get(before.ofport) == port_id:
            del self.port_by_ofport[before.ofport]
        if interface is None:
            del self.interfaces[port_id]
        else:
            self.interfaces[port_id] = interface
            if interface.ofport > 0:
                self.port_by_ofport[interface.ofport] = port_id
        port = self.ports.get(port_id)
        return self._units_of_port(port) if port else set()

    def set_tunnel(self, tunnel: Tunnel | None) -> set[Unit]:
        """This host's tunnel port; None: there is none (yet)."""
        before, self.tunnel = self.tunnel, tunnel
        if before == tunnel:
            return set()
        units = {HOST_UNIT} | {Unit(UnitKind.NETWORK, each) for each in self.networks}
        if self.own_endpoint != (before.endpoint if before else None):
            for network_id in self.neighbours:
                units |= self._neighbour_units(network_id)
        return units

    @property
    def own_endpoint(self) -> Address | None:
        """This host's underlay address, once it has a tunnel port."""
        return self.tunnel.endpoint if self.tunnel else None

    def wired(self, port_id: str) -> Wired | None:
        """The port with all that its flows need, or None while something is missing."""
        port = self.ports.get(port_id)
        interface = self.interfaces.get(port_id)
        if port is None or interface is None or interface.ofport <= 0:
            return None
        network = self.networks.get(port.network_id)
        if network is None or not (port.admin_state_up and network.admin_state_up):
            return None
        return Wired(port, network, interface.ofport)

    def has_wired_port(self, network_id: str) -> bool:
        """Whether a port of this network is complete on this host."""
        return any(self.wired(each) for each in self.ports_by_network.get(network_id, ()))

    def subnets_of(self, port: Port) -> dict[str, Subnet]:
        """The subnets of the port's addresses that are known, by id."""
        known = self.subnets.get(port.network_id, {})
        wanted = (fixed.subnet_id for fixed in port.fixed_ips)
        return {subnet_id: known[subnet_id] for subnet_id in wanted if subnet_id in known}

    def units(self) -> Iterator[Unit]:
        """Every unit that there is."""
        yield HOST_UNIT
        for port_id in self.ports:
            yield Unit(UnitKind.PORT, port_id)
        for network_id in self.networks:
            yield Unit(UnitKind.NETWORK, network_id)
        for network_id in self.subnets:
            yield from self._subnet_units(network_id)
        for network_id in self.neighbours:
            yield from self._neighbour_units(network_id)

    def _put_port(self, port_id: str, port: Port | None) -> set[Unit]:
        before = self.ports.pop(port_id, None)
        units: set[Unit] = set()
        if before is not None:
            units |= self._units_of_port(before)
            self._leave_network(before)
        if port is not None:
            self.ports[port_id] = port
            self.ports_by_network.setdefault(port.network_id, set()).add(port_id)
            units |= self._units_of_port(port)
        return units

    def _leave_network(self, port: Port) -> None:
        members = self.ports_by_network[port.network_id]
        members.discard(port.id)
        if not members:
            del self.ports_by_network[port.network_id]

    def _put_network(self, network_id: str, network: Network | None) -> set[Unit]:
        if network is None:
            self.networks.pop(network_id, None)
        else:
            self.networks[network_id] = network
        ports = {Unit(UnitKind.PORT, each) for each in self.ports_by_network.get(network_id, ())}
        # Every flow of the network says its VNI.
        return (
            {Unit(UnitKind.NETWORK, network_id)}
            | ports
            | self._subnet_units(network_id)
            | self._neighbour_units(network_id)
        )

    def _put_subnet(self, network_id: str, subnet_id: str, subnet: Subnet | None) -> set[Unit]:
        _put_nested(self.subnets, network_id, subnet_id, subnet)
        ports = {
            Unit(UnitKind.PORT, port_id)
            for port_id in self.ports_by_network.get(network_id, ())
            if any(fixed.subnet_id == subnet_id for fixed in self.ports[port_id].fixed_ips)
        }
        return {Unit(UnitKind.SUBNET, subnet_id, network_id)} | ports

    def _put_neighbour(
        self, network_id: str, port_id: str, neighbour: Neighbour | None
    ) -> set[Unit]:
        _put_nested(self.neighbours, network_id, port_id, neighbour)
        return {Unit(UnitKind.NEIGHBOUR, port_id, network_id)}

    def _units_of_port(self, port: Port) -> set[Unit]:
        return {
            Unit(UnitKind.PORT, port.id),
            Unit(UnitKind.NETWORK, port.network_id),
            Unit(UnitKind.NEIGHBOUR, port.id, port.network_id),
        }

    def _subnet_units(self, network_id: str) -> Set[Unit]:
        return {
            Unit(UnitKind.SUBNET, each, network_id) for each in self.subnets.get(network_id, ())
        }

    def _neighbour_units(self, network_id: str) -> Set[Unit]:
        return {
            Unit(UnitKind.NEIGHBOUR, each, network_id)
            for each in self.neighbours.get(network_id, ())
        }


def _put_nested(nested: dict[str, dict[str, T]], outer: str, inner: str, value: T | None) -> None:
    if value is not None:
        nested.setdefault(outer, {})[inner] = value
        return
    held = nested.get(outer, {})
    held.pop(inner, None)
    if not held:
        nested.pop(outer, None)
