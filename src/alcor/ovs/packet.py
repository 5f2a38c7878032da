"""A packet as a value: real bytes, read and changed by field, as the switch does it.

A field is where its bytes are; to set one is to change them and to carry the difference over into
the checksums that cover them (so a wrong checksum stays as wrong as it was, as in the switch).
What a packet has not reads as 0.
Source: flow_extract of Open vSwitch 3.1; RFC 826, 791, 8200, 4861, 1624.
"""

from dataclasses import dataclass, field
from typing import NamedTuple, Self

from alcor.ovs.fields import (
    ETH_TYPE_ARP,
    ETH_TYPE_IPV4,
    ETH_TYPE_IPV6,
    FIELD_BY_NAME,
    FIELDS,
    IP_PROTO_ICMP,
    IP_PROTO_ICMPV6,
    IP_PROTO_SCTP,
    IP_PROTO_TCP,
    IP_PROTO_UDP,
    VLAN_PRESENT,
)

_VLAN_TYPES = (0x8100, 0x88A8)
_NO_TYPE = 0x05FF  # what the switch calls the type of a frame that has a length there
_SNAP = bytes.fromhex("aaaa03000000")
_FRAGMENT, _LATER = 1, 3
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options
_FRAGMENT_HEADER, _AUTHENTICATION = 44, 51
_SOLICIT, _ADVERTISE = 135, 136


class _Slot(NamedTuple):
    """Where a field's bits are: `size` bytes from `at`, `bits` of them from `shift` on."""

    at: int
    size: int
    shift: int
    bits: int


class _Sum(NamedTuple):
    """A checksum: where it is and which bytes it covers (from even to even places of its kind)."""

    at: int
    covers: tuple[tuple[int, int], ...]
    may_be_absent: bool  # UDP: 0 means none


@dataclass(slots=True)
class Headers:
    """What a frame was found to hold."""

    slots: dict[int, _Slot] = field(default_factory=dict)
    values: dict[int, int] = field(default_factory=dict)  # fields that are not plain bytes
    sums: list[_Sum] = field(default_factory=list)

    def put(self, name: str, at: int, size: int, shift: int = 0, bits: int = 0) -> None:
        """Note where a field is."""
        self.slots[FIELD_BY_NAME[name].place] = _Slot(at, size, shift, bits or 8 * size)

    def say(self, name: str, value: int) -> None:
        """Note what a field is."""
        self.values[FIELD_BY_NAME[name].place] = value


def parse(frame: bytes, tags: int = 1) -> Headers:
    """Find the fields of a frame behind at most `tags` VLAN tags.

    Whatever the bytes: what does not fit is not there.
    """
    found = Headers()
    if len(frame) < 14:
        return found
    found.put("eth_dst", 0, 6)
    found.put("eth_src", 6, 6)
    at = 12
    for _ in range(tags):
        if _number(frame, at, 2) not in _VLAN_TYPES or len(frame) < at + 6:
            break
        at += 4
    if at > 12:
        found.say("vlan_vid", VLAN_PRESENT | _number(frame, 14, 2) & 0xFFF)
        found.put("vlan_pcp", 14, 1, 5, 3)
    kind = _number(frame, at, 2)
    at += 2
    if kind < 0x600:
        snap = frame[at : at + 6] == _SNAP and len(frame) >= at + 8
        kind = _number(frame, at + 6, 2) if snap else _NO_TYPE
        kind, at = (kind, at + 8) if kind >= 0x600 else (_NO_TYPE, at)
    found.say("eth_type", kind)
    parsers = {ETH_TYPE_IPV4: _ipv4, ETH_TYPE_IPV6: _ipv6, ETH_TYPE_ARP: _arp}
    if kind in parsers:
        parsers[kind](frame, at, found)
    return found


def _number(frame: bytes | bytearray, at: int, size: int) -> int:
    return int.from_bytes(frame[at : at + size], "big")


def _arp(frame: bytes, at: int, found: Headers) -> None:
    if len(frame) < at + 28 or frame[at : at + 6] != bytes.fromhex("000108000604"):
        return
    if _number(frame, at + 6, 2) <= 0xFF:
        found.put("arp_op", at + 6, 2)
    found.put("arp_sha", at + 8, 6)
    found.put("arp_spa", at + 14, 4)
    found.put("arp_tha", at + 18, 6)
    found.put("arp_tpa", at + 24, 4)


