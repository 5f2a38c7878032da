"""Next hops of gateways: whom a host watches, what it says of them, and when it says it again."""

from collections.abc import Mapping

import pytest
from structlog.testing import capture_logs

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Tunnel
from alcor.agent.packets import bfd
from alcor.agent.packets.bfd import Control, State
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.punts.bfd import NextHops, patience_s, tell_again_s
from alcor.agent.punts.outside import OutsideNeighbours
from alcor.goal_state.entries import FixedIp, Gateway, Network, NextHop, Router, Subnet, UplinkNode
from alcor.goal_state.reports import PortStatus
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import output
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.transport.link import PortState
from alcor.values.addresses import Address, Mac, address, prefix

HOP6, OWN6 = address("2001:db8::1"), address("2001:db8::22")
HERE, THERE = address("172.31.0.1"), address("172.31.0.2")
HOP, OTHER_HOP, OWN = address("203.0.113.1"), address("203.0.113.2"), address("203.0.113.22")
MAC, THEIRS = Mac(0x020000000F02), Mac(0x02000000EE01)
WORLD = Network("world", 99, 1500, True, "", "ext")
GATEWAY = Gateway("g", "r", "world", MAC, (FixedIp("s", OWN),))
ROUTER = Router("r", True, (), bfd=True)


def subnet(hop: str = str(HOP)) -> Subnet:
    return Subnet("s", "world", prefix("203.0.113.0/24"), address(hop), False, (), ())


class World:
    """A host by which a router leaves; what its agent sends, and tells."""

    def __init__(self, known: NextHop = NextHop.UNKNOWN) -> None:
        self.model = HostModel()
        self.model.set_tunnel(Tunnel(100, HERE))
        self.now_s = 100.0
        self.told: dict[str, PortState] = {}
        self.again: list[str] = []
        self.metrics = Metrics()
        outside = OutsideNeighbours(self.model, self.clock, lambda *_: None, self.metrics)
        self.hops = NextHops(self.model, outside, self.clock, lambda: 0.5, self.take, self.metrics)
        for entry in (WORLD, subnet(), ROUTER, GATEWAY._replace(next_hop=known)):
            self.model.put(entry)
        self.model.exits.set_uplinks({"ext": 7})
        self.model.exits.set_resolved("world", HOP, THEIRS)
        self.model.put(UplinkNode("ext", "h1", HERE))
        self.hops.look()

    def clock(self) -> float:
        return self.now_s

    def take(self, states: Mapping[str, PortState], again: set[str]) -> None:
        self.told = dict(states)
        self.again += sorted(again)

    def says(self, status: PortStatus) -> bool:
        return "g" in self.told and self.told["g"].status is status

    def learn(self, known: NextHop) -> None:
        """Goal state says so."""
        self.model.put(GATEWAY._replace(next_hop=known))
        self.hops.look()

    def run(self, seconds: float, *, is_heard: bool = True) -> list[Outgoing]:
        out: list[Outgoing] = []
        end_s = self.now_s + seconds
        while (wait_s := self.hops.wait_s()) is not None and self.now_s + wait_s <= end_s:
            self.now_s += wait_s
            out += self.hops.tick(is_heard=is_heard)
        self.now_s = end_s
        return out

    def hear(
        self, state: State, yours: int | None = None, hop: Address = HOP, own: Address = OWN
    ) -> list[Outgoing]:
        number = self.number(hop) if yours is None else yours
        said = Control(state, 5, number, 5, 300_000, 300_000)
        return self.hops.hear(packet_in(bfd.frame((THEIRS, MAC), hop, own, 50_000, said)))

    def number(self, hop: Address) -> int:
        """That a session goes by here; 0: there is none."""
        found = (e.discriminator for line, e in self.hops._sessions.items() if line.hop == hop)
        return next(found, 0)

    def come_up(self, hop: Address = HOP, own: Address = OWN) -> None:
        self.hear(State.DOWN, 0, hop, own)
        self.hear(State.INIT, None, hop, own)
        assert self.says(PortStatus.UP)


def packet_in(frame: bytes) -> PacketIn:
    return PacketIn(frame, 0, 0, 1, {FIELD_BY_NAME["metadata"].place: WORLD.vni}, b"")


def test_the_next_hop_is_spoken_to_by_the_uplink_from_the_routers_own_address() -> None:
    out = World().run(3)

    assert len(out) >= 3
    assert {each.actions for each in out} == {(output(7),)}
    for each in out:
        source, target, control = bfd.parse(each.frame)
        assert (source, target, control.state) == (OWN, HOP, State.DOWN)
        assert (Packet(each.frame)["eth_src"], Packet(each.frame)["eth_dst"]) == (MAC, THEIRS)


def test_who_has_the_next_hop_is_asked_for_before_anything_is_said() -> None:
    world = World()
    world.model.exits.set_resolved("world", HOP, None)

    out = world.run(1.5)

    assert [Packet(each.frame)["arp_tpa"] for each in out] == [HOP.number]


def test_who_never_spoke_is_not_known_however_long_it_is_silent() -> None:
    world = World()
    world.run(60)

    assert world.says(PortStatus.UNWATCHED)


