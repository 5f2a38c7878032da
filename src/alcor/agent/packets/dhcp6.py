"""DHCPv6 messages: bytes to values and back.

Source: RFC 8415 sections 8 and 21, RFC 3646 (name servers), RFC 4704 (the client's name), RFC 5908
(time), RFC 5970 (boot).
Parsing raises `Malformed` and nothing else, whatever the bytes.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed

CLIENT_PORT, SERVER_PORT = 546, 547
options_max = 256  # of one message: a client that sends more is no client


class MessageType(IntEnum):
    """Message types (RFC 8415, 7.3)."""

    SOLICIT = 1
    ADVERTISE = 2
    REQUEST = 3
    CONFIRM = 4
    RENEW = 5
    REBIND = 6
    REPLY = 7
    RELEASE = 8
    DECLINE = 9
    INFORMATION_REQUEST = 11


class Option(IntEnum):
    """Option codes that the agent reads or writes."""

    CLIENT_ID = 1
    SERVER_ID = 2
    IA_NA = 3
    IA_TA = 4
    IA_ADDRESS = 5
    REQUESTED = 6
    STATUS = 13
    RAPID_COMMIT = 14
    NAME_SERVERS = 23
    SEARCH_LIST = 24
    IA_PD = 25
    REFRESH_TIME = 32
    CLIENT_NAME = 39


class Status(IntEnum):
    """Status codes (RFC 8415, 21.13)."""

    SUCCESS = 0
    NO_ADDRESSES = 2
    NO_BINDING = 3
    NOT_ON_LINK = 4
    NO_PREFIXES = 6


class Association(NamedTuple):
    """An identity association that a client speaks of: IA_NA, IA_TA or IA_PD."""

    code: int
    iaid: bytes  # 4 bytes
    addresses: tuple[int, ...]  # 128 bits each; none of an IA_PD


class Message(NamedTuple):
    """A message between client and server; options as they came, in their order."""

    kind: int
    transaction: bytes  # 3 bytes
    options: tuple[tuple[int, bytes], ...]

    def option(self, code: int) -> bytes | None:
        """The first option of this code."""
        return next((value for found, value in self.options if found == code), None)

    def asks_for(self, code: int) -> bool:
        """Whether the client names this option among those that it wants to be told."""
        wanted = self.option(Option.REQUESTED) or b""
        return code.to_bytes(2, "big") in (wanted[at : at + 2] for at in range(0, len(wanted), 2))

    def associations(self) -> list[Association]:
        """The identity associations; `Malformed` when one is cut short."""
        return [
            _association(code, value)
            for code, value in self.options
            if code in (Option.IA_NA, Option.IA_TA, Option.IA_PD)
        ]


def parse_message(data: bytes) -> Message:
    """The message of a UDP payload; relayed ones are `Malformed`, as machines are no relays."""
    if len(data) < 4:
        raise Malformed("shorter than a DHCPv6 message")
    if data[0] in (12, 13):
        raise Malformed("relayed")
    return Message(data[0], data[1:4], tuple(_options(data[4:])))


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    at, count = 0, 0
    while at < len(data):
        if at + 4 > len(data):
            raise Malformed("an option without its length")
        code, size = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4])
        if at + 4 + size > len(data):
            raise Malformed("an option runs past its end")
        count += 1
        if count > options_max:
            raise Malformed("too many options")
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size


def _association(code: int, value: bytes) -> Association:
    head = 4 if code == Option.IA_TA else 12
    if len(value) < head:
        raise Malformed("an identity association without its head")
    addresses = []
    for inner, data in _options(value[head:]):
        if inner == Option.IA_ADDRESS:
            if len(data) < 24:
                raise Malformed("an address without its lifetimes")
            addresses.append(int.from_bytes(data[:16], "big"))
    return Association(code, value[:4], tuple(addresses))


def build_message(
    kind: MessageType, transaction: bytes, options: Iterable[tuple[int, bytes]]
) -> bytes:
    """The UDP payload of a message."""
    return bytes((kind,)) + transaction + b"".join(option_bytes(*each) for each in options)


def option_bytes(code: int, value: bytes) -> bytes:
    """One option on the wire."""
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def status_bytes(status: Status, text: str) -> bytes:
    """A status code as an option."""
    return option_bytes(Option.STATUS, status.to_bytes(2, "big") + text.encode())


def address_bytes(address: int, preferred_s: int, valid_s: int) -> bytes:
    """An address of an association as an option; lifetimes of 0 take it away."""
    times = preferred_s.to_bytes(4, "big") + valid_s.to_bytes(4, "big")
    return option_bytes(Option.IA_ADDRESS, address.to_bytes(16, "big") + times)
