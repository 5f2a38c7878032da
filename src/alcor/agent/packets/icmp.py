"""ICMP errors: what a router says of a packet that it can't forward; and answers to long pings.

Pure. Sources: RFC 792, RFC 1812 section 4.3.2, RFC 4443. Nothing is said of another error, of later
fragments, or of what was sent to or from many: such answers would multiply.

A ping that came in fragments is answered fragment by fragment, each by itself: the answer has the
same bytes but for its type, which only the first has.
"""

from enum import Enum
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed, checksum
from alcor.ovs import frames
from alcor.ovs.fields import ETH_TYPE_IPV4, ETH_TYPE_IPV6, IP_PROTO_ICMP, IP_PROTO_ICMPV6
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address

packet_bytes_max, packet6_bytes_max = 576, 1280  # of an error, headers included

_QUERIES = frozenset((0, 8, 13, 14))  # echo, timestamp: ICMP that is no error
_LATER_FRAGMENT = 3
_OFFSET4, _OFFSET6 = 0x1FFF, 0xFFF8  # of a fragment, in its word
_ECHO, _ECHO_REPLY, _ECHO6, _ECHO6_REPLY = 8, 0, 128, 129
_FRAGMENT_HEADER = 44
_HOPS = 64
_MULTICAST4, _LIMITED_BROADCAST, _LOOPBACK4 = 0xE, 0xFFFFFFFF, 127
_FRAGMENT_NEEDED, _TOO_BIG = (3, 4), (2, 0)


class Error(Enum):
    """What is wrong: type and code of ICMP, and of ICMPv6."""

    TIME_EXCEEDED = ((11, 0), (3, 0))
    NO_ROUTE = ((3, 0), (1, 0))
    NO_HOST = ((3, 1), (1, 3))
    NO_PORT = ((3, 3), (1, 4))
    TOO_BIG = (_FRAGMENT_NEEDED, _TOO_BIG)


class Ends(NamedTuple):
    """Between whom an error travels in its frame."""

    eth_src: int
    eth_dst: int
    source: Address


def refuse(frame: bytes, error: Error, ends: Ends, mtu: int = 0) -> bytes:
    """The frame that tells the sender of `frame`; `mtu` (bytes) with TOO_BIG only.

    `Malformed` when nothing may be said; the reason is for counters and logs.
    """
    packet = Packet(frame)
    if packet["eth_dst"] >> 40 & 1:
        raise Malformed("sent to many")
    if packet["ip_frag"] == _LATER_FRAGMENT:
        raise Malformed("a later fragment")
    if packet["eth_type"] == ETH_TYPE_IPV4 and ends.source.version == 4:
        return _refuse4(packet, error, ends, mtu)
    if packet["eth_type"] == ETH_TYPE_IPV6 and ends.source.version == 6:
        return _refuse6(packet, error, ends, mtu)
    raise Malformed("not IP")


def _refuse4(packet: Packet, error: Error, ends: Ends, mtu: int) -> bytes:
    target, destination = packet["ipv4_src"], packet["ipv4_dst"]
    if packet["ip_proto"] == IP_PROTO_ICMP and packet["icmpv4_type"] not in _QUERIES:
        raise Malformed("an ICMP error")
    if target in (0, _LIMITED_BROADCAST) or target >> 28 >= _MULTICAST4:
        raise Malformed("from nobody in particular")
    if target >> 24 == _LOOPBACK4 or destination >> 28 >= _MULTICAST4:
        raise Malformed("sent to many")
    kind, code = error.value[0]
    # RFC 1191: the next hop's MTU is in the last two of the four bytes.
    quoted = mtu.to_bytes(4, "big") + _ip_of(packet)[: packet_bytes_max - 28]
    answer = frames.icmp4(ends.source.number, target, kind, code, quoted)
    return frames.ip_frame(ends.eth_dst, ends.eth_src, answer)


def _refuse6(packet: Packet, error: Error, ends: Ends, mtu: int) -> bytes:
    target = packet["ipv6_src"]
    if packet["ip_proto"] == IP_PROTO_ICMPV6 and packet["icmpv6_type"] < 128:
        raise Malformed("an ICMP error")
    if not target or target >> 120 == 0xFF:
        raise Malformed("from nobody in particular")
    if packet["ipv6_dst"] >> 120 == 0xFF:
        raise Malformed("sent to many")
    kind, code = error.value[1]
    quoted = mtu.to_bytes(4, "big") + _ip_of(packet)[: packet6_bytes_max - 48]
    answer = frames.icmp6(ends.source.number, target, kind, code, quoted, hops=64)
    return frames.ip_frame(ends.eth_dst, ends.eth_src, answer)


def _ip_of(packet: Packet) -> bytes:
    """The IP packet without the frame's head and padding."""
    data = packet.frame[14:]
    if packet["eth_type"] == ETH_TYPE_IPV4:
        return data[: int.from_bytes(data[2:4], "big")]
    return data[: 40 + int.from_bytes(data[4:6], "big")]


def is_piece(packet: Packet) -> bool:
    """Whether it is a fragment of ICMP."""
    return bool(packet["ip_frag"]) and packet["ip_proto"] in (IP_PROTO_ICMP, IP_PROTO_ICMPV6)


def answered_piece(packet: Packet, ends: Ends) -> bytes:
    """The fragment of the answer to a ping, of which this is a fragment; `Malformed` of another
    first fragment."""
    data = bytearray(_ip_of(packet))
    if packet["eth_type"] == ETH_TYPE_IPV4:
        at = (data[0] & 15) * 4
        if not int.from_bytes(data[6:8], "big") & _OFFSET4:
            _become_answer(data, at, _ECHO, _ECHO_REPLY)
        data[12:20] = data[16:20] + data[12:16]
        data[8], data[10:12] = _HOPS, bytes(2)
        data[10:12] = checksum(bytes(data[:at])).to_bytes(2, "big")
    else:
        if data[6] != _FRAGMENT_HEADER or len(data) < 48:
            raise Malformed("more headers than a ping has")
        if not int.from_bytes(data[42:44], "big") & _OFFSET6:
            _become_answer(data, 48, _ECHO6, _ECHO6_REPLY)
        data[8:40] = data[24:40] + data[8:24]
        data[7] = _HOPS
    return frames.ip_frame(ends.eth_dst, ends.eth_src, bytes(data))


def _become_answer(data: bytearray, at: int, asked: int, answer: int) -> None:
    """The type, and what it changes in the sum of all fragments (RFC 1624)."""
    if len(data) < at + 8 or data[at] != asked:
        raise Malformed("no ping")
    data[at] = answer
    old = int.from_bytes(data[at + 2 : at + 4], "big")
    total = (~old & 0xFFFF) + (~(asked << 8) & 0xFFFF) + (answer << 8)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    data[at + 2 : at + 4] = (~total & 0xFFFF).to_bytes(2, "big")
