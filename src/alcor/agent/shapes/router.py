"""Matches and actions that all stages of a router have in common.

Pure. What a router is known by, what it takes, how it names a next hop, and how it answers.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Unpack

from alcor.agent.model.ports.qos import Limits
from alcor.agent.model.routers.exits import Exit
from alcor.agent.model.routers.metering import Tap
from alcor.agent.model.routers.routing import Leg, RouterView
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import Filled, Shape
from alcor.goal_state.entries import Network
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMP, IP_PROTO_ICMPV6
from alcor.ovs.flow import (
    Action,
    CheckLarger,
    DecTtl,
    Flow,
    Instructions,
    Match,
    MatchFields,
    Resubmit,
    apply,
    check_larger,
    match,
    move,
    multipath,
    set_field,
)
from alcor.ovs.openflow.flows import FlowBody, FlowKey
from alcor.values.addresses import Address, Mac, Prefix

hops = 60  # of what a router itself says: spent before a switch gives up following it around
ECHO, ECHO_REPLY, ECHO6, ECHO6_REPLY = 8, 0, 128, 129
ethernet_header_bytes = 14  # of a frame that its MTU does not count
VNI_FULL = (1 << 64) - 1

_WORD = 0xFFFF_FFFF
_OWN_TTL = set_field("ip_ttl", hops + 1)  # it is routed like any other packet, which costs one
_SELF4 = (move("ipv4_dst", p.NEXT_HOP[0]),)
_SELF6 = tuple(
    move("ipv6_dst", register, 32, 96 - 32 * at) for at, register in enumerate(p.NEXT_HOP)
)


class Way(NamedTuple):
    """Where a route leads: what is done, into which network, to be looked at by which stage."""

    actions: tuple[Action, ...]
    network: Network
    goto: int


def taken_by(view: RouterView, goto: int) -> Instructions:
    """The router has the packet from now on."""
    high, low = p.ROUTER
    return apply(set_field(high, view.key >> 32), set_field(low, view.key & _WORD), goto=goto)


def taken_at(
    view: RouterView, side: Leg | Exit, network: Network, mac: Mac, goto: int
) -> Iterator[tuple[Match, Instructions]]:
    """What the router takes of what is sent to its MAC on one side, from here."""
    if not view.joins_scopes:
        mine = match(metadata=network.vni, eth_dst=mac, reg0=p.FROM_HERE)
        yield mine, taken_by(view, goto)
        return
    for version, family in ((4, ETH_TYPE_IPV4), (6, ETH_TYPE_IPV6)):
        number = set_field(p.SCOPE, view.scope_number(version, side.scope(version)))
        what = match(metadata=network.vni, eth_dst=mac, eth_type=family, reg0=p.FROM_HERE)
        taken = taken_by(view, goto)
        yield what, taken._replace(actions=(*taken.actions, number))


def held_by(view: RouterView, version: int, **fields: Unpack[MatchFields]) -> MatchFields:
    """Conditions on a packet that the router has."""
    fields["reg12"], fields["reg13"] = view.key >> 32, view.key & _WORD
    fields["eth_type"] = ETH_TYPE_IPV4 if version == 4 else ETH_TYPE_IPV6
    return fields


def leaving(
    view: RouterView, exit_: Exit, version: int, **fields: Unpack[MatchFields]
) -> MatchFields:
    """Conditions on a packet that the router has and that is routed to this way out."""
    if len(view.exits) > 1:
        fields["reg4"] = view.exits.index(exit_)
    return held_by(view, version, **fields)


def came_by(view: RouterView, exit_: Exit) -> tuple[int, int]:
    """FLAGS of what came by one of several ways out."""
    return (1 + view.exits.index(exit_)) << 20, p.CAME_BY_MASK


def counting(taps: Iterable[Tap]) -> tuple[Action, ...]:
    """Ask METERED about a packet, for each of these."""
    high, low = p.TAP
    asked = (
        (set_field(high, tap >> 32), set_field(low, tap & _WORD), Resubmit(p.METERED))
        for tap in taps
    )
    return tuple(action for actions in asked for action in actions)


def limiting(limits: Limits | None, ingress: bool) -> tuple[Action, ...]:
    """Ask LIMITED about a packet, and mark what leaves."""
    if limits is None:
        return ()
    marks: list[Action] = []
    if limits.policy.dscp is not None and not ingress:
        marks.append(set_field("ip_dscp", limits.policy.dscp))
    for id_ in limits.ids(ingress):
        marks += (set_field(p.METER, id_), Resubmit(p.LIMITED))
    return tuple(marks)


def to(view: RouterView, address: Address) -> MatchFields:
    """Conditions on a packet for an address."""
    if address.version == 4:
        return held_by(view, 4, ipv4_dst=address.number)
    return held_by(view, 6, ipv6_dst=address.number)


def ping(mine: MatchFields) -> Match:
    """An echo request among what is mine."""
    if mine["eth_type"] == ETH_TYPE_IPV4:
        return match(**(mine | {"ip_proto": IP_PROTO_ICMP, "icmpv4_type": ECHO, "icmpv4_code": 0}))
    return match(**(mine | {"ip_proto": IP_PROTO_ICMPV6, "icmpv6_type": ECHO6, "icmpv6_code": 0}))


def own(
    view: RouterView, address: Address, cookie: int, flags: tuple[int, int] = (0, 0)
) -> Iterator[Flow]:
    """The router's own address: it answers ping from any side, and offers nothing else.

    With `flags` only of a packet that bears them it is known that it is for the router itself.
    """
    mine = to(view, address)
    if address.version == 4:
        swapped = (move("ipv4_src", "ipv4_dst"), set_field("ipv4_src", address.number))
        pong = apply(*swapped, set_field("icmpv4_type", ECHO_REPLY), _OWN_TTL, goto=p.ROUTE)
    else:
        swapped = (move("ipv6_src", "ipv6_dst"), set_field("ipv6_src", address.number))
        pong = apply(*swapped, set_field("icmpv6_type", ECHO6_REPLY), _OWN_TTL, goto=p.ROUTE)
    yield Flow(p.ROUTER_IN, p.PRIORITY.guard, ping(mine), pong, cookie)
    yield Flow(
        p.ROUTER_IN,
        p.PRIORITY.high,
        match(**(mine | {"reg0": flags})),
        fault(p.Fault.NO_SERVICE),
        cookie,
    )


def route(view: RouterView, prefix: Prefix, way: Way, rank: int, cookie: int) -> Flow:
    """The longer the prefix the earlier it is looked at; `rank`, -1 to 1, is for equals."""
    destination = (prefix.number, prefix.mask)
    if prefix.version == 4:
        what = match(**held_by(view, 4, ipv4_dst=destination))
    else:
        what = match(**held_by(view, 6, ipv6_dst=destination))
    on = apply(*way.actions, goto=way.goto, metadata=(way.network.vni, VNI_FULL))
    return Flow(p.ROUTE, p.PRIORITY.guard + 2 * prefix.length + rank, what, on, cookie)


def routes(view: RouterView, prefix: Prefix, ways: Sequence[Way], cookie: int) -> Iterator[Flow]:
    """A tenant's route; of several next hops a connection takes one."""
    if len(ways) == 1:
        yield route(view, prefix, ways[0], 0, cookie)
        return
    flow = route(view, prefix, ways[0], 0, cookie)
    yield flow._replace(instructions=apply(multipath(len(ways), p.PICK), goto=p.ROUTE_PICK))
    destination = (prefix.number, prefix.mask)
    for number, way in enumerate(ways):
        if prefix.version == 4:
            what = match(**held_by(view, 4, ipv4_dst=destination, reg4=number))
        else:
            what = match(**held_by(view, 6, ipv6_dst=destination, reg4=number))
        on = apply(*way.actions, goto=way.goto, metadata=(way.network.vni, VNI_FULL))
        yield Flow(p.ROUTE_PICK, flow.priority, what, on, cookie)


