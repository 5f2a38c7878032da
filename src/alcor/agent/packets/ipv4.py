"""IPv4 and UDP over Ethernet: parsed strictly, built with right checksums.

Source: RFC 791, RFC 768. `Malformed` is the only thing that parsing raises.
"""

import struct
from typing import NamedTuple

ETHERTYPE_IPV4 = 0x0800
PROTOCOL_UDP = 17
TTL = 64
BROADCAST_MAC = 0xFFFF_FFFF_FFFF
BROADCAST = 0xFFFF_FFFF

_IPV4 = struct.Struct("!BBHHHBBHII")
_UDP = struct.Struct("!HHHH")
_PSEUDO = struct.Struct("!IIBBH")


class Malformed(Exception):
    """The bytes are not what they claim to be; the reason is for counters and logs."""


class Datagram(NamedTuple):
    """One UDP datagram with the addresses that carried it."""

    eth_src: int  # 48 bits
    eth_dst: int
    ip_src: int  # 32 bits
    ip_dst: int
    udp_src: int
    udp_dst: int
    payload: bytes


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def parse_datagram(frame: bytes) -> Datagram:
    """The UDP datagram of an untagged Ethernet frame.

    The UDP checksum is not verified: guests leave it half done when they count on offload.
    """
    source, destination, protocol, packet = parse_packet(frame)
    if protocol != PROTOCOL_UDP:
        raise Malformed("not UDP")
    if len(packet) < _UDP.size:
        raise Malformed("shorter than a UDP header")
    udp_src, udp_dst, length, _ = _UDP.unpack_from(packet)
    if not _UDP.size <= length <= len(packet):
        raise Malformed("UDP length is wrong")
    return Datagram(
        eth_src=int.from_bytes(frame[6:12], "big"),
        eth_dst=int.from_bytes(frame[:6], "big"),
        ip_src=source,
        ip_dst=destination,
        udp_src=udp_src,
        udp_dst=udp_dst,
        payload=packet[_UDP.size : length],
    )


def parse_packet(frame: bytes) -> tuple[int, int, int, bytes]:
    """Source, destination, protocol and payload of the IPv4 packet of an untagged frame."""
    if len(frame) < 14:
        raise Malformed("shorter than an Ethernet header")
    if int.from_bytes(frame[12:14], "big") != ETHERTYPE_IPV4:
        raise Malformed("not IPv4")
    packet = frame[14:]
    if len(packet) < _IPV4.size:
        raise Malformed("shorter than an IPv4 header")
    head, _, total, _, fragment, _, protocol, _, source, destination = _IPV4.unpack_from(packet)
    size = (head & 15) * 4
    if head >> 4 != 4 or size < _IPV4.size or not size <= total <= len(packet):
        raise Malformed("IPv4 header or length is wrong")
    if checksum(packet[:size]) != 0:
        raise Malformed("IPv4 header checksum is wrong")
    if fragment & 0x3FFF:
        raise Malformed("a fragment")
    return source, destination, protocol, packet[size:total]


def build_datagram(datagram: Datagram) -> bytes:
    """The Ethernet frame of a datagram, every length and checksum filled in."""
    length = _UDP.size + len(datagram.payload)
    pseudo = _PSEUDO.pack(datagram.ip_src, datagram.ip_dst, 0, PROTOCOL_UDP, length)
    header = _UDP.pack(datagram.udp_src, datagram.udp_dst, length, 0)
    # RFC 768 sends a sum of zero as all ones, and zero means that there is none. This sends none:
    # busybox's DHCP client takes all ones for a wrong sum, and asks again with the same number in
    # its question, so every answer to it would be that one.
    udp_sum = checksum(pseudo + header + datagram.payload)
    udp = _UDP.pack(datagram.udp_src, datagram.udp_dst, length, udp_sum) + datagram.payload
    return _ethernet(datagram) + _ip_header(datagram, _IPV4.size + length) + udp


def _ethernet(datagram: Datagram) -> bytes:
    return (
        datagram.eth_dst.to_bytes(6, "big")
        + datagram.eth_src.to_bytes(6, "big")
        + ETHERTYPE_IPV4.to_bytes(2, "big")
    )


def _ip_header(datagram: Datagram, total: int) -> bytes:
    def header(ip_sum: int) -> bytes:
        return _IPV4.pack(
            0x45, 0, total, 0, 0, TTL, PROTOCOL_UDP, ip_sum, datagram.ip_src, datagram.ip_dst
        )

    return header(checksum(header(0)))
