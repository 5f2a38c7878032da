"""The simulator's connection tracker and conjunctions agree with a real switch's.

Packets are sent one after the other; each leaves with what the tracker found written into its MAC
addresses, so what is compared byte for byte is what flows see: state, opening address and port.
"""

import asyncio
import random
import struct
from pathlib import Path
from typing import Any

import pytest

from alcor.ovs import frames
from alcor.ovs.connection import OpenFlow
from alcor.ovs.flow import (
    CT_INV,
    CT_NEW,
    CT_REL,
    CT_RPL,
    CT_TRK,
    DROP,
    Action,
    Conjunction,
    Flow,
    apply,
    ct,
    match,
    move,
    output,
    set_field,
)
from alcor.ovs.openflow.flows import flow_body, flow_key
from alcor.ovs.switch import Switch
from alcor.ovs.tracker import Tracker

IN, OUT = 11, 12
MAC_A, MAC_B = 0x020000000001, 0x020000000002
ADDRESSES = {4: (0x0A000001, 0x0A000002), 6: (0xFD << 120 | 1, 0xFD << 120 | 2)}
MARK = frames.ethernet(frames.BROADCAST, 1, 0x9999, b"mark")
ETH_TYPE = {4: 0x0800, 6: 0x86DD}


def show(version: int) -> tuple[Action, ...]:
    """Write what was found into the frame's MAC addresses."""
    source = "ct_nw_src" if version == 4 else "ct_ipv6_src"
    return (
        move("ct_state", "eth_src", 8),
        move("ct_nw_proto", "eth_src", 8, 0, 8),
        move("ct_tp_dst", "eth_src", 16, 0, 16),
        move("ct_mark", "eth_src", 8, 0, 32),
        move(source, "eth_dst", 16),
        move("ct_tp_src", "eth_dst", 16, 0, 16),
        output(OUT),
    )


def tracking(version: int) -> list[Flow]:
    """Track in zone 5, show what is found, commit what is new."""
    ip: dict[str, Any] = {"eth_type": ETH_TYPE[version]}
    valid = match(**ip, ct_state=(CT_TRK, CT_TRK | CT_INV))
    new = match(**ip, ct_state=(CT_NEW, CT_NEW))
    # Of what is related but no reply the tuple can be matched, though not copied.
    source = "ct_nw_src" if version == 4 else "ct_ipv6_src"
    related: dict[str, Any] = {"ct_state": (CT_REL, CT_REL | CT_RPL)}
    related |= {source: ADDRESSES[version][0]}
    invalid = match(**ip, ct_state=(CT_INV, CT_INV))
    committed = ct(5, commit=True, committed=(set_field("ct_mark", 7),))
    return [
        Flow(0, 1, match(**ip), apply(ct(5, table=1))),
        Flow(1, 9, invalid, apply(set_field("eth_src", 0xBAD), output(OUT))),
        Flow(
            1,
            5,
            match(**ip, **related, ct_nw_proto=17, ct_tp_src=1000),
            apply(set_field("eth_src", 0x600D), output(OUT)),
        ),
        Flow(1, 1, valid, apply(*show(version), goto=2)),
        Flow(2, 1, new, apply(committed)),
    ]


class Lines:
    """A real switch with two ports of ours: what goes in by one comes out of the other."""

    def __init__(self, switch: Any) -> None:
        self._switch = switch
        self._file = Path(switch.run_dir / "out.pcap")
        for name, number in (("in", IN), ("out", OUT)):
            switch.add_port(f"ct_{name}", number)
        switch.run("ovs-vsctl", "set", "Interface", "ct_out", f"options:tx_pcap={self._file}")

    def install(self, flows: list[Flow]) -> None:
        """These flows, and nothing remembered."""
        mark = Flow(0, 60000, match(eth_type=0x9999), apply(output(OUT)))
        asyncio.run(self._replace([*flows, mark]))
        self._switch.appctl("revalidator/purge")
        self._switch.appctl("dpctl/flush-conntrack")

    async def _replace(self, flows: list[Flow]) -> None:
        conn = await OpenFlow.connect(self._switch.mgmt)
        try:
            await conn.delete_flows(0, 0)
            await conn.bundle([(flow_key(flow), flow_body(flow)) for flow in flows])
        finally:
            conn.close()

    def flush(self, zone: int) -> None:
        """Have a zone forget its connections."""
        asyncio.run(self._flush(zone))

    async def _flush(self, zone: int) -> None:
        conn = await OpenFlow.connect(self._switch.mgmt)
        try:
            await conn.flush_zones([zone])
        finally:
            conn.close()

    def send(self, packet: bytes) -> list[bytes]:
        """What leaves by the other port."""
        before = self._file.stat().st_size
        for each in (packet, MARK):
            self._switch.appctl("netdev-dummy/receive", "ct_in", each.hex())
        while MARK not in (got := _frames(self._file, before)):
            pass
        return got[: got.index(MARK)]


def _frames(pcap: Path, at: int) -> list[bytes]:
    data, found = pcap.read_bytes(), list[bytes]()
    at = at or 24
    while at + 16 <= len(data):
        (size,) = struct.unpack_from("<I", data, at + 8)
        if at + 16 + size > len(data):
            break
        found.append(data[at + 16 : at + 16 + size])
        at += 16 + size
    return found


@pytest.fixture(scope="module")
def lines(shared_switch: Any) -> Lines:
    return Lines(shared_switch)


def framed(packet: bytes) -> bytes:
    return frames.ip_frame(MAC_B, MAC_A, packet)


