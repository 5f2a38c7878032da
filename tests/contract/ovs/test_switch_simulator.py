"""The simulator and a real switch agree on where packets go and what becomes of their bytes.

Random flows, random packets: what leaves a real switch's ports, byte for byte, is what the
simulator says. The seeds are fixed, so a difference can be looked at again.
"""

import asyncio
import random
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alcor.ovs import frames
from alcor.ovs.connection import OpenFlow
from alcor.ovs.flow import (
    DROP,
    IN_PORT,
    Action,
    Clone,
    DecTtl,
    Flow,
    Instructions,
    PopVlan,
    PushVlan,
    Resubmit,
    SetQueue,
    apply,
    check_larger,
    load,
    match,
    move,
    output,
    set_field,
)
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.ovs.switch import Sent, Switch

PORTS = (1, 2, 3)
PACKETS = 60
MACS = (0x020000000001, 0x020000000002, 0x020000000003)
ADDRESSES = (0x0A000001, 0x0A000002, 0x0A000105)
ADDRESSES6 = (0xFE80 << 112 | 1, 0xFE80 << 112 | 2, 0x20010DB8 << 96 | 5)


def a_packet(rng: random.Random, tag: int) -> bytes:
    """A frame that ends with its number."""
    src, dst = rng.choice(MACS), rng.choice((*MACS, frames.BROADCAST))
    a, b = rng.choice(ADDRESSES), rng.choice(ADDRESSES)
    a6, b6 = rng.choice(ADDRESSES6), rng.choice(ADDRESSES6)
    sport, dport = rng.choice((53, 67, 1000)), rng.choice((53, 67, 2000))
    payload = bytes(rng.randrange(40, 90)) + struct.pack("!I", tag)
    vlan = rng.choice((None, None, None, 5, 6))
    ttl = rng.choice((0, 1, 2, 64))
    kind = rng.randrange(7)
    if kind == 0:
        frame = frames.arp(rng.choice((1, 2)), src, a, b, dst=dst)
        return frame[:-4] + struct.pack("!I", tag)
    if kind == 1:
        packet = frames.udp4(a, b, sport, dport, payload, ttl)
    elif kind == 2:
        packet = frames.icmp4(a, b, rng.choice((0, 8)), 0, payload, ttl)
    elif kind == 3:
        packet = frames.udp6(a6, b6, sport, dport, payload, ttl)
    elif kind == 4:
        nd, option = rng.choice((135, 136)), rng.choice((None, (1, src), (2, src)))
        packet = frames.neighbour(nd, a6, b6, rng.choice(ADDRESSES6), option)
        return frames.ip_frame(dst, src, packet, vlan) + struct.pack("!I", tag)
    elif kind == 5:
        packet = frames.ipv4(a, b, 132, payload, ttl, fragment=rng.choice((0, 0x2000, 0x2010)))
    else:
        return frames.ethernet(dst, src, rng.choice((0x88CC, 0x0900)), payload, vlan)
    return frames.ip_frame(dst, src, packet, vlan)


