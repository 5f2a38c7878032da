"""The ways out of routers on this host, and which flows change with what is outside.

Pure. A part of `HostModel`, which gives it what it holds of networks and ports.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from alcor.agent.model.ports.qos import Limits, Qos
from alcor.agent.model.routers.outside import Outside
from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import (
    FloatingIp,
    Forwarding,
    Gateway,
    NdpProxy,
    Neighbour,
    Network,
    NextHop,
    Router,
    RouterInterface,
    Subnet,
    UplinkNode,
)
from alcor.values.addresses import Address, Mac


class Exit(NamedTuple):
    """The way out of a router, as this host sees it."""

    gateway: Gateway
    network: Network
    subnets: tuple[Subnet, ...]
    central: Address | None  # the host whose uplink its packets leave by; None: there is none
    is_here: bool  # that is this host, and its uplink works
    zone: int  # of the router's connections that are translated
    snat: bool
    limits: Limits | None = None  # of what is translated to the router's address
    proxied: tuple[Address, ...] = ()  # inside, that the router answers for outside
    uplink: int = 0  # the ofport by which its packets leave here, if they do

    @property
    def is_down(self) -> bool:
        """Whether its next hop is, as far as somebody listens."""
        return self.gateway.next_hop is NextHop.DOWN

    @property
    def mac(self) -> Mac:
        """The router's MAC outside."""
        return self.gateway.mac

    def addresses(self, version: int) -> list[Address]:
        """The router's addresses outside, of a family."""
        fixed = (each.address for each in self.gateway.fixed_ips)
        return [address for address in fixed if address.version == version]

    def scope(self, version: int) -> str | None:
        """The address scope outside, of a family; None: there are no addresses of it."""
        return scope_of(self.subnets, version)

    def leads_to(self, hop: Address) -> bool:
        """Whether the address is of a subnet outside."""
        return any(subnet.prefix.covers(hop) for subnet in self.subnets)

    def default_hop(self, version: int) -> Address | None:
        """The next hop of all that no other route leads to, of a family."""
        hops = (each.gateway for each in self.subnets if each.prefix.version == version)
        return next((hop for hop in hops if hop is not None), None)


def scope_of(subnets: Iterable[Subnet], version: int) -> str | None:
    """The address scope of the subnets of a family, which is one; None: there are none."""
    return next((s.address_scope for s in subnets if s.prefix.version == version), None)


class Home(NamedTuple):
    """A floating IP, the way out it is of, and whether this host translates it."""

    floating: FloatingIp
    exit: Exit
    is_here: bool
    forwardings: tuple[Forwarding, ...] = ()  # of one that has no port of its own
    limits: Limits | None = None
    place: int = 0  # among the router's floating IPs, in order
    asks: bool = False  # its machine has others of other networks


