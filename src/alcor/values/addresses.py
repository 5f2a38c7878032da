"""IP and MAC addresses: parsed once at the edge, integers inside, bytes on the wire.

The standard library's `ipaddress` understands the text; nothing hot calls it for IPv4.
"""

import ipaddress
import re
from typing import NamedTuple, NewType

Mac = NewType("Mac", int)  # 48 bits

# A quarter of the cost of the standard library's parser, which has the last word on all else.
_OCTET = {str(value): value for value in range(256)}
_MAC = re.compile(
    r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|(?:[0-9a-f]{2}-){5}[0-9a-f]{2}"
    r"|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}",
    re.ASCII | re.IGNORECASE,
)
_MARKS = str.maketrans("", "", ":-.")


class Address(NamedTuple):
    """One IP address: the family (4 or 6) and the number."""

    version: int
    number: int

    def __str__(self) -> str:
        if self.version == 4:
            n = self.number
            return f"{n >> 24}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"
        return str(ipaddress.IPv6Address(self.number))

    @property
    def packed(self) -> bytes:
        """Network byte order: 4 or 16 bytes."""
        return self.number.to_bytes(4 if self.version == 4 else 16, "big")


class Prefix(NamedTuple):
    """A CIDR: `number` has no host bits set."""

    version: int
    number: int
    length: int

    def __str__(self) -> str:
        return f"{Address(self.version, self.number)}/{self.length}"

    @property
    def width(self) -> int:
        """Bits of an address of this family: 32 or 128."""
        return 32 if self.version == 4 else 128

    @property
    def mask(self) -> int:
        """The netmask as a number."""
        return ((1 << self.length) - 1) << (self.width - self.length)

    @property
    def first(self) -> int:
        """The lowest address of the prefix (the network address)."""
        return self.number

    @property
    def last(self) -> int:
        """The highest address of the prefix (IPv4: the broadcast address)."""
        return self.number | ((1 << (self.width - self.length)) - 1)

    def __contains__(self, address: object) -> bool:
        return isinstance(address, Address) and self.covers(address)

    def covers(self, address: Address) -> bool:
        """Whether the address is of the prefix (`in`, for those whom the type checker holds back
        because a tuple of numbers can't contain an address)."""
        return address.version == self.version and address.number & self.mask == self.number

    def overlaps(self, other: "Prefix") -> bool:
        """Whether the two share an address."""
        return (
            self.version == other.version and self.first <= other.last and other.first <= self.last
        )


def address(text: object) -> Address:
    """Parse an IPv4 or IPv6 address; `ValueError` when it is none (or carries a zone id)."""
    if not isinstance(text, str):
        raise ValueError(f"'{text}' is not a valid IP address")
    if (dotted := _dotted(text)) is not None:
        return Address(4, dotted)
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a valid IP address") from None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id is not None:
        raise ValueError(f"'{text}' is not a valid IP address")
    return Address(parsed.version, int(parsed))


def _dotted(text: str) -> int | None:
    """The number of an IPv4 address in plain form; None when it is not that."""
    parts = text.split(".", 4)
    if len(parts) != 4:
        return None
    a, b, c, d = map(_OCTET.get, parts)
    if a is None or b is None or c is None or d is None:
        return None
    return a << 24 | b << 16 | c << 8 | d


def unpack_address(packed: bytes) -> Address:
    """The address of 4 or 16 bytes; `ValueError` for any other length."""
    if len(packed) not in (4, 16):
        raise ValueError(f"an address has 4 or 16 bytes, not {len(packed)}")
    return Address(4 if len(packed) == 4 else 6, int.from_bytes(packed, "big"))


def prefix(text: object) -> Prefix:
    """Parse a CIDR; host bits are cleared, as Neutron does. `ValueError` when it is none."""
    if not isinstance(text, str) or "/" not in text:
        raise ValueError(f"'{text}' is not a valid IP subnet")
    try:
        parsed = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"'{text}' is not a valid IP subnet") from None
    return Prefix(parsed.version, int(parsed.network_address), parsed.prefixlen)


def mac(text: object) -> Mac:
    """Parse a MAC address, with colons, hyphens, dots or bare; `ValueError` when it is none."""
    if not isinstance(text, str) or _MAC.fullmatch(text) is None:
        raise ValueError(f"'{text}' is not a valid MAC address")
    return Mac(int(text.translate(_MARKS), 16))


def mac_text(number: int) -> str:
    """The usual form: lower case, colons."""
    return number.to_bytes(6, "big").hex(":")


def eui64(number: int, whole: Prefix) -> Address:
    """The address that a machine makes of its MAC in an IPv6 /64 (RFC 4291, appendix A)."""
    high, low = number >> 24, number & 0xFFFFFF
    interface_id = ((high ^ 0x020000) << 40) | (0xFFFE << 24) | low
    return Address(6, whole.number | interface_id)


def eui64_link_local(number: int) -> Address:
    """The IPv6 link-local address that a machine makes of its MAC."""
    return eui64(number, _LINK_LOCAL)


_LINK_LOCAL = Prefix(6, 0xFE80 << 112, 64)
