"""SERVICES: what a port sends to the host's own address goes to the agent: names and metadata.

Pings of that address are answered by flows.

The address alone decides, not the MAC: a machine may take the address for a neighbour's or send by
its gateway. The agent knows the port by `in_port`, so networks may use the same addresses.
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_ADDRESS6, SERVER_MAC
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMP, IP_PROTO_ICMPV6
from alcor.ovs.flow import Flow, apply, match, move, punt, set_field


def host(cookie: int) -> Iterator[Flow]:
    """Who looks whether the address is there hears that it is."""
    back = move("eth_src", "eth_dst"), set_field("eth_src", SERVER_MAC), set_field("ip_ttl", 64)
    asks4 = match(
        eth_type=ETH_TYPE_IPV4,
        ipv4_dst=SERVER_ADDRESS.number,
        ip_proto=IP_PROTO_ICMP,
        icmpv4_type=8,
        icmpv4_code=0,
    )
    swapped4 = move("ipv4_src", "ipv4_dst"), set_field("ipv4_src", SERVER_ADDRESS.number)
    pong4 = apply(*back, *swapped4, set_field("icmpv4_type", 0), goto=p.RETURN)
    yield Flow(p.SERVICES, p.PRIORITY.normal, asks4, pong4, cookie)
    asks6 = match(
        eth_type=ETH_TYPE_IPV6,
        ipv6_dst=SERVER_ADDRESS6.number,
        ip_proto=IP_PROTO_ICMPV6,
        icmpv6_type=128,
        icmpv6_code=0,
    )
    swapped6 = move("ipv6_src", "ipv6_dst"), set_field("ipv6_src", SERVER_ADDRESS6.number)
    pong6 = apply(*back, *swapped6, set_field("icmpv6_type", 129), goto=p.RETURN)
    yield Flow(p.SERVICES, p.PRIORITY.normal, asks6, pong6, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """The punts of one port, of the families that it has addresses of, through its own meter."""
    to_agent = apply(punt(userdata=p.PUNT_SERVICE), meter=m.of_questions(wired.number).id)
    key, versions = wired.number, {fixed.address.version for fixed in wired.port.fixed_ips}
    if 4 in versions:
        mine = match(reg14=key, eth_type=ETH_TYPE_IPV4, ipv4_dst=SERVER_ADDRESS.number)
        yield Flow(p.SERVICES, p.PRIORITY.low, mine, to_agent, cookie)
    if 6 in versions:
        mine = match(reg14=key, eth_type=ETH_TYPE_IPV6, ipv6_dst=SERVER_ADDRESS6.number)
        yield Flow(p.SERVICES, p.PRIORITY.low, mine, to_agent, cookie)


def meters(wired: Wired) -> Iterator[Meter]:
    """The meter that the port's punts name."""
    if wired.port.fixed_ips:
        yield m.of_questions(wired.number)