def test_who_spoke_and_is_silent_is_down_and_up_again_when_it_speaks() -> None:
    world = World()
    world.come_up()
    world.learn(NextHop.UP)
    world.run(1.4)
    assert world.says(PortStatus.UP)

    with capture_logs() as logged:
        world.run(0.3)
    assert world.says(PortStatus.DOWN)
    assert [(each["event"], each["next_hops"]) for each in logged] == [
        ("next hop is down", [str(HOP)])
    ]
    assert world.metrics.gateways_down._value.get() == 1

    world.learn(NextHop.DOWN)
    world.hear(State.DOWN, 0)
    world.hear(State.INIT)
    for _ in range(4):
        world.hear(State.UP)
        world.run(1)
    assert world.says(PortStatus.UP)


def test_who_comes_and_goes_is_down_until_it_stays() -> None:
    world = World()
    world.come_up()
    told: list[PortStatus] = []
    for _ in range(100):
        for said in (State.DOWN, State.DOWN, State.INIT, State.UP):
            world.hear(said)
            told.append(world.told["g"].status)
            world.run(0.1)

    assert set(told) == {PortStatus.DOWN}


@pytest.mark.parametrize("said", [State.DOWN, State.ADMIN_DOWN])
def test_who_says_that_it_is_down_is_down_at_once(said: State) -> None:
    world = World()
    world.come_up()
    world.hear(said)

    assert world.says(PortStatus.DOWN)


def test_what_was_up_at_another_host_or_before_a_restart_has_some_time_to_speak() -> None:
    world = World(NextHop.UP)
    world.run(patience_s - 1)
    assert world.says(PortStatus.UP)

    world.run(2)
    assert world.says(PortStatus.DOWN)


def test_what_was_down_stays_down_until_it_speaks() -> None:
    world = World(NextHop.DOWN)
    world.run(60)
    assert world.says(PortStatus.DOWN)

    world.come_up()


def test_while_nobody_can_be_heard_nobody_is_missed() -> None:
    world = World()
    world.come_up()
    assert world.run(30, is_heard=False) == []
    world.run(1)
    assert world.says(PortStatus.UP)

    world.run(1)
    assert world.says(PortStatus.DOWN)


def test_while_the_agent_stands_still_nobody_is_missed() -> None:
    world = World()
    world.come_up()
    world.hops.wait_s()
    world.now_s += 10
    world.hops.tick(is_heard=True)
    assert world.says(PortStatus.UP)

    world.run(2)
    assert world.says(PortStatus.DOWN)


def test_what_goal_state_does_not_say_yet_is_told_again() -> None:
    world = World()
    world.come_up()
    world.again.clear()
    for _ in range(3):
        world.hear(State.UP)
        world.run(1.2)
    assert not world.again

    for _ in range(round(tell_again_s)):
        world.hear(State.UP)
        world.run(1)
    assert world.again == ["g"]

    world.learn(NextHop.UP)
    for _ in range(3 * round(tell_again_s)):
        world.hear(State.UP)
        world.run(1)
    assert world.again == ["g"]


def test_a_router_that_wants_it_no_more_has_what_goal_state_says_taken_back() -> None:
    world = World()
    world.come_up()
    world.learn(NextHop.UP)
    world.model.put(ROUTER._replace(bfd=False))
    world.hops.look()
    assert world.says(PortStatus.UNWATCHED)
    assert world.run(10) == []

    world.learn(NextHop.UNKNOWN)
    assert world.told == {}
    assert world.hops.wait_s() is None


def test_another_next_hop_is_not_known_whatever_the_one_before_was() -> None:
    world = World()
    world.come_up()
    world.learn(NextHop.UP)
    world.model.put(subnet(str(OTHER_HOP)))
    world.hops.look()
    world.run(30)

    assert world.says(PortStatus.UNWATCHED)


def test_of_both_families_who_has_spoken_must_go_on_and_who_has_not_need_not() -> None:
    world = World()
    world.model.put(Subnet("s6", "world", prefix("2001:db8::/64"), HOP6, False, (), ()))
    both = (*GATEWAY.fixed_ips, FixedIp("s6", OWN6))
    world.model.put(GATEWAY._replace(fixed_ips=both))
    world.hops.look()
    world.come_up()
    world.model.exits.set_resolved("world", HOP6, THEIRS)
    families = {Packet(each.frame).has("ipv6_src") for each in world.run(1.2)}
    assert families == {False, True}
    assert world.says(PortStatus.UP)

    world.hear(State.UP)
    world.come_up(HOP6, OWN6)
    world.hear(State.DOWN, None, HOP6, OWN6)
    assert world.says(PortStatus.DOWN)


def test_a_network_that_is_renamed_or_takes_other_packets_costs_no_session() -> None:
    world = World()
    world.come_up()
    world.model.put(WORLD._replace(mtu=1400))
    world.hops.look()

    assert world.says(PortStatus.UP)


def test_what_has_not_come_yet_of_a_gateway_takes_nothing_back() -> None:
    world = World(NextHop.DOWN)
    world.model.remove(subnet())
    world.hops.look()

    assert world.told == {}


def test_a_host_by_which_the_router_does_not_leave_says_nothing() -> None:
    world = World()
    world.come_up()
    world.model.remove(UplinkNode("ext", "h1", HERE))
    world.model.put(UplinkNode("ext", "h2", THERE))
    world.hops.look()

    assert world.told == {}
    assert world.run(10) == []


def test_strangers_are_not_heard() -> None:
    world = World()
    world.come_up()

    assert world.hear(State.DOWN, hop=OTHER_HOP) == []
    assert world.hear(State.DOWN, yours=77) == []
    assert world.says(PortStatus.UP)
    with pytest.raises(Malformed):
        world.hops.hear(packet_in(b"\x02" * 60))
