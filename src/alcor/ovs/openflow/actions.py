"""Actions and instructions to bytes: standard ones where OpenFlow 1.4 has them, else Nicira's.

Nicira's actions name fields by Nicira's header when there is one, for so they come back.
Source: OpenFlow 1.4 section 7.2.4, ovs-actions(7), nicira-ext.h.
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from alcor.ovs.fields import FIELD_BY_NAME, FIELDS, NXM, Field
from alcor.ovs.flow import (
    Action,
    CheckLarger,
    Clone,
    Conjunction,
    Ct,
    CtClear,
    DecTtl,
    Instructions,
    Load,
    Move,
    Multipath,
    Nat,
    Output,
    PopVlan,
    Punt,
    PushVlan,
    Resubmit,
    SetField,
    SetQueue,
)
from alcor.ovs.openflow.wire import NICIRA, PAD

instruction_bytes_max = 60_000  # the rest of a message is for the match

_OUTPUT = struct.Struct("!HHIH6x")
_HEAD_PAD = struct.Struct("!HH4x")
_HEAD_INT = struct.Struct("!HHI")
_PUSH = struct.Struct("!HHH2x")
_NX = struct.Struct("!HHIH")
_LOAD = struct.Struct("!HHIHHIQ")
_MOVE = struct.Struct("!HHIHHHHII")
_RESUBMIT = struct.Struct("!HHIHHB3x")
_CT = struct.Struct("!HHIHHIHB3xH")
_CHECK_LARGER = struct.Struct("!HHIHHHI6x")
_MULTIPATH = struct.Struct("!HHIHHH2xHHI2xHI")
_CONJUNCTION = struct.Struct("!HHIHBBI")
_GOTO = struct.Struct("!HHB3x")
_METADATA = struct.Struct("!HH4xQQ")
_POP_VLAN, _DEC_TTL = _HEAD_PAD.pack(18, 8), _HEAD_PAD.pack(24, 8)
_CT_CLEAR = _NX.pack(0xFFFF, 16, NICIRA, 43) + bytes(6)
_NX_IN_PORT = 0xFFF8
_TABLE_NONE = 0xFF
_ALG_NUMBER = {"": 0, "ftp": 21, "tftp": 69}

# The numbers that Nicira's headers have for these fields (class 0: NXM_OF_, class 1: NXM_NX_).
_NICIRA_NUMBER = {
    "in_port": (0, 0),
    "eth_dst": (0, 1),
    "eth_src": (0, 2),
    "eth_type": (0, 3),
    "ip_proto": (0, 6),
    "ipv4_src": (0, 7),
    "ipv4_dst": (0, 8),
    "tcp_src": (0, 9),
    "tcp_dst": (0, 10),
    "udp_src": (0, 11),
    "udp_dst": (0, 12),
    "icmpv4_type": (0, 13),
    "icmpv4_code": (0, 14),
    "arp_op": (0, 15),
    "arp_spa": (0, 16),
    "arp_tpa": (0, 17),
    "tun_id": (NXM, 16),
    "arp_sha": (NXM, 17),
    "arp_tha": (NXM, 18),
    "ipv6_src": (NXM, 19),
    "ipv6_dst": (NXM, 20),
    "icmpv6_type": (NXM, 21),
    "icmpv6_code": (NXM, 22),
    "nd_target": (NXM, 23),
    "nd_sll": (NXM, 24),
    "nd_tll": (NXM, 25),
    "ip_ecn": (NXM, 28),
}


def _nicira_header(name: str) -> int:
    field = FIELD_BY_NAME[name]
    if name not in _NICIRA_NUMBER:
        return field.header
    oxm_class, number = _NICIRA_NUMBER[name]
    width = 2 if name == "in_port" else field.width  # Nicira's port numbers have 16 bits
    return oxm_class << 16 | number << 9 | width


def _set_field_shape(field: Field) -> tuple[bytes, int, int, bytes]:
    """All of a set_field but its value: before it, its width and full mask, behind it."""
    size = 8 + field.width
    pad = PAD[size & 7]
    head = struct.pack("!HHI", 25, size + len(pad), field.header)
    return head, field.width, field.full, pad


_SET_FIELD = tuple(_set_field_shape(field) for field in FIELDS)
_NICIRA_HEADER = tuple(_nicira_header(field.name) for field in FIELDS)


def _output(action: Output) -> bytes:
    return _OUTPUT.pack(0, 16, action.port, action.max_len)


def _set_field(action: SetField) -> bytes:
    place, value, mask, _ = action
    head, width, full, pad = _SET_FIELD[place]
    if mask == full:
        return head + value.to_bytes(width, "big") + pad
    return _nicira(33, _masked(action))  # NXAST_REG_LOAD2: 1.4 has no masked set_field


def _masked(action: SetField) -> bytes:
    width = FIELDS[action.field].width
    header = (_NICIRA_HEADER[action.field] | 0x100) + width
    value, mask = action.value.to_bytes(width, "big"), action.mask.to_bytes(width, "big")
    return header.to_bytes(4, "big") + value + mask


def _nicira(subtype: int, body: bytes) -> bytes:
    size = _NX.size + len(body)
    pad = PAD[size & 7]
    return _NX.pack(0xFFFF, size + len(pad), NICIRA, subtype) + body + pad


def _load(action: Load) -> bytes:
    field, offset, bits, value, _ = action
    return _LOAD.pack(0xFFFF, 24, NICIRA, 7, offset << 6 | bits - 1, _NICIRA_HEADER[field], value)


def _move(action: Move) -> bytes:
    return _MOVE.pack(
        0xFFFF,
        24,
        NICIRA,
        6,
        action.bits,
        action.source_offset,
        action.target_offset,
        _NICIRA_HEADER[action.source],
        _NICIRA_HEADER[action.target],
    )


def _punt(action: Punt) -> bytes:
    properties = bytes(6)
    if action.max_len != 0xFFFF:
        properties += struct.pack("!HHH2x", 0, 8, action.max_len)
    if action.userdata:
        size = 4 + len(action.userdata)
        properties += struct.pack("!HH", 3, size) + action.userdata + PAD[size & 7]
    if action.meter:
        properties += struct.pack("!HHI", 5, 8, action.meter)
    return _nicira(37, properties)


def _ct(action: Ct) -> bytes:
    committed = b"".join([encode_action(each) for each in action.committed])
    if action.nat is not None:
        committed = _nat(action.nat) + committed
    if action.zone_field is None:
        source, zone = 0, action.zone
    else:
        source, zone = _NICIRA_HEADER[action.zone_field], action.zone_offset << 6 | 15
    table = _TABLE_NONE if action.table is None else action.table
    size = 24 + len(committed)
    alg = _ALG_NUMBER[action.alg]
    head = _CT.pack(0xFFFF, size, NICIRA, 35, action.commit, source, zone, table, alg)
    return head + committed


def _nat(nat: Nat) -> bytes:
    direction = {"": 0, "source": 1, "destination": 2}[nat.direction]
    present, ends = 0, b""
    if nat.address:
        present |= 0x01 if nat.version == 4 else 0x04
        ends += nat.address.to_bytes(4 if nat.version == 4 else 16, "big")
    if nat.port:
        present |= 0x10
        ends += nat.port.to_bytes(2, "big")
    return _nicira(36, struct.pack("!2xHH", direction, present) + ends)


def _check_larger(action: CheckLarger) -> bytes:
    length, field, offset, _ = action
    return _CHECK_LARGER.pack(0xFFFF, 24, NICIRA, 49, length, offset, _NICIRA_HEADER[field])


def _multipath(action: Multipath) -> bytes:
    links, field, bits, _ = action
    # Fields 2: symmetric in addresses, and in ports but UDP's. Algorithm 0: modulo.
    head = (0xFFFF, 32, NICIRA, 10, 2, 0, 0, links - 1, 0, bits - 1, _NICIRA_HEADER[field])
    return _MULTIPATH.pack(*head)


def _clone(action: Clone) -> bytes:
    copied = b"".join([encode_action(each) for each in action.actions])
    return _NX.pack(0xFFFF, 16 + len(copied), NICIRA, 42) + bytes(6) + copied


def _conjunction(action: Conjunction) -> bytes:
    number, dimension, dimensions, _ = action
    return _CONJUNCTION.pack(0xFFFF, 16, NICIRA, 34, dimension, dimensions, number)


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    Output: _output,
    Punt: _punt,
    SetField: _set_field,
    Load: _load,
    Move: _move,
    PushVlan: lambda action: _PUSH.pack(17, 8, action.ethertype),
    PopVlan: lambda _: _POP_VLAN,
    DecTtl: lambda _: _DEC_TTL,
    SetQueue: lambda action: _HEAD_INT.pack(21, 8, action.queue),
    Resubmit: lambda action: _RESUBMIT.pack(0xFFFF, 16, NICIRA, 14, _NX_IN_PORT, action.table),
    Ct: _ct,
    Multipath: _multipath,
    CheckLarger: _check_larger,
    CtClear: lambda _: _CT_CLEAR,
    Clone: _clone,
    Conjunction: _conjunction,
}


def encode_action(action: Action) -> bytes:
    """One action."""
    return _ENCODERS[type(action)](action)


@lru_cache(maxsize=1 << 10)  # many flows of a table do the same
def encode_instructions(instructions: Instructions) -> bytes:
    """The instruction list in the switch's order: meter, apply, write metadata, goto.

    `ValueError` when it does not fit into a message.
    """
    actions, goto, metadata, meter = instructions
    encoded = b"" if meter is None else _HEAD_INT.pack(6, 8, meter)
    if actions:
        body = b"".join([_ENCODERS[type(action)](action) for action in actions])
        if len(body) > instruction_bytes_max:
            raise ValueError(f"{len(actions)} actions of {len(body)} bytes do not fit a message")
        encoded += _HEAD_PAD.pack(4, 8 + len(body)) + body
    if metadata is not None:
        encoded += _METADATA.pack(2, 24, *metadata)
    if goto is not None:
        encoded += _GOTO.pack(1, 8, goto)
    return encoded
