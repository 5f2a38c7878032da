"""BFD control packets over one hop: parsed strictly, built with TTL 255.

Source: RFC 5880 section 4.1 (the packet) and 6.8.6 (what is discarded), RFC 5881 sections 4 and 5
(UDP port, TTL). `Malformed` is the only thing that parsing raises. Nothing is authenticated: only
who is on the external network itself can send with that TTL.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from alcor.agent.packets import ipv4, ipv6
from alcor.agent.packets.ipv4 import Malformed
from alcor.ovs import frames
from alcor.values.addresses import Address

PORT = 3784
ttl = 255

_CONTROL = struct.Struct("!BBBBIIIII")
_VERSION = 1
_POLL, _FINAL, _AUTHENTICATED, _DEMAND, _MULTIPOINT = 0x20, 0x10, 0x04, 0x02, 0x01
_TTL_AT = 14 + 8  # of IPv4, in a frame


class State(IntEnum):
    """Of one end of a session."""

    ADMIN_DOWN = 0
    DOWN = 1
    INIT = 2
    UP = 3


class Diagnostic(IntEnum):
    """Why an end last left the state UP."""

    NONE = 0
    TIME_EXPIRED = 1
    NEIGHBOUR_SAID_DOWN = 3


class Control(NamedTuple):
    """What one end says to the other; intervals in microseconds."""

    state: State
    mine: int  # the sender's discriminator, 32 bits, not 0
    yours: int  # the other's, as far as the sender knows it; else 0
    multiplier: int  # 1 to 255
    tx_us: int  # at which the sender would send
    rx_us: int  # at which it can hear; 0: it wants to hear nothing
    diagnostic: int = Diagnostic.NONE
    poll: bool = False
    final: bool = False
    demand: bool = False


class Heard(NamedTuple):
    """A control packet with the addresses that carried it."""

    source: Address
    target: Address
    control: Control


def parse(frame: bytes) -> Heard:
    """The control packet of an untagged frame."""
    if frame[12:14] == ipv6.ETHERTYPE_IPV6.to_bytes(2, "big"):
        version, hops = 6, ipv6.parse_packet(frame).hops
        datagram: ipv4.Datagram | ipv6.Datagram6 = ipv6.parse_datagram(frame)
    else:
        version, datagram = 4, ipv4.parse_datagram(frame)
        hops = frame[_TTL_AT]
    if datagram.udp_dst != PORT or hops != ttl:
        raise Malformed("not of one hop")
    source, target = Address(version, datagram.ip_src), Address(version, datagram.ip_dst)
    return Heard(source, target, _read(datagram.payload))


def _read(payload: bytes) -> Control:
    if len(payload) < _CONTROL.size:
        raise Malformed("shorter than a control packet")
    first, second, multiplier, length, mine, yours, tx, rx, _ = _CONTROL.unpack_from(payload)
    if first >> 5 != _VERSION:
        raise Malformed("another version")
    if not _CONTROL.size <= length <= len(payload):
        raise Malformed("its length is wrong")
    if second & (_AUTHENTICATED | _MULTIPOINT):
        raise Malformed("authenticated, or to several")
    if not multiplier or not mine:
        raise Malformed("no multiplier, or no discriminator")
    state = State(second >> 6)
    if not yours and state not in (State.DOWN, State.ADMIN_DOWN):
        raise Malformed("it knows nobody, and is not down")
    return Control(
        state=state,
        mine=mine,
        yours=yours,
        multiplier=multiplier,
        tx_us=tx,
        rx_us=rx,
        diagnostic=first & 0x1F,
        poll=bool(second & _POLL),
        final=bool(second & _FINAL),
        demand=bool(second & _DEMAND),
    )


def build(control: Control) -> bytes:
    """The bytes of a control packet; no echo packets are wanted."""
    flags = _POLL * control.poll | _FINAL * control.final | _DEMAND * control.demand
    return _CONTROL.pack(
        _VERSION << 5 | control.diagnostic,
        control.state << 6 | flags,
        control.multiplier,
        _CONTROL.size,
        control.mine,
        control.yours,
        control.tx_us,
        control.rx_us,
        0,
    )


def frame(
    macs: tuple[int, int], source: Address, target: Address, source_port: int, control: Control
) -> bytes:
    """The frame that carries it, from the first of two MACs to the second."""
    made = frames.udp4 if source.version == 4 else frames.udp6
    packet = made(source.number, target.number, source_port, PORT, build(control), ttl)
    return frames.ip_frame(macs[1], macs[0], packet)
