"""UPLINK_IN, ARP_ND, RETURN, L2_DST: machines on a physical network, beside whoever else is there.

Towards the outside a host answers for its own machines only: so every address has one answer, and
switches see every MAC in one place. A request that no host can answer goes to everybody, inside and
outside, as on any network: a machine may have more addresses than hosts know. What somebody outside
announces is heard by all machines, or they would go on with the MAC that an address had before.
Routers are for the machines of hosts only: they are on all hosts at once, so towards the outside no
host answers for them, or takes in packets for them.
"""

from collections.abc import Iterable, Iterator
from typing import Unpack

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.model.ports.meter import Meter, of_outside
from alcor.agent.model.ports.tags import put_on
from alcor.agent.model.routers.routing import Leg
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Network
from alcor.ovs.fields import ETH_TYPE_ARP, ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import (
    DROP,
    Flow,
    Instructions,
    Match,
    MatchFields,
    apply,
    load,
    match,
    output,
    punt,
)
from alcor.values.addresses import Address, Mac, eui64_link_local

_REQUEST, _REPLY, _SOLICIT, _ADVERTISE = 1, 2, 135, 136
_FROM_NOWHERE = load("in_port", 0, bits=16)  # a switch sends nothing back to where it came from
_TO_ANSWER, _ON = apply(goto=p.ARP_ND), apply(goto=p.L2_DST)
_GROUP = (1 << 40, 1 << 40)  # the bit that a broadcast or multicast MAC has
_UNKNOWN = p.PRIORITY.lowest - 1  # below addresses that several ports may have


def network(network: Network, uplink: int, cookie: int) -> Iterator[Flow]:
    """What is said to all outside goes to all; answers to questions from there go back."""
    vni = network.vni
    for asks in _questions(vni, p.FROM_UPLINK):
        yield Flow(p.UPLINK_IN, p.PRIORITY.low, asks, _ON, cookie)
    heard = apply(punt(userdata=p.PUNT_HEARD), goto=p.MULTICAST, meter=of_outside(uplink).id)
    for says in _said_to_all(vni):
        yield Flow(p.UPLINK_IN, p.PRIORITY.high, says, heard, cookie)
    back = apply(_FROM_NOWHERE, *put_on(network.vlan), output(uplink))
    came = match(metadata=vni, reg0=p.FROM_UPLINK)
    yield Flow(p.RETURN, p.PRIORITY.normal, came, back, cookie)


def asking(network: Network, cookie: int) -> Iterator[Flow]:
    """Questions that nobody here answers go to all, with an uplink here or without."""
    if network.physical_network:
        for asks in _questions(network.vni, p.FROM_INSIDE):
            yield Flow(p.ARP_ND, _UNKNOWN, asks, _ON, cookie)


def _questions(vni: int, flags: tuple[int, int]) -> Iterator[Match]:
    yield match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=_REQUEST, reg0=flags)
    yield match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=_SOLICIT,
        icmpv6_code=0,
        reg0=flags,
    )


def _said_to_all(vni: int, **came: Unpack[MatchFields]) -> Iterator[Match]:
    every: MatchFields = {"metadata": vni, "eth_dst": _GROUP, **came}
    yield match(**(every | {"eth_type": ETH_TYPE_ARP, "arp_op": _REPLY}))
    yield match(
        **(
            every
            | {"eth_type": ETH_TYPE_IPV6, "ip_proto": IP_PROTO_ICMPV6, "icmpv6_type": _ADVERTISE}
        )
    )


def told(network: Network, tunnel: Tunnel, cookie: int) -> Iterator[Flow]:
    """A host hears by the tunnel where MACs are that no neighbour has: one without an uplink of all
    of them, one with an uplink of those that are on no wire."""
    to_agent = punt(userdata=p.PUNT_SHARED)
    heard = apply(to_agent, goto=p.MULTICAST, meter=of_outside(tunnel.ofport).id)
    for says in _said_to_all(network.vni, reg0=p.FROM_TUNNEL):
        yield Flow(p.L2_DST, p.PRIORITY.normal, says, heard, cookie)


