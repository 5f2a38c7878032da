"""TCP segments over IPv4 and IPv6 over Ethernet: bytes to values and back.

Source: RFC 9293 section 3.1. Parsing raises `Malformed` and nothing else, whatever the bytes. The
checksum is not verified: guests leave it half done when they count on offload.
"""

import struct
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed, parse_packet
from alcor.agent.packets.ipv6 import ETHERTYPE_IPV6
from alcor.agent.packets.ipv6 import parse_packet as parse_packet6
from alcor.ovs import frames
from alcor.values.addresses import Address

PROTOCOL_TCP = 6
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_HEAD = struct.Struct("!HHIIBBHHH")
_MSS_OPTION = 2


class Ends(NamedTuple):
    """Between whom segments travel, as the client's own segments say it."""

    eth_client: int
    eth_server: int
    client: Address
    server: Address
    client_port: int
    server_port: int


class Segment(NamedTuple):
    """One segment; numbers are modulo 2^32."""

    seq: int
    ack: int
    flags: int
    window: int  # bytes, not scaled
    payload: bytes = b""
    mss: int = 0  # bytes; 0: not said


def parse_segment(frame: bytes) -> tuple[Ends, Segment]:
    """The segment of a frame that a client sent."""
    if frame[12:14] == ETHERTYPE_IPV6.to_bytes(2, "big"):
        packet = parse_packet6(frame)
        version, protocol, payload = 6, packet.protocol, packet.payload
        source, destination = packet.ip_src, packet.ip_dst
    else:
        source, destination, protocol, payload = parse_packet(frame)
        version = 4
    if protocol != PROTOCOL_TCP:
        raise Malformed("not TCP")
    if len(payload) < _HEAD.size:
        raise Malformed("shorter than a TCP header")
    sport, dport, seq, ack, offset, flags, window, _, _ = _HEAD.unpack_from(payload)
    size = (offset >> 4) * 4
    if not _HEAD.size <= size <= len(payload):
        raise Malformed("TCP header length is wrong")
    ends = Ends(
        eth_client=int.from_bytes(frame[6:12], "big"),
        eth_server=int.from_bytes(frame[:6], "big"),
        client=Address(version, source),
        server=Address(version, destination),
        client_port=sport,
        server_port=dport,
    )
    mss = _mss(payload[_HEAD.size : size])
    return ends, Segment(seq, ack, flags, window, payload[size:], mss)


def _mss(options: bytes) -> int:
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        if at + 2 > len(options) or options[at + 1] < 2:
            return 0
        if options[at] == _MSS_OPTION and options[at + 1] == 4 and at + 4 <= len(options):
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += options[at + 1]
    return 0


def build_segment(ends: Ends, segment: Segment) -> bytes:
    """The frame that takes a segment from the server to the client."""
    options = struct.pack("!BBH", _MSS_OPTION, 4, segment.mss) if segment.mss else b""
    offset = (_HEAD.size + len(options)) // 4 << 4
    head = _HEAD.pack(
        ends.server_port,
        ends.client_port,
        segment.seq,
        segment.ack,
        offset,
        segment.flags,
        segment.window,
        0,
        0,
    )
    body = head + options + segment.payload
    make = frames.segment4 if ends.client.version == 4 else frames.segment6
    packet = make(ends.server.number, ends.client.number, body)
    return frames.ip_frame(ends.eth_client, ends.eth_server, packet)
