"""SERVICES: a port's DHCPv6 requests go to the agent, at a rate that can't hurt it."""

from collections.abc import Iterator, Mapping

from alcor.agent.model import meter as m
from alcor.agent.model.meter import Meter
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Ipv6Mode, Subnet
from alcor.ovs.fields import ETH_TYPE_IPV6, IP_PROTO_UDP
from alcor.ovs.flow import Flow, apply, match, punt

CLIENT, SERVER = 546, 547
_BY_DHCP = (Ipv6Mode.STATEFUL, Ipv6Mode.STATELESS)


def is_served(subnets: Mapping[str, Subnet]) -> bool:
    """Whether hosts answer by DHCPv6 on one of these subnets."""
    return any(each.dhcp and each.address_mode in _BY_DHCP for each in subnets.values())


def port(wired: Wired, subnets: Mapping[str, Subnet], cookie: int) -> Iterator[Flow]:
    """The punt of one port, through its own meter."""
    if is_served(subnets):
        what = match(
            reg14=wired.number,
            eth_type=ETH_TYPE_IPV6,
            ip_proto=IP_PROTO_UDP,
            udp_src=CLIENT,
            udp_dst=SERVER,
        )
        meter = m.of_configuration(wired.number)
        to_agent = apply(punt(userdata=p.PUNT_DHCP6), meter=meter.id)
        yield Flow(p.SERVICES, p.PRIORITY.high, what, to_agent, cookie)


def meters(wired: Wired, subnets: Mapping[str, Subnet]) -> Iterator[Meter]:
    """The meter that the port's punt names."""
    if is_served(subnets):
        yield m.of_configuration(wired.number)
