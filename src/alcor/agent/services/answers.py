"""What is said to a DNS question: an answer of the network's own names, a refusal, or nothing.

Pure. Names of the network are answered here, whatever the state of the control plane; what is not
of the network is somebody else's to answer. What is not there is said with the zone's SOA, so that
who asked may remember it. Sources: RFC 1034 section 4.3.2, RFC 2308, RFC 6303 section 3, RFC 8020.
"""

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

from alcor.agent.packets.dns import (
    ANY_CLASS,
    IN,
    Code,
    Labels,
    Question,
    Record,
    Type,
    build_answer,
)
from alcor.agent.packets.names import can_be_written, host_label, name_bytes
from alcor.agent.services.reverse import reverse_prefix, reverse_zone
from alcor.agent.services.zones import Zone
from alcor.goal_state.slices import name_wanted
from alcor.values.addresses import Address, Prefix, address

ttl_s = 30  # of the network's own names: a port may get another address
_TYPE_BY_VERSION = {4: Type.A, 6: Type.AAAA}
# RFC 6303: a zone without a server of its own names itself, and nobody who looks after it.
_SOA_TAIL = name_bytes("nobody.invalid") + struct.pack("!IIIII", 1, 3600, 1200, 604_800, ttl_s)
_NAME = re.compile(rb"[a-z0-9_.-]{1,253}")  # what a port may be called
_KNOWN_BELOW = (*_TYPE_BY_VERSION.values(), Type.PTR, Type.ANY)


def answer(question: Question, zone: Zone, size_max: int | None = None) -> bytes | None:
    """The answer; None when another resolver has to be asked."""
    if question.opcode != 0:
        return build_answer(question, Code.NOT_IMPLEMENTED)
    if question.klass not in (IN, ANY_CLASS) or question.type in (Type.AXFR, Type.IXFR):
        return build_answer(question, Code.REFUSED)
    asked = reverse_prefix(question.name)
    if asked is not None:
        return _reverse(question, asked, zone, size_max)
    found = zone.addresses_by_name.get(question.name)
    if found is None and not _is_ours_alone(question, zone):
        return None
    records = _addresses(question, found or ())
    at = _zone_of(question.name, zone)
    if at and question.name == zone.suffixes[0]:
        records += _of_itself(question, at)
    is_there = found is not None or question.name in zone.above
    code = Code.NO_ERROR if is_there else Code.NO_SUCH_NAME
    authority = () if records or not at else ((at, _soa(at)),)
    return _said(question, code, records, size_max, authority)


def wanted(question: Question, zone: Zone) -> Iterator[str]:
    """What must be known for an answer, where a network is held lazily: names and addresses."""
    asked = reverse_prefix(question.name)
    if asked is not None:
        if asked.length == asked.width and _around(asked, zone) is not None:
            yield str(Address(asked.version, asked.number))
        return
    for suffix in {(), *zone.shared}:
        at = len(question.name) - len(suffix)
        if question.name[at:] == suffix and (suffix or at == 1):
            name = b".".join(question.name[:at])
            if _NAME.fullmatch(name):
                yield name_wanted(name.decode())
                yield from _of_host_label(name)


def _of_host_label(label: bytes) -> Iterator[str]:
    """The address that a label is made of."""
    text = label.decode().removeprefix("host-")
    for separator in ".:":
        with suppress(ValueError):
            found = address(text.replace("-", separator))
            if host_label(found) == label:
                yield str(found)


def _reverse(question: Question, asked: Prefix, zone: Zone, size_max: int | None) -> bytes | None:
    """Of the names of subnets' addresses all is known here but which names between zone and address
    are empty: none is said to be missing, as whoever asks label by label would ask no further
    (RFC 9156). Of names above these zones others know whose they are."""
    whole = asked.length == asked.width
    name = zone.name_by_address.get(Address(asked.version, asked.number)) if whole else None
    around = _around(asked, zone)
    if around is None and name is None:
        is_above = any(_covers(asked, each) for each in zone.prefixes)
        if not is_above or question.type not in _KNOWN_BELOW:
            return None
        return _said(question, Code.NO_ERROR, (), size_max)
    at = b""
    records: list[Record] = []
    if around is not None:
        apex = reverse_zone(around, question.name)
        at = name_bytes(b".".join(apex).decode())
        records += _of_itself(question, at) if question.name == apex else ()
    if name is not None and question.type in (Type.PTR, Type.ANY):
        records.append(Record(Type.PTR, ttl_s, name_bytes(b".".join(name).decode())))
    code = Code.NO_SUCH_NAME if whole and name is None else Code.NO_ERROR
    authority = () if records or not at else ((at, _soa(at)),)
    return _said(question, code, records, size_max, authority)


def _around(asked: Prefix, zone: Zone) -> Prefix | None:
    """The subnet that these addresses are of."""
    return next((each for each in zone.prefixes if _covers(each, asked)), None)


def _covers(outer: Prefix, inner: Prefix) -> bool:
    return outer.length <= inner.length and outer.covers(Address(inner.version, inner.number))


def _said(
    question: Question,
    code: Code,
    records: Sequence[Record],
    size_max: int | None,
    authority: Sequence[tuple[bytes, Record]] = (),
) -> bytes:
    return build_answer(
        question,
        code,
        records,
        authority=authority,
        authoritative=True,
        recursion=True,
        size_max=size_max,
    )


def _zone_of(name: Labels, zone: Zone) -> bytes:
    """The domain that a name is in, in wire form; nothing where it is in none."""
    around = (each for each in zone.suffixes if each and name[-len(each) :] == each)
    at = max(around, key=len, default=())
    return name_bytes(b".".join(at).decode()) if at and can_be_written(at) else b""


def _soa(at: bytes) -> Record:
    return Record(Type.SOA, ttl_s, at + _SOA_TAIL)


def _of_itself(question: Question, at: bytes) -> list[Record]:
    """What a zone says of itself."""
    of_zone = (_soa(at), Record(Type.NS, ttl_s, at))
    return [each for each in of_zone if question.type in (each.type, Type.ANY)]


def _addresses(question: Question, found: Sequence[Address]) -> list[Record]:
    return [
        Record(_TYPE_BY_VERSION[each.version], ttl_s, each.packed)
        for each in found
        if question.type in (_TYPE_BY_VERSION[each.version], Type.ANY)
    ]


def _is_ours_alone(question: Question, zone: Zone) -> bool:
    """Whether nobody else can know it: of the region's own zone, or addresses of a single label.

    The domains of networks and ports may be public, and have other names elsewhere. Of a single
    label, such as `com`, others know whose zone it is and by which key it is signed.
    """
    name, own = question.name, zone.suffixes[0] if zone.suffixes else ()
    if own and name[-len(own) :] == own:
        return True
    return len(name) == 1 and question.type in (Type.A, Type.AAAA, Type.ANY)
