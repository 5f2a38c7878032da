"""ROUTER_IN, ROUTE, NEIGHBOUR, ROUTE_OUT: every router on every host, without a process of its own.

A packet to a router's MAC is routed where it was sent: the longest prefix names the network and the
next hop, the next hop its MAC, and the packet goes on as one of that network, sent from here. So a
packet passes any number of routers on its own host, and crosses the underlay once at most.

What can't be forwarded goes to the agent, which tells its sender (`punts/router.py`).
"""

from collections.abc import Iterator
from typing import Unpack

from alcor.agent import pipeline as p
from alcor.agent.meter import Meter
from alcor.agent.model import Wired
from alcor.agent.routing import Leg, RouterView
from alcor.agent.shapes import match_by, set_to
from alcor.goal_state.entries import Neighbour, Network, Route
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMP, IP_PROTO_ICMPV6
from alcor.ovs.flow import (
    DROP,
    IN_PORT,
    Action,
    DecTtl,
    Flow,
    Instructions,
    Match,
    MatchFields,
    Resubmit,
    apply,
    load,
    match,
    move,
    output,
    punt,
    set_field,
)
from alcor.values.addresses import Address, Prefix, eui64_link_local

hops = 64  # of what a router itself says
faults_per_s_max = 20  # packets of one port that can't be forwarded
faults_burst = 50  # packets: traceroute sends many at once
METERS = 0x10000  # the first meter of routers' faults: an ofport is below

_ECHO, _ECHO_REPLY, _ECHO6, _ECHO6_REPLY = 8, 0, 128, 129
_VNI_FULL = (1 << 64) - 1
_WORD = 0xFFFF_FFFF
_LINK_LOCAL = (0xFE80 << 112, 0xFFC0 << 112)
_LINK_LOCAL4 = (0xA9FE0000, 0xFFFF0000)
_MULTICAST, _MULTICAST4 = (0xFF << 120, 0xFF << 120), (0xE0000000, 0xF0000000)
_LOOPBACK4 = (0x7F000000, 0xFF000000)

_TO_ROUTE_OUT = apply(goto=p.ROUTE_OUT)
_hop4 = match_by(p.VNI, p.NEXT_HOP[0], eth_type=ETH_TYPE_IPV4)
_set_eth_dst = set_to("eth_dst")
_FIRST_HOP4 = (move("ipv4_dst", p.NEXT_HOP[0]),)
_FIRST_HOP6 = tuple(
    move("ipv6_dst", register, 32, 96 - 32 * at) for at, register in enumerate(p.NEXT_HOP)
)


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
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        for ttl in (0, 1):
            spent = match(eth_type=family, ip_ttl=ttl)
            yield Flow(p.ROUTER_IN, p.PRIORITY.low, spent, _fault(p.Fault.TTL), cookie)
        any_ = match(eth_type=family)
        yield Flow(p.ROUTE, p.PRIORITY.low, any_, _fault(p.Fault.NO_ROUTE), cookie)
        yield Flow(p.NEIGHBOUR, p.PRIORITY.low, any_, _fault(p.Fault.NO_HOST), cookie)
    # A switch sends nothing back to where it came from; a router may have to.
    again = apply(load("in_port", 0, bits=16), Resubmit(p.L2_DST))
    yield Flow(p.ROUTE_OUT, p.PRIORITY.normal, match(), again, cookie)


def port(wired: Wired, is_routed: bool, cookie: int) -> Iterator[Flow]:
    """What a port sends and no router can forward goes to the agent, through the port's meter."""
    if is_routed:
        to_agent = apply(punt(userdata=p.PUNT_ROUTER), meter=METERS + wired.ofport)
        what = match(reg14=wired.ofport)
        yield Flow(p.ROUTER_FAULT, p.PRIORITY.normal, what, to_agent, cookie)


def meters(wired: Wired, is_routed: bool) -> Iterator[Meter]:
    """The meter that the port's punt names."""
    if is_routed:
        yield Meter(METERS + wired.ofport, faults_per_s_max, faults_burst)


def neighbour(network: Network, neighbour: Neighbour, cookie: int) -> Iterator[Flow]:
    """One flow for each address of a neighbour in a network that a router leads to."""
    for address in neighbour.addresses:
        yield _hop(network, address, neighbour.mac, cookie)


def router(view: RouterView, cookie: int) -> Iterator[Flow]:
    """One router: what it takes, what it answers, where it sends what."""
    for leg in view.legs:
        yield from _admit(view, leg, cookie)
        yield from _connected(view, leg, cookie)
        for version in (4, 6):
            for address in leg.addresses(version):
                yield from _local(view, address, cookie)
                yield _hop(leg.network, address, leg.mac, cookie)
    for route in view.routes:
        yield from _static(view, route, cookie)


def _admit(view: RouterView, leg: Leg, cookie: int) -> Iterator[Flow]:
    """What is sent here to the router's MAC; never what came by a tunnel."""
    mine = match(metadata=leg.network.vni, eth_dst=leg.mac, reg0=p.FROM_HERE)
    yield Flow(p.L2_DST, p.PRIORITY.normal, mine, _taken_by(view), cookie)
    if leg.addresses(6):
        link_local = eui64_link_local(leg.mac).number
        ping = _ping(_at(view, 6, metadata=leg.network.vni, ipv6_dst=link_local))
        yield Flow(p.ROUTER_IN, p.PRIORITY.guard, ping, _pong_on_link(leg), cookie)


