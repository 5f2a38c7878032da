"""What the agent holds of its host, and what it answers: ports, networks, routers. Pure.

A part of `model.py`'s HostModel, which takes what is new.
"""

from alcor.agent.model.filters.acls import Acls
from alcor.agent.model.filters.firewall import Firewall
from alcor.agent.model.filters.grants import Grant, Service, Way
from alcor.agent.model.networks.finds import Finds
from alcor.agent.model.networks.reach import Reach
from alcor.agent.model.networks.shared_addresses import SharedAddresses
from alcor.agent.model.ports.local_ips import LocalIps
from alcor.agent.model.ports.monitoring import NO_PORTS, NO_TAPS, Kinds, Monitoring, Taps, Wanted
from alcor.agent.model.ports.qos import Qos
from alcor.agent.model.ports.sub_ports import SubPorts
from alcor.agent.model.ports.tapping import Tapping, copies
from alcor.agent.model.ports.wired import Interface, Tunnel, Wired
from alcor.agent.model.routers.exits import Exits, Home
from alcor.agent.model.routers.metering import Metering
from alcor.agent.model.routers.routing import Leg, RouterView, Routing, router_key
from alcor.agent.model.unit import Unit
from alcor.goal_state.entries import (
    AclRule,
    Name,
    Neighbour,
    Network,
    Port,
    RouterInterface,
    Subnet,
    TapFlow,
)
from alcor.ovs.flow import Action
from alcor.values.addresses import Address


