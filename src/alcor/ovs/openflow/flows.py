"""Flow mods, bundles, and reading flows back.

What is installed is compared with what is desired as bytes: `flow_key` and `flow_body` of a
desired flow equal what `decode_flows` reads of the same flow, when nobody touched it. There may be
a hundred thousand of them, and bytes are hashed once and are nothing to the garbage collector.
Source: OpenFlow 1.4 sections 7.3.4.2, 7.3.5.2, 7.3.9.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from alcor.ovs.flow import ANY_PORT, Flow, Match
from alcor.ovs.openflow.actions import encode_instructions
from alcor.ovs.openflow.matches import decode_match, encode_match
from alcor.ovs.openflow.wire import (
    BUNDLE_ADD,
    BUNDLE_CONTROL,
    FLOW_MOD,
    MULTIPART_REQUEST,
    VERSION,
    Malformed,
    message,
)

ALL_TABLES = 0xFF
EXACT = (1 << 64) - 1  # a cookie mask: this cookie and no other (the switch has an index for it)

ADD, DELETE, DELETE_STRICT = 0, 3, 4
OPEN, CLOSE, COMMIT, DISCARD = 0, 2, 4, 6
ATOMIC_ORDERED = 3
FLOW_STATS = 1

_NO_BUFFER = 0xFFFFFFFF
# cookie, mask, table, command, idle, hard, priority, buffer, port, group, flags, importance
_FLOW_MOD = struct.Struct("!QQBBHHHIIIHH")
# A flow mod in a bundle, all but match and instructions: what is the same for all is in one piece.
# start; size, xid; bundle, flags, start of the flow mod; its size, xid; cookie; mask; table;
# command and timeouts; priority; buffer, port, group, flags, importance
_IN_BUNDLE = struct.Struct("!2sHI10sHI8s8ss5s2s16s")
_START, _START_OF_MOD = bytes((VERSION, BUNDLE_ADD)), bytes((VERSION, FLOW_MOD))
_BUNDLE_AND_FLAGS = struct.Struct("!IHH")
_NO_MASK = bytes(8)
# Any port and any group: 0 would mean port 0, and a delete would then find nothing.
_END = struct.pack("!IIIHH", _NO_BUFFER, ANY_PORT, ANY_PORT, 0, 0)
_MOD_BYTES, _BUNDLED_BYTES = 48, 16  # of a flow mod before its match, and before the flow mod
_BUNDLE_CONTROL = struct.Struct("!IHH")
_STATS_REQUEST = struct.Struct("!HH4xB3xII4xQQ")
# length, table, (age), priority, (timeouts, flags, importance), cookie, (counts);
# then the type and the length of the match
_FLOW_STATS = struct.Struct("!Hsx8x2s10x8s16xHH")
_COUNTS, _COUNTS_AT = struct.Struct("!QQ"), 32  # packets and bytes, where `_FLOW_STATS` has none
_MATCH_AT, _OXM = 48, 1
_ANY_MATCH = bytes((0, 1, 0, 4, 0, 0, 0, 0))


FlowKey = bytes
"""What makes a flow one of its kind in a switch: table, priority and the encoded `ofp_match`."""

FlowBody = bytes
"""What a switch holds at a key: the cookie, and the encoded instructions."""


class FlowCounts(NamedTuple):
    """How often a flow was hit."""

    packets: int
    bytes: int


_KEY = struct.Struct("!BH")
_COOKIE_BYTES = 8


def flow_key(flow: Flow) -> FlowKey:
    """The key of a desired flow, as a read-back would give it."""
    return _KEY.pack(flow.table, flow.priority) + encode_match(flow.match)


def flow_body(flow: Flow) -> FlowBody:
    """What a read-back would give for a desired flow."""
    return flow.cookie.to_bytes(_COOKIE_BYTES, "big") + encode_instructions(flow.instructions)


def table_of(key: FlowKey) -> int:
    """The table of a key."""
    return key[0]


def match_of(key: FlowKey) -> Match:
    """The match of a key."""
    return decode_match(key, _KEY.size)


def cookie_of(body: FlowBody) -> int:
    """The cookie of what a switch holds."""
    return int.from_bytes(body[:_COOKIE_BYTES], "big")


def key_text(key: FlowKey) -> str:
    """A key for people."""
    table, priority = _KEY.unpack_from(key)
    return f"table={table},priority={priority},{match_of(key)}"


class Bundle:
    """The messages of one bundle: each under its own xid, so that an error names it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._middle = _BUNDLE_AND_FLAGS.pack(number, 0, ATOMIC_ORDERED) + _START_OF_MOD

    def control(self, xid: int, step: int) -> bytes:
        """OPEN, CLOSE, COMMIT or DISCARD it."""
        body = _BUNDLE_CONTROL.pack(self.number, step, ATOMIC_ORDERED)
        return message(BUNDLE_CONTROL, xid, body)

    def put(self, xid: int, key: FlowKey, body: FlowBody) -> bytes:
        """Put a flow at its key, over what is there (cookie included)."""
        return self._mod(xid, _PUT, key, body)

    def take(self, xid: int, key: FlowKey) -> bytes:
        """Remove exactly this key; not an error when it is not there."""
        return self._mod(xid, _TAKE, key, _NO_BODY)

    def _mod(self, xid: int, command: bytes, key: FlowKey, body: FlowBody) -> bytes:
        size = _MOD_BYTES - _KEY.size - _COOKIE_BYTES + len(key) + len(body)
        if size > 0xFFFF - _BUNDLED_BYTES:
            raise ValueError(f"a flow of {size} bytes does not fit into a message")
        head = _IN_BUNDLE.pack(
            _START,
            size + _BUNDLED_BYTES,
            xid,
            self._middle,
            size,
            xid,
            body[:_COOKIE_BYTES],
            _NO_MASK,
            key[:1],
            command,
            key[1:3],
            _END,
        )
        return head + key[_KEY.size :] + body[_COOKIE_BYTES:]