def _taken_by(view: RouterView) -> Instructions:
    high, low = p.ROUTER
    return apply(
        set_field(high, view.key >> 32), set_field(low, view.key & _WORD), goto=p.ROUTER_IN
    )


def _at(view: RouterView, version: int, **fields: Unpack[MatchFields]) -> MatchFields:
    """Conditions on a packet that the router has."""
    fields["reg12"], fields["reg13"] = view.key >> 32, view.key & _WORD
    fields["eth_type"] = ETH_TYPE_IPV4 if version == 4 else ETH_TYPE_IPV6
    return fields


def _ping(mine: MatchFields) -> Match:
    if mine["eth_type"] == ETH_TYPE_IPV4:
        return match(**(mine | {"ip_proto": IP_PROTO_ICMP, "icmpv4_type": _ECHO, "icmpv4_code": 0}))
    return match(**(mine | {"ip_proto": IP_PROTO_ICMPV6, "icmpv6_type": _ECHO6, "icmpv6_code": 0}))


def _local(view: RouterView, address: Address, cookie: int) -> Iterator[Flow]:
    """The router's own address: it answers ping from any side, and offers nothing else."""
    if address.version == 4:
        mine = _at(view, 4, ipv4_dst=address.number)
        swapped = (move("ipv4_src", "ipv4_dst"), set_field("ipv4_src", address.number))
        pong = apply(*swapped, set_field("icmpv4_type", _ECHO_REPLY), _OWN_TTL, goto=p.ROUTE)
    else:
        mine = _at(view, 6, ipv6_dst=address.number)
        swapped = (move("ipv6_src", "ipv6_dst"), set_field("ipv6_src", address.number))
        pong = apply(*swapped, set_field("icmpv6_type", _ECHO6_REPLY), _OWN_TTL, goto=p.ROUTE)
    yield Flow(p.ROUTER_IN, p.PRIORITY.guard, _ping(mine), pong, cookie)
    yield Flow(p.ROUTER_IN, p.PRIORITY.high, match(**mine), _fault(p.Fault.NO_SERVICE), cookie)


_OWN_TTL = set_field("ip_ttl", hops + 1)  # it is routed like any other packet, which costs one


def _pong_on_link(leg: Leg) -> Instructions:
    """The answer to a ping of the link-local address, which no route leads back from."""
    return apply(
        move("eth_src", "eth_dst"),
        set_field("eth_src", leg.mac),
        move("ipv6_src", "ipv6_dst"),
        set_field("ipv6_src", eui64_link_local(leg.mac).number),
        set_field("icmpv6_type", _ECHO6_REPLY),
        set_field("ip_ttl", hops),
        output(IN_PORT),
    )


def _connected(view: RouterView, leg: Leg, cookie: int) -> Iterator[Flow]:
    """Who is in a subnet of the leg is the next hop himself."""
    for prefix in leg.prefixes:
        hop = _FIRST_HOP4 if prefix.version == 4 else _FIRST_HOP6
        yield _route(view, prefix, leg, hop, 1, cookie)


def _static(view: RouterView, route: Route, cookie: int) -> Iterator[Flow]:
    """A route by a next hop that one of the legs leads to; another does nothing."""
    leg = view.leg_towards(route.nexthop)
    if leg is not None:
        hop = tuple(set_field(*each) for each in _words(route.nexthop))
        yield _route(view, route.destination, leg, hop, 0, cookie)


def _route(
    view: RouterView, prefix: Prefix, leg: Leg, hop: tuple[Action, ...], rank: int, cookie: int
) -> Flow:
    """The longer the prefix the earlier it is looked at; `rank` decides between equals."""
    destination = (prefix.number, prefix.mask)
    if prefix.version == 4:
        what = match(**_at(view, 4, ipv4_dst=destination))
    else:
        what = match(**_at(view, 6, ipv6_dst=destination))
    on = (DecTtl(), set_field("eth_src", leg.mac), *hop)
    instructions = apply(*on, goto=p.NEIGHBOUR, metadata=(leg.network.vni, _VNI_FULL))
    return Flow(p.ROUTE, p.PRIORITY.guard + 2 * prefix.length + rank, what, instructions, cookie)


def _hop(network: Network, address: Address, mac: int, cookie: int) -> Flow:
    """Who has the next hop's address."""
    if address.version == 4:
        what = _hop4(network.vni, address.number)
    else:
        first, second, third, fourth = (word for _, word in _words(address))
        what = match(
            metadata=network.vni,
            eth_type=ETH_TYPE_IPV6,
            reg8=first,
            reg9=second,
            reg10=third,
            reg11=fourth,
        )
    return Flow(
        p.NEIGHBOUR,
        p.PRIORITY.normal,
        what,
        Instructions((_set_eth_dst(mac),), p.ROUTE_OUT),
        cookie,
    )


def _words(address: Address) -> list[tuple[str, int]]:
    """The registers that hold a next hop, with their values."""
    if address.version == 4:
        return [(p.NEXT_HOP[0], address.number)]
    return [
        (register, address.number >> (96 - 32 * at) & _WORD)
        for at, register in enumerate(p.NEXT_HOP)
    ]


def _fault(fault: p.Fault) -> Instructions:
    return apply(set_field(p.FLAGS, fault << 8, p.FAULT_MASK), goto=p.ROUTER_FAULT)
