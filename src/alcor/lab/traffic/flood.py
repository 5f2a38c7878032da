"""Datagrams at a steady pace between machines: how many arrive, and how they are marked."""

import socket
import struct
import threading
from contextlib import ExitStack
from time import monotonic
from typing import NamedTuple

from alcor.lab import namespaces

interval_s = 0.001
overhead_bytes = 42  # Ethernet, IPv4 and UDP; of IPv6 20 more
listen_s = 1.0  # for what is under way when the last is sent
_LEVEL = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_RECVTOS, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, socket.IPV6_TCLASS),
}


class Flooded(NamedTuple):
    """What was sent and what arrived."""

    sent: int
    arrived: int
    seconds: float  # from the first sent to the last
    frame_bits: int
    marks: frozenset[int]  # the DSCPs of what arrived

    @property
    def share(self) -> float:
        """Of what was sent, how much arrived."""
        return self.arrived / self.sent


def flood(
    sender: str,
    receiver: str,
    address: str,
    count: int,
    payload_bytes: int,
    pace_s: float = interval_s,
    via: str = "",
) -> Flooded:
    """Send `count` datagrams from a namespace to an address in another, one each `pace_s`.

    To another address, `via`, where that one is translated.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with ExitStack() as stack:
        source, target = (stack.enter_context(_socket(each, family)) for each in (sender, receiver))
        level, ask, _ = _LEVEL[family]
        target.setsockopt(level, ask, 1)
        target.bind((address, 0))
        heard: list[int] = []
        listener = threading.Thread(target=_listen, args=(target, count, heard), name="flood")
        listener.start()
        where = (via or address, target.getsockname()[1])
        seconds = _send(source, where, count, payload_bytes, pace_s)
        listener.join()
    frame_bits = (payload_bytes + overhead_bytes + (20 if ":" in address else 0)) * 8
    return Flooded(count, len(heard), seconds, frame_bits, frozenset(heard))


def _socket(namespace: str, family: int) -> socket.socket:
    with namespaces.inside(namespace):
        return socket.socket(family, socket.SOCK_DGRAM)


def _send(
    source: socket.socket, where: tuple[str, int], count: int, payload_bytes: int, pace_s: float
) -> float:
    pause, payload = threading.Event(), bytes(payload_bytes)
    start = monotonic()
    for number in range(count):
        source.sendto(payload, where)
        if pace_s:
            pause.wait(max(0.0, start + (number + 1) * pace_s - monotonic()))
    return monotonic() - start


def _listen(target: socket.socket, count: int, heard: list[int]) -> None:
    """Note the DSCP of each datagram, until all have come or none comes any more."""
    level, _, kind = _LEVEL[socket.AddressFamily(target.family)]
    target.settimeout(listen_s)
    while len(heard) < count:
        try:
            _, ancillary, _, _ = target.recvmsg(65_535, 64)
        except TimeoutError:
            return
        for of_level, of_kind, data in ancillary:
            if (of_level, of_kind) == (level, kind):
                heard.append(data[0] >> 2 if len(data) == 1 else struct.unpack("i", data)[0] >> 2)