def told_meters(tunnel: Tunnel) -> Iterator[Meter]:
    """The meter that these flows name."""
    yield of_outside(tunnel.ofport)


def announced(network: Network, uplink: int, found: Address, cookie: int) -> Iterator[Flow]:
    """Who was found outside says by a request that its MAC is another now (RFC 5227, 2.3)."""
    if found.version == 4:
        what = match(
            metadata=network.vni,
            eth_type=ETH_TYPE_ARP,
            arp_op=_REQUEST,
            arp_spa=found.number,
            arp_tpa=found.number,
            reg0=p.FROM_UPLINK,
        )
        heard = apply(punt(userdata=p.PUNT_HEARD), goto=p.MULTICAST, meter=of_outside(uplink).id)
        yield Flow(p.UPLINK_IN, p.PRIORITY.high, what, heard, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """A machine here is answered for, and hears who answers it."""
    network, port = wired.network, wired.port
    if not network.physical_network:
        return
    yield from asked(network, [each.address for each in port.fixed_ips], port.mac, cookie)
    yield from answered(network, port.mac, cookie)


def answered(network: Network, mac: Mac, cookie: int) -> Iterator[Flow]:
    """What somebody outside answers to a MAC here gets to it."""
    vni = network.vni
    reply = match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=_REPLY, eth_dst=mac)
    advertisement = match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=_ADVERTISE,
        eth_dst=mac,
    )
    for says in (reply, advertisement):
        yield Flow(p.UPLINK_IN, p.PRIORITY.high, says, _ON, cookie)


def moved(network: Network, mac: Mac, meter: Meter, cookie: int) -> Iterator[Flow]:
    """A MAC that the agent has found inside sends from outside now: the agent hears it."""
    sent = match(metadata=network.vni, eth_src=mac, reg0=p.FROM_UPLINK)
    yield Flow(p.UPLINK_IN, p.PRIORITY.guard, sent, _heard(meter), cookie)


def _heard(meter: Meter) -> Instructions:
    return apply(punt(userdata=p.PUNT_SHARED), goto=p.L2_DST, meter=meter.id)


def claimed(network: Network, held: Address, meter: Meter, cookie: int) -> Iterator[Flow]:
    """Somebody outside announces an address that the agent has found inside: nobody answers him."""
    vni, came = network.vni, p.FROM_UPLINK
    if held.version == 4:
        said = match(
            metadata=vni,
            eth_type=ETH_TYPE_ARP,
            arp_op=_REQUEST,
            arp_spa=held.number,
            arp_tpa=held.number,
            reg0=came,
        )
    else:
        said = match(
            metadata=vni,
            eth_type=ETH_TYPE_IPV6,
            ip_proto=IP_PROTO_ICMPV6,
            icmpv6_type=_ADVERTISE,
            icmpv6_code=0,
            nd_target=held.number,
            eth_dst=_GROUP,
            reg0=came,
        )
    yield Flow(p.UPLINK_IN, p.PRIORITY.guard + 1, said, _heard(meter), cookie)


def asked(network: Network, addresses: Iterable[Address], mac: Mac, cookie: int) -> Iterator[Flow]:
    """Who asks outside for addresses that are here, at this MAC, is answered."""
    known = list(addresses)
    if any(each.version == 6 for each in known):
        known.append(eui64_link_local(mac))
    for address in known:
        what = _asks(network.vni, address)
        yield Flow(p.UPLINK_IN, p.PRIORITY.normal, what, _TO_ANSWER, cookie)


def _asks(vni: int, address: Address) -> Match:
    if address.version == 4:
        return match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=_REQUEST, arp_tpa=address.number)
    return match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=_SOLICIT,
        icmpv6_code=0,
        nd_target=address.number,
    )


def leg(leg: Leg, cookie: int) -> Iterator[Flow]:
    """What comes from outside for a router's MAC inside is for no host."""
    if leg.network.physical_network:
        flags = (p.FROM_UPLINK[0], p.FROM_UPLINK[1] | p.ROUTED[1])
        what = match(metadata=leg.network.vni, eth_dst=leg.mac, reg0=flags)
        yield Flow(p.L2_DST, p.PRIORITY.high, what, DROP, cookie)
