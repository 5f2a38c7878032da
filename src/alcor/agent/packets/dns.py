"""DNS messages: questions to values, answers to bytes.

Pure. Source: RFC 1035 sections 3 and 4, RFC 3596 (AAAA), RFC 6891 (EDNS), RFC 2181. Parsing raises
`Malformed` and nothing else, whatever the bytes; a question is read whole or not at all, and no
pointer is followed where none may be.
"""

import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed

PORT = 53
IN, ANY_CLASS = 1, 255
bytes_max = 512  # of an answer to who does not say that it takes more
edns_bytes_max = 1232  # of an answer by UDP: what passes every link without fragments
records_skipped_max = 8  # that come with a question; an honest one has one or two

Labels = tuple[bytes, ...]  # labels in lower case, without the root

_HEAD = struct.Struct("!HHHHHH")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_RESPONSE, _AUTHORITATIVE, _TRUNCATED = 0x8000, 0x0400, 0x0200
_DESIRED, _AVAILABLE, _CHECKING_DISABLED = 0x0100, 0x0080, 0x0010
_TO_QUESTION = b"\xc0\x0c"  # a pointer to the question's name
_OPT = 41


class Type(IntEnum):
    """Types of records that the agent knows."""

    A = 1
    NS = 2
    SOA = 6
    PTR = 12
    AAAA = 28
    IXFR = 251
    AXFR = 252
    ANY = 255


class Code(IntEnum):
    """What an answer says of itself (RFC 1035, 4.1.1)."""

    NO_ERROR = 0
    FORMAT_ERROR = 1
    SERVER_FAILURE = 2
    NO_SUCH_NAME = 3
    NOT_IMPLEMENTED = 4
    REFUSED = 5


class Question(NamedTuple):
    """One question, and how its answer may come."""

    id: int  # 16 bits
    flags: int
    name: Labels
    type: int
    klass: int
    raw: bytes  # name, type and class as they came
    size_max: int  # bytes that the asker takes by UDP
    edns: bool
    dnssec: bool  # wants signatures

    @property
    def opcode(self) -> int:
        """0 for an ordinary question."""
        return self.flags >> 11 & 15

    @property
    def same(self) -> tuple[Labels, int, int, int, bool, bool]:
        """Equal for questions whose answers are the same but for their id."""
        passed_on = self.flags & (_DESIRED | _CHECKING_DISABLED)
        return self.name, self.type, self.klass, passed_on, self.edns, self.dnssec

    def passed_on(self, id_: int) -> bytes:
        """The bytes that ask a resolver the same, under an id of its own."""
        flags = self.flags & (_DESIRED | _CHECKING_DISABLED)
        opt = b"\0" + _RECORD.pack(_OPT, edns_bytes_max, 0x8000 * self.dnssec, 0)
        head = _HEAD.pack(id_, flags, 1, 0, 0, int(self.edns))
        return head + self.raw + (opt if self.edns else b"")


class Record(NamedTuple):
    """One record, about the question's name or the name of its zone."""

    type: int
    ttl_s: int
    data: bytes


def parse_question(data: bytes) -> Question:
    """The question of a UDP or TCP payload."""
    if len(data) < _HEAD.size:
        raise Malformed("shorter than a DNS header")
    id_, flags, questions, answers, authorities, more = _HEAD.unpack_from(data)
    if flags & _RESPONSE:
        raise Malformed("an answer, not a question")
    if questions != 1 or answers or authorities or more > records_skipped_max:
        raise Malformed("not one question")
    name, at = _name(data, _HEAD.size)
    if at + _QUESTION.size > len(data):
        raise Malformed("a question without type and class")
    type_, klass = _QUESTION.unpack_from(data, at)
    end = at + _QUESTION.size
    edns = _edns(data, end, more)
    size_max = min(max(edns.size, bytes_max), edns_bytes_max) if edns else bytes_max
    return Question(
        id_,
        flags,
        name,
        type_,
        klass,
        data[_HEAD.size : end],
        size_max,
        edns is not None,
        edns is not None and edns.dnssec,
    )


def _name(data: bytes, at: int) -> tuple[Labels, int]:
    """A name that is written out, and where it ends."""
    labels: list[bytes] = []
    start = at
    while True:
        if at >= len(data):
            raise Malformed("a name without end")
        size = data[at]
        if size == 0:
            return tuple(labels), at + 1
        if size > 63 or at + 1 + size > len(data) or at - start + size > 253:
            raise Malformed("a label that is none")
        labels.append(data[at + 1 : at + 1 + size].lower())
        at += 1 + size


