"""What routers do: what they take, the longest prefix, the next hop and who has it."""

from collections.abc import Iterator
from typing import NamedTuple

from alcor.intent.records import PortRecord, RouterRecord
from alcor.tracing import outside
from alcor.tracing.journey import Journey, about, called
from alcor.tracing.outside import AtFloating, AtGateway
from alcor.tracing.path import LEAVES, Stage, Verdict
from alcor.tracing.region import Leg
from alcor.values.addresses import Address, Prefix, address, prefix

_NEVER_ROUTED = (
    Prefix(4, 0xA9FE_0000, 16),
    Prefix(4, 0xE000_0000, 4),
    Prefix(4, 0x7F00_0000, 8),
    Prefix(6, 0xFE80 << 112, 10),
    Prefix(6, 0xFF << 120, 8),
)
_LINK_LOCAL = (_NEVER_ROUTED[0], _NEVER_ROUTED[3])


class AtPort(NamedTuple):
    """A machine's port has the packet next."""

    port: PortRecord


class AtRouter(NamedTuple):
    """A router has the packet next, by one of its interfaces."""

    leg: Leg


Holder = AtPort | AtRouter | AtGateway | AtFloating


class _Way(NamedTuple):
    """A route that leads to the destination."""

    destination: Prefix
    rank: int  # of equals the greatest: connected, then a tenant's, then the default
    leg: Leg
    hop: Address | None  # None: the destination itself
    is_outside: bool

    def __str__(self) -> str:
        if self.hop is None:
            return f"{self.destination} is connected"
        return f"route {self.destination} by {self.hop}"


def take(journey: Journey, router: RouterRecord) -> None:
    """What a router takes, and what it answers or refuses at once."""
    packet, told = journey.packet, about(router)
    if packet.is_of_one_link:
        raise journey.drop(Stage.ROUTER_IN, "it concerns one link, and is never routed", told)
    _answer(journey, router)
    if any(each.covers(packet.destination) for each in _NEVER_ROUTED):
        raise journey.drop(Stage.ROUTER_IN, f"{packet.destination} is never routed to", told)
    if any(each.covers(packet.source) for each in _LINK_LOCAL):
        raise journey.drop(Stage.ROUTER_IN, f"{packet.source} is never routed from", told)
    if packet.ttl <= 1:
        raise journey.refuse(Stage.ROUTER_IN, "it has come too far: no hops are left", told)
    journey.note(Stage.ROUTER_IN, f"router {called(router)} has it, {packet.ttl} hops left", told)


def _answer(journey: Journey, router: RouterRecord) -> None:
    """What is for the router itself."""
    region, packet = journey.region, journey.packet
    inside, out = (
        any(packet.destination in leg.addresses(packet.version) for leg in legs)
        for legs in (region.legs_of(router), region.gateways_of(router))
    )
    if not inside and not out:
        return
    if packet.is_ping:
        says = f"{packet.destination} is router {called(router)}'s own: it answers pings"
        raise journey.end(Verdict.ANSWERED, Stage.ROUTER_IN, says, about(router))
    if inside or packet.version == 6 or journey.translated:
        says = f"{packet.destination} is router {called(router)}'s own, which offers nothing else"
        raise journey.refuse(Stage.ROUTER_IN, says, about(router))


def forward(journey: Journey, router: RouterRecord, came: Leg) -> Holder:
    """Route what came by a leg, as often as hosts hand it on; who has it next."""
    while True:
        way = _choose(journey, router)
        told = about(router)
        journey.note(Stage.ROUTE, str(way), told)
        hop = way.hop or journey.packet.destination
        if not way.is_outside:
            _check_scope(journey, came, way.leg)
            _go_on(journey, router, way.leg)
            break
        if outside.leave(journey, way.leg):
            break
    journey.network_id = way.leg.network.id
    journey.translated = False
    return _neighbour(journey, way.leg, hop)


def _choose(journey: Journey, router: RouterRecord) -> _Way:
    """The longest prefix; of several next hops of one route the one that is chosen."""
    ways = [
        way for way in _ways(journey, router) if way.destination.covers(journey.packet.destination)
    ]
    if not ways:
        says = f"no route of router {called(router)} leads to {journey.packet.destination}"
        raise journey.refuse(Stage.ROUTE, says, about(router))
    best = max((way.destination.length, way.rank) for way in ways)
    equals = [way for way in ways if (way.destination.length, way.rank) == best]
    if best[1] > 0:
        return equals[0]
    journey.ways_most = max(journey.ways_most, len(equals))
    return equals[journey.choice % len(equals)]


