"""What is written to a real switch reads back as the same bytes."""

import asyncio
from typing import Any

import pytest

from alcor.ovs.connection import OpenFlow
from alcor.ovs.fields import FIELDS, Field
from alcor.ovs.flow import (
    DROP,
    IN_PORT,
    Action,
    Clone,
    Conjunction,
    CtClear,
    DecTtl,
    Flow,
    Instructions,
    Nat,
    PopVlan,
    PushVlan,
    Resubmit,
    SetQueue,
    apply,
    check_larger,
    ct,
    load,
    match,
    move,
    multipath,
    output,
    punt,
    set_field,
)
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.ovs.openflow.meters import Meter

IP4, IP6, ARP = {"eth_type": 0x0800}, {"eth_type": 0x86DD}, {"eth_type": 0x0806}
TRACKED = (0x20, 0x30)  # +trk-inv
ND_SOLICIT = {**IP6, "ip_proto": 58, "icmpv6_type": 135, "icmpv6_code": 0}
ND_ADVERT = {**IP6, "ip_proto": 58, "icmpv6_type": 136, "icmpv6_code": 0}
NEEDED: dict[str, dict[str, Any]] = {
    "": {},
    "vlan_vid": {"vlan_vid": 0x1005},
    "ipv4": IP4,
    "ipv6": IP6,
    "ipv4 or ipv6": IP4,
    "arp": ARP,
    "tcp": {**IP4, "ip_proto": 6},
    "udp": {**IP6, "ip_proto": 17},
    "sctp": {**IP4, "ip_proto": 132},
    "icmp": {**IP4, "ip_proto": 1},
    "icmpv6": {**IP6, "ip_proto": 58},
    "icmpv6_type 135 or 136": ND_SOLICIT,
    "icmpv6_type 135": ND_SOLICIT,
    "icmpv6_type 136": ND_ADVERT,
    "ct_state +trk, ipv4": {**IP4, "ct_state": TRACKED},
    "ct_state +trk, ipv6": {**IP6, "ct_state": TRACKED},
    "ct_state +trk, ipv4 or ipv6": {**IP4, "ct_state": TRACKED},
    "ct_state +trk, ct_nw_proto tcp, udp, sctp or icmp": {
        **IP4,
        "ct_state": TRACKED,
        "ct_nw_proto": 17,
    },
}
VALUES = {
    "in_port": 5,
    "arp_op": 2,
    "eth_type": 0x0800,
    "vlan_vid": 0x1007,
    "ct_state": TRACKED,
    "ip_frag": 1,
}


def value_of(field: Field) -> Any:
    return VALUES.get(field.name, 0x0505050505050505050505050505050505 & field.full)


def matches_of(field: Field) -> list[Any]:
    needed = {key: each for key, each in NEEDED[field.needs].items() if key != field.name}
    wanted = value_of(field)
    found = [match(**{**needed, field.name: wanted})]
    if field.maskable and not isinstance(wanted, tuple) and field.name != "ip_frag":
        mask = field.full & ~1 if field.name != "vlan_vid" else 0x1FFC
        found.append(match(**{**needed, field.name: (wanted, mask)}))
    return found


async def read_back(path: Any, wanted: list[Flow]) -> None:
    """Write the flows, read them back, compare; then leave the switch as it was."""
    conn = await OpenFlow.connect(path)
    encoded = {flow_key(flow): flow_body(flow) for flow in wanted}
    await conn.bundle(encoded.items())
    found = await conn.flows(wanted[0].cookie, (1 << 64) - 1)
    await conn.bundle((), encoded)
    conn.close()
    assert found == encoded


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_match_field_reads_back_as_the_same_bytes(shared_switch: Any, field: Field) -> None:
    flows = [Flow(7, 100, each, DROP, 1000 + field.place) for each in matches_of(field)]

    asyncio.run(read_back(shared_switch.mgmt, flows))


