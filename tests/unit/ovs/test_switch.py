"""The simulator: where a packet comes out, what became of it, and which way it went."""

import pytest

from alcor.ovs import frames
from alcor.ovs.flow import (
    CT_EST,
    CT_RPL,
    CT_TRK,
    DROP,
    IN_PORT,
    Conjunction,
    DecTtl,
    Flow,
    Resubmit,
    apply,
    ct,
    load,
    match,
    move,
    output,
    punt,
    set_field,
)
from alcor.ovs.packet import Packet
from alcor.ovs.switch import INVALID_TTL, Switch, TooDeep
from alcor.ovs.tracker import Tracker

A, B = 0x020000000001, 0x020000000002
IP_A, IP_B = 0x0A000001, 0x0A000002
UDP = frames.ip_frame(B, A, frames.udp4(IP_A, IP_B, 1, 2, b"payload"))


def test_the_highest_priority_wins_and_the_path_is_told() -> None:
    switch = Switch([
        Flow(0, 1, match(), DROP),
        Flow(0, 5, match(in_port=1), apply(set_field("reg14", 1), metadata=(9, 255), goto=60)),
        Flow(60, 5, match(metadata=9, reg14=1, eth_dst=B), apply(output(2))),
    ])  # fmt: skip

    trace = switch.trace(UDP, 1)

    assert [each.port for each in trace.sent] == [2]
    assert trace.tables == (0, 60)
    assert switch.trace(UDP, 3).outcomes == ()


def test_a_miss_is_a_step_without_a_flow() -> None:
    trace = Switch([]).trace(UDP, 1)

    assert trace.outcomes == ()
    assert [(step.table, step.flow) for step in trace.steps] == [(0, None)]


def test_a_packet_goes_back_only_when_told_so() -> None:
    assert Switch([Flow(0, 1, match(), apply(output(1)))]).trace(UDP, 1).outcomes == ()
    back = Switch([Flow(0, 1, match(), apply(output(IN_PORT)))]).trace(UDP, 1)
    assert [each.port for each in back.sent] == [1]


def test_an_arp_request_is_answered_in_flows() -> None:
    answer = apply(
        move("eth_src", "eth_dst"), set_field("eth_src", B), set_field("arp_op", 2),
        move("arp_sha", "arp_tha"), move("arp_spa", "arp_tpa"), set_field("arp_sha", B),
        set_field("arp_spa", IP_B), output(IN_PORT),
    )  # fmt: skip
    flow = Flow(0, 1, match(eth_type=0x0806, arp_op=1, arp_tpa=IP_B), answer)

    (reply,) = Switch([flow]).trace(frames.arp(1, A, IP_A, IP_B), 4).sent

    assert reply.port == 4
    assert reply.packet.frame == frames.arp(2, B, IP_B, IP_A, tha=A, dst=A)


def test_what_goes_into_a_tunnel_says_where_to() -> None:
    flow = Flow(
        0, 1, match(), apply(set_field("tun_id", 77), load("tun_dst", 0xC0A80001), output(9))
    )

    (sent,) = Switch([flow]).trace(UDP, 1).sent

    assert (sent.port, sent.fields["tun_id"], sent.fields["tun_dst"]) == (9, 77, 0xC0A80001)


def test_a_packet_from_a_tunnel_brings_its_fields() -> None:
    switch = Switch([Flow(0, 1, match(in_port=9, tun_id=77), apply(output(1)))])

    assert switch.trace(UDP, 9, {"tun_id": 77}).sent
    assert not switch.trace(UDP, 9, {"tun_id": 78}).sent


def test_a_subroutine_returns_and_its_changes_stay() -> None:
    switch = Switch([
        Flow(0, 1, match(), apply(Resubmit(50), goto=10)),
        Flow(50, 1, match(), apply(set_field("reg7", 3))),
        Flow(10, 1, match(reg7=3), apply(output(2))),
    ])  # fmt: skip

    trace = switch.trace(UDP, 1)

    assert trace.tables == (0, 50, 10)
    assert trace.sent[0].port == 2