def conversation(version: int) -> list[bytes]:
    """Packets of every kind that a tracker tells apart, in an order in which they happen."""
    a, b = ADDRESSES[version]
    udp = frames.udp4 if version == 4 else frames.udp6
    asks = udp(a, b, 1000, 53, b"ask")
    tcp = {
        name: _tcp(version, *ends, flags)
        for name, ends, flags in (
            ("syn", (a, b, 1000, 80), 0x02),
            ("syn+ack", (b, a, 80, 1000), 0x12),
            ("ack", (a, b, 1000, 80), 0x10),
            ("push", (b, a, 80, 1000), 0x18),
            ("stray", (b, a, 81, 1000), 0x12),
        )
    }
    ping, pong, kind, unreachable = (8, 0, frames.icmp4, 3) if version == 4 else (
        128, 129, frames.icmp6, 1)  # fmt: skip
    echo = b"\0\7\0\1data"
    return [framed(packet) for packet in (
        asks, asks, udp(b, a, 53, 1000, b"answer"), asks, udp(b, a, 53, 1001, b"not asked"),
        kind(b, a, unreachable, 3, bytes(4) + asks),
        kind(a, b, unreachable, 3, bytes(4) + udp(b, a, 53, 1000, b"answer")),
        kind(b, a, unreachable, 3, bytes(4) + udp(a, b, 1, 2, b"never seen")),
        tcp["stray"], tcp["syn"], tcp["syn"], tcp["syn+ack"], tcp["ack"], tcp["push"],
        kind(b, a, pong, 0, echo), kind(a, b, ping, 0, echo), kind(a, b, ping, 0, echo),
        kind(b, a, pong, 0, echo), kind(b, a, ping, 0, echo),
        _other(version, a, b, 47), _other(version, b, a, 47),
    )]  # fmt: skip


def _tcp(version: int, src: int, dst: int, sport: int, dport: int, flags: int) -> bytes:
    make = frames.tcp4 if version == 4 else frames.tcp6
    numbers = (1000, 0) if flags == 0x02 else (2000, 1001) if flags == 0x12 else (
        (1001, 2001) if dport == 80 else (2001, 1001))  # fmt: skip
    return make(src, dst, sport, dport, flags, b"", *numbers)


def _other(version: int, src: int, dst: int, protocol: int) -> bytes:
    make = frames.ipv4 if version == 4 else frames.ipv6
    return make(src, dst, protocol, bytes(16))


@pytest.mark.parametrize("version", [4, 6])
def test_a_conversation_is_tracked_alike(lines: Lines, version: int) -> None:
    flows = tracking(version)
    lines.install(flows)
    simulator, tracker = Switch(flows), Tracker()

    for number, packet in enumerate(conversation(version)):
        sent = lines.send(packet)

        trace = simulator.trace(packet, IN, tracker=tracker)
        expected = [each.packet.frame for each in trace.sent]
        assert [f.hex() for f in sent] == [f.hex() for f in expected], f"packet {number}"


def conjunctive_flows(rng: random.Random) -> list[Flow]:
    """Conjunctions of two and three dimensions whose parts overlap, and plain flows about them."""
    ip: dict[str, Any] = {"eth_type": 0x0800, "ip_proto": 17}
    shapes: list[dict[str, Any]] = [
        {"ipv4_src": (0x0A000000 | n, 0xFFFFFF00 | m)}
        for n, m in ((0, 0), (1, 255), (2, 255), (2, 2), (0, 1))
    ]
    shapes += [{"ipv4_dst": n} for n in (0x0A000001, 0x0A000002, 0x0A000003)]
    shapes += [{"udp_dst": (n, m)} for n, m in ((80, 0xFFF0), (80, 0xFFFF), (84, 0xFFFC), (0, 1))]
    dimensions = {number: rng.choice((2, 3)) for number in range(1, 6)}
    flows = []
    for each in shapes:
        dimension = 0 if "ipv4_src" in each else 1 if "udp_dst" in each else 2
        parts = [
            Conjunction(number, dimension, count)
            for number, count in dimensions.items()
            if dimension < count and rng.random() < 0.5
        ]
        if parts:
            flows.append(Flow(0, 100, match(**ip, **each), apply(*parts)))
    flows += [Flow(0, 100, match(conj_id=number), apply(output(OUT))) for number in dimensions]
    high = match(**ip, ipv4_src=0x0A000002, ipv4_dst=0x0A000001)
    return [
        *flows,
        Flow(0, 200, high, DROP),
        Flow(0, 1, match(**ip, udp_src=9), apply(output(OUT))),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_conjunctions_are_matched_alike(lines: Lines, seed: int) -> None:
    rng = random.Random(seed)
    flows = conjunctive_flows(rng)
    lines.install(flows)
    simulator = Switch(flows)

    for _ in range(30):
        ends = (
            rng.choice((0x0A000001, 0x0A000002, 0x0A000003)),
            rng.choice((0x0A000001, 0x0A000002)),
        )
        ports = rng.choice((8, 9)), rng.choice((80, 82, 85, 88, 96))
        packet = framed(frames.udp4(*ends, *ports, b"data"))

        sent = lines.send(packet)

        assert sent == [each.packet.frame for each in simulator.trace(packet, IN).sent]


def test_a_flushed_zone_has_forgotten_its_connections_and_no_other_has(lines: Lines) -> None:
    flows = tracking(4)
    lines.install(flows)
    a, b = ADDRESSES[4]
    opens, answers = framed(frames.udp4(a, b, 7, 8, b"x")), framed(frames.udp4(b, a, 8, 7, b"y"))
    lines.send(opens)
    known = lines.send(answers)

    lines.flush(6)
    still_known = lines.send(answers)
    lines.flush(5)
    unknown = lines.send(answers)

    assert still_known == known
    assert unknown != known
