"""Meters: limits that flows refer to by number.

Source: OpenFlow 1.4 sections 7.3.4.5 (changing), 7.3.5.13 (reading).
"""

import struct
from typing import NamedTuple

from alcor.ovs.openflow.wire import (
    METER_MOD,
    MULTIPART_REQUEST,
    Malformed,
    message,
    take,
)

ADD, MODIFY, DELETE = 0, 1, 2
_METER_CONFIG, _EVERY = 10, 0xFFFFFFFF
_PER_PACKET, _PER_KBIT, _BURST, _STATS = 2, 1, 4, 8

_METER_MOD = struct.Struct("!HHI")
_BAND = struct.Struct("!HHII4x")  # type, length, rate, burst
_METER_REQUEST = struct.Struct("!HH4xI4x")


class Meter(NamedTuple):
    """Drop what exceeds a rate."""

    rate: int  # packets a second, or kbit a second
    burst: int  # packets, or kbit
    per_packet: bool = True


def meter_mod(xid: int, command: int, meter_id: int, meter: Meter) -> bytes:
    """ADD, MODIFY or DELETE a meter of one drop band."""
    unit = _PER_PACKET if meter.per_packet else _PER_KBIT
    body = _METER_MOD.pack(command, unit | _BURST | _STATS, meter_id)
    if command != DELETE:
        body += _BAND.pack(1, 16, meter.rate, meter.burst)
    return message(METER_MOD, xid, body)


def meters_request(xid: int) -> bytes:
    """Ask for all meters."""
    return message(MULTIPART_REQUEST, xid, _METER_REQUEST.pack(_METER_CONFIG, 0, _EVERY))


def decode_meters(body: bytes) -> dict[int, Meter]:
    """Read a METER_CONFIG reply; of each meter its first band."""
    meters, at = {}, 0
    while at < len(body):
        size, flags, meter_id = take(_METER_MOD, body, at)
        if size < 24 or at + size > len(body):
            raise Malformed(f"a meter of {size} bytes")
        _, _, rate, burst = take(_BAND, body, at + 8)
        meters[meter_id] = Meter(rate, burst, bool(flags & _PER_PACKET))
        at += size
    return meters
