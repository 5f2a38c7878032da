"""ARP and ND for addresses that several ports may have (allowed address pairs) go to the agent.

Nobody knows in advance which of these ports has the address. A request that no other flow answers
goes to the agent, which passes it to the ports that may have it. What a machine announces about a
single address of its pairs goes to the agent too, and so does what other hosts pass on. Once it is
known who has the address, flows answer for it as for any neighbour (`punts/shared_addresses.py`).
"""

from collections.abc import Iterator, Sequence
from typing import Unpack

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.model.ports.meter import Meter, of_faults, of_outside
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Network
from alcor.ovs.fields import ETH_TYPE_ARP, ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import Flow, Match, MatchFields, apply, match, punt
from alcor.values.addresses import Prefix

_REQUEST, _REPLY = 1, 2
_SOLICIT, _ADVERTISE = 135, 136
_WORD = 0xFFFF_FFFF
_PUNT = punt(userdata=p.PUNT_SHARED)


def port(wired: Wired, prefixes: Sequence[Prefix], cookie: int) -> Iterator[Flow]:
    """What a port asks that nobody else answers, and what it says of itself."""
    meter = of_faults(wired.number).id
    to_agent = apply(_PUNT, meter=meter)
    for prefix in prefixes:
        what = _asks(prefix, reg14=wired.number)
        yield Flow(p.ARP_ND, p.PRIORITY.lowest, what, to_agent, cookie)
    heard = apply(_PUNT, goto=p.ACL_OUT, meter=meter)
    for prefix in dict.fromkeys(pair.prefix for pair in wired.port.address_pairs):
        if prefix.length < prefix.width:
            continue
        yield Flow(p.SERVICES, p.PRIORITY.normal, _says(wired, prefix), heard, cookie)
        for what in _announces_or_probes(wired, prefix):
            yield Flow(p.ARP_ND, p.PRIORITY.high, what, to_agent, cookie)


def meters(wired: Wired, prefixes: Sequence[Prefix]) -> Iterator[Meter]:
    """The meter that the port's punts name."""
    if prefixes:
        yield of_faults(wired.number)


def network(
    network: Network, prefixes: Sequence[Prefix], tunnel: Tunnel, is_routed: bool, cookie: int
) -> Iterator[Flow]:
    """What other hosts pass on, and what a router leads to an address that nobody is known at."""
    to_agent = apply(_PUNT, meter=of_outside(tunnel.ofport).id)
    for prefix in prefixes:
        for what in _passed_on(network, prefix):
            yield Flow(p.MULTICAST, p.PRIORITY.normal, what, to_agent, cookie)
        if is_routed and prefix.length == prefix.width:
            hop = match(**_next_hop(network, prefix))
            yield Flow(p.NEIGHBOUR, p.PRIORITY.low + 2, hop, to_agent, cookie)


def _asks(prefix: Prefix, **fields: Unpack[MatchFields]) -> Match:
    if prefix.version == 4:
        fields |= {"eth_type": ETH_TYPE_ARP, "arp_op": _REQUEST}
        return match(**(fields | {"arp_tpa": (prefix.number, prefix.mask)}))
    return _discovery(_SOLICIT, prefix, **fields)


def _discovery(kind: int, prefix: Prefix, **fields: Unpack[MatchFields]) -> Match:
    fields |= {"eth_type": ETH_TYPE_IPV6, "ip_proto": IP_PROTO_ICMPV6}
    fields |= {"icmpv6_type": kind, "icmpv6_code": 0}
    return match(**(fields | {"nd_target": (prefix.number, prefix.mask)}))


def _says(wired: Wired, prefix: Prefix) -> Match:
    """An answer: that the machine has the address."""
    if prefix.version == 6:
        return _discovery(_ADVERTISE, prefix, reg14=wired.number)
    return match(reg14=wired.number, eth_type=ETH_TYPE_ARP, arp_op=_REPLY, arp_spa=prefix.number)


def _announces_or_probes(wired: Wired, prefix: Prefix) -> Iterator[Match]:
    """Requests of a machine for what it takes itself: no flow may answer them in its name."""
    if prefix.version == 6:
        yield _discovery(_SOLICIT, prefix, reg14=wired.number, ipv6_src=0)
        return
    for source in (prefix.number, 0):
        yield match(
            reg14=wired.number,
            eth_type=ETH_TYPE_ARP,
            arp_op=_REQUEST,
            arp_spa=source,
            arp_tpa=prefix.number,
        )


def _passed_on(network: Network, prefix: Prefix) -> Iterator[Match]:
    yield _asks(prefix, metadata=network.vni, reg0=p.FROM_TUNNEL)
    if prefix.version == 6:
        yield _discovery(_ADVERTISE, prefix, metadata=network.vni, reg0=p.FROM_TUNNEL)


def _next_hop(network: Network, prefix: Prefix) -> MatchFields:
    if prefix.version == 4:
        return {"metadata": network.vni, "eth_type": ETH_TYPE_IPV4, "reg8": prefix.number}
    first, second, third, fourth = (prefix.number >> bits & _WORD for bits in (96, 64, 32, 0))
    return {
        "metadata": network.vni,
        "eth_type": ETH_TYPE_IPV6,
        "reg8": first,
        "reg9": second,
        "reg10": third,
        "reg11": fourth,
    }