def static_ways(view: RouterView) -> dict[Prefix, list[Way]]:
    """The ways of a tenant's routes whose next hops a leg leads to, or somebody outside is."""
    ways: dict[Prefix, list[Way]] = {}
    for each in view.routes:
        leg = view.leg_towards(each.nexthop)
        outside = next((exit_ for exit_ in view.exits if exit_.leads_to(each.nexthop)), None)
        if leg is not None:
            found = way_to(view, leg, hop_by(each.nexthop))
        elif outside is not None:
            found = way_out(view, outside, hop_by(each.nexthop))
        else:
            continue
        ways.setdefault(each.destination, []).append(found)
    return ways


def way_to(view: RouterView, leg: Leg, hop: tuple[Action, ...]) -> Way:
    """One hop less, from the router's MAC on that side, to the next hop; and not too much."""
    on = (DecTtl(), set_field("eth_src", leg.mac), *hop)
    goto = p.ROUTE_SCOPE if view.joins_scopes else onward(view, leg)
    if not _is_narrow(view, leg):
        return Way(on, leg.network, goto)
    check = _larger_than(leg.network.mtu)
    return Way((*on, check), leg.network, goto)


def way_out(view: RouterView, exit_: Exit, hop: tuple[Action, ...]) -> Way:
    """To the next hop outside; what may be too large for there is known before it is translated."""
    if len(view.exits) > 1:
        hop = (*hop, set_field(p.PICK, view.exits.index(exit_)))
    if exit_.network.mtu >= view.inner_mtu_max:
        return Way(hop, exit_.network, p.NAT_OUT)
    check = _larger_than(exit_.network.mtu)
    return Way((*hop, check), exit_.network, p.NAT_OUT)


