"""Matches to bytes and back (OXM).

An encoded match is the whole `ofp_match`: type, length, fields in the switch's order, padding. So
it can be compared with a read-back as it is. Source: OpenFlow 1.4 section 7.2.3.
"""

import struct

from alcor.ovs.fields import FIELD_BY_HEADER, FIELDS
from alcor.ovs.flow import Match, Term
from alcor.ovs.openflow.wire import PAD, Malformed, take

_MATCH = struct.Struct("!HH")  # type (1 = OXM), length without padding
_OXM = struct.Struct("!I")
_HAS_MASK = 0x100

_WIRE = tuple(
    (
        _OXM.pack(field.header),
        _OXM.pack((field.header | _HAS_MASK) + field.width),
        field.width,
        field.full,
    )
    for field in FIELDS
)


def encode_match(match: Match) -> bytes:
    """The `ofp_match` of a match, padded to 8 bytes."""
    fields = b""
    for place, value, mask in match.terms:
        exact, masked, width, full = _WIRE[place]
        if mask == full:
            fields += exact + value.to_bytes(width, "big")
        else:
            fields += masked + value.to_bytes(width, "big") + mask.to_bytes(width, "big")
    size = len(fields) + 4
    return _MATCH.pack(1, size) + fields + PAD[size & 7]


def match_size(data: bytes, at: int) -> int:
    """How many bytes, padding included, the `ofp_match` at `at` takes; `Malformed` if cut off."""
    type_, size = take(_MATCH, data, at)
    padded = (size + 7) & ~7
    if type_ != 1 or size < 4 or at + padded > len(data):
        raise Malformed(f"a match of type {type_} and {size} bytes")
    return padded


def decode_match(data: bytes, at: int = 0) -> Match:
    """The match at `at`; a field that `FIELDS` does not know is `Malformed`."""
    match_size(data, at)
    _, size = _MATCH.unpack_from(data, at)
    terms, unknown = decode_terms(data, at + 4, at + size)
    if unknown:
        raise Malformed(f"unknown match field {unknown[0]:#x}")
    return Match(tuple(terms))


def decode_terms(data: bytes, at: int, end: int) -> tuple[list[Term], list[int]]:
    """The OXMs between two places, and the headers of those that `FIELDS` does not know."""
    terms, unknown = [], []
    while at < end:
        (header,) = take(_OXM, data, at)
        size = header & 0xFF
        if at + 4 + size > end:
            raise Malformed(f"match field {header:#x} is cut off")
        term = _decode_term(header, data[at + 4 : at + 4 + size])
        if term is None:
            unknown.append(header)
        else:
            terms.append(term)
        at += 4 + size
    return terms, unknown


def _decode_term(header: int, payload: bytes) -> Term | None:
    masked = header & _HAS_MASK
    width = len(payload) // 2 if masked else len(payload)
    field = FIELD_BY_HEADER.get((header & ~0x1FF) | width)
    if field is None or (masked and len(payload) != 2 * width):
        return None
    value = int.from_bytes(payload[:width], "big")
    mask = int.from_bytes(payload[width:], "big") if masked else field.full
    return Term(field.place, value & mask, mask & field.full)
