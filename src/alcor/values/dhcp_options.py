"""DHCP options by name or number: what tenants may ask for, and its bytes.

Names are dnsmasq's, as Neutron's users write them. A value becomes length-prefixed bytes here, so
nothing that a tenant writes is ever text in somebody's configuration. Sources: RFC 2132, 3397,
3442, 5859 (150), 8415, 3646, 5908, 5970; dnsmasq(8) for tags.
"""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from alcor.values.addresses import Prefix, address, prefix

value_chars_max = 1024
value_bytes_max = 255  # more would need parts (RFC 3396), which many clients can't join
NEXT_SERVER = 0  # in place of a code: the address of the boot server in the message's head


class When(IntEnum):
    """For which clients an option is."""

    ALWAYS = 0
    IPXE = 1  # who says that it is iPXE
    NOT_IPXE = 2


class DhcpOption(NamedTuple):
    """An option as it goes on the wire; with an empty value, one that is not told at all."""

    version: int  # 4: DHCPv4, 6: DHCPv6
    code: int
    value: bytes
    when: When = When.ALWAYS


def option(name: str, value: str, version: int) -> DhcpOption:
    """The option that a tenant means; `ValueError` says what is wrong with it."""
    when, plain = _tag(name)
    code, kind = _meant(plain, version)
    if not value.strip(" ") and code in _MAY_BE_BLANK and version == 4:
        return DhcpOption(version, code, b"", when)
    if not value or len(value) > value_chars_max or _CONTROL.search(value):
        raise ValueError(f"the value of DHCP option '{plain[:64]}' is empty, too long or not text")
    try:
        encoded = kind(value, version)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"DHCP option '{plain[:64]}': {error}") from None
    if len(encoded) > value_bytes_max:
        raise ValueError(f"DHCP option '{plain[:64]}' has more than {value_bytes_max} bytes")
    return DhcpOption(version, code, encoded, when)


_MAY_BE_BLANK = frozenset((3, 121, 249))  # router and routes: with no value they are not told
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TAGS = {"tag:ipxe": When.IPXE, "tag:!ipxe": When.NOT_IPXE}


def _tag(name: str) -> tuple[When, str]:
    tag, comma, rest = name.partition(",")
    if not comma:
        return When.ALWAYS, name
    if tag not in _TAGS:
        raise ValueError(f"'{tag[:64]}' is no tag that hosts know: they know tag:ipxe, tag:!ipxe")
    return _TAGS[tag], rest


def _meant(name: str, version: int) -> tuple[int, "Kind"]:
    """Code and kind of value of a name or number."""
    if version not in (4, 6):
        raise ValueError(f"there is no DHCP for IP version {version}")
    plain = name.removeprefix("option:").removeprefix("option6:" if version == 6 else "option:")
    named = _NAMES4 if version == 4 else _NAMES6
    if plain in named:
        return named[plain]
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 5:
        raise ValueError(f"'{name[:64]}' is not the name of a DHCP option")
    code, last = int(plain), 254 if version == 4 else 65_535
    ours = _OURS4 if version == 4 else _OURS6
    if not 0 < code <= last or code in ours:
        raise ValueError(f"DHCP option {code} can't be set")
    return code, next((kind for known, kind in named.values() if known == code), _guessed)


Kind = Callable[[str, int], bytes]


def _addresses(text: str, version: int) -> bytes:
    parsed = [address(part.strip().removeprefix("[").removesuffix("]")) for part in text.split(",")]
    if any(each.version != version for each in parsed):
        raise ValueError(f"addresses of IP version {version} are needed")
    return b"".join(each.packed for each in parsed)


def _one_address(text: str, version: int) -> bytes:
    return _addresses(text.replace(",", " "), version)


def _boot_server(text: str, _: int) -> bytes:
    """DHCPv4 has no place for an IPv6 address: Neutron takes one, and nothing is told."""
    parsed = address(text)
    return parsed.packed if parsed.version == 4 else b""


def _text(text: str, _: int) -> bytes:
    return text.encode()


def _number(size: int) -> Kind:
    def encoded(text: str, _: int) -> bytes:
        if not (text.isascii() and text.isdigit()):
            raise ValueError("a number is needed")
        return int(text).to_bytes(size, "big")

    return encoded


def _switch(text: str, _: int) -> bytes:
    if text not in ("0", "1"):
        raise ValueError("0 or 1 is needed")
    return bytes((int(text),))


def _domains(text: str, _: int) -> bytes:
    return b"".join(map(_domain, text.split(",")))