def _ipv4(frame: bytes, at: int, found: Headers) -> None:
    if len(frame) < at + 20:
        return
    header, total = (frame[at] & 15) * 4, _number(frame, at + 2, 2)
    if frame[at] >> 4 != 4 or header < 20 or not header <= total <= len(frame) - at:
        return
    found.put("ip_dscp", at + 1, 1, 2, 6)
    found.put("ip_ecn", at + 1, 1, 0, 2)
    found.put("ip_ttl", at + 8, 1)
    found.put("ip_proto", at + 9, 1)
    found.put("ipv4_src", at + 12, 4)
    found.put("ipv4_dst", at + 16, 4)
    found.sums.append(_Sum(at + 10, ((at, at + header),), False))
    fragment = _number(frame, at + 6, 2) & 0x3FFF
    if fragment:
        found.say("ip_frag", _LATER if fragment & 0x1FFF else _FRAGMENT)
    if not fragment & 0x1FFF:
        _transport(frame, frame[at + 9], at + header, at + total, (at + 12, at + 20), found)


def _ipv6(frame: bytes, at: int, found: Headers) -> None:
    if len(frame) < at + 40 or frame[at] >> 4 != 6:
        return
    end = at + 40 + _number(frame, at + 4, 2)
    if end > len(frame):
        return
    found.put("ip_dscp", at, 2, 6, 6)
    found.put("ip_ecn", at, 2, 4, 2)
    found.put("ip_ttl", at + 7, 1)
    found.put("ipv6_src", at + 8, 16)
    found.put("ipv6_dst", at + 24, 16)
    protocol, body, fragment = _past_extensions(frame, frame[at + 6], at + 40, end)
    found.say("ip_proto", protocol)
    if fragment:
        found.say("ip_frag", fragment)
    if fragment != _LATER:
        _transport(frame, protocol, body, end, (at + 8, at + 40), found)


def _past_extensions(frame: bytes, protocol: int, at: int, end: int) -> tuple[int, int, int]:
    """The protocol behind the extension headers, where it starts, and the kind of fragment."""
    fragment = 0
    while at + 8 <= end:
        if protocol in _EXTENSIONS:
            protocol, at = frame[at], at + 8 * (frame[at + 1] + 1)
        elif protocol == _AUTHENTICATION:
            protocol, at = frame[at], at + 4 * (frame[at + 1] + 2)
        elif protocol == _FRAGMENT_HEADER:
            place = _number(frame, at + 2, 2)
            protocol, at = frame[at], at + 8
            if place & 0xFFF9:
                fragment = _LATER if place & 0xFFF8 else _FRAGMENT
            if fragment == _LATER:
                break
        else:
            break
    return protocol, at, fragment


def _transport(
    frame: bytes, protocol: int, at: int, end: int, addresses: tuple[int, int], found: Headers
) -> None:
    """The fields and the checksum of what IP carries; `addresses`: where the two are."""
    size = end - at
    covers = (addresses, (at, end))
    if protocol == IP_PROTO_TCP and size >= 20:
        found.put("tcp_src", at, 2)
        found.put("tcp_dst", at + 2, 2)
        found.sums.append(_Sum(at + 16, covers, False))
    elif protocol == IP_PROTO_UDP and size >= 8:
        found.put("udp_src", at, 2)
        found.put("udp_dst", at + 2, 2)
        found.sums.append(_Sum(at + 6, covers, True))
    elif protocol == IP_PROTO_SCTP and size >= 12:
        found.put("sctp_src", at, 2)
        found.put("sctp_dst", at + 2, 2)
    elif protocol == IP_PROTO_ICMP and size >= 8 and addresses[1] - addresses[0] == 8:
        found.put("icmpv4_type", at, 1)
        found.put("icmpv4_code", at + 1, 1)
        found.sums.append(_Sum(at + 2, ((at, end),), False))
    elif protocol == IP_PROTO_ICMPV6 and size >= 8 and addresses[1] - addresses[0] == 32:
        found.put("icmpv6_type", at, 1)
        found.put("icmpv6_code", at + 1, 1)
        found.sums.append(_Sum(at + 2, covers, False))
        if frame[at] in (_SOLICIT, _ADVERTISE) and frame[at + 1] == 0 and size >= 24:
            _neighbour(frame, at, end, found)