_PUT, _TAKE, _NO_BODY = bytes((ADD, 0, 0, 0, 0)), bytes((DELETE_STRICT, 0, 0, 0, 0)), bytes(8)


def delete_flows(xid: int, cookie: int, mask: int, table: int = ALL_TABLES) -> bytes:
    """A flow mod that removes every flow whose cookie agrees in the bits of the mask."""
    mod = (cookie, mask, table, DELETE, 0, 0, 0, _NO_BUFFER, ANY_PORT, ANY_PORT, 0, 0)
    return message(FLOW_MOD, xid, _FLOW_MOD.pack(*mod) + _ANY_MATCH)


def stats_request(xid: int, cookie: int, mask: int, table: int) -> bytes:
    """Ask for the FLOW_STATS of the flows with this cookie (in the mask's bits)."""
    body = _STATS_REQUEST.pack(FLOW_STATS, 0, table, ANY_PORT, ANY_PORT, cookie, mask)
    return message(MULTIPART_REQUEST, xid, body + _ANY_MATCH)


def decode_flows(body: bytes, into: dict[FlowKey, FlowBody]) -> None:
    """Read the flows of one FLOW_STATS reply (`body` is what follows the multipart header)."""
    for _, key, cookie, split, end in _entries(body):
        into[key] = cookie + body[split:end]


def decode_counts(body: bytes, into: dict[FlowKey, FlowCounts]) -> None:
    """Read how often each flow of one FLOW_STATS reply was hit."""
    for at, key, _, _, _ in _entries(body):
        into[key] = FlowCounts(*_COUNTS.unpack_from(body, at + _COUNTS_AT))


def _entries(body: bytes) -> Iterator[tuple[int, FlowKey, bytes, int, int]]:
    """Of every flow: where its entry begins, key, cookie, where instructions begin and end."""
    at, end, unpack = 0, len(body), _FLOW_STATS.unpack_from
    while at < end:
        if at + _FLOW_STATS.size > end:
            raise Malformed("a flow entry is cut off")
        size, table, priority, cookie, kind, length = unpack(body, at)
        split = at + _MATCH_AT + (length + 7 & ~7)
        if at + size > end or split > at + size or length < 4 or kind != _OXM:
            raise Malformed(f"a flow entry of {size} bytes")
        yield at, table + priority + body[at + _MATCH_AT : split], cookie, split, at + size
        at += size