def _domain(text: str) -> bytes:
    labels = text.strip().rstrip(".").split(".")
    raw = [label.encode("ascii") for label in labels]
    if not all(0 < len(label) <= 63 for label in raw):
        raise ValueError(f"'{text[:64]}' is not a domain name")
    return b"".join(bytes((len(label),)) + label for label in raw) + b"\0"


def _routes(text: str, _: int) -> bytes:
    """`10.0.0.0/8,10.1.1.1,...`: prefixes and routers in turn (RFC 3442)."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) % 2:
        raise ValueError("a router is needed for each prefix")
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return b"".join(_route(prefix(where), _addresses(by, 4)) for where, by in pairs)


def _route(where: Prefix, router: bytes) -> bytes:
    if where.version != 4:
        raise ValueError("IPv4 is needed")
    significant = (where.length + 7) // 8
    return bytes((where.length,)) + where.number.to_bytes(4, "big")[:significant] + router


def _parameters(text: str, _: int) -> bytes:
    """Texts with their lengths (RFC 5970, 3.2)."""
    parts = [part.encode() for part in text.split(",")]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _time_servers(text: str, version: int) -> bytes:
    """Sub-options of one server each (RFC 5908)."""
    packed = _addresses(text, version)
    each = (packed[at : at + 16] for at in range(0, len(packed), 16))
    return b"".join(b"\0\x01\0\x10" + one for one in each)


def _guessed(text: str, version: int) -> bytes:
    """As dnsmasq guesses of an option that it has no name for: addresses, number, hex, text."""
    try:
        return _addresses(text, version)
    except ValueError:
        pass
    if text.isascii() and text.isdigit():
        number = int(text)
        size = next(size for size in (1, 2, 4, 128) if number < 1 << 8 * size)
        return number.to_bytes(size, "big")
    if _HEX.fullmatch(text):
        return bytes.fromhex(text.replace(":", ""))
    return text.encode()


_HEX = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2})+")


def _table(rows: Sequence[tuple[Kind, str]]) -> dict[str, tuple[int, Kind]]:
    """`3 router` pairs by kind -> name: (code, kind)."""
    return {
        name: (int(code), kind)
        for kind, words in rows
        for code, name in (pair.split() for pair in words.split(","))
    }


_NAMES4 = _table(
    (
        (
            _addresses,
            "3 router, 6 dns-server, 7 log-server, 9 lpr-server, 21 policy-filter, 33 static-route,"
            "41 nis-server, 42 ntp-server, 44 netbios-ns, 45 netbios-dd, 48 x-windows-fs,"
            "49 x-windows-dm, 65 nis+-server, 68 mobile-ip-home, 69 smtp-server, 70 pop3-server,"
            "71 nntp-server, 74 irc-server, 150 tftp-server-address",
        ),
        (
            _one_address,
            "1 netmask, 16 swap-server, 28 broadcast, 32 router-solicitation",
        ),
        (_boot_server, "0 server-ip-address"),
        (
            _text,
            "12 hostname, 15 domain-name, 17 root-path, 18 extension-path, 40 nis-domain,"
            "47 netbios-scope, 60 vendor-class, 64 nis+-domain, 66 tftp-server, 67 bootfile-name",
        ),
        (
            _switch,
            "19 ip-forward-enable, 20 non-local-source-routing, 27 all-subnets-local,"
            "31 router-discovery, 34 trailer-encapsulation, 36 ethernet-encap",
        ),
        (_number(1), "23 default-ttl, 37 tcp-ttl, 46 netbios-nodetype"),
        (_number(2), "13 boot-file-size, 22 max-datagram-reassembly, 26 mtu"),
        (
            _number(4),
            "2 time-offset, 35 arp-timeout, 38 tcp-keepalive, 51 lease-time, 58 T1, 59 T2",
        ),
        (_domains, "119 domain-search"),
        (_routes, "121 classless-static-route, 249 microsoft-classless-static-route"),
    )
)
_NAMES6 = _table(
    (
        (
            _addresses,
            "22 sip-server, 23 dns-server, 27 nis-server, 28 nis+-server, 31 sntp-server",
        ),
        (_domains, "21 sip-server-domain, 24 domain-search, 29 nis-domain, 30 nis+-domain"),
        (_number(4), "32 information-refresh-time"),
        (_time_servers, "56 ntp-server"),
        (_text, "59 bootfile-url"),
        (_parameters, "60 bootfile-param"),
    )
)
# What makes the exchange itself: a client would not understand it any more.
_OURS4 = frozenset((50, 52, 53, 54, 55, 56, 57, 61, 82))
_OURS6 = frozenset((*range(1, 21), 25, 26, 82, 83))
