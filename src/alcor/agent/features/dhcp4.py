"""SERVICES: a port's DHCPv4 requests go to the agent, at a rate that can't hurt it."""

from collections.abc import Iterator, Mapping

from alcor.agent.model import meter as m
from alcor.agent.model.meter import Meter
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Subnet
from alcor.ovs.fields import ETH_TYPE_IPV4, IP_PROTO_UDP
from alcor.ovs.flow import Flow, apply, match, punt


def is_served(wired: Wired, subnets: Mapping[str, Subnet]) -> bool:
    """Whether the port has an IPv4 address on a subnet with DHCP."""
    return any(
        fixed.address.version == 4 and fixed.subnet_id in subnets and subnets[fixed.subnet_id].dhcp
        for fixed in wired.port.fixed_ips
    )


def port(wired: Wired, subnets: Mapping[str, Subnet], cookie: int) -> Iterator[Flow]:
    """The punt of one port, through its own meter."""
    if is_served(wired, subnets):
        what = match(
            reg14=wired.number,
            eth_type=ETH_TYPE_IPV4,
            ip_proto=IP_PROTO_UDP,
            udp_src=68,
            udp_dst=67,
        )
        meter = m.of_configuration(wired.number)
        to_agent = apply(punt(userdata=p.PUNT_DHCP4), meter=meter.id)
        yield Flow(p.SERVICES, p.PRIORITY.high, what, to_agent, cookie)


def meters(wired: Wired, subnets: Mapping[str, Subnet]) -> Iterator[Meter]:
    """The meter that the port's punt names; its id is made of the port's number."""
    if is_served(wired, subnets):
        yield m.of_configuration(wired.number)
