"""DHCPv4 messages: bytes to values and back.

Source: RFC 2131 (the message), RFC 2132 (options), RFC 3396 (long options), RFC 3442 (routes).
Parsing raises `Malformed` and nothing else, whatever the bytes.
"""

import struct
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from alcor.agent.packets.ipv4 import Malformed

BOOT_REQUEST = 1
BOOT_REPLY = 2
CLIENT_PORT = 68
SERVER_PORT = 67
MAGIC_COOKIE = 0x63825363
BROADCAST_FLAG = 0x8000
message_bytes_min = 300  # BOOTP's size: some relays and clients drop less (RFC 1542, 2.1)
datagram_bytes_min = 576  # what every client must take, IP header included (RFC 2131, 2)

_HEAD = struct.Struct("!BBBBIHHIIII16s64s128sI")


class Option(IntEnum):
    """Option codes that the agent reads or writes."""

    SUBNET_MASK = 1
    ROUTER = 3
    DNS_SERVER = 6
    HOST_NAME = 12
    DOMAIN_NAME = 15
    INTERFACE_MTU = 26
    BROADCAST_ADDRESS = 28
    REQUESTED_ADDRESS = 50
    LEASE_TIME = 51
    OVERLOAD = 52
    MESSAGE_TYPE = 53
    SERVER_ID = 54
    PARAMETER_LIST = 55
    MAX_MESSAGE_SIZE = 57
    RENEWAL_TIME = 58
    REBINDING_TIME = 59
    CLIENT_ID = 61
    TFTP_SERVER = 66
    BOOT_FILE = 67
    USER_CLASS = 77
    IPXE = 175  # only iPXE sends it
    CLASSLESS_ROUTES = 121
    MICROSOFT_ROUTES = 249


class MessageType(IntEnum):
    """Values of option 53."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


class Message(NamedTuple):
    """A DHCP message; addresses are 32-bit numbers, 0 where there is none."""

    op: int
    xid: int
    flags: int
    ciaddr: int
    yiaddr: int
    siaddr: int
    giaddr: int
    chaddr: int  # 48 bits
    options: Mapping[int, bytes]
    file: bytes = b""  # the boot file

    @property
    def type(self) -> int | None:
        """Option 53, or None where it is missing or not one byte."""
        value = self.options.get(Option.MESSAGE_TYPE, b"")
        return value[0] if len(value) == 1 else None

    def address(self, option: Option) -> int | None:
        """An option that holds one IPv4 address; None where it is missing or malformed."""
        value = self.options.get(option, b"")
        return int.from_bytes(value, "big") if len(value) == 4 else None


def parse_message(data: bytes) -> Message:
    """The message of a UDP payload."""
    if len(data) < _HEAD.size:
        raise Malformed("shorter than a DHCP message")
    (
        op,
        htype,
        hlen,
        _,
        xid,
        _,
        flags,
        ciaddr,
        yiaddr,
        siaddr,
        giaddr,
        chaddr,
        sname,
        file,
        magic,
    ) = _HEAD.unpack_from(data)
    if magic != MAGIC_COOKIE:
        raise Malformed("no DHCP magic cookie")
    if (htype, hlen) != (1, 6):
        raise Malformed("not an Ethernet client")
    mac = int.from_bytes(chaddr[:6], "big")
    options = _options(data[_HEAD.size :], file, sname)
    # A boot file is text that ends at its first zero; options in its place are none.
    boot_file = b"" if Option.OVERLOAD in options else file.partition(b"\0")[0]
    return Message(op, xid, flags, ciaddr, yiaddr, siaddr, giaddr, mac, options, boot_file)


def _options(area: bytes, file: bytes, sname: bytes) -> dict[int, bytes]:
    options: dict[int, bytes] = {}
    _collect(area, options)
    # Option 52 says that the boot fields hold options too, the file field first (RFC 3396, 5).
    overload = options.get(Option.OVERLOAD, b"\0")
    if len(overload) == 1 and overload[0] & 1:
        _collect(file, options)
    if len(overload) == 1 and overload[0] & 2:
        _collect(sname, options)
    return options


def _collect(area: bytes, options: dict[int, bytes]) -> None:
    at = 0
    while at < len(area):
        code = area[at]
        if code == 255:
            return
        if code == 0:
            at += 1
            continue
        if at + 2 > len(area) or at + 2 + area[at + 1] > len(area):
            raise Malformed("a DHCP option runs past its area")
        end = at + 2 + area[at + 1]
        # Parts of one option are joined (RFC 3396, 7).
        options[code] = options.get(code, b"") + area[at + 2 : end]
        at = end


def build_message(message: Message) -> bytes:
    """The UDP payload of a message, its options in their order, padded to BOOTP's size."""
    head = _HEAD.pack(
        message.op,
        1,
        6,
        0,
        message.xid,
        0,
        message.flags,
        message.ciaddr,
        message.yiaddr,
        message.siaddr,
        message.giaddr,
        message.chaddr.to_bytes(6, "big"),
        b"",
        message.file,
        MAGIC_COOKIE,
    )
    options = b"".join(option_bytes(code, value) for code, value in message.options.items())
    return (head + options + b"\xff").ljust(message_bytes_min, b"\0")


def option_bytes(code: int, value: bytes) -> bytes:
    """One option on the wire; a value over 255 bytes is cut into parts (RFC 3396)."""
    if not value:
        return bytes((code, 0))
    parts = (value[at : at + 255] for at in range(0, len(value), 255))
    return b"".join(bytes((code, len(part))) + part for part in parts)


def route_bytes(routes: Iterable[tuple[int, int, int]]) -> bytes:
    """Option 121's value for (destination, prefix length, router) triples (RFC 3442)."""
    out = bytearray()
    for destination, length, router in routes:
        significant = (length + 7) // 8
        out.append(length)
        out += destination.to_bytes(4, "big")[:significant]
        out += router.to_bytes(4, "big")
    return bytes(out)
