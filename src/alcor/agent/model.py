"""What the agent knows of its host: goal entries, interfaces on the switch, the tunnel.

Pure: no clock, no await, no I/O. Every change names the units whose flows must be made again; a
unit is the smallest thing that flows are made for.
"""

from collections.abc import Iterable, Iterator, Set
from typing import TypeVar

from alcor.agent.acls import Acls, SubnetKey
from alcor.agent.exits import Exits, Home
from alcor.agent.finds import WHOLE, Finds
from alcor.agent.firewall import Firewall, Touched
from alcor.agent.grants import ANYTHING, Grant, Service, Way
from alcor.agent.holding import discard, put_nested, remember
from alcor.agent.local_ips import LocalIps
from alcor.agent.metering import Metering
from alcor.agent.monitoring import Monitoring
from alcor.agent.moves import is_moved
from alcor.agent.qos import Qos, policy_id
from alcor.agent.reach import Reach
from alcor.agent.routing import Leg, RouterView, Routing, router_key
from alcor.agent.shared_addresses import SharedAddresses
from alcor.agent.sub_ports import SubPorts
from alcor.agent.unit import HOST_UNIT as HOST_UNIT  # who has the model has its units
from alcor.agent.unit import Unit as Unit
from alcor.agent.unit import UnitKind as UnitKind
from alcor.agent.unit import prefix_id
from alcor.agent.wired import Interface as Interface
from alcor.agent.wired import Tunnel as Tunnel
from alcor.agent.wired import Wired as Wired
from alcor.goal_state.entries import (
    AclRule,
    Addresses,
    Attachment,
    FloatingIp,
    Forwarding,
    Found,
    Gateway,
    GoalEntry,
    Group,
    GroupLog,
    Member,
    MeteringRule,
    Mirror,
    Name,
    NdpProxy,
    Neighbour,
    Network,
    Port,
    PortLog,
    Presence,
    QosPolicy,
    Router,
    RouterInterface,
    Rule,
    Subnet,
    SubnetAcl,
    UplinkNode,
    WayOut,
)
from alcor.goal_state.slices import EVERYBODY
from alcor.values.addresses import Address, Prefix

T = TypeVar("T")
_NEIGHBOUR = UnitKind.NEIGHBOUR  # looked up by name it takes its time, and there are thousands