def onward(view: RouterView, leg: Leg) -> int:
    """The stage that what goes to a leg comes to: whether it fits is asked where it may not."""
    return p.ROUTE_SIZE if view.exits or _is_narrow(view, leg) else p.NEIGHBOUR


def _is_narrow(view: RouterView, leg: Leg) -> bool:
    """Whether another of the router's networks takes larger packets than the leg's."""
    return leg.network.mtu < view.mtu_max


def sized(view: RouterView, exit_: Exit) -> tuple[Action, ...]:
    """What comes from outside may be larger than its network's MTU says, which is a tunnel's; the
    legs that take less than others ask again. Its sender is told by the way that it came."""
    widest = view.inner_mtu_max
    if not widest:
        return ()
    way = (set_field(p.FLAGS, *came_by(view, exit_)),) if len(view.exits) > 1 else ()
    return (*way, _larger_than(widest))


def _larger_than(mtu: int) -> CheckLarger:
    """Whether a packet is larger; of the very largest MTUs as far as can be asked."""
    length = min(mtu + ethernet_header_bytes, 0xFFFF)
    return check_larger(length, p.FLAGS, p.TOO_LARGE_BIT)


def hop_itself(version: int) -> tuple[Action, ...]:
    """The destination is the next hop."""
    return _SELF4 if version == 4 else _SELF6


def hop_by(address: Address) -> tuple[Action, ...]:
    """An address is the next hop."""
    return tuple(set_field(*each) for each in _words(address))


def hop(network: Network, address: Address, mac: int, cookie: int) -> Filled:
    """Who has the next hop's address."""
    if address.version == 4:
        return _HOP4, (cookie, network.vni, mac, address.number)
    return _HOP6, (cookie, network.vni, mac, *(word for _, word in _words(address)))


def hop_of(key: FlowKey, body: FlowBody) -> tuple[int, Address, Mac] | None:
    """What `hop` made a flow of: the network's VNI, address and MAC; None of any other flow."""
    for version, shape in ((4, _HOP4), (6, _HOP6)):
        numbers = shape.numbers_of(key, body)
        if numbers is not None:
            _, vni, mac, *words = numbers
            number = sum(word << 32 * at for at, word in enumerate(reversed(words)))
            return vni, Address(version, number), Mac(mac)
    return None


def _neighbour(cookie: int, mac: int, what: Match) -> Flow:
    found = apply(set_field("eth_dst", mac), goto=p.ROUTE_OUT)
    return Flow(p.NEIGHBOUR, p.PRIORITY.normal, what, found, cookie)


def _neighbour4(cookie: int, vni: int, mac: int, address: int) -> Flow:
    return _neighbour(cookie, mac, match(metadata=vni, eth_type=ETH_TYPE_IPV4, reg8=address))


def _neighbour6(cookie: int, vni: int, mac: int, *words: int) -> Flow:
    first, second, third, fourth = words
    hop = match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        reg8=first,
        reg9=second,
        reg10=third,
        reg11=fourth,
    )
    return _neighbour(cookie, mac, hop)


_HOP4 = Shape(_neighbour4, p.VNI, "eth_dst", p.NEXT_HOP[0])
_HOP6 = Shape(_neighbour6, p.VNI, "eth_dst", *p.NEXT_HOP)


def _words(address: Address) -> list[tuple[str, int]]:
    """The registers that hold a next hop, with their values."""
    if address.version == 4:
        return [(p.NEXT_HOP[0], address.number)]
    return [
        (register, address.number >> (96 - 32 * at) & _WORD)
        for at, register in enumerate(p.NEXT_HOP)
    ]


def fault(fault: p.Fault) -> Instructions:
    """The packet can't be forwarded."""
    return apply(set_field(p.FLAGS, fault << 8, p.FAULT_MASK), goto=p.ROUTER_FAULT)
