"""ACL_OUT, ACL_IN: what may cross the edge of a subnet, by ordered rules that keep no state.

Packets that stay within the subnet are not filtered, nor those that can't leave their link (ARP,
neighbour discovery, link-local addresses). Rules are tried in order of their numbers; a packet that
matches none is denied. A later fragment carries no ports. So a rule that names ports or ICMP types
is matched against a fragment by its other fields if it allows, and never if it denies.

If an ACL is logged, the agent is handed copies of what its rules decide, metered as those of
`decision_log.py` are.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.model.ports.monitoring import Limit, Wanted
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import AclRule, Network, Subnet
from alcor.ovs.fields import (
    ETH_TYPE_BY_VERSION,
    ETH_TYPE_IPV6,
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_SCTP,
    IP_PROTO_TCP,
    IP_PROTO_UDP,
    LATER_FRAGMENT,
)
from alcor.ovs.flow import DROP, Flow, Instructions, Match, MatchFields, Punt, apply, match, punt
from alcor.ovs.ranges import masks_of_range
from alcor.values.addresses import Prefix

_WITHIN, _FIRST, _LAST = 40_000, 33_000, 100  # priorities; a rule's is _FIRST less its number
_LINK_LOCAL = Prefix(6, 0xFE80 << 112, 10)
_ND = (135, 136)
_PORT_FIELD = {IP_PROTO_TCP: "tcp_dst", IP_PROTO_UDP: "udp_dst", IP_PROTO_SCTP: "sctp_dst"}
_PORTS_ALL = (0, 0xFFFF)

Fields = dict[str, object]


class _Edge(NamedTuple):
    """One direction: where it is asked, what comes next, which end is the subnet's."""

    table: int
    onward: int
    mine: str
    theirs: str


_EDGE = {
    False: _Edge(p.ACL_OUT, p.FW_OUT, "src", "dst"),
    True: _Edge(p.ACL_IN, p.FW_IN, "dst", "src"),
}


def host(cookie: int) -> Iterator[Flow]:
    """What never crosses an edge."""
    for edge in _EDGE.values():
        onward = apply(goto=edge.onward)
        free: list[Fields] = [_end(6, end, _LINK_LOCAL) for end in ("src", "dst")]
        free += [{"ip_proto": IP_PROTO_ICMPV6, "icmpv6_type": kind} for kind in _ND]
        for fields in free:
            what = _match({"eth_type": ETH_TYPE_IPV6, **fields})
            yield Flow(edge.table, p.PRIORITY.guard + _WITHIN, what, onward, cookie)


def filtering(
    network: Network, subnet: Subnet, rules: Iterable[AclRule], wanted: Wanted, cookie: int
) -> Iterator[Flow]:
    """The filter of one subnet, both ways; `rules` in order. `wanted`: what is logged of it."""
    version = subnet.prefix.version
    for edge in _EDGE.values():
        inside: Fields = {p.VNI: network.vni, "eth_type": ETH_TYPE_BY_VERSION[version]}
        inside |= _end(version, edge.mine, subnet.prefix)
        within = inside | _end(version, edge.theirs, subnet.prefix)
        yield Flow(edge.table, _WITHIN, _match(within), apply(goto=edge.onward), cookie)
        yield Flow(edge.table, _LAST, _match(inside), _decided(edge, False, wanted), cookie)
    taken: set[tuple[int, int, Match]] = set()
    for rule in rules:
        if rule.version != version:
            continue
        edge = _EDGE[rule.ingress]
        inside = {p.VNI: network.vni, "eth_type": ETH_TYPE_BY_VERSION[version]}
        inside |= _end(version, edge.mine, subnet.prefix)
        done = _decided(edge, rule.allow, wanted)
        for fields in _asked(rule, edge):
            flow = Flow(edge.table, _FIRST - rule.number, _match(inside | fields), done, cookie)
            if flow[:3] not in taken:
                taken.add(flow[:3])
                yield flow


def meters(
    network: Network, subnet: Subnet, rules: Iterable[AclRule], wanted: Wanted, limit: Limit
) -> Iterator[Meter]:
    """The meters that these flows name: the host's, which all that is logged there share."""
    if any(wanted):
        flows = filtering(network, subnet, rules, wanted, 0)
        actions = (action for flow in flows for action in flow.instructions.actions)
        for number in {action.meter for action in actions if isinstance(action, Punt)}:
            yield Meter(number, *limit)


def _decided(edge: _Edge, allow: bool, wanted: Wanted) -> Instructions:
    """What becomes of a packet, and a copy for the agent if that is logged."""
    accepted = punt(meter=m.ACCEPTED, userdata=p.PUNT_ACL_ACCEPTED)
    dropped = punt(meter=m.DROPPED, userdata=p.PUNT_ACL_DROPPED)
    if allow:
        return apply(*((accepted,) if wanted.accepted else ()), goto=edge.onward)
    return apply(dropped) if wanted.dropped else DROP


def _asked(rule: AclRule, edge: _Edge) -> Iterator[Fields]:
    """The matches of a rule, but for the subnet."""
    peer = _end(rule.version, edge.theirs, rule.peer) if rule.peer is not None else {}
    protocol = rule.protocol
    if rule.version == 6 and protocol == IP_PROTO_ICMP:
        protocol = IP_PROTO_ICMPV6
    if protocol is None:
        yield peer
        return
    base = {**peer, "ip_proto": protocol}
    details = list(_details(rule, protocol))
    for fields in details:
        yield base | fields
    if rule.allow and details != [{}]:
        yield base | {"ip_frag": LATER_FRAGMENT}


def _details(rule: AclRule, protocol: int) -> Iterator[Fields]:
    """Ports or ICMP type and code; nothing to match when any will do.

    Of a protocol whose ports the switch can't see: an allowing rule lets nothing pass, a denying
    one denies it all.
    """
    icmp = {4: IP_PROTO_ICMP, 6: IP_PROTO_ICMPV6}[rule.version]
    if rule.ports is not None and rule.ports != _PORTS_ALL:
        name = _PORT_FIELD.get(protocol)
        if name is not None:
            for each in masks_of_range(*rule.ports):
                yield {name: each}
        elif not rule.allow:
            yield {}
    elif protocol == icmp and rule.icmp_type is not None:
        fields: Fields = {f"icmpv{rule.version}_type": rule.icmp_type}
        if rule.icmp_code is not None:
            fields[f"icmpv{rule.version}_code"] = rule.icmp_code
        yield fields
    else:
        yield {}


def _end(version: int, end: str, prefix: Prefix) -> Fields:
    return {f"ipv{version}_{end}": (prefix.number, prefix.mask)}


def _match(fields: Fields) -> Match:
    return match(**cast(MatchFields, fields))