class _Edns(NamedTuple):
    size: int
    dnssec: bool


def _edns(data: bytes, at: int, count: int) -> _Edns | None:
    """What the OPT record says, if there is one."""
    found = None
    for _ in range(count):
        at = _after_name(data, at)
        if at + _RECORD.size > len(data):
            raise Malformed("a record cut short")
        type_, klass, ttl, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size + size
        if at > len(data):
            raise Malformed("a record that runs past the end")
        if type_ == _OPT:
            if found is not None:
                raise Malformed("two OPT records")
            found = _Edns(klass, bool(ttl & 0x8000))
    return found


def _after_name(data: bytes, at: int) -> int:
    """Where a name ends, a pointer included; pointers are not followed."""
    while at < len(data):
        size = data[at]
        if size == 0:
            return at + 1
        if size >= 0xC0:
            return at + 2
        if size > 63:
            break
        at += 1 + size
    raise Malformed("a name without end")


def build_answer(
    question: Question,
    code: Code,
    records: Sequence[Record] = (),
    *,
    authority: Sequence[tuple[bytes, Record]] = (),
    authoritative: bool = False,
    recursion: bool = False,
    size_max: int | None = None,
) -> bytes:
    """The answer; where it has no room for all records it has none, and says so.

    `authority` are records of the zone, each with its whole name in wire form.
    """
    answers = b"".join(_TO_QUESTION + _record_bytes(record) for record in records)
    answers += b"".join(name + _record_bytes(record) for name, record in authority)
    opt = b"\0" + _RECORD.pack(_OPT, edns_bytes_max, 0x8000 * question.dnssec, 0)
    tail = opt if question.edns else b""
    count, of_zone, flags = len(records), len(authority), 0
    if _HEAD.size + len(question.raw) + len(answers) + len(tail) > (size_max or question.size_max):
        answers, count, of_zone, flags = b"", 0, 0, _TRUNCATED
    flags |= _RESPONSE | question.flags & (0x7800 | _DESIRED | _CHECKING_DISABLED) | code
    flags |= _AUTHORITATIVE * authoritative | _AVAILABLE * recursion
    head = _HEAD.pack(question.id, flags, 1, count, of_zone, int(question.edns))
    return head + question.raw + answers + tail


def build_refusal(data: bytes, code: Code) -> bytes | None:
    """The answer to what can't be read, if it is a question at all: its head alone."""
    if len(data) < _HEAD.size or data[2] & 0x80:
        return None
    flags = _RESPONSE | int.from_bytes(data[2:4], "big") & (0x7800 | _DESIRED) | code
    return data[:2] + flags.to_bytes(2, "big") + bytes(8)


def _record_bytes(record: Record) -> bytes:
    return _RECORD.pack(record.type, IN, record.ttl_s, len(record.data)) + record.data


def is_answer_to(question: Question, id_: int, data: bytes) -> bool:
    """Whether these bytes, which came from a resolver, answer the question sent under this id."""
    if len(data) < _HEAD.size:
        return False
    found, flags, questions = struct.unpack_from("!HHH", data)
    if found != id_ or not flags & _RESPONSE or questions != 1:
        return False
    end = _HEAD.size + len(question.raw)
    name_end = end - _QUESTION.size
    same_name = data[_HEAD.size : name_end].lower() == question.raw[: -_QUESTION.size].lower()
    return same_name and data[name_end:end] == question.raw[-_QUESTION.size :]


def is_truncated(data: bytes) -> bool:
    """Whether an answer says that it is not whole."""
    return len(data) >= _HEAD.size and bool(data[2] & _TRUNCATED >> 8)


def fitted(question: Question, data: bytes, size_max: int | None = None) -> bytes:
    """A resolver's answer under the asker's id and question; cut to its head when too large."""
    end = _HEAD.size + len(question.raw)
    head = question.id.to_bytes(2, "big") + data[2 : _HEAD.size]
    if len(data) <= (size_max or question.size_max):
        return head + question.raw + data[end:]
    flags = int.from_bytes(head[2:4], "big") | _TRUNCATED
    return head[:2] + flags.to_bytes(2, "big") + b"\0\x01" + bytes(6) + question.raw