class HostModel:
    """A plain store of values, by key; what it answers depends only on what it holds."""

    def __init__(self) -> None:
        self.ports: dict[str, Port] = {}
        self.networks: dict[str, Network] = {}
        self.subnets: dict[str, dict[str, Subnet]] = {}
        self.neighbours: dict[str, dict[str, Neighbour]] = {}
        self.names: dict[str, dict[str, Name]] = {}
        self.stamp_by_network: dict[str, int] = {}  # another with every change of what has names
        self.interfaces: dict[str, Interface] = {}
        self.routing = Routing()
        interfaces = self.routing.interfaces_by_router
        self.qos = Qos()
        self.exits = Exits(self.networks, self.subnets, self.neighbours, interfaces, self.qos)
        self.shared = SharedAddresses(self.neighbours)
        self.reach = Reach()
        self.finds = Finds()
        self.lazy: set[str] = set()  # networks
        self.tunnel: Tunnel | None = None
        self.ports_by_network: dict[str, set[str]] = {}
        self.port_by_ofport: dict[int, str] = {}
        self.sub_ports = SubPorts(self.port_by_ofport.__contains__)
        self.local_ips = LocalIps()
        self.ports_by_group: dict[str, set[str]] = {}
        self.firewall = Firewall()
        self.acls = Acls()
        self.metering = Metering()
        self.monitoring = Monitoring()
        self.grants: dict[str, Grant] = {}  # by the id of the unit
        self.services: dict[str, tuple[Way, Service]] = {}  # by the id of the unit

    def put(self, entry: GoalEntry) -> set[Unit]:
        """Hold an entry in place of what its key held before."""
        match entry:
            case Neighbour():  # first, for there are thousands
                self.finds.put(entry.port_id, WHOLE)
                return self._put_neighbour(entry.network_id, entry.port_id, entry)
            case Found():
                return self._put_found(entry.what, entry.neighbour)
            case Presence():
                return self.reach.tell(entry, True)
            case Port():
                return self._put_port(entry.id, entry)
            case Network():
                return self._put_network(entry.id, entry)
            case Subnet():
                return self._put_subnet(entry.network_id, entry.id, entry)
            case Name():
                return self._put_name(entry.network_id, entry.port_id, entry)
            case Router():
                return self._put_router(entry.id, entry)
            case RouterInterface():
                return self._put_router_interface(entry, self.routing.put_interface(entry))
            case Gateway() | FloatingIp() | NdpProxy() | Forwarding() | UplinkNode():
                return self.exits.put(entry, True)
            case Attachment() | WayOut():
                return set()  # it only leads to the router
            case Group() | Rule() | Member() | Addresses():
                return self._units_touched(self.firewall.put(entry))
            case SubnetAcl() | AclRule():
                return _acl_units(self.acls.put(entry))
            case QosPolicy():
                self.qos.put(entry)
                return self._units_of_policy(entry.id)
            case MeteringRule():
                return self._units_metered(self.metering.put(entry))
            case PortLog() | GroupLog() | Mirror():
                return self.monitoring.put(entry, self.ports_by_group)

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
                return self._lose_neighbour(entry, WHOLE)
            case Found():
                return self._lose_neighbour(entry.neighbour, entry.what)
            case Presence():
                return self.reach.tell(entry, False)
            case Name():
                return self._put_name(entry.network_id, entry.port_id, None)
            case Router():
                return self._put_router(entry.id, None)
            case RouterInterface():
                return self._put_router_interface(entry, self.routing.take_interface(entry))
            case Gateway() | FloatingIp() | NdpProxy() | Forwarding() | UplinkNode():
                return self.exits.put(entry, False)
            case Attachment() | WayOut():
                return set()  # it only leads to the router
            case Group() | Rule() | Member() | Addresses():
                return self._units_touched(self.firewall.remove(entry))
            case SubnetAcl() | AclRule():
                return _acl_units(self.acls.remove(entry))
            case QosPolicy():
                self.qos.remove(entry.id)
                return self._units_of_policy(entry.id)
            case MeteringRule():
                return self._units_metered(self.metering.remove(entry))
            case PortLog() | GroupLog() | Mirror():
                return self.monitoring.remove(entry, self.ports_by_group)

    def set_interface(self, port_id: str, interface: Interface | None) -> set[Unit]:
        """The interface that is this port on the switch; None: there is none."""
        before = self.interfaces.get(port_id)
        if before == interface:
            return set()
        heard = {port_id, *self.sub_ports.of(port_id)}
        if before is not None and self.port_by_ofport.get(before.ofport) == port_id:
            del self.port_by_ofport[before.ofport]
        if interface is None:
            del self.interfaces[port_id]
        else:
            self.interfaces[port_id] = interface
            if interface.ofport > 0:
                self.port_by_ofport[interface.ofport] = port_id
                heard.add(self.sub_ports.give_way(interface.ofport))
        self._assign_slot(port_id)
        ports = (self.ports[each] for each in heard if each in self.ports)
        return {unit for port in ports for unit in self._units_of_port(port)}

    def set_tunnel(self, tunnel: Tunnel | None) -> set[Unit]:
        """This host's tunnel port; None: there is none (yet)."""
        before, self.tunnel = self.tunnel, tunnel
        if before == tunnel:
            return set()
        units = {HOST_UNIT} | {Unit(UnitKind.NETWORK, each) for each in self.networks}
        units |= self.monitoring.set_ports(tunnel.mirrors if tunnel else (0, 0))
        units |= self.exits.set_here(self.own_endpoint)
        if self.own_endpoint != (before.endpoint if before else None):
            for network_id in self.neighbours:
                units |= self._neighbour_units(network_id)
            units |= {Unit(UnitKind.PORT, each.id) for each in self.ports.values() if each.waits}
        for network_id in self.shared.networks():
            units |= self.shared.units_of(network_id)
        return units

    @property
    def own_endpoint(self) -> Address | None:
        """This host's underlay address, once it has a tunnel port."""
        return self.tunnel.endpoint if self.tunnel else None

    def wired(self, port_id: str) -> Wired | None:
        """The port with all that its flows need, or None while something is missing."""
        port = self.ports.get(port_id)
        interface = self.interface_of(port) if port is not None else None
        if port is None or interface is None or interface.ofport <= 0:
            return None
        network = self.networks.get(port.network_id)
        if network is None or not (port.admin_state_up and network.admin_state_up):
            return None
        number = self.sub_ports.number_of(port_id) if port.parent_id else interface.ofport
        if number is None:
            return None
        machine = self.ports.get(port.parent_id or port_id)
        device_id, taps = machine.device_id if machine else "", self.monitoring.taps_of(port_id)
        return Wired(port, network, interface.ofport, number, device_id, taps)

    def interface_of(self, port: Port) -> Interface | None:
        """The interface that the port is heard on: its own, or its parent's."""
        return self.interfaces.get(port.parent_id or port.id)

    def port_at(self, number: int) -> str:
        """The port of a number; empty: none."""
        return self.port_by_ofport.get(number) or self.sub_ports.at(number)

    def has_wired_port(self, network_id: str) -> bool:
        """Whether a port of this network is complete on this host."""
        return any(self.wired(each) for each in self.ports_by_network.get(network_id, ()))

    def wired_numbers(self, network_id: str) -> list[int]:
        """The numbers of the network's ports that are complete on this host, in order."""
        ports = map(self.wired, self.ports_by_network.get(network_id, ()))
        return sorted(wired.number for wired in ports if wired is not None)

    def remote_endpoints(self, network_id: str) -> list[int]:
        """The other hosts that have ports of the network, and no uplink from here leads to.

        None without a tunnel port here.
        """
        network = self.networks.get(network_id)
        if self.tunnel is None or network is None:
            return []
        every = set(self.reach.endpoints(network_id)) - {self.tunnel.endpoint.number}
        return sorted(each for each in every if not self.exits.joins(network, Address(4, each)))

    def subnets_of(self, port: Port) -> dict[str, Subnet]:
        """The subnets of the port's addresses that are known, by id."""
        known = self.subnets.get(port.network_id, {})
        wanted = (fixed.subnet_id for fixed in port.fixed_ips)
        return {subnet_id: known[subnet_id] for subnet_id in wanted if subnet_id in known}

    def router(self, router_id: str) -> RouterView | None:
        """The router with the legs that work; None while it is not known, or is down."""
        router = self.routing.routers.get(router_id)
        if router is None or not router.admin_state_up:
            return None
        interfaces = self.routing.interfaces_of(router_id)
        legs = tuple(leg for each in interfaces if (leg := self._leg(each)) is not None)
        exits = self.exits.of(router)
        taps = self.metering.taps_of(router.project_id)
        return RouterView(router_key(router_id), legs, router.routes, exits, taps, router.ecmp)

    def home(self, unit: Unit) -> tuple[RouterView, Home] | None:
        """The floating IP of a unit with its router, if it is known, and translated here."""
        view = self.router(unit.network_id)
        floating = self.exits.outside.floating.get(unit.network_id, {}).get(unit.id)
        exit_ = view.exit_to(floating.network_id) if view is not None and floating else None
        if view is None or floating is None or exit_ is None:
            return None
        return view, self.exits.home(floating, exit_)

    def _leg(self, interface: RouterInterface) -> Leg | None:
        network = self.networks.get(interface.network_id)
        if network is None or not (interface.admin_state_up and network.admin_state_up):
            return None
        known = self.subnets.get(interface.network_id, {})
        wanted = (fixed.subnet_id for fixed in interface.fixed_ips)
        return Leg(interface, network, tuple(known[each] for each in wanted if each in known))

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
        for router_id in self.routing.ids():
            yield from self.exits.units_of_router(router_id)
        for network_id in self.exits.outside.resolved:
            yield from self.exits.units_resolved(network_id)
        for network_id in self.shared.networks():
            yield from self.shared.units_of(network_id)
        yield from self._units_touched(self.firewall.everything())
        yield from _acl_units(self.acls.subnets())
        yield from self.metering.units()

    def _units_metered(self, rules: list[MeteringRule]) -> set[Unit]:
        """The labels of rules, and the routers that they are about with their floating IPs."""
        units = {Unit(UnitKind.METERING, rule.label_id) for rule in rules}
        owners = {rule.owner for rule in rules}
        for router_id, router in self.routing.routers.items():
            if owners & {router.project_id, EVERYBODY}:
                units |= self.exits.units_of_router(router_id)
        return units

    def _units_touched(self, touched: Touched) -> set[Unit]:
        """The units of what has changed of security groups."""
        ports = (port for group in touched.groups for port in self.ports_by_group.get(group, ()))
        units = {Unit(UnitKind.PORT, port) for port in ports}
        for grant in touched.grants:
            held = self.firewall.holds(grant)
            id_ = remember(self.grants, str(grant), grant if held else None)
            units.add(Unit(UnitKind.GRANT, id_))
        for way, service in touched.services:
            if service == ANYTHING:  # the same match as that of all addresses
                touched.prefixes.add(Prefix(way.version, 0, 0))
                continue
            offered = bool(self.firewall.grants_of_service(way, service))
            thing = (way, service) if offered else None
            units.add(Unit(UnitKind.SERVICE, remember(self.services, f"{way}/{service}", thing)))
        units.update(Unit(UnitKind.REMOTE, prefix_id(each)) for each in touched.prefixes)
        return units

    def _put_port(self, port_id: str, port: Port | None) -> set[Unit]:
        before = self.ports.pop(port_id, None)
        self.sub_ports.change(before, port)
        self.local_ips.change(before, port)
        units: set[Unit] = set()
        if before is not None:
            units |= self._units_of_port(before)
            self._leave(before)
        if port is not None:
            self.ports[port_id] = port
            self.ports_by_network.setdefault(port.network_id, set()).add(port_id)
            for group_id in port.security_groups:
                self.ports_by_group.setdefault(group_id, set()).add(port_id)
            units |= self._units_of_port(port)
        self._assign_slot(port_id)
        return units

    def _assign_slot(self, port_id: str) -> None:
        """Keep the meters of what has a number, and of nothing else."""
        port, interface = self.ports.get(port_id), self.interfaces.get(port_id)
        if port is not None and port.parent_id:
            self.qos.assign(port_id, self.sub_ports.number_of(port_id))
        else:
            plugged = interface is not None and interface.ofport > 0
            self.qos.assign(port_id, interface.ofport if interface and plugged else None)

    def _units_of_policy(self, id_: str) -> set[Unit]:
        """The ports, routers and floating IPs that have a QoS policy; ports by networks as well."""
        ports = {
            Unit(UnitKind.PORT, port.id)
            for port in self.ports.values()
            if policy_id(port, self.networks.get(port.network_id)) == id_
        }
        routers = self.routing.routers.values()
        at_gateways = {Unit(UnitKind.ROUTER, r.id) for r in routers if r.qos_policy_id == id_}
        return ports | at_gateways | self.exits.units_of_policy(id_)

    def _leave(self, port: Port) -> None:
        discard(self.ports_by_network, port.network_id, port.id)
        for group_id in set(port.security_groups):
            discard(self.ports_by_group, group_id, port.id)

    def _put_network(self, network_id: str, network: Network | None) -> set[Unit]:
        if network is None:
            self.networks.pop(network_id, None)
        else:
            self.networks[network_id] = network
        was_any = bool(self.lazy)
        (self.lazy.add if network and network.lazy else self.lazy.discard)(network_id)
        every = self.ports if bool(self.lazy) != was_any else ()  # all look for neighbours now
        self._stamp(network_id)
        own = self.ports_by_network.get(network_id, ())
        ports = {Unit(UnitKind.PORT, each) for each in (*own, *every)}
        # Every flow of the network says its VNI.
        return (
            {Unit(UnitKind.NETWORK, network_id)}
            | ports
            | self._subnet_units(network_id)
            | self._neighbour_units(network_id)
            | self.shared.units_of(network_id)
            | self._router_units(network_id)
            | self.exits.units_of_network(network_id)
        )

    def _put_subnet(self, network_id: str, subnet_id: str, subnet: Subnet | None) -> set[Unit]:
        put_nested(self.subnets, network_id, subnet_id, subnet)
        self._stamp(network_id)
        ports = {
            Unit(UnitKind.PORT, port_id)
            for port_id in self.ports_by_network.get(network_id, ())
            if any(fixed.subnet_id == subnet_id for fixed in self.ports[port_id].fixed_ips)
        }
        routers = self._router_units(network_id) | self.exits.units_of_network(network_id)
        own = {Unit(kind, subnet_id, network_id) for kind in (UnitKind.SUBNET, UnitKind.ACL)}
        return own | ports | routers

    def _put_name(self, network_id: str, port_id: str, name: Name | None) -> set[Unit]:
        put_nested(self.names, network_id, port_id, name)
        self._stamp(network_id)
        return set()  # the agent answers for names; no flow is made of them

    def _stamp(self, network_id: str) -> None:
        self.stamp_by_network[network_id] = self.stamp_by_network.get(network_id, 0) + 1

    def _put_neighbour(
        self, network_id: str, port_id: str, neighbour: Neighbour | None
    ) -> set[Unit]:
        before = self.neighbours.get(network_id, {}).get(port_id)
        put_nested(self.neighbours, network_id, port_id, neighbour)
        self._stamp(network_id)
        units = self.exits.units_of_port(port_id)
        units.add(Unit(_NEIGHBOUR, port_id, network_id))
        if self.reach.change(network_id, before, neighbour):
            units.add(Unit(UnitKind.NETWORK, network_id))
        if is_moved(self.ports.get(port_id), before, neighbour):
            units.add(Unit(UnitKind.PORT, port_id))
        has_pairs = neighbour is not None and bool(neighbour.pairs)
        if has_pairs or (before is not None and before.pairs):
            units |= self.shared.note(network_id, port_id, has_pairs=has_pairs)
            ports = self.ports_by_network.get(network_id, ())
            units.update(Unit(UnitKind.PORT, each) for each in ports)
        return units

    def _put_found(self, what: str, found: Neighbour) -> set[Unit]:
        is_held = found.port_id in self.neighbours.get(found.network_id, ())
        self.finds.put(found.port_id, what, is_held=is_held)
        return self._put_neighbour(found.network_id, found.port_id, found)

    def _lose_neighbour(self, lost: Neighbour, known_by: str) -> set[Unit]:
        if not self.finds.take(lost.port_id, known_by):
            return set()
        return self._put_neighbour(lost.network_id, lost.port_id, None)

    def _put_router(self, router_id: str, router: Router | None) -> set[Unit]:
        self.routing.put_router(router_id, router)
        self.qos.assign_id(router_id, router is not None and bool(router.qos_policy_id))
        return self.exits.units_of_router(router_id)

    def _put_router_interface(
        self, interface: RouterInterface, before: RouterInterface | None
    ) -> set[Unit]:
        """What changes with an interface that has been put or taken in place of `before`."""
        units = self.exits.units_of_router(interface.router_id)
        for network_id in {each.network_id for each in (interface, before) if each is not None}:
            ports = self.ports_by_network.get(network_id, ())
            units.update(Unit(UnitKind.PORT, each) for each in ports)
            units |= self.shared.units_of(network_id)
            self._stamp(network_id)  # it has the names of the router's floating IPs
            units |= self._neighbour_units(network_id)  # routed to only while there is a router
        return units

    def _router_units(self, network_id: str) -> Set[Unit]:
        return {Unit(UnitKind.ROUTER, each) for each in self.routing.routers_on(network_id)}

    def _units_of_port(self, port: Port) -> set[Unit]:
        units = {
            Unit(UnitKind.PORT, port.id),
            Unit(UnitKind.NETWORK, port.network_id),
            Unit(UnitKind.NEIGHBOUR, port.id, port.network_id),
        }
        return units | self.shared.units_of(port.network_id)

    def _subnet_units(self, network_id: str) -> Set[Unit]:
        return {
            Unit(kind, each, network_id)
            for each in self.subnets.get(network_id, ())
            for kind in (UnitKind.SUBNET, UnitKind.ACL)
        }

    def _neighbour_units(self, network_id: str) -> Set[Unit]:
        return {Unit(_NEIGHBOUR, each, network_id) for each in self.neighbours.get(network_id, ())}


def _acl_units(subnets: Iterable[SubnetKey]) -> set[Unit]:
    return {Unit(UnitKind.ACL, subnet_id, network_id) for network_id, subnet_id in subnets}