def test_a_match_of_many_fields_keeps_the_switch_s_order(shared_switch: Any) -> None:
    common: dict[str, Any] = {
        "in_port": 3, "eth_src": 1, "eth_dst": (1 << 40, 1 << 40), "vlan_vid": 0x1002,
        "vlan_pcp": 3, "tun_id": (5, 7), "tun_src": 8, "tun_dst": (9, 15), "metadata": (7, 255),
        "pkt_mark": 3, "ct_state": TRACKED, "ct_zone": 3, "ct_mark": (4, 4), "ct_label": (1, 3),
        "conj_id": 9, "reg0": (1, 1), "reg5": 8, "reg14": 4, "reg15": (3, 7),
    }  # fmt: skip
    ip4 = {**IP4, "ipv4_src": 1, "ipv4_dst": (2, 3), "ip_dscp": 2, "ip_ecn": 1, "ip_ttl": 7}
    tracked4 = {"ct_nw_src": 5, "ct_nw_dst": 6, "ct_nw_proto": 6, "ct_tp_src": 7, "ct_tp_dst": 8}
    tracked6 = {"ct_ipv6_src": 5, "ct_ipv6_dst": 6, "ct_nw_proto": 6}
    ip6 = {**IP6, "ipv6_src": (2, 2), "ipv6_dst": 8, "ip_dscp": 2, "ip_ecn": 1}
    many: list[dict[str, Any]] = [
        {**ip4, **tracked4, "ip_proto": 6, "tcp_src": 5, "tcp_dst": (6, 7)},
        {**ip4, "ip_proto": 17, "udp_src": 5, "udp_dst": (6, 7), "ip_frag": (1, 1)},
        {**ip4, "ip_proto": 132, "sctp_src": 5, "sctp_dst": (6, 7)},
        {**ip4, "ip_proto": 1, "icmpv4_type": 8, "icmpv4_code": 0},
        {**ip6, **tracked6, "ip_proto": 17, "udp_src": 5, "udp_dst": 6, "ip_ttl": 255},
        {**ip6, "ip_proto": 58, "icmpv6_type": 135, "icmpv6_code": 0, "nd_target": 5, "nd_sll": 6,
         "nd_reserved": 0, "nd_options_type": 1},
        {**ip6, "ip_proto": 58, "icmpv6_type": 136, "icmpv6_code": 0, "nd_target": 5, "nd_tll": 6,
         "nd_reserved": 0xE0000000, "nd_options_type": 2},
        {**ARP, "arp_op": 1, "arp_spa": 5, "arp_tpa": (6, 7), "arp_sha": 5, "arp_tha": 9},
        {"tun_ipv6_src": 5, "tun_ipv6_dst": (6, 7), "tun_src": 0, "tun_dst": 0},
    ]  # fmt: skip
    flows = [Flow(8, 100 + n, match(**{**common, **each}), DROP, 77) for n, each in enumerate(many)]

    asyncio.run(read_back(shared_switch.mgmt, flows))


SETTABLE = [
    field
    for field in FIELDS
    if field.name not in ("in_port", "eth_type", "ip_frag", "ip_proto", "conj_id",
                          "ct_state", "ct_zone", "ct_mark", "ct_label", "ct_nw_src", "ct_nw_dst",
                          "ct_ipv6_src", "ct_ipv6_dst", "ct_nw_proto", "ct_tp_src", "ct_tp_dst")
]  # fmt: skip


@pytest.mark.parametrize("field", SETTABLE, ids=lambda field: field.name)
def test_setting_a_field_reads_back_as_the_same_bytes(shared_switch: Any, field: Field) -> None:
    needed = match(**NEEDED[field.needs])
    if field.name.startswith("vlan"):
        needed = match(vlan_vid=0x1005)
    wanted = value_of(field)
    actions: list[Action] = [set_field(field.name, wanted)]
    if field.maskable and field.name != "vlan_vid":
        actions.append(set_field(field.name, wanted, 0x5))
    if field.bits <= 64 and not field.name.startswith(("vlan", "nd_res", "nd_opt", "ip_dscp")):
        actions.append(load(field.name, 3, 0, 2))
    if not field.name.startswith(("vlan", "nd_res", "nd_opt", "ip_dscp")):
        bits = min(field.bits, 32)
        actions += [move(field.name, "reg3", bits), move("reg3", field.name, bits)]
    flows = [
        Flow(9, 100 + n, needed, apply(action), 2000 + field.place)
        for n, action in enumerate(actions)
    ]

    asyncio.run(read_back(shared_switch.mgmt, flows))


