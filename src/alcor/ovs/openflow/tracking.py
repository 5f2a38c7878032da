"""What the connection tracker is told. Source: nicira-ext.h, NXT_CT_FLUSH_ZONE."""

import struct

from alcor.ovs.openflow.wire import EXPERIMENTER, NICIRA, message

_FLUSH_ZONE = struct.Struct("!II6xH")
_SUBTYPE = 29


def flush_zone(xid: int, zone: int) -> bytes:
    """Forget every connection of a zone."""
    return message(EXPERIMENTER, xid, _FLUSH_ZONE.pack(NICIRA, _SUBTYPE, zone))
