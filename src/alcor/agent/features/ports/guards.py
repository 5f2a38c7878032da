"""GUARDS: machines are no DHCP server, no router, and redirect nobody, whatever their address.

The flows are the same for all ports; packets of ports without port security don't come here.
"""

from collections.abc import Iterator

from alcor.agent.pipeline import pipeline as p
from alcor.ovs.fields import (
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_UDP,
)
from alcor.ovs.flow import DROP, Flow, match

DHCP_CLIENT, DHCPV6_CLIENT = 68, 546
ROUTER_ADVERTISEMENT, REDIRECT = 134, 137
IPV4_REDIRECT = 5

# Clients take an answer from any source port, so the destination port alone decides.
_FORBIDDEN = (
    match(eth_type=ETH_TYPE_IPV4, ip_proto=IP_PROTO_UDP, udp_dst=DHCP_CLIENT),
    match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_UDP, udp_dst=DHCPV6_CLIENT),
    match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=ROUTER_ADVERTISEMENT),
    match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=REDIRECT),
    match(eth_type=ETH_TYPE_IPV4, ip_proto=IP_PROTO_ICMP, icmpv4_type=IPV4_REDIRECT),
)


def host(cookie: int) -> Iterator[Flow]:
    """One dropping flow, with its own counter, for each forbidden thing."""
    for what in _FORBIDDEN:
        yield Flow(p.GUARDS, p.PRIORITY.guard, what, DROP, cookie)
