"""The match fields of Open vSwitch, declared once.

A field's place in `FIELDS` is the order in which the switch writes a match back, so a match that
is encoded in this order compares as equal bytes with a read-back. The order was learned from
Open vSwitch 3.1 (nx_put_raw) and tests/contract/ovs keeps it learned.

Sources: OpenFlow 1.4 section 7.2.3 (OXM), ovs-fields(7) (NXM numbers, prerequisites).
"""

from dataclasses import dataclass, field

OXM = 0x8000  # OpenFlow basic class
NXM = 0x0001  # Nicira extensions
ERIC = 0x1000  # Ericsson extensions: the parts of ND that OpenFlow forgot

ETH_TYPE_IPV4, ETH_TYPE_ARP, ETH_TYPE_IPV6 = 0x0800, 0x0806, 0x86DD
ETH_TYPE_BY_VERSION = {4: ETH_TYPE_IPV4, 6: ETH_TYPE_IPV6}
IP_PROTO_ICMP, IP_PROTO_TCP, IP_PROTO_UDP, IP_PROTO_ICMPV6, IP_PROTO_SCTP = 1, 6, 17, 58, 132
# ICMPv6 that concerns one link: MLD, router and neighbour discovery, redirect, MLD of version 2.
ICMPV6_OF_LINK = (*range(130, 138), 143)
# Of ip_frag: value and mask of a fragment, of the first, of another.
FRAGMENT, FIRST_FRAGMENT, LATER_FRAGMENT = (1, 1), (1, 3), (2, 2)
VLAN_PRESENT = 0x1000  # bit 12 of vlan_vid says that there is a tag


@dataclass(frozen=True, slots=True)
class Field:
    """One header or metadata field: where it is in OXM and what it needs."""

    place: int  # in FIELDS: the order on the wire
    name: str
    oxm_class: int
    number: int
    bits: int  # that carry meaning
    maskable: bool
    needs: str  # what a match must say as well, in words
    width: int = field(init=False)  # bytes on the wire
    full: int = field(init=False)  # the mask that says every bit
    header: int = field(init=False)  # the 32-bit OXM header of an exact match

    def __post_init__(self) -> None:
        width = (self.bits + 7) // 8
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "full", (1 << self.bits) - 1)
        object.__setattr__(self, "header", self.oxm_class << 16 | self.number << 9 | width)


_IP, _IP4, _IP6, _ARP = "ipv4 or ipv6", "ipv4", "ipv6", "arp"
_TRACKED = "ct_state +trk"
_CT_PORTS = "ct_nw_proto tcp, udp, sctp or icmp"  # of ICMP: its type and code

# name, class, number, bits, maskable, needs: in the switch's own order
_ROWS: tuple[tuple[str, int, int, int, bool, str], ...] = (
    ("conj_id", NXM, 37, 32, False, ""),
    ("in_port", OXM, 0, 32, False, ""),
    ("eth_src", OXM, 4, 48, True, ""),
    ("eth_dst", OXM, 3, 48, True, ""),
    ("eth_type", OXM, 5, 16, False, ""),
    ("vlan_vid", OXM, 6, 13, True, ""),
    ("vlan_pcp", OXM, 7, 3, False, "vlan_vid"),
    ("ipv4_src", OXM, 11, 32, True, _IP4),
    ("ipv4_dst", OXM, 12, 32, True, _IP4),
    ("ipv6_src", OXM, 26, 128, True, _IP6),
    ("ipv6_dst", OXM, 27, 128, True, _IP6),
    ("ip_frag", NXM, 26, 2, True, _IP),
    ("ip_dscp", OXM, 8, 6, False, _IP),
    ("ip_ecn", OXM, 9, 2, False, _IP),
    ("ip_ttl", NXM, 29, 8, False, _IP),
    ("ip_proto", OXM, 10, 8, False, _IP),
    ("tcp_src", OXM, 13, 16, True, "tcp"),
    ("tcp_dst", OXM, 14, 16, True, "tcp"),
    ("udp_src", OXM, 15, 16, True, "udp"),
    ("udp_dst", OXM, 16, 16, True, "udp"),
    ("sctp_src", OXM, 17, 16, True, "sctp"),
    ("sctp_dst", OXM, 18, 16, True, "sctp"),
    ("icmpv4_type", OXM, 19, 8, False, "icmp"),
    ("icmpv4_code", OXM, 20, 8, False, "icmp"),
    ("icmpv6_type", OXM, 29, 8, False, "icmpv6"),
    ("icmpv6_code", OXM, 30, 8, False, "icmpv6"),
    ("nd_reserved", ERIC, 1, 32, False, "icmpv6_type 135 or 136"),
    ("nd_target", OXM, 31, 128, True, "icmpv6_type 135 or 136"),
    ("nd_options_type", ERIC, 2, 8, False, "icmpv6_type 135 or 136"),
    ("nd_sll", OXM, 32, 48, True, "icmpv6_type 135"),
    ("nd_tll", OXM, 33, 48, True, "icmpv6_type 136"),
    ("arp_op", OXM, 21, 16, False, _ARP),
    ("arp_spa", OXM, 22, 32, True, _ARP),
    ("arp_tpa", OXM, 23, 32, True, _ARP),
    ("arp_sha", OXM, 24, 48, True, _ARP),
    ("arp_tha", OXM, 25, 48, True, _ARP),
    ("tun_id", OXM, 38, 64, True, ""),
    ("tun_src", NXM, 31, 32, True, ""),
    ("tun_dst", NXM, 32, 32, True, ""),
    ("tun_ipv6_src", NXM, 109, 128, True, ""),
    ("tun_ipv6_dst", NXM, 110, 128, True, ""),
    *((f"reg{n}", NXM, n, 32, True, "") for n in range(16)),
    ("pkt_mark", NXM, 33, 32, True, ""),
    ("ct_state", NXM, 105, 32, True, ""),
    ("ct_zone", NXM, 106, 16, False, ""),
    ("ct_mark", NXM, 107, 32, True, ""),
    ("ct_label", NXM, 108, 128, True, ""),
    ("ct_nw_src", NXM, 120, 32, True, f"{_TRACKED}, {_IP4}"),
    ("ct_nw_dst", NXM, 121, 32, True, f"{_TRACKED}, {_IP4}"),
    ("ct_ipv6_src", NXM, 122, 128, True, f"{_TRACKED}, {_IP6}"),
    ("ct_ipv6_dst", NXM, 123, 128, True, f"{_TRACKED}, {_IP6}"),
    ("ct_nw_proto", NXM, 119, 8, False, f"{_TRACKED}, {_IP}"),
    ("ct_tp_src", NXM, 124, 16, True, f"{_TRACKED}, {_CT_PORTS}"),
    ("ct_tp_dst", NXM, 125, 16, True, f"{_TRACKED}, {_CT_PORTS}"),
    ("metadata", OXM, 2, 64, True, ""),
)

FIELDS: tuple[Field, ...] = tuple(Field(place, *row) for place, row in enumerate(_ROWS))
FIELD_BY_NAME: dict[str, Field] = {each.name: each for each in FIELDS}
FIELD_BY_HEADER: dict[int, Field] = {each.header: each for each in FIELDS}
