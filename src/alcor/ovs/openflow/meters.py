"""Meters and groups: limits and choices that flows refer to by number.

Source: OpenFlow 1.4 sections 7.3.4.3 (groups), 7.3.4.5 (meters), 7.3.5.6 to 7.3.5.14 (reading).
"""

import struct
from typing import NamedTuple

from alcor.ovs.flow import ANY_PORT, Action
from alcor.ovs.openflow.actions import encode_action
from alcor.ovs.openflow.wire import (
    GROUP_MOD,
    METER_MOD,
    MULTIPART_REQUEST,
    Malformed,
    message,
    take,
)

METER_STATS, METER_CONFIG, GROUP_DESC = 9, 10, 7
ADD, MODIFY, DELETE = 0, 1, 2
ALL, SELECT, INDIRECT, FAST_FAILOVER = 0, 1, 2, 3
_EVERY = 0xFFFFFFFF
_PER_PACKET, _PER_KBIT, _BURST, _STATS = 2, 1, 4, 8

_METER_MOD = struct.Struct("!HHI")
_BAND = struct.Struct("!HHII4x")  # type, length, rate, burst
_METER_REQUEST = struct.Struct("!HH4xI4x")
_METER_STATS = struct.Struct("!IH6xIQQII")
_BAND_STATS = struct.Struct("!QQ")
_GROUP_MOD = struct.Struct("!HBxI")
_BUCKET = struct.Struct("!HHII4x")


class Meter(NamedTuple):
    """Drop what exceeds a rate."""

    rate: int  # packets a second, or kbit a second
    burst: int  # packets, or kbit
    per_packet: bool = True


class MeterCounts(NamedTuple):
    """What went through a meter, and what it dropped."""

    packets: int
    dropped: int


class Bucket(NamedTuple):
    """One choice of a group."""

    actions: tuple[Action, ...]
    weight: int = 0  # SELECT only


def meter_mod(xid: int, command: int, meter_id: int, meter: Meter) -> bytes:
    """ADD, MODIFY or DELETE a meter of one drop band."""
    unit = _PER_PACKET if meter.per_packet else _PER_KBIT
    body = _METER_MOD.pack(command, unit | _BURST | _STATS, meter_id)
    if command != DELETE:
        body += _BAND.pack(1, 16, meter.rate, meter.burst)
    return message(METER_MOD, xid, body)


def meters_request(xid: int, kind: int) -> bytes:
    """Ask for METER_CONFIG or METER_STATS of all meters."""
    return message(MULTIPART_REQUEST, xid, _METER_REQUEST.pack(kind, 0, _EVERY))


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


def decode_meter_counts(body: bytes) -> dict[int, MeterCounts]:
    """Read a METER_STATS reply."""
    counts, at = {}, 0
    while at < len(body):
        meter_id, size, _, packets, _, _, _ = take(_METER_STATS, body, at)
        if size < 40 or at + size > len(body):
            raise Malformed(f"meter statistics of {size} bytes")
        dropped = sum(take(_BAND_STATS, body, band)[0] for band in range(at + 40, at + size, 16))
        counts[meter_id] = MeterCounts(packets, dropped)
        at += size
    return counts


def group_mod(xid: int, command: int, group_id: int, kind: int, buckets: bytes) -> bytes:
    """ADD, MODIFY or DELETE a group; `buckets` as `encode_buckets` makes them."""
    return message(GROUP_MOD, xid, _GROUP_MOD.pack(command, kind, group_id) + buckets)


def encode_buckets(buckets: tuple[Bucket, ...]) -> bytes:
    """The buckets of a group, as they also come back."""
    return b"".join([_bucket(bucket) for bucket in buckets])


def _bucket(bucket: Bucket) -> bytes:
    actions = b"".join([encode_action(action) for action in bucket.actions])
    size = _BUCKET.size + len(actions)
    return _BUCKET.pack(size, bucket.weight, ANY_PORT, ANY_PORT) + actions


def groups_request(xid: int) -> bytes:
    """Ask for the description of all groups."""
    return message(MULTIPART_REQUEST, xid, struct.pack("!HH4x", GROUP_DESC, 0))


def decode_groups(body: bytes) -> dict[int, tuple[int, bytes]]:
    """Read a GROUP_DESC reply: id -> (kind, encoded buckets)."""
    groups, at = {}, 0
    while at < len(body):
        size, kind, group_id = take(_GROUP_MOD, body, at)
        if size < 8 or at + size > len(body):
            raise Malformed(f"a group of {size} bytes")
        groups[group_id] = (kind, body[at + 8 : at + size])
        at += size
    return groups