VLAN = {"vlan_vid": (0x1000, 0x1000)}
ACTIONS: dict[str, tuple[dict[str, Any], Instructions]] = {
    "drop": ({}, DROP),
    "output": ({}, apply(output(3), output(IN_PORT))),
    "controller": ({}, apply(punt(128))),
    "punt_meter": ({}, apply(punt(meter=5, userdata=b"abc"))),
    "punt_len": ({}, apply(punt(200, userdata=b"abcdefgh"))),
    "goto": ({}, apply(goto=20)),
    "metadata": ({}, apply(metadata=(5, 0xFF), goto=20)),
    "meter": ({}, apply(output(2), meter=5, goto=20)),
    "push_vlan": ({}, apply(PushVlan(0x8100), set_field("vlan_vid", 0x1009), output(4))),
    "pop_vlan": (VLAN, apply(PopVlan(), output(4))),
    "set_queue": ({}, apply(SetQueue(16_385), output(4))),
    "dec_ttl": (IP4, apply(DecTtl(), output(4))),
    "resubmit": ({}, apply(Resubmit(33), goto=20)),
    "from nowhere": ({}, apply(load("in_port", 0, bits=16), output(4))),
    "ct": (IP4, apply(ct(5, table=20))),
    "ct_zone_field": (IP4, apply(ct("reg6", zone_offset=16, table=20))),
    "ct_commit": (
        IP4,
        apply(ct(5, commit=True, committed=(set_field("ct_mark", 4),)), goto=20),
    ),
    "ct_label": (
        IP4,
        apply(ct("reg6", commit=True, committed=(move("reg7", "ct_label", 32),)), goto=20),
    ),
    "multipath": (IP4, apply(multipath(3, "reg4"), goto=20)),
    "check_larger": ({}, apply(check_larger(1314, "reg0", 3), output(4))),
    "ct_clear": ({}, apply(CtClear(), output(4))),
    "alg": (IP4 | {"ip_proto": 6}, apply(ct(5, commit=True, table=20, nat=Nat(), alg="ftp"))),
    "alg_tftp": (IP4 | {"ip_proto": 17}, apply(ct(5, commit=True, alg="tftp"))),
    "nat": (IP4, apply(ct(5, table=20, nat=Nat()))),
    "source_nat": (
        IP4,
        apply(ct(5, commit=True, table=20, nat=Nat("source", 4, 0xC0000201))),
    ),
    "source_nat6": (
        IP6,
        apply(ct(5, commit=True, table=20, nat=Nat("source", 6, 0xFD << 120 | 1))),
    ),
    "destination_nat": (
        {**IP4, "ip_proto": 6},
        apply(ct(5, commit=True, table=20, committed=(set_field("ct_mark", 4),),
                 nat=Nat("destination", 4, 0x0A000005, 80))),
    ),
    "ct_masked": (
        IP4,
        apply(ct(5, commit=True, committed=(set_field("ct_mark", 1, 1),)), goto=20),
    ),
    "clone": (
        {},
        apply(Clone((load("reg15", 4), Resubmit(33))), Clone((output(4),)), output(3)),
    ),
    "conjunction": ({}, apply(Conjunction(5, 0, 2), Conjunction(0xFFFFFFFF, 2, 3))),
    "everything": (IP4, apply(set_field("eth_dst", 5), DecTtl(), Resubmit(30), load("reg15", 4),
                              output(4), meter=5, metadata=(1, 1), goto=60)),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_reads_back_as_the_same_bytes(shared_switch: Any, name: str) -> None:
    needed, instructions = ACTIONS[name]
    flow = Flow(10, 100, match(**needed), instructions, 3000 + list(ACTIONS).index(name))

    async def main() -> None:
        conn = await OpenFlow.connect(shared_switch.mgmt)
        await conn.set_meters({5: Meter(100, 200)})
        conn.close()
        await read_back(shared_switch.mgmt, [flow])

    asyncio.run(main())
