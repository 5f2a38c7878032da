"""UDP and ICMPv6 over IPv6 over Ethernet, parsed strictly; `alcor.ovs.frames` builds them.

Source: RFC 8200, RFC 768, RFC 4443. `Malformed` is the only thing that parsing raises. Packets
with extension headers are none of what the agent answers.
"""

import struct
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed

ETHERTYPE_IPV6 = 0x86DD
PROTOCOL_UDP, PROTOCOL_ICMPV6 = 17, 58

_IPV6 = struct.Struct("!IHBB16s16s")
_UDP = struct.Struct("!HHHH")


class Packet6(NamedTuple):
    """An IPv6 packet with the MACs that carried it."""

    eth_src: int  # 48 bits
    eth_dst: int
    ip_src: int  # 128 bits
    ip_dst: int
    hops: int
    protocol: int
    payload: bytes


class Datagram6(NamedTuple):
    """One UDP datagram with the addresses that carried it."""

    eth_src: int
    eth_dst: int
    ip_src: int
    ip_dst: int
    udp_src: int
    udp_dst: int
    payload: bytes


def parse_packet(frame: bytes) -> Packet6:
    """The IPv6 packet of an untagged Ethernet frame."""
    if len(frame) < 14 + _IPV6.size:
        raise Malformed("shorter than an IPv6 header")
    if int.from_bytes(frame[12:14], "big") != ETHERTYPE_IPV6:
        raise Malformed("not IPv6")
    head, length, protocol, hops, source, destination = _IPV6.unpack_from(frame, 14)
    payload = frame[14 + _IPV6.size :]
    if head >> 28 != 6 or length > len(payload):
        raise Malformed("IPv6 header or length is wrong")
    return Packet6(
        eth_src=int.from_bytes(frame[6:12], "big"),
        eth_dst=int.from_bytes(frame[:6], "big"),
        ip_src=int.from_bytes(source, "big"),
        ip_dst=int.from_bytes(destination, "big"),
        hops=hops,
        protocol=protocol,
        payload=payload[:length],
    )


def parse_datagram(frame: bytes) -> Datagram6:
    """The UDP datagram of a frame.

    The checksum is not verified: guests leave it half done when they count on offload.
    """
    packet = parse_packet(frame)
    if packet.protocol != PROTOCOL_UDP:
        raise Malformed("not UDP")
    if len(packet.payload) < _UDP.size:
        raise Malformed("shorter than a UDP header")
    udp_src, udp_dst, length, _ = _UDP.unpack_from(packet.payload)
    if not _UDP.size <= length <= len(packet.payload):
        raise Malformed("UDP length is wrong")
    return Datagram6(
        packet.eth_src,
        packet.eth_dst,
        packet.ip_src,
        packet.ip_dst,
        udp_src,
        udp_dst,
        packet.payload[_UDP.size : length],
    )
