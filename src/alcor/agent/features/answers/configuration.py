"""SERVICES: what a machine asks to be configured goes to the agent, at a rate that can't hurt it.

DHCPv4 and DHCPv6 requests and router solicitations, each where a subnet of the port is served so;
all by one meter of the port.
"""

from collections.abc import Iterator, Mapping

from alcor.agent.model.model import Wired
from alcor.agent.model.ports import meter as m
from alcor.agent.model.ports.meter import Meter
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Ipv6Mode, Subnet
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMPV6, IP_PROTO_UDP
from alcor.ovs.flow import Flow, MatchFields, apply, match, punt

_Subnets = Mapping[str, Subnet]  # of the port's addresses, by id

_UDP4: MatchFields = {"eth_type": ETH_TYPE_IPV4, "ip_proto": IP_PROTO_UDP}
_UDP6: MatchFields = {"eth_type": ETH_TYPE_IPV6, "ip_proto": IP_PROTO_UDP}
_ICMP6: MatchFields = {"eth_type": ETH_TYPE_IPV6, "ip_proto": IP_PROTO_ICMPV6}
_DHCP4: MatchFields = {**_UDP4, "udp_src": 68, "udp_dst": 67}
_DHCP6: MatchFields = {**_UDP6, "udp_src": 546, "udp_dst": 547}
_SOLICITATION: MatchFields = {**_ICMP6, "icmpv6_type": 133, "icmpv6_code": 0}
_BY_DHCP6 = (Ipv6Mode.STATEFUL, Ipv6Mode.STATELESS)


def _asked(wired: Wired, subnets: _Subnets) -> Iterator[tuple[MatchFields, bytes]]:
    """What the port may ask, and what the agent is told that it is."""
    own = (
        subnets.get(each.subnet_id) for each in wired.port.fixed_ips if each.address.version == 4
    )
    if any(each is not None and each.dhcp for each in own):
        yield _DHCP4, p.PUNT_DHCP4
    if any(each.dhcp and each.address_mode in _BY_DHCP6 for each in subnets.values()):
        yield _DHCP6, p.PUNT_DHCP6
    if any(each.ra_mode is not Ipv6Mode.NONE for each in subnets.values()):
        yield _SOLICITATION, p.PUNT_RA


def port(wired: Wired, subnets: _Subnets, cookie: int) -> Iterator[Flow]:
    """The punts of one port."""
    for fields, userdata in _asked(wired, subnets):
        to_agent = apply(punt(userdata=userdata), meter=m.of_configuration(wired.number).id)
        what = match(**(fields | {"reg14": wired.number}))
        yield Flow(p.SERVICES, p.PRIORITY.high, what, to_agent, cookie)


def meters(wired: Wired, subnets: _Subnets) -> Iterator[Meter]:
    """The meter that the port's punts name; its id is made of the port's number."""
    if any(_asked(wired, subnets)):
        yield m.of_configuration(wired.number)
