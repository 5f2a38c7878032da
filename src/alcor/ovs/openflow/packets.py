"""Packets to the controller and back.

Packet-ins are asked for in Nicira's second format: it carries registers, metadata and the bytes
that the punting flow gave along. A connection to `.mgmt` gets none before `ask_for_packets`.
Source: nicira-ext.h (NXT_PACKET_IN2), OpenFlow 1.4 sections 7.3.2, 7.3.7, 7.3.10.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import CONTROLLER, Action
from alcor.ovs.openflow.actions import encode_action
from alcor.ovs.openflow.matches import decode_terms
from alcor.ovs.openflow.wire import (
    EXPERIMENTER,
    NICIRA,
    PACKET_OUT,
    SET_ASYNC,
    SET_CONFIG,
    Malformed,
    message,
    take,
)

PACKET_IN2 = 30  # subtype of NICIRA
_SET_FORMAT = 16
_NO_BUFFER = 0xFFFFFFFF
_PROPERTY = struct.Struct("!HH")
_EXPERIMENTER = struct.Struct("!II")
_PACKET_OUT = struct.Struct("!IIH6x")
_PACKET, _TABLE, _COOKIE, _REASON, _METADATA, _USERDATA = 0, 3, 4, 5, 6, 7
_NEEDED = frozenset((_PACKET, _METADATA))


@dataclass(frozen=True, slots=True)
class PacketIn:
    """A packet that a flow sent to us."""

    data: bytes  # the frame, perhaps cut at the flow's max_len
    table: int
    cookie: int  # of the flow; all ones when a miss sent it
    reason: int  # 0 no match, 1 action, 2 invalid TTL ...
    fields: dict[int, int]  # place of the field -> value: registers, metadata, tunnel, ct
    userdata: bytes

    def field(self, name: str) -> int:
        """The value of a pipeline field when the packet left the table; 0 when it was not set."""
        return self.fields.get(FIELD_BY_NAME[name].place, 0)

    @property
    def in_port(self) -> int:
        """Where it came from."""
        return self.field("in_port")


def ask_for_packets(xid: int, reasons: int = 0xFFFFFFFF) -> bytes:
    """The messages that make the switch send packet-ins to this connection and nothing else.

    `reasons` is a bit for each packet-in reason; port and flow-removed messages are declined, for
    OVSDB tells of ports better.
    """
    declined = b"".join(struct.pack("!HHI", kind, 8, 0) for kind in (2, 3, 4, 5))
    wanted = b"".join(struct.pack("!HHI", kind, 8, reasons) for kind in (0, 1))
    return (
        message(EXPERIMENTER, xid, _EXPERIMENTER.pack(NICIRA, _SET_FORMAT) + struct.pack("!I", 2))
        + message(SET_ASYNC, xid, wanted + declined)
        + message(SET_CONFIG, xid, struct.pack("!HH", 0, 0xFFFF))
    )


def decode_packet_in(body: bytes) -> PacketIn | None:
    """The packet of an EXPERIMENTER message; None when it is something else."""
    vendor, subtype = take(_EXPERIMENTER, body)
    if (vendor, subtype) != (NICIRA, PACKET_IN2):
        return None
    properties = _properties(body, _EXPERIMENTER.size)
    if not properties.keys() >= _NEEDED:
        raise Malformed("a packet-in without packet or metadata")
    metadata = properties[_METADATA]
    terms, _ = decode_terms(metadata, 0, len(metadata))
    return PacketIn(
        data=properties[_PACKET],
        table=int.from_bytes(properties.get(_TABLE, b"\0")[:1], "big"),
        cookie=int.from_bytes(properties.get(_COOKIE, b"\xff" * 12)[-8:], "big"),
        reason=int.from_bytes(properties.get(_REASON, b"\0")[:1], "big"),
        fields={term.field: term.value for term in terms},
        userdata=properties.get(_USERDATA, b""),
    )


def _properties(body: bytes, at: int) -> dict[int, bytes]:
    """Type -> payload; properties are padded to 8 bytes."""
    properties = {}
    while at < len(body):
        kind, size = take(_PROPERTY, body, at)
        if size < 4 or at + size > len(body):
            raise Malformed(f"a property of {size} bytes")
        properties[kind] = body[at + 4 : at + size]
        at += (size + 7) & ~7
    return properties


def packet_out(
    xid: int, data: bytes, actions: Sequence[Action], in_port: int = CONTROLLER
) -> bytes:
    """Send a frame through actions, as if it had come from `in_port`."""
    encoded = b"".join([encode_action(action) for action in actions])
    head = _PACKET_OUT.pack(_NO_BUFFER, in_port, len(encoded))
    return message(PACKET_OUT, xid, head + encoded + data)