def test_a_punt_tells_its_flow_its_meter_and_why() -> None:
    flow = Flow(0, 1, match(), apply(punt(meter=4, userdata=b"dhcp"), meter=3), 0xC0)

    trace = Switch([flow]).trace(UDP, 1)

    (punted,) = trace.punted
    assert (punted.flow.cookie, punted.meter, punted.userdata) == (0xC0, 4, b"dhcp")
    assert trace.meters == (3, 4)


def test_a_packet_without_hops_left_goes_no_further() -> None:
    switch = Switch([Flow(0, 1, match(eth_type=0x0800), apply(DecTtl(), output(2)))])
    last = frames.ip_frame(B, A, frames.udp4(IP_A, IP_B, 1, 2, b"", ttl=1))

    (punted,) = switch.trace(last, 1).outcomes
    (sent,) = switch.trace(UDP, 1).sent

    assert punted.packet.frame == last
    assert punted.reason == INVALID_TTL  # type: ignore[union-attr]
    assert sent.packet["ip_ttl"] == 63


def test_the_connection_tracker_is_what_the_caller_says() -> None:
    track = apply(set_field("reg6", 0x50000), ct("reg6", zone_offset=16, table=32))
    known = match(eth_type=0x0800, ct_state=(CT_TRK | CT_EST, CT_TRK | CT_EST), ct_zone=5)
    switch = Switch(
        [
            Flow(0, 1, match(eth_type=0x0800), track),
            Flow(32, 1, known, apply(output(2))),
        ]
    )

    assert not switch.trace(UDP, 1).sent
    assert switch.trace(UDP, 1, connections=[CT_TRK | CT_EST]).sent


def test_flows_that_go_round_in_circles_are_found() -> None:
    circles = [
        Flow(0, 1, match(), apply(Resubmit(0))),
        Flow(1, 1, match(), apply(Resubmit(2), Resubmit(2))),
        Flow(2, 1, match(), apply(ct(1, table=1))),
    ]
    with pytest.raises(TooDeep):
        Switch(circles).trace(UDP, 1)
    with pytest.raises(TooDeep):
        Switch(circles).trace(UDP, 1, table=1)


def test_of_flows_with_one_key_the_last_counts() -> None:
    switch = Switch([Flow(0, 1, match(), DROP), Flow(0, 1, match(), apply(output(2)), 5)])

    assert switch.trace(Packet(UDP), 1).sent


def test_a_conjunction_needs_a_match_in_every_dimension() -> None:
    ip = {"eth_type": 0x0800}
    switch = Switch([
        Flow(0, 5, match(**ip, ipv4_src=IP_A), apply(Conjunction(7, 0, 2))),
        Flow(0, 5, match(**ip, ipv4_dst=IP_B), apply(Conjunction(7, 1, 2))),
        Flow(0, 5, match(conj_id=7), apply(output(2))),
        Flow(0, 1, match(), apply(output(3))),
    ])  # fmt: skip
    other = frames.ip_frame(B, A, frames.udp4(IP_A, IP_A, 1, 2, b""))

    assert [each.port for each in switch.trace(UDP, 1).sent] == [2]
    assert [each.port for each in switch.trace(other, 1).sent] == [3]


def test_a_tracker_remembers_what_was_committed_in_its_zone() -> None:
    def flows(zone: int) -> list[Flow]:
        reply = match(eth_type=0x0800, ct_state=(CT_RPL, CT_RPL), ct_nw_src=IP_A, ct_mark=4)
        keep = ct(5, commit=True, committed=(set_field("ct_mark", 4),))
        return [
            Flow(0, 1, match(eth_type=0x0800, in_port=1), apply(keep)),
            Flow(0, 1, match(eth_type=0x0800, in_port=2), apply(ct(zone, table=1))),
            Flow(1, 1, reply, apply(output(1))),
        ]

    answer = frames.ip_frame(A, B, frames.udp4(IP_B, IP_A, 2, 1, b"answer"))
    tracker = Tracker()

    assert not Switch(flows(5)).trace(answer, 2, tracker=tracker).sent
    Switch(flows(5)).trace(UDP, 1, tracker=tracker)
    assert Switch(flows(5)).trace(answer, 2, tracker=tracker).sent
    assert not Switch(flows(6)).trace(answer, 2, tracker=tracker).sent
    tracker.flush(5)
    assert not Switch(flows(5)).trace(answer, 2, tracker=tracker).sent
