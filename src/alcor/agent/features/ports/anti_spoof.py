"""PORT_SEC_*: a machine speaks only as itself: its MAC, its addresses, in IP, ARP and ND.

Its allowed address pairs count as its own, each prefix with the MAC of the pair. A port without
port security may send anything, and skips the guards as well.
"""

from collections.abc import Iterator
from typing import Unpack

from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Port
from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    IP_PROTO_ICMPV6,
    IP_PROTO_UDP,
)
from alcor.ovs.flow import DROP, Flow, Masked, Match, MatchFields, apply, match
from alcor.values.addresses import Mac, eui64_link_local

ARP_REQUEST = 1
ROUTER_SOLICIT, ND_SOLICIT, ND_ADVERTISE = 133, 135, 136
_FULL6 = (1 << 128) - 1
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
    key, port = wired.number, wired.port
    if not port.port_security:
        what = match(reg14=key)
        yield Flow(p.PORT_SEC_L2, p.PRIORITY.normal, what, _TO_SERVICES, cookie)
        return
    for mac in dict.fromkeys([port.mac, *(pair.mac for pair in port.address_pairs)]):
        what = match(reg14=key, eth_src=mac)
        yield Flow(p.PORT_SEC_L2, p.PRIORITY.normal, what, _TO_L3, cookie)
    yield from _ipv4(key, port, cookie)
    yield from _ipv6(key, port, cookie)


def _own(port: Port, version: int) -> list[tuple[Masked, Mac]]:
    """The port's addresses of a family, and the MAC that goes with each."""
    full = (1 << (32 if version == 4 else 128)) - 1
    fixed = [
        ((each.address.number, full), port.mac)
        for each in port.fixed_ips
        if each.address.version == version
    ]
    pairs = [
        ((pair.prefix.number, pair.prefix.mask), pair.mac)
        for pair in port.address_pairs
        if pair.prefix.version == version
    ]
    return list(dict.fromkeys(fixed + pairs))


def _sent_by(port: Port, mac: Mac, **fields: Unpack[MatchFields]) -> Match:
    """A match on the frame's MAC too, where the port has several."""
    if any(pair.mac != port.mac for pair in port.address_pairs):
        fields["eth_src"] = mac
    return match(**fields)


def _ipv4(key: int, port: Port, cookie: int) -> Iterator[Flow]:
    allowed: list[Match] = []
    for address, mac in _own(port, 4):
        ip = _sent_by(port, mac, reg14=key, eth_type=ETH_TYPE_IPV4, ipv4_src=address)
        arp = _sent_by(port, mac, reg14=key, eth_type=ETH_TYPE_ARP, arp_spa=address, arp_sha=mac)
        allowed += (ip, arp)
    if any(each.address.version == 4 for each in port.fixed_ips):
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
    own = _own(port, 6)
    if not own:
        return
    macs = dict.fromkeys(mac for _, mac in own)
    mine = own + [((eui64_link_local(mac).number, _FULL6), mac) for mac in macs]
    # A machine may ask for routers before it has an address (RFC 4861, 6.3.7).
    asks = _discovery(key, ROUTER_SOLICIT, ipv6_src=0)
    yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, asks, _TO_GUARDS, cookie)
    for address, mac in mine:
        source = _sent_by(port, mac, reg14=key, eth_type=ETH_TYPE_IPV6, ipv6_src=address)
        yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, source, _TO_ND, cookie)
        # Duplicate address detection comes from no address, without an option (RFC 4862, 5.4.2).
        probe = _discovery(key, ND_SOLICIT, ipv6_src=0, nd_target=address, nd_sll=ABSENT)
        yield Flow(p.PORT_SEC_L3, p.PRIORITY.normal, probe, _TO_GUARDS, cookie)
    for option in (*macs, ABSENT):
        asks = _discovery(key, ND_SOLICIT, nd_sll=option)
        yield Flow(p.PORT_SEC_ND, p.PRIORITY.normal, asks, _TO_GUARDS, cookie)
    for address, mac in mine:
        for shown in (mac, ABSENT):
            claims = _discovery(key, ND_ADVERTISE, nd_target=address, nd_tll=shown)
            yield Flow(p.PORT_SEC_ND, p.PRIORITY.normal, claims, _TO_GUARDS, cookie)


def _discovery(key: int, kind: int, **fields: Unpack[MatchFields]) -> Match:
    fields["reg14"] = key
    fields["eth_type"] = ETH_TYPE_IPV6
    fields["ip_proto"] = IP_PROTO_ICMPV6
    fields["icmpv6_type"] = kind
    fields["icmpv6_code"] = 0
    return match(**fields)
