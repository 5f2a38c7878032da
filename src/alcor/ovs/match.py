"""The match of a flow: conditions on the fields of a packet, a part of `flow.py`.

A masked value is `(value, mask)` and is normalised: bits outside the mask are cleared, a full mask
is no mask, an empty mask is no condition. So two matches that mean the same are equal.
"""

from typing import NamedTuple, TypedDict, Unpack, cast

from alcor.ovs.fields import FIELD_BY_NAME, FIELDS, Field

Masked = tuple[int, int]  # value, mask
Wanted = int | Masked

CT_NEW, CT_EST, CT_REL, CT_RPL, CT_INV, CT_TRK = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
CT_SNAT, CT_DNAT = 0x40, 0x80


class Term(NamedTuple):
    """One condition of a match; sorts in the switch's order."""

    field: int  # its place in FIELDS
    value: int
    mask: int


class Match(NamedTuple):
    """Conditions that a packet must all fulfil; made by `match`."""

    terms: tuple[Term, ...]

    def __str__(self) -> str:
        return ",".join(_term_text(term) for term in self.terms) or "any"


class MatchFields(TypedDict, total=False):
    """What `match` takes: a value, or (value, mask) where the field can be masked."""

    conj_id: int
    in_port: int
    eth_src: Wanted
    eth_dst: Wanted
    eth_type: int
    vlan_vid: Wanted  # VLAN_PRESENT | vid; 0 = no tag
    vlan_pcp: int
    ipv4_src: Wanted
    ipv4_dst: Wanted
    ipv6_src: Wanted
    ipv6_dst: Wanted
    ip_frag: Wanted
    ip_dscp: int  # 6 bits
    ip_ecn: int
    ip_ttl: int
    ip_proto: int
    tcp_src: Wanted
    tcp_dst: Wanted
    udp_src: Wanted
    udp_dst: Wanted
    sctp_src: Wanted
    sctp_dst: Wanted
    icmpv4_type: int
    icmpv4_code: int
    icmpv6_type: int
    icmpv6_code: int
    nd_target: Wanted
    nd_reserved: int
    nd_options_type: int
    nd_sll: Wanted
    nd_tll: Wanted
    arp_op: int
    arp_spa: Wanted
    arp_tpa: Wanted
    arp_sha: Wanted
    arp_tha: Wanted
    tun_id: Wanted
    tun_src: Wanted
    tun_dst: Wanted
    tun_ipv6_src: Wanted
    tun_ipv6_dst: Wanted
    reg0: Wanted
    reg1: Wanted
    reg2: Wanted
    reg3: Wanted
    reg4: Wanted
    reg5: Wanted
    reg6: Wanted
    reg7: Wanted
    reg8: Wanted
    reg9: Wanted
    reg10: Wanted
    reg11: Wanted
    reg12: Wanted
    reg13: Wanted
    reg14: Wanted
    reg15: Wanted
    pkt_mark: Wanted
    ct_state: Wanted
    ct_zone: int
    ct_mark: Wanted
    ct_label: Wanted
    ct_nw_src: Wanted
    ct_nw_dst: Wanted
    ct_ipv6_src: Wanted
    ct_ipv6_dst: Wanted
    ct_nw_proto: int
    ct_tp_src: Wanted
    ct_tp_dst: Wanted
    metadata: Wanted


def match(**fields: Unpack[MatchFields]) -> Match:
    """Conditions by name; prerequisites (eth_type before ipv4_dst ...) are the caller's to say.

    `ValueError` when a value does not fit its field or a field can't be masked so.
    """
    terms = []
    for name, wanted in cast(dict[str, Wanted], fields).items():
        field = FIELD_BY_NAME[name]
        if isinstance(wanted, tuple):
            if wanted[1]:
                terms.append(term_of(field, *wanted))
        elif 0 <= wanted <= field.full:
            terms.append(Term(field.place, wanted, field.full))
        else:
            term_of(field, wanted, field.full)  # raises
    terms.sort()
    return Match(tuple(terms))


def term_of(field: Field, value: int, mask: int) -> Term:
    """A condition on a field; `ValueError` when the value does not fit it, or the mask."""
    if value < 0 or value > field.full or mask < 0 or mask > field.full:
        raise ValueError(f"{field.name} has {field.bits} bits, {value:#x}/{mask:#x} does not fit")
    if mask != field.full and not field.maskable:
        raise ValueError(f"{field.name} can't be masked")
    return Term(field.place, value & mask, mask)


def _term_text(term: Term) -> str:
    field = FIELDS[term.field]
    mask = "" if term.mask == field.full else f"/{term.mask:#x}"
    return f"{field.name}={term.value:#x}{mask}"
