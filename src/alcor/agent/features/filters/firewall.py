"""FW_*: what may pass a filtered port, decided by the connection that a packet belongs to.

The conntrack zone of the port (its number) tells which side opened the connection. The rules of
that side are asked about the packet that opened it, whichever packet this is: the first, a later
one, an answer or an error. So when a rule, group or member goes, the connections that it alone
allowed are cut at once, and no others; and nothing needs to be remembered but who opened them.

A port whose groups are all stateless has no connections: each packet is judged by itself. ARP and
neighbour discovery pass, since PORT_SEC has checked them; and so do solicitations and
advertisements of routers and who listens to which multicast, which the tracker has no connections
for: GUARDS lets no machine say that it is a router. Packets that the host answers itself (DHCP,
ARP, neighbour discovery) never come here. Source: ICMPV6_ALLOWED_* of neutron.agent.firewall.

Packets that `ct` calls invalid have an empty ct_tuple. The answers that a stateless port sends and
gets are invalid, as nobody committed what they answer: only they are matched by their headers.
"""

from collections.abc import Iterator
from typing import NamedTuple, cast

from alcor.agent.model.filters.firewall import Firewall
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_BY_VERSION,
    ETH_TYPE_IPV6,
    ICMPV6_OF_LINK,
    IP_PROTO_ICMPV6,
)
from alcor.ovs.flow import (
    CT_INV,
    CT_NEW,
    CT_RPL,
    CT_TRK,
    Flow,
    Match,
    MatchFields,
    Resubmit,
    apply,
    ct,
    match,
    move,
    set_field,
)

_ROUTER_SOLICIT, _ROUTER_ADVERTISE, _REDIRECT = 133, 134, 137
_SENT, _RECEIVED = (
    tuple(kind for kind in ICMPV6_OF_LINK if kind not in (_REDIRECT, other))
    for other in (_ROUTER_ADVERTISE, _ROUTER_SOLICIT)
)
STATELESS_ZONE = 0  # where nothing is ever committed


class _Side(NamedTuple):
    """The stages of one direction."""

    port: str  # the register of the port
    entry: int
    state: int
    stateless: int
    log: int
    verdict: int
    onward: int
    own_rules: int  # of connections opened in this direction
    other_rules: int
    headers: int
    links: tuple[int, ...]  # types of ICMPv6 that concern one link, and pass


_OUT = _Side(
    p.PORT_IN, p.FW_OUT, p.FW_OUT_STATE, p.FW_OUT_STATELESS, p.FW_OUT_LOG, p.FW_OUT_VERDICT,
    p.QOS_OUT, p.SG_RULES_OUT, p.SG_RULES_IN, p.SG_HEADERS_OUT,
    _SENT,
)  # fmt: skip
_IN = _Side(
    p.PORT_OUT, p.FW_IN, p.FW_IN_STATE, p.FW_IN_STATELESS, p.FW_IN_LOG, p.FW_IN_VERDICT, p.QOS_IN,
    p.SG_RULES_IN, p.SG_RULES_OUT, p.SG_HEADERS_IN,
    _RECEIVED,
)  # fmt: skip
_SIDES = (_OUT, _IN)


def host(cookie: int) -> Iterator[Flow]:
    """What is the same for every port."""
    for side in _SIDES:
        yield from _entry(side, cookie)
        yield from _state(side, cookie)
        yield from _stateless(side, cookie)
        yield from _verdict(side, cookie)


def _entry(side: _Side, cookie: int) -> Iterator[Flow]:
    onward = apply(goto=side.onward)
    yield Flow(side.entry, p.PRIORITY.guard, match(eth_type=ETH_TYPE_ARP), onward, cookie)
    for kind in side.links:
        what = match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=kind)
        yield Flow(side.entry, p.PRIORITY.guard, what, onward, cookie)
    for eth_type in ETH_TYPE_BY_VERSION.values():
        track = apply(ct(side.port, table=side.state))
        yield Flow(side.entry, p.PRIORITY.low, match(eth_type=eth_type), track, cookie)


def _state(side: _Side, cookie: int) -> Iterator[Flow]:
    for bits, rules in ((0, side.own_rules), (CT_RPL, side.other_rules)):
        ask = apply(
            move(side.port, p.SUBJECT),
            set_field(p.VERDICT, 0),
            Resubmit(rules),
            goto=side.log,
        )
        what = match(ct_state=(CT_TRK | bits, CT_TRK | CT_INV | CT_RPL))
        yield Flow(side.state, p.PRIORITY.normal, what, ask, cookie)


def _stateless(side: _Side, cookie: int) -> Iterator[Flow]:
    for bits, rules in ((CT_TRK, side.own_rules), (CT_TRK | CT_INV, side.headers)):
        ask = apply(
            move(side.port, p.SUBJECT),
            set_field(p.VERDICT, p.UNTRACKED[0]),
            Resubmit(rules),
            goto=side.log,
        )
        what = match(ct_state=(bits, CT_TRK | CT_INV))
        yield Flow(side.stateless, p.PRIORITY.normal, what, ask, cookie)


def _verdict(side: _Side, cookie: int) -> Iterator[Flow]:
    allowed, remembered = p.ALLOWED[0], p.ALLOWED[1] | p.UNTRACKED[1]
    for eth_type in ETH_TYPE_BY_VERSION.values():
        fields = {
            p.VERDICT: (allowed, remembered),
            "ct_state": (CT_TRK | CT_NEW, CT_TRK | CT_NEW),
            "eth_type": eth_type,
        }
        commit = apply(ct(side.port, commit=True), goto=side.onward)
        new = match(**cast(MatchFields, fields))
        yield Flow(side.verdict, p.PRIORITY.normal, new, commit, cookie)
    what = match(**cast(MatchFields, {p.VERDICT: p.ALLOWED}))
    yield Flow(side.verdict, p.PRIORITY.low, what, apply(goto=side.onward), cookie)


def port(wired: Wired, firewall: Firewall, cookie: int) -> Iterator[Flow]:
    """How one port is filtered."""
    port, key = wired.port, wired.number
    if not port.filtered:
        for side in _SIDES:
            what = _of(side.port, key)
            yield Flow(side.entry, p.PRIORITY.high, what, apply(goto=side.onward), cookie)
    elif firewall.is_stateless(port.security_groups):
        for side in _SIDES:
            look = apply(ct(STATELESS_ZONE, table=side.stateless))
            for eth_type in ETH_TYPE_BY_VERSION.values():
                what = _of(side.port, key, eth_type=eth_type)
                yield Flow(side.entry, p.PRIORITY.normal, what, look, cookie)


def _of(register: str, value: int, **fields: int) -> Match:
    return match(**cast(MatchFields, {register: value, **fields}))
