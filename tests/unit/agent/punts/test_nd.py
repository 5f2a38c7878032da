"""Advertisements that the agent finishes, where the kernel's datapath lets no flow do it."""

import pytest

from alcor.agent.model.model import HOST_UNIT, HostModel, Unit, UnitKind
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import parse_packet
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.nd import answer_outside, finished
from alcor.goal_state.entries import Network
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import address

ASKER, ASKED = 0x02_00_00_00_00_01, 0x02_00_00_00_00_02
ASKS, HAS = address("fd00::1").number, address("fd00::2").number
ALL_NODES = address("ff02::1").number


def half_made(asker: int = ASKS, flags: int = 0, hops: int = 255, kind: int = 136) -> PacketIn:
    """What flows make of a solicitation: its option is the asker's still."""
    payload = bytes(4) + HAS.to_bytes(16, "big") + b"\1\1" + ASKER.to_bytes(6, "big")
    frame = frames.ip_frame(ASKER, ASKED, frames.icmp6(HAS, asker, kind, 0, payload, hops))
    return punted(frame, flags)


def punted(frame: bytes, flags: int = 0) -> PacketIn:
    """A frame that flows hand to the agent."""
    return PacketIn(frame, p.ND_ANSWER, 0, 1, {FIELD_BY_NAME[p.FLAGS].place: flags}, p.PUNT_ND)


@pytest.mark.parametrize(
    ("asker", "flags", "told", "said"),
    [
        (ASKS, 0, ASKS, 0x6000_0000),
        (ASKS, p.BY_ROUTER[0], ASKS, 0xE000_0000),
        (0, 0, ALL_NODES, 0x2000_0000),
        (0, p.BY_ROUTER[0], ALL_NODES, 0xA000_0000),
    ],
)
def test_who_asked_is_told_where_the_address_is_and_whether_it_is_a_routers(
    asker: int, flags: int, told: int, said: int
) -> None:
    answer = Packet(finished(half_made(asker, flags)))

    assert (answer["eth_dst"], answer["eth_src"]) == (ASKER, ASKED)
    assert (answer["ipv6_src"], answer["ipv6_dst"], answer["nd_target"]) == (HAS, told, HAS)
    assert (answer["nd_reserved"], answer["nd_tll"]) == (said, ASKED)
    right = frames.neighbour(136, HAS, told, HAS, (2, ASKED), said)
    assert parse_packet(answer.frame) == parse_packet(frames.ip_frame(ASKER, ASKED, right))


def test_what_is_no_advertisement_of_this_link_is_not_answered() -> None:
    for packet in (half_made(hops=254), half_made(kind=135)):
        with pytest.raises(Malformed):
            finished(packet)


def test_any_damage_is_survived() -> None:
    whole = half_made().data
    for at in range(len(whole)):
        for frame in (whole[:at], whole[:at] + b"\xff" + whole[at + 1 :]):
            try:
                finished(punted(frame))
            except Malformed:
                continue


def test_without_an_uplink_nothing_is_said_outside() -> None:
    with pytest.raises(Malformed):
        answer_outside(half_made(), HostModel())


def test_flows_are_made_again_when_the_bridge_turns_out_to_be_the_kernels() -> None:
    model = HostModel()
    model.put(Network("n", 7, 1450, True, ""))

    assert model.set_datapath_type("netdev") == set()
    assert model.set_datapath_type("system") == {HOST_UNIT, Unit(UnitKind.NETWORK, "n")}
    assert model.set_datapath_type("system") == set()
