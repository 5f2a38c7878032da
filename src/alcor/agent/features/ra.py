"""SERVICES: a port's router solicitations go to the agent, which tells it of its prefixes."""

from collections.abc import Iterator, Mapping

from alcor.agent.model import meter as m
from alcor.agent.model.meter import Meter
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Ipv6Mode, Subnet
from alcor.ovs.fields import ETH_TYPE_IPV6, IP_PROTO_ICMPV6
from alcor.ovs.flow import Flow, apply, match, punt

SOLICITATION = 133


def is_served(subnets: Mapping[str, Subnet]) -> bool:
    """Whether hosts advertise one of these subnets."""
    return any(each.ra_mode is not Ipv6Mode.NONE for each in subnets.values())


def port(wired: Wired, subnets: Mapping[str, Subnet], cookie: int) -> Iterator[Flow]:
    """The punt of one port, through its own meter."""
    if is_served(subnets):
        what = match(
            reg14=wired.number,
            eth_type=ETH_TYPE_IPV6,
            ip_proto=IP_PROTO_ICMPV6,
            icmpv6_type=SOLICITATION,
            icmpv6_code=0,
        )
        meter = m.of_configuration(wired.number)
        to_agent = apply(punt(userdata=p.PUNT_RA), meter=meter.id)
        yield Flow(p.SERVICES, p.PRIORITY.high, what, to_agent, cookie)


def meters(wired: Wired, subnets: Mapping[str, Subnet]) -> Iterator[Meter]:
    """The meter that the port's punt names."""
    if is_served(subnets):
        yield m.of_configuration(wired.number)