def _neighbour(frame: bytes, at: int, end: int, found: Headers) -> None:
    """The fields of a neighbour solicitation or advertisement; of each option the first."""
    found.put("nd_reserved", at + 4, 4)
    found.put("nd_target", at + 8, 16)
    at += 24
    while at + 8 <= end:
        kind, size = frame[at], 8 * frame[at + 1]
        if not size or at + size > end:
            return
        name = {1: "nd_sll", 2: "nd_tll"}.get(kind)
        if name is not None and size == 8:
            if FIELD_BY_NAME["nd_options_type"].place not in found.slots:
                found.put("nd_options_type", at, 1)
            if FIELD_BY_NAME[name].place not in found.slots:
                found.put(name, at + 2, 6)
        at += size


@dataclass(frozen=True, slots=True)
class Packet:
    """One frame, without its FCS. Changing it gives another one.

    `tags`: how many VLAN tags are looked behind. What was read before a tag was pushed stays
    known, and behind a popped one nothing new is read, as in the switch.
    """

    frame: bytes
    tags: int = field(default=1, compare=False)
    headers: Headers = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", parse(self.frame, self.tags))

    def __getitem__(self, name: str) -> int:
        """A field by its name in `fields.FIELDS`; 0 when the packet has it not."""
        return self.get(FIELD_BY_NAME[name].place)

    def has(self, name: str) -> bool:
        """Whether the packet has a field, be it 0."""
        place = FIELD_BY_NAME[name].place
        return place in self.headers.slots or place in self.headers.values

    def get(self, place: int) -> int:
        """A field by its place; 0 when the packet has it not."""
        slot = self.headers.slots.get(place)
        if slot is None:
            return self.headers.values.get(place, 0)
        return _number(self.frame, slot.at, slot.size) >> slot.shift & (1 << slot.bits) - 1

    @property
    def fields(self) -> dict[str, int]:
        """Everything that it has."""
        places = sorted({*self.headers.slots, *self.headers.values})
        return {FIELDS[place].name: self.get(place) for place in places}

    def with_bits(self, place: int, value: int, mask: int) -> Self:
        """The packet with these bits of a field set; itself when it has no such field."""
        if FIELDS[place].name == "vlan_vid" and self.headers.values.get(place):
            tag = _number(self.frame, 14, 2)
            wanted = tag & ~(mask & 0xFFF) | value & mask & 0xFFF
            frame = self.frame[:14] + wanted.to_bytes(2, "big") + self.frame[16:]
            return type(self)(frame, self.tags)
        slot = self.headers.slots.get(place)
        if slot is None:
            return self
        held = _number(self.frame, slot.at, slot.size)
        wanted = held & ~(mask << slot.shift) | (value & mask) << slot.shift
        changed = bytearray(self.frame)
        changed[slot.at : slot.at + slot.size] = wanted.to_bytes(slot.size, "big")
        for each in self.headers.sums:
            _carry_over(self.frame, changed, each)
        return type(self)(bytes(changed), self.tags)

    def push_vlan(self, ethertype: int) -> Self:
        """The packet with another tag in front, of VLAN 0; more than two the switch can't keep."""
        tag = ethertype.to_bytes(2, "big") + bytes(2)
        return type(self)(self.frame[:12] + tag + self.frame[12:], self.tags + 1)

    def pop_vlan(self) -> Self:
        """The packet without its outer tag; itself when it has none."""
        if not self["vlan_vid"]:
            return self
        return type(self)(self.frame[:12] + self.frame[16:], self.tags - 1)


def _carry_over(old: bytes, new: bytearray, checksum: _Sum) -> None:
    """Bring a checksum up to date with what changed under it (RFC 1624)."""
    held = _number(old, checksum.at, 2)
    difference = 0
    for start, end in checksum.covers:
        for at in range(start, end - 1, 2):
            if at != checksum.at:
                difference += _number(new, at, 2) - _number(old, at, 2)
        if (end - start) % 2:
            difference += (new[end - 1] - old[end - 1]) << 8
    if not difference or (checksum.may_be_absent and not held):
        return
    total = (~held & 0xFFFF) + difference
    total = total % 0xFFFF or 0xFFFF  # one's complement: never a plain 0
    wanted = ~total & 0xFFFF
    if checksum.may_be_absent and not wanted:
        wanted = 0xFFFF
    new[checksum.at : checksum.at + 2] = wanted.to_bytes(2, "big")