FAMILIES: tuple[dict[str, Any], ...] = (
    {},
    {"eth_type": 0x0806},
    {"eth_type": 0x0800},
    {"eth_type": 0x86DD},
    {"eth_type": 0x0800, "ip_proto": 17},
    {"eth_type": 0x86DD, "ip_proto": 17},
    {"eth_type": 0x0800, "ip_proto": 1},
    {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 135, "icmpv6_code": 0},
    {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_type": 136, "icmpv6_code": 0},
)


def conditions(rng: random.Random, family: dict[str, Any]) -> dict[str, Any]:
    """Up to three conditions that a family of packets can be asked for."""
    wanted: dict[str, Any] = {
        "in_port": rng.choice(PORTS),
        "eth_src": rng.choice(MACS),
        "eth_dst": rng.choice((rng.choice(MACS), (1 << 40, 1 << 40))),
        "vlan_vid": rng.choice((0, 0x1005, (0x1000, 0x1000))),
        "metadata": (rng.randrange(4), 3),
        "reg0": (rng.randrange(4), 3),
        "reg3": rng.randrange(3),
    }
    kind = family.get("eth_type")
    if kind == 0x0806:
        wanted |= {"arp_op": rng.choice((1, 2)), "arp_tpa": rng.choice(ADDRESSES)}
        wanted |= {"arp_sha": rng.choice(MACS), "arp_spa": (ADDRESSES[0], 0xFFFFFF00)}
    if kind == 0x0800:
        wanted |= {"ipv4_src": rng.choice(ADDRESSES), "ipv4_dst": (ADDRESSES[0], 0xFFFFFF00)}
        wanted |= {"ip_ttl": rng.choice((1, 2, 64))}
        if "ip_proto" not in family:  # a later fragment has no ports
            wanted |= {"ip_frag": rng.choice((0, 1, 3))}
    if kind == 0x86DD:
        wanted |= {"ipv6_src": rng.choice(ADDRESSES6)}
        wanted |= {"ipv6_dst": (ADDRESSES6[0], 0xFFFF << 112)}
    if family.get("ip_proto") == 17:
        wanted |= {"udp_src": rng.choice((53, 1000)), "udp_dst": (0, 1)}
    if family.get("ip_proto") == 1:
        wanted |= {"icmpv4_type": rng.choice((0, 8))}
    if "icmpv6_type" in family:
        name = "nd_sll" if family["icmpv6_type"] == 135 else "nd_tll"
        wanted |= {"nd_target": rng.choice(ADDRESSES6), name: rng.choice((0, *MACS))}
    names = rng.sample(sorted(wanted), rng.randrange(4))
    return {**family, **{name: wanted[name] for name in names}}


def changes(rng: random.Random, family: dict[str, Any]) -> list[Action]:
    """Changes that a family of packets can undergo."""
    found: list[Action] = [
        set_field("eth_src", rng.choice(MACS)),
        set_field("eth_dst", rng.choice(MACS), 0xFF),
        move("eth_src", "eth_dst"),
        set_field("reg0", rng.randrange(4), 3),
        load("reg3", rng.randrange(3)),
        move("reg0", "reg3", 2),
        load("metadata", rng.randrange(4), 0, 2),
        load("in_port", 0, bits=16),
    ]
    kind = family.get("eth_type")
    if kind == 0x0806:
        found += [set_field("arp_op", 2), move("arp_sha", "arp_tha"), move("arp_spa", "arp_tpa")]
        found += [set_field("arp_spa", rng.choice(ADDRESSES)), move("eth_src", "arp_sha")]
    if kind == 0x0800:
        found += [set_field("ipv4_src", rng.choice(ADDRESSES)), DecTtl(), set_field("ip_dscp", 9)]
        found += [set_field("ipv4_dst", rng.choice(ADDRESSES), 0xFFFF), set_field("ip_ttl", 7)]
    if kind == 0x86DD:
        found += [set_field("ipv6_dst", rng.choice(ADDRESSES6)), DecTtl()]
        found += [move("ipv6_src", "ipv6_dst"), set_field("ip_ecn", 1)]
    if family.get("ip_proto") == 17:
        found += [set_field("udp_src", 99), move("udp_src", "udp_dst"), set_field("udp_dst", 1, 1)]
    if family.get("ip_proto") == 1:
        found += [set_field("icmpv4_type", 0), set_field("icmpv4_code", 3)]
    if "icmpv6_type" in family:
        found += [set_field("nd_target", rng.choice(ADDRESSES6))]
        name = "nd_sll" if family["icmpv6_type"] == 135 else "nd_tll"
        found += [set_field(name, rng.choice(MACS))]
    return rng.sample(found, rng.randrange(4))


def a_flow(rng: random.Random, table: int) -> Flow:
    """A flow of one of four tables; a subroutine (table 3) goes nowhere on."""
    family = rng.choice(FAMILIES)
    asked = conditions(rng, family)
    actions = changes(rng, family)
    if asked.get("vlan_vid"):
        actions += rng.choice(([], [PopVlan()]))
    elif table == 0 and rng.random() < 0.2:  # two tags are the most that it keeps
        actions += [PushVlan(0x8100), set_field("vlan_vid", 0x1007)]
    if rng.random() < 0.1:
        actions.insert(rng.randrange(len(actions) + 1), SetQueue(7))
    if table < 3 and rng.random() < 0.3:
        actions.insert(rng.randrange(len(actions) + 1), Resubmit(3))
    if rng.random() < 0.2:
        copied = (*changes(rng, family), *rng.choice(((), (Resubmit(3),) if table < 3 else ())))
        copy = Clone((*copied, output(rng.choice(PORTS))))
        actions.insert(rng.randrange(len(actions) + 1), copy)
    out = rng.choice((*(output(port) for port in PORTS), output(IN_PORT), None))
    if out is not None and rng.random() < 0.6:
        actions.append(out)
    goto = rng.choice((None, table + 1)) if table < 2 else None
    metadata = (rng.randrange(4), 3) if rng.random() < 0.2 else None
    return Flow(table, rng.randrange(1, 5), match(**asked), apply(*actions, goto=goto,
                metadata=metadata))  # fmt: skip


def a_table_set(rng: random.Random) -> list[Flow]:
    """Flows of which no two of one priority can match the same packet: all priorities differ."""
    flows = [a_flow(rng, table) for table in range(4) for _ in range(12)]
    flows.append(Flow(0, 0, match(), apply(output(rng.choice(PORTS)), goto=1)))
    return [flow._replace(priority=n + 1) for n, flow in enumerate(rng.sample(flows, len(flows)))]


def frames_of(pcap: Path, skip: int) -> Iterator[bytes]:
    """The frames of a capture file from a place on."""
    data, at = pcap.read_bytes(), skip or 24
    while at + 16 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        if at + 16 + size > len(data):
            return
        yield data[at + 16 : at + 16 + size]
        at += 16 + size


MARK = frames.ethernet(frames.BROADCAST, 1, 0x9999, b"mark")
MARK_FLOWS = [Flow(0, 60000, match(eth_type=0x9999), apply(*(output(n) for n in PORTS),
              output(IN_PORT)))]  # fmt: skip


class RealSwitch:
    """The real one: packets in by a port, bytes out of all ports."""

    def __init__(self, switch: Any) -> None:
        self._switch = switch
        self._files = {port: switch.run_dir / f"p{port}.pcap" for port in PORTS}
        for port in PORTS:
            switch.add_port(f"p{port}", port)
            option = f"options:tx_pcap={self._files[port]}"
            switch.run("ovs-vsctl", "set", "Interface", f"p{port}", option)

    def send(self, in_port: int, packets: list[bytes]) -> dict[int, list[bytes]]:
        """What each port sends until a last, marked packet has left by all of them."""
        before = {port: file.stat().st_size for port, file in self._files.items()}
        for each in (packets, [MARK]):  # a batch of its own: the switch reorders inside of one
            names = [packet.hex() for packet in each]
            self._switch.appctl("netdev-dummy/receive", f"p{in_port}", *names)
        deadline, found = time.monotonic() + 10, dict[int, list[bytes]]()
        for port, file in self._files.items():
            while MARK not in (got := list(frames_of(file, before[port]))):
                assert time.monotonic() < deadline, f"port {port} sent no mark"
            found[port] = got[: got.index(MARK)]
        return found


def install(switch: Any, flows: list[Flow]) -> None:
    """Make these all the flows there are, at once: what it remembers of others is purged."""
    asyncio.run(replace_flows(switch.mgmt, flows))
    switch.appctl("revalidator/purge")


async def replace_flows(path: Any, flows: list[Flow]) -> None:
    conn = await OpenFlow.connect(path)
    try:
        await conn.delete_flows(0, 0)
        await conn.bundle([(flow_key(flow), flow_body(flow)) for flow in [*flows, *MARK_FLOWS]])
    finally:
        conn.close()


@pytest.fixture(scope="module")
def real(shared_switch: Any) -> RealSwitch:
    return RealSwitch(shared_switch)


def by_port(simulator: Switch, in_port: int, packets: list[bytes]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {port: [] for port in PORTS}
    for packet in packets:
        for each in simulator.trace(packet, in_port).outcomes:
            if isinstance(each, Sent):
                found[each.port].append(each.packet.frame)
    return found


@pytest.mark.parametrize("seed", range(24))
def test_packets_leave_the_simulator_as_they_leave_a_real_switch(
    shared_switch: Any, real: RealSwitch, seed: int
) -> None:
    rng = random.Random(seed)
    flows = a_table_set(rng)
    packets = [a_packet(rng, n) for n in range(PACKETS)]
    install(shared_switch, flows)

    for in_port in PORTS:
        sent = real.send(in_port, packets)

        expected = by_port(Switch(flows), in_port, packets)
        for port in PORTS:
            assert texts(sent[port]) == texts(expected[port])


def texts(packets: list[bytes]) -> list[str]:
    """Comparable, and readable when they differ; the order between flows is the switch's choice."""
    return sorted(packet.hex() for packet in packets)


def nd_responder(target: int, mac: int) -> list[Flow]:
    nd = {"eth_type": 0x86DD, "ip_proto": 58, "icmpv6_code": 0}
    swap: tuple[Action, ...] = (
        move("eth_src", "eth_dst"), set_field("eth_src", mac), move("ipv6_src", "ipv6_dst"),
        set_field("ipv6_src", target), set_field("icmpv6_type", 136),
    )  # fmt: skip
    option = (
        set_field("nd_options_type", 2), set_field("nd_reserved", 0x60000000),
        move("eth_src", "nd_tll"), output(IN_PORT),
    )  # fmt: skip
    return [
        Flow(0, 5, match(**nd, icmpv6_type=135, nd_target=target), Instructions(swap, 1)),
        Flow(1, 5, match(**nd, icmpv6_type=136), apply(*option)),
        Flow(0, 1, match(), DROP),
    ]


@pytest.mark.parametrize("option", [None, (1, MACS[0])], ids=["no option", "source address"])
def test_a_neighbour_solicitation_is_answered_alike(
    shared_switch: Any, real: RealSwitch, option: tuple[int, int] | None
) -> None:
    target = ADDRESSES6[2]
    flows = nd_responder(target, MACS[1])
    ask = frames.neighbour(135, ADDRESSES6[0], 0xFF02 << 112 | 5, target, option)
    packet = frames.ip_frame(0x333300000005, MACS[0], ask)
    install(shared_switch, flows)

    sent = real.send(1, [packet])

    assert sent == by_port(Switch(flows), 1, [packet])
    assert len(sent[1]) == 1


@pytest.mark.parametrize("size", [86, 87], ids=["as large as allowed", "one byte more"])
def test_a_packet_is_found_to_be_too_large_alike(
    shared_switch: Any, real: RealSwitch, size: int
) -> None:
    flows = [
        Flow(0, 1, match(), apply(check_larger(100, "reg0", 3), goto=1)),
        Flow(1, 2, match(reg0=(8, 8)), apply(output(2))),
        Flow(1, 1, match(), apply(output(3))),
    ]
    packet = frames.ethernet(MACS[0], MACS[1], 0x88B5, bytes(size))
    install(shared_switch, flows)

    sent = real.send(1, [packet])

    assert sent == by_port(Switch(flows), 1, [packet])
    assert [len(sent[port]) for port in (2, 3)] == ([1, 0] if size > 86 else [0, 1])
