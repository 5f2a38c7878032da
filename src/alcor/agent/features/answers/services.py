"""SERVICES: what a port sends to the host's own address goes to the agent: names and metadata.

The address alone decides, not the MAC: a machine may take the address for a neighbour's or send by
its gateway. The agent knows the port by `in_port`, so networks may use the same addresses.
"""

from collections.abc import Iterator

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_ADDRESS6
from alcor.agent.pipeline import pipeline as p
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6
from alcor.ovs.flow import Flow, apply, match, punt


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
