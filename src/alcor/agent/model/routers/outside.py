"""What the agent knows of the world outside: uplinks, gateways, floating IPs, who is where there.

Pure. A part of `HostModel`. A host is known here by its tunnel endpoint.
"""

from collections.abc import Callable, Collection, ItemsView, Iterator, Mapping
from typing import TypeVar

from alcor.goal_state.entries import FloatingIp, Forwarding, Gateway, NdpProxy, UplinkNode
from alcor.values.addresses import Address, Mac
from alcor.values.rendezvous import chosen, weight

K = TypeVar("K")
T = TypeVar("T")

# Of routers, but for those that are an ofport; below are those of ports: their numbers.
zone_first, zone_last = 0xF000, 0xFEFF


class Outside:
    """Uplinks, nodes, gateways, floating IPs and resolved addresses, found by what flows need."""

    def __init__(self, is_taken: Callable[[int], bool]) -> None:
        self._is_taken = is_taken  # a number that an interface has
        self.uplinks: dict[str, int] = {}  # ofport by physical network
        self.gateways: dict[str, dict[str, Gateway]] = {}  # by router, by port
        self.floating: dict[str, dict[str, FloatingIp]] = {}  # by router, by id
        self.proxied: dict[str, dict[str, Address]] = {}  # by router, by NDP proxy
        self.forwardings: dict[str, dict[str, Forwarding]] = {}  # by floating IP, by id
        self.resolved: dict[str, dict[Address, Mac]] = {}  # by network
        self._nodes: dict[str, dict[str, UplinkNode]] = {}  # by host by physical network
        self._routers_by_port: dict[str, dict[str, str]] = {}  # by floating IP by its port
        self.renamed = 0  # how often a floating IP's name has come, changed or gone
        self._zones: dict[str, int] = {}
        self._router_by_zone: dict[int, str] = {}

    def put_node(self, node: UplinkNode, is_there: bool) -> None:
        """Hold a node, or no more."""
        _put(self._nodes, node.physical_network, node.host, node, is_there)

    def put_gateway(self, gateway: Gateway, is_there: bool) -> None:
        """Hold a gateway, or no more."""
        _put(self.gateways, gateway.router_id, gateway.port_id, gateway, is_there)
        if gateway.router_id in self.gateways:
            self._take_zone(gateway.router_id)
        else:
            self._free_zone(gateway.router_id)

    def put_floating(self, floating: FloatingIp, is_there: bool) -> None:
        """Hold a floating IP, or no more."""
        before = self.floating.get(floating.router_id, {}).get(floating.id)
        if before is not None:
            _put(self._routers_by_port, before.port_id, before.id, "", False)
        _put(self.floating, floating.router_id, floating.id, floating, is_there)
        if is_there:
            router_id = floating.router_id
            _put(self._routers_by_port, floating.port_id, floating.id, router_id, True)
        if (before is not None and before.name) or (is_there and floating.name):
            self.renamed += 1

    def put_proxied(self, proxy: NdpProxy, is_there: bool) -> None:
        """Hold an NDP proxy, or no more."""
        _put(self.proxied, proxy.router_id, proxy.id, proxy.address, is_there)

    def proxied_by(self, router_id: str) -> tuple[Address, ...]:
        """What a router is to answer for outside, in a fixed order."""
        return tuple(sorted(set(self.proxied.get(router_id, {}).values())))

    def put_forwarding(self, forwarding: Forwarding, is_there: bool) -> None:
        """Hold a port forwarding, or no more."""
        _put(self.forwardings, forwarding.floating_ip_id, forwarding.id, forwarding, is_there)

    def routers_of_floating(self, floating_ip_id: str) -> list[str]:
        """The router that translates a floating IP without a port of its own, if there is one."""
        router_id = self._routers_by_port.get("", {}).get(floating_ip_id)
        return [router_id] if router_id is not None else []

    def put_resolved(self, network_id: str, address: Address, mac: Mac | None) -> bool:
        """Who has an address outside; None: nobody. Whether that is new."""
        before = self.resolved.get(network_id, {}).get(address)
        _put(self.resolved, network_id, address, mac or Mac(0), mac is not None)
        return before != mac

    def floating_of(self, port_id: str) -> ItemsView[str, str]:
        """The floating IPs of a port: their ids, and those of the routers that translate."""
        return self._routers_by_port.get(port_id, {}).items()

    def routers_to(self, network_id: str) -> Iterator[str]:
        """The routers with a gateway on the network."""
        for router_id, gateways in self.gateways.items():
            if any(each.network_id == network_id for each in gateways.values()):
                yield router_id

    def gateways_of(self, router_id: str, order: tuple[str, ...]) -> list[Gateway]:
        """The router's gateways, in the order of their networks or ports; then by port."""
        held = self.gateways.get(router_id, {})
        place = {name: number for number, name in enumerate(order)}
        last = len(place)
        by_port = (held[port_id] for port_id in sorted(held))
        return sorted(by_port, key=lambda e: place.get(e.port_id, place.get(e.network_id, last)))

    def zone_of(self, router_id: str) -> int | None:
        """The zone of a router that has a gateway; None when this host has given out all."""
        return self._zones.get(router_id)

    def zones(self) -> Mapping[str, int]:
        """The zone of each router that has one."""
        return self._zones

    def give_way(self, ofport: int) -> str:
        """An interface has come by this number: the router that has another zone now, or empty."""
        router_id = self._router_by_zone.get(ofport, "")
        if router_id:
            self._free_zone(router_id)
            self._take_zone(router_id)
        return router_id

    def has_uplink(self, physical_network: str, endpoint: Address) -> bool:
        """Whether the host there has an uplink, and lives."""
        nodes = self._nodes.get(physical_network, {}).values()
        return any(node.tunnel_endpoint == endpoint for node in nodes)

    def central(
        self, router_id: str, physical_network: str, zones: Collection[str] = ()
    ) -> Address | None:
        """The host by which the router's packets leave: all hosts choose alike, and evenly; one of
        its availability zones while there is one.

        When a host goes only its own routers move (highest random weight).
        """
        nodes = self._nodes.get(physical_network, {})
        near = (
            {host for host, node in nodes.items() if node.availability_zone in zones}
            if zones
            else ()
        )
        host = chosen(router_id, nodes, near)
        return nodes[host].tunnel_endpoint if host is not None else None

    def _free_zone(self, router_id: str) -> None:
        if router_id in self._zones:
            del self._router_by_zone[self._zones.pop(router_id)]

    def _take_zone(self, router_id: str) -> None:
        """A zone of its own, the same on every start unless two routers want the same one."""
        if router_id in self._zones:
            return
        count = zone_last - zone_first + 1
        wanted = weight(router_id, "") % count
        for step in range(count):
            zone = zone_first + (wanted + step) % count
            if zone not in self._router_by_zone and not self._is_taken(zone):
                self._zones[router_id], self._router_by_zone[zone] = zone, router_id
                return


def _put(nested: dict[str, dict[K, T]], outer: str, inner: K, value: T, is_there: bool) -> None:
    if is_there:
        nested.setdefault(outer, {})[inner] = value
        return
    held = nested.get(outer, {})
    held.pop(inner, None)
    if not held:
        nested.pop(outer, None)
