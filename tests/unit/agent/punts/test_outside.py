"""Who is outside: asked for once, believed only when asked, asked again, given up when silent."""

from alcor.agent.announcements.herald import Outgoing
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Tunnel
from alcor.agent.punts.outside import (
    OutsideNeighbours,
    ask_again_s,
    asks_max,
    held_max,
    refresh_s,
    wanted_max,
)
from alcor.agent.shapes.router import hop
from alcor.agent.shapes.shape import encoded
from alcor.goal_state.entries import FixedIp, FloatingIp, Gateway, Network, Router, UplinkNode
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import PushVlan, output
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, Mac, address

WORLD = Network("world", 99, 1500, True, "", "ext", 5)
FLOATING = FloatingIp(
    "f", "r", "world", Mac(0x020000000F01), address("203.0.113.21"), "p", address("10.0.0.5")
)
ROUTER = Router("r", True, ())
GATEWAY = Gateway("g", "r", "world", Mac(0x020000000F02), (FixedIp("s", address("203.0.113.22")),))
HERE, THERE = address("172.31.0.1"), address("172.31.0.2")
HOP, HOP6 = address("203.0.113.1"), address("2001:db8::1")
THEIRS = Mac(0x02000000EE01)


class World:
    """One host with an uplink, and what its agent finds out."""

    def __init__(self) -> None:
        self.model = HostModel()
        self.model.set_tunnel(Tunnel(100, HERE))
        self.model.put(WORLD)
        self.model.put(ROUTER)
        self.model.put(GATEWAY)
        self.model.put(FLOATING)
        self.leaves_by(HERE)
        self.model.exits.set_uplinks({"ext": 7})
        self.now_s = 100.0
        self.found: dict[Address, Mac | None] = {}
        self.outside = OutsideNeighbours(self.model, lambda: self.now_s, self.resolve, Metrics())

    def leaves_by(self, host: Address) -> None:
        """The only host with an uplink, where the router and its floating IP are."""
        for each in (HERE, THERE):
            node = UplinkNode("ext", str(each), each)
            self.model.put(node) if each == host else self.model.remove(node)

    def resolve(self, network_id: str, who: Address, mac: Mac | None) -> None:
        assert network_id == "world"
        self.found[who] = mac

    def want(self, hop: Address = HOP, payload: bytes = b"x") -> list[Outgoing]:
        mac = FLOATING.mac
        if hop.version == 4:
            packet = frames.udp4(FLOATING.address.number, 0x08080808, 1, 2, payload)
            words = {"reg8": hop.number}
        else:
            packet = frames.udp6(1 << 120, 2 << 120, 1, 2, payload)
            words = {f"reg{8 + n}": hop.number >> (96 - 32 * n) & 0xFFFFFFFF for n in range(4)}
        return self.outside.want(packet_in(frames.ip_frame(0, mac, packet), words))

    def hear(self, who: Address = HOP, mac: Mac = THEIRS) -> list[Outgoing]:
        if who.version == 4:
            frame = frames.arp(2, sha=mac, spa=who.number, tpa=FLOATING.address.number)
        else:
            packet = frames.neighbour(136, who.number, 1, who.number, (2, mac))
            frame = frames.ip_frame(FLOATING.mac, mac, packet)
        return self.outside.hear(packet_in(frame, {}))


def packet_in(frame: bytes, registers: dict[str, int]) -> PacketIn:
    fields = {"metadata": WORLD.vni, **registers}
    places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
    return PacketIn(frame, 0, 0, 1, places, b"")


def test_the_first_packet_asks_and_waits_and_leaves_with_the_answer() -> None:
    world = World()

    (asked,) = world.want(payload=b"first")
    assert world.want(payload=b"second") == []

    question = Packet(asked.frame)
    assert (question["arp_op"], question["arp_tpa"]) == (1, HOP.number)
    assert (question["arp_sha"], question["arp_spa"]) == (FLOATING.mac, FLOATING.address.number)
    assert isinstance(asked.actions[0], PushVlan)
    assert asked.actions[-1] == output(7)
    released = world.hear()
    assert world.found == {HOP: THEIRS}
    assert [b"first" in released[0].frame, b"second" in released[1].frame] == [True, True]
    assert {Packet(each.frame)["eth_dst"] for each in released} == {THEIRS}


def test_ipv6_is_asked_by_solicitation() -> None:
    world = World()

    (asked,) = world.want(HOP6)

    question = Packet(asked.frame)
    assert (question["icmpv6_type"], question["nd_target"]) == (135, HOP6.number)
    assert question["nd_sll"] == FLOATING.mac
    assert len(world.hear(HOP6)) == 1
    assert world.found == {HOP6: THEIRS}


def test_who_was_not_asked_for_is_not_believed() -> None:
    world = World()
    world.want()

    assert world.hear(address("203.0.113.66")) == []
    assert world.found == {}


