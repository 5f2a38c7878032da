"""What the connection tracker is told.

Source: nicira-ext.h (NXT_CT_FLUSH_ZONE, NXT_CT_FLUSH of Open vSwitch 3.1), ovs-ofctl(8) `ct-flush`.
"""

import struct
from typing import NamedTuple

from alcor.ovs.openflow.wire import EXPERIMENTER, NICIRA, PAD, message

_FLUSH_ZONE = struct.Struct("!II6xH")
_FLUSH = struct.Struct("!IIBB6x")  # protocol (0: of any), family
_ZONE_SUBTYPE, _SUBTYPE = 29, 32
_PROPERTY, _NESTED, _NUMBER = struct.Struct("!HH"), struct.Struct("!HH4x"), struct.Struct("!HHH2x")
_ORIGIN, _ZONE = 0, 2
_SOURCE, _DESTINATION, _SOURCE_PORT, _DESTINATION_PORT = 0, 1, 2, 3
_MAPPED = 0xFFFF << 32  # an IPv4 address as one of IPv6


class Opening(NamedTuple):
    """The first packet of IPv4 connections; without a protocol: of any, from any port to any."""

    source: int
    destination: int
    protocol: int = 0
    source_port: int = 0
    destination_port: int = 0


def flush_zone(xid: int, zone: int) -> bytes:
    """Forget every connection of a zone."""
    return message(EXPERIMENTER, xid, _FLUSH_ZONE.pack(NICIRA, _ZONE_SUBTYPE, zone))


def flush(xid: int, zone: int, opening: Opening) -> bytes:
    """Forget the connections of a zone that were opened so."""
    origin = _address(_SOURCE, opening.source) + _address(_DESTINATION, opening.destination)
    if opening.protocol:
        origin += _NUMBER.pack(_SOURCE_PORT, _NUMBER.size, opening.source_port)
        origin += _NUMBER.pack(_DESTINATION_PORT, _NUMBER.size, opening.destination_port)
    head = _FLUSH.pack(NICIRA, _SUBTYPE, opening.protocol, 0)
    nested = _NESTED.pack(_ORIGIN, _NESTED.size + len(origin)) + origin
    return message(EXPERIMENTER, xid, head + nested + _NUMBER.pack(_ZONE, _NUMBER.size, zone))


def _address(kind: int, number: int) -> bytes:
    value = (_MAPPED | number).to_bytes(16, "big")
    size = _PROPERTY.size + len(value)
    return _PROPERTY.pack(kind, size) + value + PAD[size & 7]
