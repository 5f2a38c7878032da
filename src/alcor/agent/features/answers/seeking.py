"""SEEK: in a network that is held lazily, a packet for an unknown neighbour waits here for it.

A packet that asks for, goes to, or is routed to a neighbour of which this host has no flow goes to
the agent, which looks for the neighbour and then sends the packet on from its stage
(`punts/seeking.py`). Each port is metered. A packet comes here only once: if there is still no flow
after that, nobody has the address.
"""

from collections.abc import Iterator

from alcor.agent.model.model import Tunnel, Wired
from alcor.agent.model.ports.meter import Meter, of_outside, of_questions
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.router import fault
from alcor.goal_state.entries import Network
from alcor.ovs.fields import ETH_TYPE_ARP, ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import DROP, Flow, Instructions, apply, match, punt, set_field

_REQUEST, _SOLICIT = 1, 135
_PUNT = punt(userdata=p.PUNT_SEEK)


def wanting(wants: p.Wants) -> tuple[int, int]:
    """Value and mask of FLAGS of a packet that wants a neighbour."""
    return wants << 11, p.WANTS_MASK


def host(cookie: int) -> Iterator[Flow]:
    """What was held, and for which nobody was found: a router tells who sent it."""
    value, mask = wanting(p.Wants.NEXT_HOP)
    routed = match(reg0=(value | p.AGAIN[0], mask | p.AGAIN[1]))
    yield Flow(p.SEEK, p.PRIORITY.guard, routed, fault(p.Fault.NO_HOST), cookie)
    yield Flow(p.SEEK, p.PRIORITY.high, match(reg0=p.AGAIN), DROP, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """What a port wants, in its own network or behind routers, through its meter."""
    to_agent = apply(_PUNT, meter=of_questions(wired.number).id)
    yield Flow(p.SEEK, p.PRIORITY.normal, match(reg14=wired.number), to_agent, cookie)


def network(network: Network, tunnel: Tunnel | None, cookie: int) -> Iterator[Flow]:
    """Who is not known in the network."""
    vni, inside = network.vni, p.FROM_INSIDE
    arp = match(metadata=vni, eth_type=ETH_TYPE_ARP, arp_op=_REQUEST, reg0=inside)
    solicitation = match(
        metadata=vni,
        eth_type=ETH_TYPE_IPV6,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=_SOLICIT,
        icmpv6_code=0,
        reg0=inside,
    )
    for asks in (arp, solicitation):
        yield Flow(p.ARP_ND, p.PRIORITY.lowest - 1, asks, _seek(p.Wants.ADDRESS), cookie)
    sent = match(metadata=vni, reg0=p.FROM_HERE)
    yield Flow(p.L2_DST, p.PRIORITY.lowest, sent, _seek(p.Wants.MAC), cookie)
    for family in (ETH_TYPE_IPV4, ETH_TYPE_IPV6):
        routed = match(metadata=vni, eth_type=family)
        yield Flow(p.NEIGHBOUR, p.PRIORITY.low + 1, routed, _seek(p.Wants.NEXT_HOP), cookie)
    if tunnel is not None:  # what came from outside is of no port
        to_agent = apply(_PUNT, meter=of_outside(tunnel.ofport).id)
        came = match(metadata=vni, reg14=0)
        yield Flow(p.SEEK, p.PRIORITY.low, came, to_agent, cookie)


def asked_last(network: Network, tunnel: Tunnel, cookie: int) -> Iterator[Flow]:
    """Whoever may have every address is asked for what is nobody's, as far as was found."""
    wants, mask = wanting(p.Wants.ADDRESS)
    flags = (wants | p.AGAIN[0], mask | p.AGAIN[1] | p.FROM_INSIDE[1])
    to_agent = apply(punt(userdata=p.PUNT_SHARED), meter=of_outside(tunnel.ofport).id)
    what = match(metadata=network.vni, reg0=flags)
    yield Flow(p.SEEK, p.PRIORITY.guard, what, to_agent, cookie)


def _seek(wants: p.Wants) -> Instructions:
    return apply(set_field(p.FLAGS, *wanting(wants)), goto=p.SEEK)


def meters_of_port(wired: Wired) -> Iterator[Meter]:
    """The meter that a port's punt names."""
    yield of_questions(wired.number)


def meters(tunnel: Tunnel | None) -> Iterator[Meter]:
    """The meter that a network's punt names."""
    if tunnel is not None:
        yield of_outside(tunnel.ofport)