def test_an_unanswered_question_is_repeated_and_then_given_up() -> None:
    world = World()
    world.want()
    for _ in range(2 * held_max):
        world.want()

    asked = 1
    for _ in range(2 * asks_max):
        world.now_s += ask_again_s
        asked += len(world.outside.tick())

    assert asked == asks_max
    assert world.hear() == []
    assert len(world.want()) == 1


def test_who_is_known_is_asked_again_and_forgotten_when_silent() -> None:
    world = World()
    world.want()
    world.hear()
    world.now_s += refresh_s
    assert len(world.outside.tick()) == 1
    world.hear(mac=Mac(THEIRS + 1))
    assert world.found == {HOP: THEIRS + 1}

    world.now_s += refresh_s
    for _ in range(asks_max + 1):
        world.outside.tick()
        world.now_s += ask_again_s

    assert world.found == {HOP: None}


def test_who_was_known_before_a_restart_is_known_and_soon_asked_again() -> None:
    before, world = World(), World()
    before.want()
    before.hear()
    world.model.exits.set_uplinks({})

    world.outside.restore(before.outside.saved())
    assert world.found == {HOP: THEIRS}
    assert world.outside.tick() == []  # its uplink is not known yet
    world.model.exits.set_uplinks({"ext": 7})
    assert len(world.outside.tick()) == 1
    assert world.outside.saved() == before.outside.saved()

    world.now_s += asks_max * refresh_s
    world.model.exits.set_uplinks({})
    world.outside.tick()
    assert (world.found, world.outside.saved()) == ({HOP: None}, [])


def test_who_was_known_by_an_uplink_that_does_not_come_back_is_forgotten() -> None:
    before, world = World(), World()
    before.want()
    before.hear()
    world.model.exits.set_uplinks({})
    world.outside.restore(before.outside.saved())

    world.now_s += refresh_s
    world.outside.tick()

    assert world.found == {HOP: None}


def test_nothing_is_sent_without_an_uplink() -> None:
    world = World()
    world.want()
    world.hear()
    world.model.exits.set_uplinks({})

    assert world.outside.tick() == []
    assert world.found == {HOP: None}
    assert world.want() == []


def test_who_was_found_in_the_last_moments_before_a_kill_is_read_back_from_the_switch() -> None:
    world = World()
    other = WORLD._replace(vni=100)

    world.outside.adopt(
        [
            encoded(hop(WORLD, HOP, THEIRS, 0xA1)),
            encoded(hop(WORLD, HOP6, THEIRS, 0xA1)),
            encoded(hop(other, HOP, Mac(1), 0xA1)),  # of a network that is not held
            (b"another", b"flow"),
        ]
    )

    assert world.found == {HOP: THEIRS, HOP6: THEIRS}
    questions = [Packet(each.frame) for each in world.outside.tick()]
    assert {(each["arp_tpa"], each["nd_target"]) for each in questions} == {
        (HOP.number, 0),
        (0, HOP6.number),
    }
    assert {each["eth_src"] for each in questions} <= {FLOATING.mac, GATEWAY.mac}
    world.hear()
    world.now_s += ask_again_s * (asks_max + 1)
    for _ in range(asks_max):
        world.outside.tick()
        world.now_s += ask_again_s
    assert world.found == {HOP: THEIRS, HOP6: None}


def test_a_known_neighbour_is_not_taken_from_the_switch() -> None:
    world = World()
    world.want()
    world.hear()

    world.outside.adopt([encoded(hop(WORLD, HOP, Mac(THEIRS + 1), 0xA1))])

    assert world.found == {HOP: THEIRS}


def test_nobody_is_asked_in_the_name_of_a_floating_ip_that_another_host_has() -> None:
    world = World()
    (asked,) = world.want()
    world.hear()
    assert Packet(asked.frame)["arp_sha"] == FLOATING.mac
    world.model.remove(FLOATING)

    world.now_s += refresh_s
    (again,) = world.outside.tick()
    question = Packet(again.frame)
    assert (question["arp_sha"], question["arp_spa"]) == (
        GATEWAY.mac,
        GATEWAY.fixed_ips[0].address.number,
    )
    world.hear()
    world.leaves_by(THERE)

    world.now_s += refresh_s
    assert world.outside.tick() == []
    assert world.found == {HOP: None}


def hop_number(number: int) -> Address:
    return Address(4, (10 << 24) + number)


def test_a_host_that_knows_as_many_as_it_may_still_finds_the_next_one() -> None:
    world = World()
    for number in range(wanted_max):
        world.want(hop_number(number))
        world.hear(hop_number(number))

    (asked,) = world.want()

    assert Packet(asked.frame)["arp_tpa"] == HOP.number
    assert world.found[hop_number(0)] is None  # whose flow goes, so that it is asked for again
    assert len(world.hear()) == 1


def test_who_is_known_stays_while_a_machine_looks_for_everybody() -> None:
    world = World()
    world.want()
    world.hear()

    for number in range(2 * wanted_max):
        world.want(hop_number(number))

    assert world.found == {HOP: THEIRS}