class HostView:
    """A plain store of values, by key; what it answers depends only on what it holds."""

    def __init__(self) -> None:
        self.ports: dict[str, Port] = {}
        self.networks: dict[str, Network] = {}
        self.subnets: dict[str, dict[str, Subnet]] = {}
        self.neighbours: dict[str, dict[str, Neighbour]] = {}
        self.names: dict[str, dict[str, Name]] = {}  # by network; several times what was found
        # Of networks here: greater with every change of what has names, and than any before.
        self.stamp_by_network: dict[str, int] = {}
        self.interfaces: dict[str, Interface] = {}
        # Whether flows may set all fields of an advertisement: with the kernel's datapath not.
        self.nd_by_flows = True
        self.routing = Routing()
        interfaces = self.routing.interfaces_by_router
        self.qos = Qos()
        self.port_by_ofport: dict[int, str] = {}
        self.exits = Exits(
            self.networks,
            self.subnets,
            self.neighbours,
            interfaces,
            self.qos,
            self.port_by_ofport.__contains__,
        )
        self.shared = SharedAddresses(self.neighbours, self.networks)
        self.reach = Reach()
        self.finds = Finds()
        self.lazy: set[str] = set()  # networks
        self.tunnel: Tunnel | None = None
        self.ports_by_network: dict[str, set[str]] = {}
        self.sub_ports = SubPorts(self._is_ofport_or_zone)
        self.local_ips = LocalIps(lambda number: bool(self.port_at(number)))
        self.ports_by_group: dict[str, set[str]] = {}
        self.firewall = Firewall()
        self.acls = Acls()
        self.metering = Metering()
        self.monitoring = Monitoring()
        self.tapping = Tapping()
        self.grants: dict[str, Grant] = {}  # by the id of the unit
        self.services: dict[str, tuple[Way, Service]] = {}  # by the id of the unit

    @property
    def own_endpoint(self) -> Address | None:
        """This host's underlay address, once it has a tunnel port."""
        return self.tunnel.endpoint if self.tunnel else None

    @property
    def kinds_of_copies(self) -> Kinds:
        """The kinds of copies for which the switch needs a port."""
        kinds = self.monitoring.mirror_kinds
        return kinds | {"taps"} if self.tapping.is_wanted else kinds

    @property
    def queues(self) -> dict[str, dict[int, int]]:
        """By bridge and queue, the bits a second that ports are guaranteed where they leave."""
        if not self.qos.bridge_by_network:
            return {}
        places = ((port, self.networks.get(port.network_id)) for port in self.ports.values())
        return self.qos.queues((port, network) for port, network in places if network is not None)

    def wired(self, port_id: str) -> Wired | None:
        """The port with all that its flows need, or None while something is missing."""
        wired = self._uncopied(port_id)
        taps = self._taps_of(port_id) if wired is not None else NO_TAPS
        return wired if wired is None or taps is NO_TAPS else wired._replace(taps=taps)

    def _taps_of(self, port_id: str) -> Taps:
        """What copies the frames of a port: for mirrors first, then for taps."""
        taps, flows = self.monitoring.taps_of(port_id), self.tapping.flows_of(port_id)
        if not flows:
            return taps
        made = [(flow, self._copies(flow)) for flow in flows]
        into = (each for flow, copies in made if flow.ingress for each in copies)
        out = (each for flow, copies in made if flow.egress for each in copies)
        return Taps((*taps.ingress, *into), (*taps.egress, *out))

    def _copies(self, flow: TapFlow) -> tuple[Action, ...]:
        """What copies a frame for the tap of a flow."""
        here = self._uncopied(flow.tap_port_id)
        ofport = self.tunnel.copies.taps if self.tunnel else NO_PORTS.taps
        return copies(flow, here and here.handed, ofport, self.own_endpoint)

    def _uncopied(self, port_id: str) -> Wired | None:
        """As `wired`, but for who copies its frames: so taps of each other lead nowhere."""
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
        device_id = machine.device_id if machine else ""
        numbers = self.tapping.numbers_of(port_id)
        return Wired(port, network, interface.ofport, number, device_id, NO_TAPS, numbers)

    def zones(self) -> dict[int, str]:
        """Whose the conntrack zones are in which connections are kept, in words."""
        ports = (self._uncopied(port_id) for port_id in self.ports)
        zones = {each.number: f"port {each.port.id}" for each in ports if each}
        routers, translated = self.exits.outside.zones(), self.local_ips.zones()
        zones |= {zone: f"router {router_id}" for router_id, zone in routers.items()}
        return zones | {zone: f"local IPs of port {id_}" for id_, zone in translated.items()}

    def interface_of(self, port: Port) -> Interface | None:
        """The interface that the port is heard on: its own, or its parent's."""
        return self.interfaces.get(port.parent_id or port.id)

    def port_at(self, number: int) -> str:
        """The port of a number; empty: none."""
        return self.port_by_ofport.get(number) or self.sub_ports.at(number)

    def _is_ofport_or_zone(self, number: int) -> bool:
        return number in self.port_by_ofport or self.local_ips.is_zone(number)

    def has_wired_port(self, network_id: str) -> bool:
        """Whether a port of this network is complete on this host."""
        return any(self._uncopied(each) for each in self.ports_by_network.get(network_id, ()))

    def wired_numbers(self, network_id: str) -> list[int]:
        """The numbers of the network's ports that are complete on this host, in order."""
        ports = map(self._uncopied, self.ports_by_network.get(network_id, ()))
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
        key, routes = router_key(router_id), router.routes
        ecmp, bfd = router.ecmp, router.bfd
        return RouterView(key, legs, routes, exits, taps, ecmp, bfd, router.helpers)

    def home(self, unit: Unit) -> tuple[RouterView, Home] | None:
        """The floating IP of a unit with its router, if it is known, and translated here."""
        view = self.router(unit.network_id)
        floating = self.exits.outside.floating.get(unit.network_id, {}).get(unit.id)
        exit_ = view.exit_to(floating.network_id) if view is not None and floating else None
        if view is None or floating is None or exit_ is None:
            return None
        return view, self.exits.home(floating, exit_, view.exits)

    def filter_of(self, unit: Unit) -> tuple[Network, Subnet, list[AclRule], Wanted] | None:
        """The network ACL of a unit's subnet, and what is logged of it; None while it has none."""
        key = unit.network_id, unit.id
        network = self.networks.get(unit.network_id)
        subnet = self.subnets.get(unit.network_id, {}).get(unit.id)
        rules = self.acls.rules_of(key)
        if network is None or subnet is None or rules is None:
            return None
        return network, subnet, rules, self.monitoring.wanted_of_acl(self.acls.acl_of(key))

    def _leg(self, interface: RouterInterface) -> Leg | None:
        network = self.networks.get(interface.network_id)
        if network is None or not (interface.admin_state_up and network.admin_state_up):
            return None
        known = self.subnets.get(interface.network_id, {})
        wanted = (fixed.subnet_id for fixed in interface.fixed_ips)
        return Leg(interface, network, tuple(known[each] for each in wanted if each in known))