def _ways(journey: Journey, router: RouterRecord) -> Iterator[_Way]:
    region = journey.region
    legs, gateways = region.legs_of(router), region.gateways_of(router)
    for leg in legs:
        for connected in leg.prefixes:
            yield _Way(connected, 1, leg, None, False)
    for route in router.routes:
        hop = address(route.nexthop)
        towards = next((leg for leg in legs if leg.covers(hop)), None)
        if towards is not None:
            yield _Way(prefix(route.destination), 0, towards, hop, False)
        elif (out := next((gate for gate in gateways if gate.covers(hop)), None)) is not None:
            yield _Way(prefix(route.destination), 0, out, hop, True)
    for gateway in gateways:
        for connected in gateway.prefixes:
            yield _Way(connected, 1, gateway, None, True)
    for version in (4, 6):
        found = [way for gateway in gateways for way in _defaults(journey, gateway, version)]
        yield from _used(journey, router, found)


def _used(journey: Journey, router: RouterRecord, defaults: list[_Way]) -> list[_Way]:
    """Of several: the one that the packet was sent here to leave by, or that its source is of; else
    the first, or any of all, but of those whose next hop is down only if all are."""
    packet, region = journey.packet, journey.region
    if len(defaults) < 2 or packet.version != defaults[0].destination.version:
        return defaults[:1]
    if journey.came_by is Stage.TUNNEL_OUT:
        here = [each for each in defaults if each.leg.network.id == journey.network_id]
        if here:
            return here if router.ecmp else here[:1]
    for way in defaults:
        if packet.source in way.leg.addresses(packet.version):
            return [way]
    by_floating = (
        way
        for floating in region.floating_of(router.id)
        for way in defaults
        if floating.floating_network_id == way.leg.network.id
        and outside.is_source_of(region, floating, packet)
    )
    first = next(by_floating, None)
    if first is not None:
        return [first]
    if router.bfd:
        defaults = [e for e in defaults if e.leg.port.next_hop != "down"] or defaults
    return defaults if router.ecmp else defaults[:1]


def _defaults(journey: Journey, gateway: Leg, version: int) -> Iterator[_Way]:
    """The gateway of a family of the external network's subnets."""
    subnets = {fixed.subnet_id for fixed in gateway.port.fixed_ips}
    for subnet in journey.region.subnets_on(gateway.network.id):
        if subnet.id in subnets and subnet.ip_version == version and subnet.gateway_ip:
            yield _Way(Prefix(version, 0, 0), -1, gateway, address(subnet.gateway_ip), True)
            return


def _check_scope(journey: Journey, came: Leg, leg: Leg) -> None:
    """From one address scope nothing goes into another but what has been translated."""
    router, version = leg.router, journey.packet.version
    if journey.translated or not journey.region.joins_scopes(router):
        return
    if came.scope_by_version.get(version) != leg.scope_by_version.get(version):
        says = f"network {called(leg.network)} is in another address scope than where it came from"
        raise journey.refuse(Stage.ROUTE_SCOPE, says, about(router))


def _go_on(journey: Journey, router: RouterRecord, leg: Leg) -> None:
    """Into a network inside: one hop less, and no more than it takes."""
    packet, network = journey.packet, leg.network
    if packet.size > network.mtu:
        says = f"network {called(network)} takes {network.mtu} bytes, not {packet.size}"
        raise journey.refuse(Stage.ROUTE_SIZE, says, about(router))
    journey.packet = packet._replace(ttl=packet.ttl - 1)


def _neighbour(journey: Journey, leg: Leg, hop: Address) -> Holder:
    """Who has the next hop's address in the network that the packet goes to."""
    region, network = journey.region, leg.network
    if region.is_routed(network.id) and (port := region.holder(network.id, hop)) is not None:
        return AtPort(port)
    if (other := region.leg_at(network.id, hop)) is not None:
        return AtRouter(other)
    if (gateway := region.gateway_at(network.id, hop)) is not None:
        journey.go_outside(hop)
        return AtGateway(gateway)
    if (found := region.floating_at(network.id, hop)) is not None:
        journey.go_outside(hop)
        return AtFloating(*found)
    if region.leads_out(network.id) and region.has_uplink(journey.host, network):
        if journey.came_by is Stage.UPLINK_OUT:
            raise journey.drop(Stage.L2_DST, "what came from outside doesn't leave again")
        journey.go_outside(hop)
        raise journey.end(Verdict.LEAVES, Stage.UPLINK_OUT, LEAVES)
    says = f"nobody on network {called(network)} has the next hop, {hop}"
    raise journey.refuse(Stage.NEIGHBOUR, says, about(network))
