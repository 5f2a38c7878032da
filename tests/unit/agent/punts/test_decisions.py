"""The lines about what security groups decided. What is told of which packet: scenarios."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.decisions import DecisionLogs
from alcor.goal_state.entries import GroupLog, Network, Port, PortLog, Rule
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.openflow.packets import PacketIn
from alcor.values.addresses import Address, address, mac

HERE, THERE = mac("02:00:00:00:00:01"), mac("02:00:00:00:00:02")
OFPORT = 7


def model_of(log: PortLog) -> HostModel:
    model = HostModel()
    model.put(Network("n", 9, 1450, True, ""))
    model.put(
        Port("p", "n", HERE, (), True, True, "", "", ("g",), filtered=True, project_id="blue")
    )
    model.set_interface("p", Interface(OFPORT, True))
    model.put(log)
    return model


def copy(packet: bytes, *, table: int, verdict: int = 0) -> PacketIn:
    fields = {p.PORT_OUT: OFPORT, p.VERDICT: verdict}
    places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
    frame = frames.ip_frame(HERE, THERE, packet)
    return PacketIn(frame, table, 0, 1, places, p.PUNT_LOG)


def written(model: HostModel, packet: PacketIn, *, works: bool = True) -> tuple[list[bytes], str]:
    lines: list[bytes] = []
    metrics = Metrics()

    def write(line: bytes) -> bool:
        lines.append(line)
        return works

    DecisionLogs(model, write, lambda: "now", metrics).take(packet)
    (sample,) = [
        each
        for family in metrics.punts.collect()
        for each in family.samples
        if each.name.endswith("_total")
    ]
    return lines, sample.labels["result"]


def number(text: str) -> int:
    return Address(*address(text)).number


DROPS = PortLog("l", "h", "p", dropped=True)
PING = frames.icmp4(number("10.0.0.2"), number("10.0.0.1"), 8, 0, bytes(8))


def test_a_line_says_who_decided_what_of_which_packet() -> None:
    packet = frames.udp6(number("fd00::2"), number("fd00::1"), 1000, 53, b"data")

    lines, result = written(model_of(DROPS), copy(packet, table=p.FW_IN_LOG))

    assert [msgspec.json.decode(line) for line in lines] == [
        {
            "time": "now",
            "action": "DROP",
            "project_id": "blue",
            "log_resource_ids": ["l"],
            "vm_port": "p",
            "direction": "ingress",
            "eth_src": "02:00:00:00:00:02",
            "eth_dst": "02:00:00:00:00:01",
            "protocol": "udp",
            "src_ip": "fd00::2",
            "dst_ip": "fd00::1",
            "src_port": 1000,
            "dst_port": 53,
            "bytes": 52,
        }
    ]
    assert (lines[0][-1:], result) == (b"\n", "written")


def test_ping_has_a_type_and_no_ports() -> None:
    lines, _ = written(model_of(DROPS), copy(PING, table=p.FW_IN_LOG))

    line = msgspec.json.decode(lines[0])
    assert (line["protocol"], line["icmp_type"], line["icmp_code"]) == ("icmp", 8, 0)
    assert "src_port" not in line


@pytest.mark.parametrize(
    "packet",
    [
        copy(PING, table=p.FW_OUT_LOG),  # of a port that is not there
        copy(PING, table=p.FW_IN_LOG, verdict=1),  # accepted, and only what is dropped is wanted
        copy(b"\x45", table=p.FW_IN_LOG),
        copy(PING, table=p.L2_DST),
    ],
)
def test_what_nobody_wants_is_not_written(packet: PacketIn) -> None:
    assert written(model_of(DROPS), packet) == ([], "silent")


def test_what_can_not_be_written_is_counted() -> None:
    _, result = written(model_of(DROPS), copy(PING, table=p.FW_IN_LOG), works=False)

    assert result == "lost"


@given(head=st.sampled_from((b"", b"\x08\x00E", b"\x86\xdd`")), rest=st.binary(max_size=120))
def test_whatever_a_machine_sends_a_line_or_none_comes_of_it(head: bytes, rest: bytes) -> None:
    model = model_of(PortLog("l", "h", "p", "g", accepted=True))
    model.put(GroupLog("m", "g", accepted=True))
    for number, protocol in enumerate((1, 6, 17, 58, None)):
        ports = (80, 90) if protocol in (6, 17) else None
        model.put(Rule(f"r{number}", "g", True, 6 if protocol == 58 else 4, protocol, ports))
    packet = copy(b"E", table=p.FW_IN_LOG, verdict=1)
    frame = packet.data[:12] + head + rest

    lines, result = written(model, replace(packet, data=frame))

    assert result == ("written" if lines else "silent")
    assert all(msgspec.json.decode(line)["log_resource_ids"] for line in lines)
