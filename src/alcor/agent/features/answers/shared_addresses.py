"""ARP and ND for addresses that several ports may have (allowed address pairs) go to the agent.

Nobody knows in advance which of these ports has the address. A request that no other flow answers
goes to the agent, which passes it to the ports that may have it. What a machine announces about a
single address of its pairs goes to the agent too, and so does what other hosts pass on. Once it is
known who has the address, flows answer for it as for any neighbour (`punts/shared_addresses.py`).

A port without port security may have every address: all that it says goes there.

On a physical network everybody is asked as on any wire (`networks/physical.py`), and what a machine
announces is for those outside as well: the agent only hears of it.
"""

from collections.abc import Iterator, Sequence
from typing import Unpack

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.model.ports.meter import Meter, of_faults, of_outside
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Network, Port
from alcor.ovs.fields import ETH_TYPE_ARP, ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import Flow, Instructions, Match, MatchFields, apply, match, punt
from alcor.values.addresses import Address, Prefix

_REQUEST, _REPLY = 1, 2
_SOLICIT, _ADVERTISE = 135, 136
_WORD = 0xFFFF_FFFF
_PUNT = punt(userdata=p.PUNT_SHARED)


def port(wired: Wired, prefixes: Sequence[Prefix], cookie: int) -> Iterator[Flow]:
    """What a port asks that nobody else answers, and what it says of itself."""
    meter = of_faults(wired.number).id
    to_agent, announced = apply(_PUNT, meter=meter), _announced(wired)
    spoken_for = _spoken_for(wired.port, prefixes)
    for prefix in prefixes:
        what = _asks(prefix, reg14=wired.number)
        if prefix.length or not wired.network.physical_network:
            yield Flow(p.ARP_ND, p.PRIORITY.lowest, what, to_agent, cookie)
        elif prefix in spoken_for:
            yield Flow(p.ARP_ND, p.PRIORITY.lowest, what, announced, cookie)
    heard = apply(_PUNT, goto=p.ACL_OUT, meter=meter)
    for prefix in spoken_for:
        yield Flow(p.SERVICES, p.PRIORITY.normal, _says(wired, prefix), heard, cookie)
        if not prefix.length:
            continue  # what it announces is known as soon as somebody has it (`holder`)
        for what in _announces_or_probes(wired, prefix):
            yield Flow(p.ARP_ND, p.PRIORITY.high, what, announced, cookie)


def _announced(wired: Wired) -> Instructions:
    """To the agent; on a physical network also to all."""
    to_all = p.MULTICAST if wired.network.physical_network else None
    return apply(_PUNT, goto=to_all, meter=of_faults(wired.number).id)


def _spoken_for(port: Port, prefixes: Sequence[Prefix]) -> list[Prefix]:
    """Of what a port says for itself that it has it: single addresses, or all of a family, if that
    is among the network's."""
    pairs = [pair.prefix for pair in port.address_pairs]
    if not port.port_security:
        pairs += [Prefix(version, 0, 0) for version in (4, 6)]
    said = (each for each in dict.fromkeys(pairs) if each.length in (0, each.width))
    return [each for each in said if each.length or each in prefixes]


def holder(wired: Wired, prefixes: Sequence[Prefix], held: Address, cookie: int) -> Iterator[Flow]:
    """What a port that may have every address announces of one that somebody has already."""
    if Prefix(held.version, 0, 0) in _spoken_for(wired.port, prefixes):
        just_this = Prefix(held.version, held.number, 32 if held.version == 4 else 128)
        for what in _announces_or_probes(wired, just_this):
            yield Flow(p.ARP_ND, p.PRIORITY.high, what, _announced(wired), cookie)


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
        if network.physical_network and not prefix.length:
            continue
        for what in _passed_on(network, prefix):
            yield Flow(p.MULTICAST, p.PRIORITY.normal, what, to_agent, cookie)
        if is_routed and prefix.length in (0, prefix.width):
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
    source = (prefix.number, prefix.mask)
    return match(reg14=wired.number, eth_type=ETH_TYPE_ARP, arp_op=_REPLY, arp_spa=source)


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
    if not prefix.length:
        family = ETH_TYPE_IPV4 if prefix.version == 4 else ETH_TYPE_IPV6
        return {"metadata": network.vni, "eth_type": family}
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
