"""Flow mods, bundles and flow statistics.

What is installed is compared with what is desired as bytes: `flow_key` and `flow_body` of a
desired flow equal what `decode_flows` reads of the same flow, when nobody touched it.
Source: OpenFlow 1.4 sections 7.3.4.2, 7.3.5.2, 7.3.9.
"""

import struct
from typing import NamedTuple

from alcor.ovs.flow import ANY_PORT, Flow
from alcor.ovs.openflow.actions import encode_instructions
from alcor.ovs.openflow.matches import encode_match, match_size
from alcor.ovs.openflow.wire import (
    BUNDLE_ADD,
    BUNDLE_CONTROL,
    FLOW_MOD,
    HEADER,
    MULTIPART_REQUEST,
    VERSION,
    Malformed,
    message,
    take,
)

ALL_TABLES = 0xFF
EXACT = (1 << 64) - 1  # a cookie mask: this cookie and no other (the switch has an index for it)

ADD, DELETE, DELETE_STRICT = 0, 3, 4
OPEN, CLOSE, COMMIT, DISCARD = 0, 2, 4, 6
ATOMIC_ORDERED = 3
FLOW_STATS, AGGREGATE_STATS = 1, 2

_NO_BUFFER = 0xFFFFFFFF
# header; cookie, mask, table, command, idle, hard, priority, buffer, port, group, flags, importance
_FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")
_BUNDLE_CONTROL = struct.Struct("!IHH")
_BUNDLE_ADD = struct.Struct("!BBHIIHH")
_STATS_REQUEST = struct.Struct("!HH4xB3xII4xQQ")
# length, table, seconds, ns, priority, idle, hard, flags, importance, cookie, packets, bytes
_FLOW_STATS = struct.Struct("!HBxIIHHHHH2xQQQ")
_AGGREGATE = struct.Struct("!QQI4x")
_ANY_MATCH = bytes((0, 1, 0, 4, 0, 0, 0, 0))


class FlowKey(NamedTuple):
    """What makes a flow one of its kind in a switch."""

    table: int
    priority: int
    match: bytes  # the encoded `ofp_match`


class InstalledFlow(NamedTuple):
    """What a switch holds at a key."""

    cookie: int
    instructions: bytes


class FlowCounts(NamedTuple):
    """How often a flow was hit."""

    packets: int
    bytes: int


class Aggregate(NamedTuple):
    """Sums over many flows."""

    packets: int
    bytes: int
    flows: int


def flow_key(flow: Flow) -> FlowKey:
    """The key of a desired flow, as a read-back would give it."""
    return FlowKey(flow.table, flow.priority, encode_match(flow.match))


def flow_body(flow: Flow) -> InstalledFlow:
    """What a read-back would give for a desired flow."""
    return InstalledFlow(flow.cookie, encode_instructions(flow.instructions))


def add_flow(xid: int, key: FlowKey, body: InstalledFlow) -> bytes:
    """A flow mod that puts a flow at its key, over what is there (cookie included)."""
    return _flow_mod(xid, ADD, key, body)


def delete_flow(xid: int, key: FlowKey) -> bytes:
    """A flow mod that removes exactly this key; not an error when it is not there."""
    return _flow_mod(xid, DELETE_STRICT, key, InstalledFlow(0, b""))


def _flow_mod(xid: int, command: int, key: FlowKey, body: InstalledFlow) -> bytes:
    table, priority, match = key
    cookie, instructions = body
    size = 48 + len(match) + len(instructions)
    if size > 0xFFFF - _BUNDLE_ADD.size:
        raise ValueError(f"a flow of {size} bytes does not fit into a message")
    head = _FLOW_MOD.pack(
        VERSION,
        FLOW_MOD,
        size,
        xid,
        cookie,
        0,
        table,
        command,
        0,
        0,
        priority,
        _NO_BUFFER,
        ANY_PORT,  # 0 would mean port 0, and a delete would then find nothing
        ANY_PORT,
        0,
        0,
    )
    return head + match + instructions


def delete_flows(xid: int, cookie: int, mask: int, table: int = ALL_TABLES) -> bytes:
    """A flow mod that removes every flow whose cookie agrees in the bits of the mask."""
    head = _FLOW_MOD.pack(
        VERSION, FLOW_MOD, 56, xid, cookie, mask, table, DELETE, 0, 0, 0,
        _NO_BUFFER, ANY_PORT, ANY_PORT, 0, 0,
    )  # fmt: skip
    return head + _ANY_MATCH


def bundle_control(xid: int, bundle: int, step: int) -> bytes:
    """OPEN, CLOSE, COMMIT or DISCARD a bundle."""
    return message(BUNDLE_CONTROL, xid, _BUNDLE_CONTROL.pack(bundle, step, ATOMIC_ORDERED))


def in_bundle(bundle: int, inner: bytes) -> bytes:
    """A message made part of a bundle, under its own xid: an error then names it."""
    _, _, size, xid = HEADER.unpack_from(inner)
    head = _BUNDLE_ADD.pack(VERSION, BUNDLE_ADD, size + 16, xid, bundle, 0, ATOMIC_ORDERED)
    return head + inner


def stats_request(xid: int, kind: int, cookie: int, mask: int, table: int) -> bytes:
    """Ask for FLOW_STATS or AGGREGATE_STATS of the flows with this cookie (in the mask's bits)."""
    body = _STATS_REQUEST.pack(kind, 0, table, ANY_PORT, ANY_PORT, cookie, mask)
    return message(MULTIPART_REQUEST, xid, body + _ANY_MATCH)


def decode_flows(body: bytes, into: dict[FlowKey, InstalledFlow]) -> None:
    """Read the flows of one FLOW_STATS reply (`body` is what follows the multipart header)."""
    at, end, unpack = 0, len(body), _FLOW_STATS.unpack_from
    while at < end:
        if at + 56 > end:
            raise Malformed("a flow entry is cut off")
        size, table, _, _, priority, _, _, _, _, cookie, _, _ = unpack(body, at)
        split = at + 48 + match_size(body, at + 48)
        if at + size > end or split > at + size:
            raise Malformed(f"a flow entry of {size} bytes")
        key = FlowKey(table, priority, body[at + 48 : split])
        into[key] = InstalledFlow(cookie, body[split : at + size])
        at += size


def decode_counts(body: bytes, into: dict[FlowKey, FlowCounts]) -> None:
    """Read how often each flow of a FLOW_STATS reply was hit."""
    at = 0
    while at < len(body):
        size, table, _, _, priority, _, _, _, _, _, packets, octets = take(_FLOW_STATS, body, at)
        split = at + 48 + match_size(body, at + 48)
        if at + size > len(body) or split > at + size:
            raise Malformed(f"a flow entry of {size} bytes")
        into[FlowKey(table, priority, body[at + 48 : split])] = FlowCounts(packets, octets)
        at += size


def decode_aggregate(body: bytes) -> Aggregate:
    """Read an AGGREGATE_STATS reply."""
    packets, octets, flows = take(_AGGREGATE, body)
    return Aggregate(packets, octets, flows)
