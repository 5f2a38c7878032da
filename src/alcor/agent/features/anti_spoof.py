"""PORT_SEC_*: a machine speaks only as itself: its MAC, its addresses, in IP, ARP and ND.

A port without port security passes everything; the guards are skipped as well.
"""

from collections.abc import Iterator
from typing import Unpack

from alcor.agent import pipeline as p
from alcor.agent.model import Wired
from alcor.goal_state.entries import Port
from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    IP_PROTO_ICMPV6,
    IP_PROTO_UDP,
)
from alcor.ovs.flow import DROP, Flow, Match, MatchFields, apply, match
from alcor.values.addresses import eui64_link_local

ARP_REQUEST = 1
ROUTER_SOLICIT, ND_SOLICIT, ND_ADVERTISE = 133, 135, 136
ABSENT = 0  # what a link-layer option that is not there matches
_TO_L3 = apply(goto=p.PORT_SEC_L3)
_TO_ND = apply(goto=p.PORT_SEC_ND)
_TO_GUARDS = apply(goto=p.GUARDS)
_TO_SERVICES = apply(goto=p.SERVICES)


def host(cookie: int) -> Iterator[Flow]:
    """Neighbour discovery that no port's flow has allowed is dropped."""
    for kind in (ND_SOLICIT, ND_ADVERTISE):
        what = match(eth_type=ETH_TYPE_IPV6, ip_proto=IP_PROTO_ICMPV6, icmpv6_type=kind)
        yield Flow(p.PORT_SEC_ND, p.PRIORITY.low, what, DROP, cookie)


def port(wired: Wired, cookie: int) -> Iterator[Flow]:
    """What one port may send."""
    key, port = wired.ofport, wired.port
    if not port.port_security:
        what = match(reg14=key)
        yield Flow(p.PORT_SEC_L2, p.PRIORITY.normal, what, _TO_SERVICES, cookie)
        return
    what = match(reg14=key, eth_src=port.mac)
    yield Flow(p.PORT_SEC_L2, p.PRIORITY.normal, what, _TO_L3, cookie)
    yield from _ipv4(key, port, cookie)
    yield from _ipv6(key, port, cookie)


def _ipv4(key: int, port: Port, cookie: int) -> Iterator[Flow]:
    mine = [fixed.address.number for fixed in port.fixed_ips if fixed.address.version == 4]
    allowed = []
    for address in mine:
        allowed.append(match(reg14=key, eth_type=ETH_TYPE_IPV4, ipv4_src=address))
        allowed.append(match(reg14=key, eth_type=ETH_TYPE_ARP, arp_spa=address, arp_sha=port.mac))
    if mine:
        allowed += _without_address(key, port)
    for what in allowed:
        yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, what, _TO_GUARDS, cookie)


def _without_address(key: int, port: Port) -> tuple[Match, Match]:
    """A machine without address asks whether one is free (RFC 5227), and asks DHCP for one."""
    probe = match(reg14=key, eth_type=ETH_TYPE_ARP, arp_op=ARP_REQUEST, arp_spa=0, arp_sha=port.mac)
    discover = match(
        reg14=key,
        eth_type=ETH_TYPE_IPV4,
        ip_proto=IP_PROTO_UDP,
        ipv4_src=0,
        ipv4_dst=0xFFFFFFFF,
        udp_src=68,
        udp_dst=67,
    )
    return probe, discover


def _ipv6(key: int, port: Port, cookie: int) -> Iterator[Flow]:
    fixed = [each.address.number for each in port.fixed_ips if each.address.version == 6]
    if not fixed:
        return
    mine = [*fixed, eui64_link_local(port.mac).number]
    # A machine may ask for routers before it has an address (RFC 4861, 6.3.7).
    asks = _discovery(key, ROUTER_SOLICIT, ipv6_src=0)
    yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, asks, _TO_GUARDS, cookie)
    for address in mine:
        source = match(reg14=key, eth_type=ETH_TYPE_IPV6, ipv6_src=address)
        yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, source, _TO_ND, cookie)
        # Duplicate address detection comes from no address, without an option (RFC 4862, 5.4.2).
        probe = _discovery(key, ND_SOLICIT, ipv6_src=0, nd_target=address, nd_sll=ABSENT)
        yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, probe, _TO_GUARDS, cookie)
    for mac in (port.mac, ABSENT):
        asks = _discovery(key, ND_SOLICIT, nd_sll=mac)
        yield Flow(p.PORT_SEC_ND, p.PRIORITY.normal, asks, _TO_GUARDS, cookie)
        for address in mine:
            claims = _discovery(key, ND_ADVERTISE, nd_target=address, nd_tll=mac)
            yield Flow(p.PORT_SEC_ND, p.PRIORITY.normal, claims, _TO_GUARDS, cookie)


def _discovery(key: int, kind: int, **fields: Unpack[MatchFields]) -> Match:
    fields["reg14"] = key
    fields["eth_type"] = ETH_TYPE_IPV6
    fields["ip_proto"] = IP_PROTO_ICMPV6
    fields["icmpv6_type"] = kind
    fields["icmpv6_code"] = 0
    return match(**fields)
