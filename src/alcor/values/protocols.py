"""IP protocols: the names that Neutron's API knows, and IANA's numbers.

Source: IANA "Assigned Internet Protocol Numbers"; names as neutron-lib writes them.
"""

from collections.abc import Mapping

NUMBER_BY_NAME: Mapping[str, int] = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "hopopt": 0,
    "icmp": 1,
    "icmpv6": 58,  # an older name of ipv6-icmp
    "igmp": 2,
    "ip": 0,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
NAME_BY_NUMBER: Mapping[int, str] = {number: name for name, number in NUMBER_BY_NAME.items()}
ICMP = 1
ICMPV6 = 58
WITH_PORTS: Mapping[str, int] = {
    name: NUMBER_BY_NAME[name] for name in ("dccp", "sctp", "tcp", "udp", "udplite")
}
OF_IPV6_ONLY = frozenset({41, 43, 44, 58, 59, 60})


def protocol_number(text: str) -> int:
    """The number of a protocol's name or of its digits; `ValueError` when it is neither."""
    known = NUMBER_BY_NAME.get(text)
    if known is not None:
        return known
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) > 255:
        raise ValueError(f"'{text[:128]}' is not an IP protocol")
    return int(text)
