"""ICMP and ICMPv6 echo requests from inside namespaces, by raw sockets (RFC 792, RFC 4443).

A raw socket belongs to the namespace in which it was opened: one process can so ask in the name of
every machine.
"""

import socket
import struct
from typing import NamedTuple, Self

from alcor.lab import namespaces

_ICMP_FILTER, _ICMPV6_FILTER = 1, 1
_SOL_RAW = 255


class Kind(NamedTuple):
    """The numbers of one family's echo."""

    family: int
    protocol: int
    request: int
    reply: int


V4 = Kind(socket.AF_INET, socket.IPPROTO_ICMP, 8, 0)
V6 = Kind(socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129)


def kind_of(address: str) -> Kind:
    """The family that the text of an address belongs to."""
    return V6 if ":" in address else V4


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def request(kind: Kind, identifier: int, sequence: int) -> bytes:
    """An echo request; of ICMPv6 the kernel fills the checksum in."""
    payload = b"alcor ping"
    bare = struct.pack("!BBHHH", kind.request, 0, 0, identifier, sequence) + payload
    if kind is V6:
        return bare
    return bare[:2] + struct.pack("!H", checksum(bare)) + bare[4:]


def reply(kind: Kind, packet: bytes) -> tuple[int, int] | None:
    """Identifier and sequence of an echo reply as the socket gave it; None for anything else."""
    start = (packet[0] & 15) * 4 if kind is V4 and packet else 0  # IPv4 comes with its header
    if len(packet) < start + 8 or packet[start] != kind.reply:
        return None
    identifier, sequence = struct.unpack_from("!HH", packet, start + 4)
    return identifier, sequence


class EchoSocket:
    """Sends echo requests from one namespace and hears the replies; never blocks."""

    def __init__(self, namespace: str, kind: Kind, identifier: int) -> None:
        self._kind = kind
        self._identifier = identifier
        with namespaces.inside(namespace):
            self._socket = socket.socket(kind.family, socket.SOCK_RAW, kind.protocol)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._hear_replies_only()

    def _hear_replies_only(self) -> None:
        kind = self._kind
        if kind is V4:
            blocked = ~(1 << kind.reply) & 0xFFFFFFFF
            self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("I", blocked))
            return
        words = [0xFFFFFFFF] * 8
        words[kind.reply >> 5] &= ~(1 << (kind.reply & 31))
        self._socket.setsockopt(kind.protocol, _ICMPV6_FILTER, struct.pack("8I", *words))

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def send(self, address: str, sequence: int) -> None:
        """Ask `address`; a packet that can't leave just now counts as lost."""
        try:
            self._socket.sendto(request(self._kind, self._identifier, sequence), (address, 0))
        except OSError:
            return  # no route yet, a full buffer, an unanswered neighbour: the caller asks again

    def replies(self) -> list[int]:
        """The sequences answered since the last call."""
        answered: list[int] = []
        while True:
            try:
                packet = self._socket.recv(2048)
            except BlockingIOError:
                return answered
            except OSError:
                continue  # an ICMP error about an earlier packet
            heard = reply(self._kind, packet)
            if heard is not None and heard[0] == self._identifier:
                answered.append(heard[1])

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
