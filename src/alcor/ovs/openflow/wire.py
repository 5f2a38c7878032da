"""Frames of OpenFlow 1.4: the header, the types, and the parts that any peer must answer.

Nothing here trusts what it reads: `Malformed` is the only thing that bad bytes cause.
Source: OpenFlow 1.4 sections 7.1, 7.5.
"""

import struct
from typing import NamedTuple

VERSION = 5  # OpenFlow 1.4 on the wire
HEADER = struct.Struct("!BBHI")  # version, type, length, xid
HEADER_SIZE = 8
NICIRA = 0x00002320

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER = 0, 1, 2, 3, 4
FEATURES_REQUEST, FEATURES_REPLY, SET_CONFIG = 5, 6, 9
PACKET_IN, FLOW_REMOVED, PORT_STATUS, PACKET_OUT, FLOW_MOD = 10, 11, 12, 13, 14
MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY = 18, 19, 20, 21
SET_ASYNC, METER_MOD, BUNDLE_CONTROL, BUNDLE_ADD = 28, 29, 33, 34

PAD = tuple(bytes(-size % 8) for size in range(8))  # by size & 7: what fills up to 8 bytes


class Malformed(Exception):
    """The bytes are not what the protocol says; the connection can't be trusted any more."""


class Message(NamedTuple):
    """One OpenFlow message; `body` is what follows the header."""

    type: int
    xid: int
    body: bytes


class SwitchError(NamedTuple):
    """An error message: what the switch refused. Numbers as in OpenFlow 1.4 section 7.5.4."""

    type: int
    code: int
    request: bytes  # at least the first 64 bytes of what was refused, when it is that long

    def __str__(self) -> str:
        return ERROR_NAMES.get((self.type, self.code), f"error type {self.type} code {self.code}")


ERROR_NAMES = {
    (1, 0): "bad request: version",
    (1, 1): "bad request: type",
    (1, 2): "bad request: multipart type",
    (2, 0): "bad action: type",
    (2, 3): "bad action: experimenter type",
    (2, 4): "bad action: out port",
    (2, 5): "bad action: argument",
    (2, 10): "bad action: inconsistent with the match",
    (2, 13): "bad action: set_field type",
    (2, 15): "bad action: set_field argument",
    (3, 2): "bad instruction: goto table",
    (4, 4): "bad match: tag",
    (4, 6): "bad match: field",
    (4, 7): "bad match: value",
    (4, 8): "bad match: mask",
    (4, 9): "bad match: prerequisite",
    (4, 10): "bad match: field given twice",
    (5, 1): "flow mod: table full",
    (5, 2): "flow mod: table",
    (5, 3): "flow mod: overlap",
    (12, 1): "meter mod: exists",
    (12, 3): "meter mod: unknown meter",
    (17, 2): "bundle: unknown id",
    (17, 6): "bundle: bad flags",
    (17, 9): "bundle: xid of the inner message",
    (17, 10): "bundle: message can't be in a bundle",
}


def message(type_: int, xid: int, body: bytes = b"") -> bytes:
    """One message on the wire; `ValueError` when it is longer than a header can say."""
    size = HEADER_SIZE + len(body)
    if size > 0xFFFF:
        raise ValueError(f"an OpenFlow message has at most 65,535 bytes, not {size}")
    return HEADER.pack(VERSION, type_, size, xid) + body


def hello(xid: int) -> bytes:
    """The greeting: 1.4 and nothing else."""
    return message(HELLO, xid, struct.pack("!HHI", 1, 8, 1 << VERSION))


class Frames:
    """Cut a byte stream into messages. After `Malformed` it is of no further use."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Take what came from the socket and return the messages that are now complete."""
        data = self._rest + data if self._rest else data
        messages, at, end = [], 0, len(data)
        while end - at >= HEADER_SIZE:
            version, type_, size, xid = HEADER.unpack_from(data, at)
            if size < HEADER_SIZE:
                raise Malformed(f"a message of {size} bytes")
            if version != VERSION and type_ not in (HELLO, ERROR):
                raise Malformed(f"OpenFlow version {version}, not {VERSION}")
            if end - at < size:
                break
            messages.append(Message(type_, xid, data[at + HEADER_SIZE : at + size]))
            at += size
        self._rest = data[at:]
        return messages


def decode_error(body: bytes) -> SwitchError:
    """The body of an ERROR."""
    if len(body) < 4:
        raise Malformed("an error without type and code")
    type_, code = struct.unpack_from("!HH", body)
    return SwitchError(type_, code, body[4:])


def take(layout: struct.Struct, data: bytes, at: int = 0) -> tuple[int, ...]:
    """Unpack at a place; `Malformed` when the bytes end before."""
    if at + layout.size > len(data):
        raise Malformed(f"{len(data)} bytes, {at + layout.size} needed")
    return layout.unpack_from(data, at)
