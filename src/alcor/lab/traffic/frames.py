"""Raw Ethernet frames from inside machines: say what a guest's own stack would never say, and hear
what arrives at all.

Builders take addresses as text; lengths and checksums are right unless stated.
"""

import socket
import struct
from collections.abc import Callable
from typing import Self

from alcor.lab import namespaces
from alcor.lab.traffic.echo import checksum
from alcor.lab.waiting import wait_until
from alcor.values.addresses import address, mac

broadcast = "ff:ff:ff:ff:ff:ff"
_ETH_P_ALL = 3
_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_outgoing = 4  # PACKET_OUTGOING: our own frames, seen on their way out


def ethernet(source: str, target: str, kind: int, payload: bytes) -> bytes:
    """A frame, padded to the 60 bytes that the wire wants."""
    head = mac(target).to_bytes(6, "big") + mac(source).to_bytes(6, "big")
    return (head + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def udp4(source: tuple[str, str, int], target: tuple[str, str, int], payload: bytes) -> bytes:
    """UDP over IPv4; each end is MAC, address, port."""
    datagram = _udp(source, target, payload, 4)
    total = 20 + len(datagram)
    head = struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0, 64, 17, 0)
    ends = address(source[1]).packed + address(target[1]).packed
    summed = head[:10] + struct.pack("!H", checksum(head + ends)) + ends
    return ethernet(source[0], target[0], _IPV4, summed + datagram)


def udp6(source: tuple[str, str, int], target: tuple[str, str, int], payload: bytes) -> bytes:
    """UDP over IPv6; each end is MAC, address, port."""
    return _ip6(source, target, 17, 64, _udp(source, target, payload, 6))


def _udp(
    source: tuple[str, str, int], target: tuple[str, str, int], payload: bytes, version: int
) -> bytes:
    size = 8 + len(payload)
    bare = struct.pack("!HHHH", source[2], target[2], size, 0) + payload
    if version == 4:
        return bare  # no checksum is a valid one
    total = checksum(_pseudo6(source[1], target[1], 17, size) + bare) or 0xFFFF
    return bare[:6] + struct.pack("!H", total) + payload


def _pseudo6(source: str, target: str, protocol: int, size: int) -> bytes:
    return address(source).packed + address(target).packed + struct.pack("!II", size, protocol)


def _ip6(
    source: tuple[str, str, int],
    target: tuple[str, str, int],
    protocol: int,
    hops: int,
    payload: bytes,
) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, hops)
    ends = address(source[1]).packed + address(target[1]).packed
    return ethernet(source[0], target[0], _IPV6, head + ends + payload)


def arp(
    source_mac: str, target_mac: str, *, operation: int, sender: tuple[str, str], asked: str
) -> bytes:
    """ARP (RFC 826); `sender` is the MAC and address that the sender claims."""
    body = struct.pack("!HHBBH", 1, _IPV4, 6, 4, operation)
    body += mac(sender[0]).to_bytes(6, "big") + address(sender[1]).packed
    body += mac(target_mac if operation == 2 else "00:00:00:00:00:00").to_bytes(6, "big")
    return ethernet(source_mac, target_mac, _ARP, body + address(asked).packed)


def neighbour_advertisement(
    source: tuple[str, str], target: tuple[str, str], claimed: str
) -> bytes:
    """An unasked advertisement (RFC 4861, 4.4) that `claimed` is at the source's MAC."""
    option = struct.pack("!BB", 2, 1) + mac(source[0]).to_bytes(6, "big")
    bare = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + address(claimed).packed + option
    total = checksum(_pseudo6(source[1], target[1], 58, len(bare)) + bare)
    body = bare[:2] + struct.pack("!H", total) + bare[4:]
    return _ip6((*source, 0), (*target, 0), 58, 255, body)


class FrameSocket:
    """Sends frames from a machine's interface, and keeps every frame that it hears."""

    def __init__(self, namespace: str) -> None:
        with namespaces.inside(namespace):
            self._socket = socket.socket(
                socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)
            )
        self._socket.bind(("eth0", _ETH_P_ALL))
        self._socket.setblocking(False)
        self._heard: list[bytes] = []

    def send(self, frame: bytes) -> None:
        """Send a frame as it is."""
        self._socket.send(frame)

    def heard(self) -> list[bytes]:
        """Every frame that has arrived so far; what the machine itself sent is left out."""
        while True:
            try:
                frame, sender = self._socket.recvfrom(65535)
            except BlockingIOError:
                return self._heard
            if sender[2] != _outgoing:
                self._heard.append(frame)

    def wait_for(self, what: str, is_it: Callable[[bytes], bool], timeout_s: float = 30.0) -> None:
        """Wait until such a frame has arrived; `LabError` when none does in time."""
        wait_until(what, lambda: any(is_it(frame) for frame in self.heard()), timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._socket.close()