class Exits:
    """What is outside, joined with what the model holds of the inside (by reference)."""

    def __init__(
        self,
        networks: Mapping[str, Network],
        subnets: Mapping[str, Mapping[str, Subnet]],
        neighbours: Mapping[str, Mapping[str, Neighbour]],
        interfaces: Mapping[str, Mapping[str, RouterInterface]],
        qos: Qos,
        is_taken: Callable[[int], bool],
    ) -> None:
        """`is_taken`: whether an interface has this number."""
        self._qos = qos
        self.outside = Outside(is_taken)
        self.here: Address | None = None  # this host's tunnel endpoint
        self._networks, self._subnets = networks, subnets
        self._neighbours, self._interfaces = neighbours, interfaces

    def of(self, router: Router) -> tuple[Exit, ...]:
        """The router's ways out, as far as it is known where they lead; each to another network,
        but for those that the router names by their ports."""
        gateways = self.outside.gateways_of(router.id, router.exits)

        def named(each: Gateway) -> str:
            return each.port_id if each.port_id in router.exits else each.network_id

        by_name = {named(each): each for each in reversed(gateways)}
        first = gateways[0] if gateways else None
        found = (
            self._exit(router, each, is_first=each is first)
            for each in gateways
            if by_name[named(each)] is each
        )
        return tuple(each for each in found if each is not None)

    def _exit(self, router: Router, gateway: Gateway, *, is_first: bool) -> Exit | None:
        network = self._networks.get(gateway.network_id)
        zone = self.outside.zone_of(router.id)
        if network is None or zone is None:
            return None
        known = self._subnets.get(network.id, {})
        wanted = (fixed.subnet_id for fixed in gateway.fixed_ips)
        central = self.outside.central(
            router.id, network.physical_network, router.availability_zones
        )
        uplink = self.uplink_of(network)
        is_here = central == self.here and uplink is not None
        return Exit(
            gateway=gateway,
            network=network,
            subnets=tuple(known[each] for each in wanted if each in known),
            central=central,
            is_here=is_here,
            zone=zone,
            snat=router.snat
            if is_first
            else not {network.id, gateway.port_id} & set(router.untranslated),
            limits=self._qos.limits_of(router.qos_policy_id, router.id) if is_first else None,
            proxied=self.outside.proxied_by(router.id) if is_first and router.ndp_proxy else (),
            uplink=uplink if is_here and uplink is not None else 0,
        )

    def home(self, floating: FloatingIp, exit_: Exit, exits: Sequence[Exit]) -> Home:
        """A floating IP at its router's way out, one of several."""
        limits = self._qos.limits_of(self._policy_of(floating), _limited(floating))
        forwardings = self.forwardings_of(floating)
        place = sorted(self.outside.floating[floating.router_id]).index(floating.id)
        is_here = self.is_home(floating, exit_)
        asks = len(exits) > 1 and self._is_asked(floating, exits)
        return Home(floating, exit_, is_here, forwardings, limits, place, asks)

    def _is_asked(self, floating: FloatingIp, exits: Sequence[Exit]) -> bool:
        """Whether its machine has floating IPs of several networks that the router leads to."""
        if floating.fixed is None:
            return False
        ways = {each.network.id for each in exits}
        held = self.outside.floating[floating.router_id].values()
        return len({e.network_id for e in held if e.fixed == floating.fixed} & ways) > 1

    def uplink_of(self, network: Network) -> int | None:
        """The ofport by which the network's packets leave this host, if there is one."""
        return self.outside.uplinks.get(network.physical_network)

    def joins(self, network: Network, endpoint: Address) -> bool:
        """Whether uplinks lead from this host to another one, in a physical network."""
        return (
            bool(network.physical_network)
            and self.uplink_of(network) is not None
            and self.outside.has_uplink(network.physical_network, endpoint)
        )

    def is_home(self, floating: FloatingIp, exit_: Exit) -> bool:
        """Whether the floating IP is translated here: on its port's host, if that has an uplink.

        Else where all of the router's packets leave: also while its port is bound nowhere, as its
        address may be one that other ports share.
        """
        host = self._host_of(floating.port_id, floating.router_id)
        network = exit_.network
        if host is not None and self.outside.has_uplink(network.physical_network, host):
            return host == self.here and self.uplink_of(network) is not None
        return exit_.is_here

    def _host_of(self, port_id: str, router_id: str) -> Address | None:
        """The host of a port behind a router."""
        for interface in self._interfaces.get(router_id, {}).values():
            neighbour = self._neighbours.get(interface.network_id, {}).get(port_id)
            if neighbour is not None:
                return neighbour.tunnel_endpoint
        return None

    # What changes: each answers the units whose flows must be made again

    def forwardings_of(self, floating: FloatingIp) -> tuple[Forwarding, ...]:
        """What a floating IP without a port of its own forwards, in a fixed order."""
        held = {} if floating.port_id else self.outside.forwardings.get(floating.id, {})
        return tuple(held[each] for each in sorted(held))

    def put(
        self, entry: Gateway | FloatingIp | NdpProxy | Forwarding | UplinkNode, is_there: bool
    ) -> set[Unit]:
        """Hold an entry in place of what its key held before, or no more."""
        match entry:
            case Gateway():
                self.outside.put_gateway(entry, is_there)
                routers = self.units_of_router(entry.router_id)
                return routers | {Unit(UnitKind.NETWORK, entry.network_id)}
            case NdpProxy():
                self.outside.put_proxied(entry, is_there)
                return {Unit(UnitKind.ROUTER, entry.router_id)}
            case FloatingIp():
                self.outside.put_floating(entry, is_there)
                self._qos.assign_id(_limited(entry), is_there and bool(self._policy_of(entry)))
                if len(self.outside.gateways.get(entry.router_id, ())) > 1:  # places have changed
                    return self.units_of_router(entry.router_id)
                return {Unit(UnitKind.FLOATING, entry.id, entry.router_id)}
            case Forwarding():
                self.outside.put_forwarding(entry, is_there)
                owners = self.outside.routers_of_floating(entry.floating_ip_id)
                return {Unit(UnitKind.FLOATING, entry.floating_ip_id, each) for each in owners}
            case UplinkNode():
                self.outside.put_node(entry, is_there)
                return self._units_out_by(entry.physical_network)

    def units_of_policy(self, policy_id: str) -> set[Unit]:
        """The floating IPs that have a QoS policy."""
        return {
            Unit(UnitKind.FLOATING, each.id, router_id)
            for router_id, floating in self.outside.floating.items()
            for each in floating.values()
            if self._policy_of(each) == policy_id
        }

    def network_has_changed(self, network_id: str, before: Network | None) -> None:
        """The network is another one now: its floating IPs have its policy, or none any more."""
        network = self._networks.get(network_id)
        if (before.qos_policy_id if before else "") == (network.qos_policy_id if network else ""):
            return
        for held in self.outside.floating.values():
            for each in held.values():
                if each.network_id == network_id:
                    self._qos.assign_id(_limited(each), bool(self._policy_of(each)))

    def _policy_of(self, floating: FloatingIp) -> str:
        """The QoS policy that a floating IP has, itself or by its network; empty: none."""
        network = self._networks.get(floating.network_id)
        return floating.qos_policy_id or (network.qos_policy_id if network is not None else "")

    def set_here(self, here: Address | None) -> set[Unit]:
        """This host's tunnel endpoint."""
        self.here = here
        return {unit for name in self.outside.uplinks for unit in self._units_out_by(name)}

    def give_way(self, ofport: int) -> set[Unit]:
        """An interface has come by this number, which may have been a router's zone."""
        router_id = self.outside.give_way(ofport)
        return self.units_of_router(router_id) if router_id else set()

    def set_uplinks(self, uplinks: Mapping[str, int]) -> set[Unit]:
        """The ofports that lead to physical networks, by name."""
        before, self.outside.uplinks = self.outside.uplinks, dict(uplinks)
        changed = {name for name, _ in before.items() ^ uplinks.items()}
        return {unit for name in changed for unit in self._units_out_by(name)}

    def set_resolved(self, network_id: str, address: Address, mac: Mac | None) -> set[Unit]:
        """Who has an address of a network outside; None: nobody."""
        if not self.outside.put_resolved(network_id, address, mac):
            return set()
        return {Unit(UnitKind.OUTSIDE, str(address), network_id)}

    def units_of_router(self, router_id: str) -> set[Unit]:
        """A router with its floating IPs."""
        floating = self.outside.floating.get(router_id, {})
        units = {Unit(UnitKind.FLOATING, each, router_id) for each in floating}
        return units | {Unit(UnitKind.ROUTER, router_id)}

    def units_of_network(self, network_id: str) -> set[Unit]:
        """The routers with a way out to the network, and who was found there."""
        units = self.units_resolved(network_id)
        for router_id in self.outside.routers_to(network_id):
            units |= self.units_of_router(router_id)
        return units

    def units_of_port(self, port_id: str) -> set[Unit]:
        """The floating IPs of a port."""
        floating = self.outside.floating_of(port_id)
        if not floating:
            return set()
        return {Unit(UnitKind.FLOATING, id_, router_id) for id_, router_id in floating}

    def units_resolved(self, network_id: str) -> set[Unit]:
        """Who was found in the network outside."""
        resolved = self.outside.resolved.get(network_id, {})
        return {Unit(UnitKind.OUTSIDE, str(address), network_id) for address in resolved}

    def _units_out_by(self, physical_network: str) -> set[Unit]:
        """All that leaves by a physical network's uplinks."""
        networks = [e for e in self._networks.values() if e.physical_network == physical_network]
        units = {Unit(UnitKind.NETWORK, network.id) for network in networks}
        for network in networks:
            neighbours = self._neighbours.get(network.id, ())
            units.update(Unit(UnitKind.NEIGHBOUR, each, network.id) for each in neighbours)
        return units.union(*(self.units_of_network(network.id) for network in networks))


def _limited(floating: FloatingIp) -> str:
    """What has meters: a floating IP, at one router and then at another."""
    return f"{floating.router_id}/{floating.id}"
