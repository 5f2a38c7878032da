"""How hosts and deliveries talk over NATS: subjects, and what stands before each message.

A host publishes on `alcor.up.<host>.>` and hears `alcor.down.<host>` and `alcor.beat.*`; it needs
no other permission, and none of another host. Its name in a subject is who it is: whoever lets it
connect grants it these subjects only. `<host>` is percent-encoded, as NATS has a meaning for dots.

Messages of a connection have its number, chosen by the host by chance, and are counted, since NATS
delivers at most once: a gap ends the connection, and the host resumes in another.
"""

import struct
from enum import IntEnum
from typing import NamedTuple
from urllib.parse import quote, unquote

from alcor.transport.link import Violation

_HEAD = struct.Struct(">BQI")

hello_queue = "deliveries"  # one of them takes a host that says hello
every_hello = "alcor.up.*.hello"


class Kind(IntEnum):
    """What a message is."""

    HELLO = 1  # of a host: its first message
    SAY = 2  # of a host, counted: the others of proto/alcor/v1/transport.proto
    TOOK = 3  # of a host: it has taken frames up to this number
    GET = 4  # of a host: a request of this number
    BYE = 5  # of a host: it hangs up
    WELCOME = 16  # to a host: it is let in, and says the rest to the delivery of this name
    FRAME = 17  # to a host, counted
    GOT = 18  # the answer to the request of this number
    FORBIDDEN = 19  # the refusal of the request of this number, and why
    END = 20  # no more comes, and why
    BEAT = 21  # a delivery lives


_KINDS = {int(kind): kind for kind in Kind}  # which an enum finds more slowly


class Envelope(NamedTuple):
    """A message as it travels."""

    kind: Kind
    connection: int
    number: int
    content: bytes = b""

    def packed(self) -> bytes:
        """Its bytes."""
        return _HEAD.pack(self.kind, self.connection, self.number) + self.content


def opened(data: bytes) -> Envelope:
    """The message of these bytes; `Violation` when it is none."""
    try:
        kind, connection, number = _HEAD.unpack_from(data)
        return Envelope(_KINDS[kind], connection, number, data[_HEAD.size :])
    except (struct.error, KeyError) as error:
        raise Violation(f"a message that is none: {error}") from None


def up(host: str, to: str) -> str:
    """Where a host talks to a delivery, or says `hello` to whichever."""
    return f"alcor.up.{_token(host)}.{to}"


def all_up(delivery: str) -> str:
    """Where hosts talk to a delivery."""
    return f"alcor.up.*.{delivery}"


def down(host: str) -> str:
    """Where deliveries talk to a host."""
    return f"alcor.down.{_token(host)}"


def beat(delivery: str) -> str:
    """Where a delivery says that it lives."""
    return f"alcor.beat.{delivery}"


def host_of(subject: str) -> str:
    """Who has published on one of the subjects of `up`."""
    return unquote(subject.split(".")[2])


def _token(host: str) -> str:
    return quote(host, safe="").replace(".", "%2E")
