"""ROUTER_IN, ROUTE, NEIGHBOUR, ROUTE_OUT: every router on every host, without a process of its own.

A packet is routed on the host that sent it. The longest prefix gives the network and the next hop,
the next hop gives the MAC, and the packet goes on as one of that network. So a packet passes any
number of routers on its own host, and crosses the underlay at most once.

The agent tells the sender of a packet that can't be forwarded (`punts/router.py`).
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.model.ports.meter import Meter, of_faults
from alcor.agent.model.routers.routing import Leg, RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import (
    ECHO6_REPLY,
    fault,
    held_by,
    hop,
    hop_itself,
    hops,
    own,
    ping,
    route,
    routes,
    static_ways,
    taken_at,
    way_to,
)
from alcor.agent.shapes.shape import AnyFlow, Filled
from alcor.goal_state.entries import Neighbour, Network
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, ICMPV6_OF_LINK, IP_PROTO_ICMPV6
from alcor.ovs.flow import (
    DROP,
    Flow,
    Instructions,
    Resubmit,
    apply,
    load,
    match,
    move,
    punt,
    set_field,
)
from alcor.values.addresses import eui64_link_local

_LINK_LOCAL = (0xFE80 << 112, 0xFFC0 << 112)
_LINK_LOCAL4 = (0xA9FE0000, 0xFFFF0000)
_MULTICAST, _MULTICAST4 = (0xFF << 120, 0xFF << 120), (0xE0000000, 0xF0000000)
_LOOPBACK4 = (0x7F000000, 0xFF000000)


def host(cookie: int) -> Iterator[Flow]:
    """What is the same for all routers."""
    never = (
        match(eth_type=ETH_TYPE_IPV4, ipv4_dst=_LINK_LOCAL4),
        match(eth_type=ETH_TYPE_IPV4, ipv4_src=_LINK_LOCAL4),
        match(eth_type=ETH_TYPE_IPV4, ipv4_dst=_MULTICAST4),
        match(eth_type=ETH_TYPE_IPV4, ipv4_dst=_LOOPBACK4),
        match(eth_type=ETH_TYPE_IPV6, ipv6_dst=_LINK_LOCAL),
        match(eth_type=ETH_TYPE_IPV6, ipv6_src=_LINK_LOCAL),
        match(eth_type=ETH_TYPE_IPV6, ipv6_dst=_MULTICAST),
    )
    for what in never:
        yield Flow(p.ROUTER_IN, p.PRIORITY.normal, what, DROP, cookie)
    for kind in ICMPV6_OF_LINK:  # firewalls let them pass, as they concern one link (RFC 4861, 3.1)
        what = match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=kind)
        yield Flow(p.ROUTER_IN, p.PRIORITY.guard, what, DROP, cookie)
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        for ttl in (0, 1):
            spent = match(eth_type=family, ip_ttl=ttl)
            yield Flow(p.ROUTER_IN, p.PRIORITY.low, spent, fault(p.Fault.TTL), cookie)
        any_ = match(eth_type=family)
        yield Flow(p.ROUTE, p.PRIORITY.low, any_, fault(p.Fault.NO_ROUTE), cookie)
        yield Flow(p.NEIGHBOUR, p.PRIORITY.low, any_, fault(p.Fault.NO_HOST), cookie)
        large = match(eth_type=family, reg0=p.TOO_LARGE)
        yield Flow(p.ROUTE_SIZE, p.PRIORITY.normal, large, fault(p.Fault.TOO_BIG), cookie)
    # A switch sends nothing back to where it came from; a router may have to.
    again = apply(load("in_port", 0, bits=16), set_field(p.FLAGS, *p.ROUTED), Resubmit(p.L2_DST))
    yield Flow(p.ROUTE_OUT, p.PRIORITY.normal, match(), again, cookie)


def port(wired: Wired, is_routed: bool, cookie: int) -> Iterator[Flow]:
    """What a port sends and no router can forward goes to the agent, through the port's meter."""
    if is_routed:
        to_agent = apply(punt(userdata=p.PUNT_ROUTER), meter=of_faults(wired.number).id)
        what = match(reg14=wired.number)
        yield Flow(p.ROUTER_FAULT, p.PRIORITY.normal, what, to_agent, cookie)


def meters(wired: Wired, is_routed: bool) -> Iterator[Meter]:
    """The meter that the port's punt names."""
    if is_routed:
        yield of_faults(wired.number)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> list[Filled]:
    """One flow for each address of a neighbour in a network that a router leads to."""
    return [hop(network, address, neighbour.mac, cookie) for address in neighbour.addresses]


def router(view: RouterView, cookie: int) -> Iterator[AnyFlow]:
    """One router: what it takes, what it answers, where it sends what."""
    for leg in view.legs:
        yield from _admit(view, leg, cookie)
        yield from _connected(view, leg, cookie)
        for version in (4, 6):
            for address in leg.addresses(version):
                yield from own(view, address, cookie)
                yield hop(leg.network, address, leg.mac, cookie)
    for destination, ways in static_ways(view).items():
        yield from routes(view, destination, ways, cookie)


def _admit(view: RouterView, leg: Leg, cookie: int) -> Iterator[Flow]:
    """What is sent here to the router's MAC; never what came by a tunnel."""
    for what, taken in taken_at(view, leg, leg.network, leg.mac, p.ROUTER_IN):
        yield Flow(p.L2_DST, p.PRIORITY.normal, what, taken, cookie)
    if leg.addresses(6):
        link_local = eui64_link_local(leg.mac).number
        asked = ping(held_by(view, 6, metadata=leg.network.vni, ipv6_dst=link_local))
        yield Flow(p.ROUTER_IN, p.PRIORITY.guard, asked, _pong_on_link(leg), cookie)


def _pong_on_link(leg: Leg) -> Instructions:
    """The answer to a ping of the link-local address, which no route leads back from."""
    return apply(
        move("eth_src", "eth_dst"),
        set_field("eth_src", leg.mac),
        move("ipv6_src", "ipv6_dst"),
        set_field("ipv6_src", eui64_link_local(leg.mac).number),
        set_field("icmpv6_type", ECHO6_REPLY),
        set_field("ip_ttl", hops),
        goto=p.RETURN,
    )


def _connected(view: RouterView, leg: Leg, cookie: int) -> Iterator[Flow]:
    """Who is in a subnet of the leg is the next hop himself."""
    for prefix in leg.prefixes:
        yield route(view, prefix, way_to(view, leg, hop_itself(prefix.version)), 1, cookie)
