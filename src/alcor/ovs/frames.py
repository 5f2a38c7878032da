"""Build frames with right lengths and checksums, for tests, traces and answers.

Addresses are numbers (MAC 48 bits, IPv4 32, IPv6 128). A frame is padded to 60 bytes, as a network
card does. Source: RFC 826, 791, 8200, 768, 792, 4443, 4861.
"""

import struct

from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_TCP,
    IP_PROTO_UDP,
)

BROADCAST = 0xFFFFFFFFFFFF
frame_bytes_min = 60


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(dst: int, src: int, kind: int, payload: bytes, vlan: int | None = None) -> bytes:
    """A frame, with a tag when `vlan` is given."""
    head = dst.to_bytes(6, "big") + src.to_bytes(6, "big")
    if vlan is not None:
        head += struct.pack("!HH", 0x8100, vlan)
    return (head + struct.pack("!H", kind) + payload).ljust(frame_bytes_min, b"\0")


def arp(
    op: int,
    sha: int,
    spa: int,
    tpa: int,
    tha: int = 0,
    dst: int = BROADCAST,
    src: int | None = None,
) -> bytes:
    """An ARP frame; from `sha` unless `src` says otherwise."""
    body = struct.pack("!HHBBH", 1, ETH_TYPE_IPV4, 6, 4, op)
    body += sha.to_bytes(6, "big") + spa.to_bytes(4, "big")
    body += tha.to_bytes(6, "big") + tpa.to_bytes(4, "big")
    return ethernet(dst, sha if src is None else src, ETH_TYPE_ARP, body)


def ipv4(
    src: int, dst: int, protocol: int, payload: bytes, ttl: int = 64, fragment: int = 0
) -> bytes:
    """An IPv4 packet without options; `fragment` is the flags-and-offset field."""
    head = struct.pack(
        "!BBHHHBBHII", 0x45, 0, 20 + len(payload), 1, fragment, ttl, protocol, 0, src, dst
    )
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def ipv6(src: int, dst: int, protocol: int, payload: bytes, hops: int = 64) -> bytes:
    """An IPv6 packet without extension headers."""
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops)
    return head + src.to_bytes(16, "big") + dst.to_bytes(16, "big") + payload


def _summed(src: int, dst: int, width: int, protocol: int, body: bytes, at: int) -> bytes:
    """The body of a protocol whose checksum covers the addresses, with it filled in."""
    pseudo = src.to_bytes(width, "big") + dst.to_bytes(width, "big")
    pseudo += struct.pack("!II", len(body), protocol)
    total = checksum(pseudo + body) or 0xFFFF
    return body[:at] + total.to_bytes(2, "big") + body[at + 2 :]


def udp4(src: int, dst: int, sport: int, dport: int, payload: bytes, ttl: int = 64) -> bytes:
    """UDP in IPv4."""
    body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ipv4(src, dst, IP_PROTO_UDP, _summed(src, dst, 4, IP_PROTO_UDP, body, 6), ttl)


def udp6(src: int, dst: int, sport: int, dport: int, payload: bytes, hops: int = 64) -> bytes:
    """UDP in IPv6."""
    body = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return ipv6(src, dst, IP_PROTO_UDP, _summed(src, dst, 16, IP_PROTO_UDP, body, 6), hops)


def _tcp(sport: int, dport: int, flags: int, payload: bytes, seq: int, ack: int) -> bytes:
    return struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 0xFFFF, 0, 0) + payload


def tcp4(
    src: int, dst: int, sport: int, dport: int, flags: int, payload: bytes, seq: int = 1,
    ack: int = 1, ttl: int = 64,
) -> bytes:  # fmt: skip
    """TCP in IPv4, without options; SYN is flag 0x02, ACK 0x10."""
    body = _tcp(sport, dport, flags, payload, seq, ack)
    return ipv4(src, dst, IP_PROTO_TCP, _summed(src, dst, 4, IP_PROTO_TCP, body, 16), ttl)


def tcp6(
    src: int, dst: int, sport: int, dport: int, flags: int, payload: bytes, seq: int = 1,
    ack: int = 1, hops: int = 64,
) -> bytes:  # fmt: skip
    """TCP in IPv6, without options; SYN is flag 0x02, ACK 0x10."""
    body = _tcp(sport, dport, flags, payload, seq, ack)
    return ipv6(src, dst, IP_PROTO_TCP, _summed(src, dst, 16, IP_PROTO_TCP, body, 16), hops)


def segment4(src: int, dst: int, segment: bytes, ttl: int = 64) -> bytes:
    """TCP in IPv4; the checksum of the segment is filled in."""
    return ipv4(src, dst, IP_PROTO_TCP, _summed(src, dst, 4, IP_PROTO_TCP, segment, 16), ttl)


def segment6(src: int, dst: int, segment: bytes, hops: int = 64) -> bytes:
    """TCP in IPv6; the checksum of the segment is filled in."""
    return ipv6(src, dst, IP_PROTO_TCP, _summed(src, dst, 16, IP_PROTO_TCP, segment, 16), hops)


def icmp4(src: int, dst: int, kind: int, code: int, payload: bytes, ttl: int = 64) -> bytes:
    """ICMP in IPv4; `payload` is what follows the checksum."""
    body = struct.pack("!BBH", kind, code, 0) + payload
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    return ipv4(src, dst, IP_PROTO_ICMP, body, ttl)


def icmp6(src: int, dst: int, kind: int, code: int, payload: bytes, hops: int = 255) -> bytes:
    """ICMPv6; `payload` is what follows the checksum."""
    body = struct.pack("!BBH", kind, code, 0) + payload
    return ipv6(src, dst, IP_PROTO_ICMPV6, _summed(src, dst, 16, IP_PROTO_ICMPV6, body, 2), hops)


def neighbour(
    kind: int, src: int, dst: int, target: int, option: tuple[int, int] | None, flags: int = 0
) -> bytes:
    """A solicitation (135) or advertisement (136); `option` is (type, MAC)."""
    payload = struct.pack("!I", flags) + target.to_bytes(16, "big")
    if option is not None:
        payload += bytes((option[0], 1)) + option[1].to_bytes(6, "big")
    return icmp6(src, dst, kind, 0, payload)


def ip_frame(dst: int, src: int, packet: bytes, vlan: int | None = None) -> bytes:
    """An IP packet in a frame; the type follows from its version."""
    kind = ETH_TYPE_IPV4 if packet[0] >> 4 == 4 else ETH_TYPE_IPV6
    return ethernet(dst, src, kind, packet, vlan)
