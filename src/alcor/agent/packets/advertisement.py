"""Router solicitations and advertisements: bytes to values and back.

Source: RFC 4861 sections 4.1, 4.2 and 4.6, RFC 8106 (name servers and search list). Parsing raises
`Malformed` and nothing else, whatever the bytes.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import PROTOCOL_ICMPV6, parse_packet
from alcor.agent.packets.names import name_bytes
from alcor.ovs import frames
from alcor.values.addresses import Prefix, eui64_link_local

SOLICITATION, ADVERTISEMENT = 133, 134
ALL_NODES, ALL_NODES_MAC = 0xFF02 << 112 | 1, 0x3333_0000_0001
FOREVER = 0xFFFF_FFFF  # seconds
hops_required = 255  # nothing that was forwarded is heard (RFC 4861, 6.1)

_SOURCE_LINK_LAYER, _PREFIX, _MTU, _NAME_SERVERS, _SEARCH_LIST = 1, 3, 5, 25, 31
_MANAGED, _OTHER = 0x80, 0x40
_ON_LINK, _AUTONOMOUS = 0x80, 0x40
_LINK_HOPS = 64  # what machines put into their packets


class Solicitation(NamedTuple):
    """Who asks for routers."""

    eth_src: int  # 48 bits
    ip_src: int  # 128 bits; 0 when it has no address yet


class Advertised(NamedTuple):
    """A prefix of the link, and whether machines make addresses of it by themselves."""

    prefix: Prefix
    autonomous: bool
    lifetime_s: int = FOREVER  # 0: it is no longer to be used


class Advertisement(NamedTuple):
    """What a router says of itself and of the link."""

    mac: int  # the router's
    lifetime_s: int  # as a default router; 0: it is none
    managed: bool  # addresses come by DHCPv6
    other: bool  # the rest comes by DHCPv6
    mtu: int  # bytes
    prefixes: tuple[Advertised, ...]
    name_servers: tuple[int, ...] = ()  # 128 bits each
    search: tuple[str, ...] = ()
    names_s: int = FOREVER  # how long name servers and search list hold


def parse_solicitation(frame: bytes) -> Solicitation:
    """The solicitation of an Ethernet frame."""
    packet = parse_packet(frame)
    if packet.protocol != PROTOCOL_ICMPV6:
        raise Malformed("not ICMPv6")
    if packet.hops != hops_required:
        raise Malformed("a solicitation that was forwarded")
    if len(packet.payload) < 8 or packet.payload[:2] != bytes((SOLICITATION, 0)):
        raise Malformed("not a router solicitation")
    return Solicitation(packet.eth_src, packet.ip_src)


def build_advertisement(said: Advertisement, eth_dst: int, ip_dst: int) -> bytes:
    """The frame that says it, from the router's link-local address."""
    flags = _MANAGED * said.managed | _OTHER * said.other
    payload = struct.pack("!BBHII", _LINK_HOPS, flags, said.lifetime_s, 0, 0)
    payload += bytes((_SOURCE_LINK_LAYER, 1)) + said.mac.to_bytes(6, "big")
    payload += struct.pack("!BBHI", _MTU, 1, 0, said.mtu)
    payload += b"".join(map(_prefix_option, said.prefixes))
    if said.name_servers:
        payload += _name_servers_option(said.name_servers, said.names_s)
    if said.search:
        payload += _search_option(said.search, said.names_s)
    source = eui64_link_local(said.mac).number
    packet = frames.icmp6(source, ip_dst, ADVERTISEMENT, 0, payload, hops_required)
    return frames.ip_frame(eth_dst, said.mac, packet)


def _prefix_option(advertised: Advertised) -> bytes:
    flags = _ON_LINK | _AUTONOMOUS * advertised.autonomous
    prefix = advertised.prefix
    valid_s = preferred_s = advertised.lifetime_s
    head = struct.pack("!BBBBIII", _PREFIX, 4, prefix.length, flags, valid_s, preferred_s, 0)
    return head + prefix.number.to_bytes(16, "big")


def _name_servers_option(servers: Sequence[int], lifetime_s: int) -> bytes:
    head = struct.pack("!BBHI", _NAME_SERVERS, 1 + 2 * len(servers), 0, lifetime_s)
    return head + b"".join(each.to_bytes(16, "big") for each in servers)


def _search_option(domains: Sequence[str], lifetime_s: int) -> bytes:
    names = b"".join(map(name_bytes, domains))
    names += bytes(-len(names) % 8)
    return struct.pack("!BBHI", _SEARCH_LIST, 1 + len(names) // 8, 0, lifetime_s) + names
