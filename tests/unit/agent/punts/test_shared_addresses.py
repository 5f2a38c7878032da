"""Addresses that several ports may have: who asks is brought to them, who says so is believed."""

import pytest
from tests.fixtures.compiled import compile_all

from alcor.agent.announcements.herald import Outgoing, announcement
from alcor.agent.compiler.compiler import Compiler
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.model.networks.shared_addresses import (
    Holder,
    holders_max,
    holders_of_port_max,
)
from alcor.agent.model.service_address import SERVER_MAC
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.shared_addresses import (
    SharedNeighbours,
    asked_after_s,
    asks_max,
    asks_of_port_max,
    forgotten_after_s,
)
from alcor.goal_state.entries import (
    AddressPair,
    FixedIp,
    FloatingIp,
    Gateway,
    Neighbour,
    Network,
    Port,
    RouterInterface,
    UplinkNode,
)
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import Match, match, output, set_field
from alcor.ovs.openflow.flows import flow_body
from alcor.ovs.openflow.packets import PacketIn
from alcor.ovs.packet import Packet
from alcor.values.addresses import Address, Mac, address, prefix

RED = Network("red", 7, 1450, True, "")
WIRED = RED._replace(physical_network="ext", vlan=5)
HERE, THERE = address("172.31.0.1"), address("172.31.0.2")
ON_THE_WIRE = UplinkNode("ext", "h2", THERE)
SHARED, SHARED6 = address("10.0.0.9"), address("fd00::9")
VIRTUAL = Mac(0x00005E000109)
ROUTER_MAC = Mac(0x0200_0000_2001)
LEG = RouterInterface("leg", "r", "red", ROUTER_MAC, (FixedIp("s", address("10.0.0.1")),))
NUMBERS = {"a": 1, "c": 2, "d": 4}  # of the ports that are here


def mac_of(port_id: str) -> Mac:
    return Mac(0x0200_0000_0000 + ord(port_id))


class World:
    """`a` here and `b` there may have an address; `c` is here as well, without any pair."""

    def __init__(self, virtual: bool = False, network: Network = RED) -> None:
        self.model = HostModel()
        self.compiler = Compiler(self.model)
        self.compiler.update(self.model.set_tunnel(Tunnel(100, HERE)) | self.model.put(network))
        self.compiler.update(self.model.put(ON_THE_WIRE))
        if network.physical_network:
            self.compiler.update(self.model.exits.set_uplinks({network.physical_network: 20}))
        for port_id, endpoint in (("a", HERE), ("b", THERE), ("c", HERE)):
            mac = VIRTUAL if virtual else mac_of(port_id)
            pairs = tuple(
                AddressPair(prefix(each), mac) for each in ("10.0.0.9/32", "fd00::9/128")
            ) if port_id != "c" else ()  # fmt: skip
            self.put(port_id, endpoint, pairs)
        self.neighbours = SharedNeighbours(self.model, self.heard)

    def put(self, port_id: str, endpoint: Address, pairs: tuple[AddressPair, ...]) -> None:
        own = address(f"10.0.0.{ord(port_id)}")
        known = Neighbour(port_id, "red", mac_of(port_id), (own,), "h", endpoint, pairs)
        units = self.model.put(known)
        if port_id in NUMBERS:
            fixed = (FixedIp("s", own),)
            is_open = any(not pair.prefix.length for pair in pairs)
            said = () if is_open else pairs
            port = Port(
                port_id, "red", mac_of(port_id), fixed, True, not is_open, "", "", (), False, said
            )
            units |= self.model.put(port)
            units |= self.model.set_interface(port_id, Interface(NUMBERS[port_id], True))
        self.compiler.update(units)

    def heard(self, network_id: str, who: Address, holder: Holder | None) -> None:
        shared = self.model.shared
        if holder is None:
            self.compiler.update(shared.lose_holder(network_id, who))
        else:
            self.compiler.update(shared.set_holder(network_id, who, holder))

    def pass_s(self, seconds: int) -> list[Outgoing]:
        """What is asked meanwhile."""
        return [each for _ in range(seconds) for each in self.neighbours.ask_again()]

    def take(
        self, frame: bytes, *, by: str = "", tun_src: int = 0, outside: bool = False
    ) -> list[Outgoing]:
        fields = {"metadata": RED.vni, "reg0": 2 if outside else int(not by)}
        fields |= {"reg14": NUMBERS[by]} if by else {"tun_src": tun_src}
        places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
        return self.neighbours.take(PacketIn(frame, p.ARP_ND, 0, 1, places, b""))

    def holder(self, who: Address) -> str:
        found = self.model.shared.holder("red", who)
        return found[0].port_id if found else ""

    def leads(self, wanted: Match) -> bool:
        return any(flow.match == wanted for flow in compile_all(self.model).values())

    def check(self) -> None:
        """What was made piece by piece is what is made from nothing."""
        switch = {key: body for _, key, body in self.compiler.flows()}
        assert switch == {key: flow_body(flow) for key, flow in compile_all(self.model).items()}


def question(who: Address, by: str) -> bytes:
    if who.version == 4:
        return frames.arp(1, sha=mac_of(by), spa=address("10.0.0.99").number, tpa=who.number)
    packet = frames.neighbour(135, 1 << 120, 2 << 120, who.number, (1, mac_of(by)))
    return frames.ip_frame(0x3333_0000_0001, mac_of(by), packet)


@pytest.mark.parametrize("wanted", [SHARED, SHARED6])
def test_a_question_is_brought_to_all_who_may_answer(wanted: Address) -> None:
    world = World()
    frame = question(wanted, "c")

    here, there = world.take(frame, by="c")

    assert here == Outgoing(frame, (output(NUMBERS["a"]),))
    assert there.actions == (
        set_field("tun_id", 7),
        set_field("tun_dst", THERE.number),
        output(100),
    )
    # What another host brings goes no further.
    assert world.take(frame, tun_src=THERE.number) == [here]


@pytest.mark.parametrize("said", [SHARED, SHARED6])
def test_who_says_so_is_believed_and_announced_everywhere(said: Address) -> None:
    world = World()

    near, far = world.take(announcement(said, mac_of("a")), by="a")

    assert world.holder(said) == "a"
    assert near.actions == (output(NUMBERS["c"]),)
    assert far.actions[-1] == output(100)
    assert Packet(near.frame)["eth_src"] == mac_of("a")
    world.check()
    moved = world.take(announcement(said, mac_of("b")), tun_src=THERE.number)
    assert world.holder(said) == "b"
    assert {each.actions for each in moved} == {(output(1),), (output(2),)}
    world.check()


def test_who_may_not_have_it_is_not_believed() -> None:
    world = World()
    for frame, by in (
        (announcement(SHARED, mac_of("c")), "c"),
        (announcement(SHARED, mac_of("b")), "a"),
        (announcement(address("10.0.0.8"), mac_of("a")), "a"),
    ):
        assert world.take(frame, by=by) == []
    assert world.take(announcement(SHARED, mac_of("b")), tun_src=HERE.number) == []
    assert world.holder(SHARED) == ""


ANYTHING = tuple(AddressPair(prefix(each), mac_of("d")) for each in ("0.0.0.0/0", "::/0"))


def test_who_may_have_every_address_is_believed_about_what_is_nobodys() -> None:
    world = World()
    world.put("d", HERE, ANYTHING)
    world.check()
    for taken in ("10.0.0.77", "fd00::77", "fe80::1"):
        mine = announcement(address(taken), mac_of("d"))
        assert world.take(mine, by="d")
        assert world.holder(address(taken)) == "d"
        assert world.take(mine, by="c") == []
        world.check()
    for of_another in ("10.0.0.97", "10.0.0.99", "10.0.0.100", "169.254.169.254"):
        assert world.take(announcement(address(of_another), mac_of("d")), by="d") == []
        assert world.holder(address(of_another)) == ""
    [brought, *_] = world.take(question(address("10.0.0.79"), "c"), by="c")
    assert brought.actions == (output(NUMBERS["d"]),)
    world.put("d", HERE, ())
    assert world.holder(address("10.0.0.77")) == ""
    world.check()


INNER = Mac(0x0200_0000_1001)  # of a machine inside of a machine


def open_world(network: Network = RED) -> World:
    """`d` here and `e` there have no port security."""
    world = World(network=network)
    for port_id, endpoint in (("d", HERE), ("e", THERE)):
        mac = mac_of(port_id)
        every = tuple(AddressPair(prefix(each), mac) for each in ("0.0.0.0/0", "::/0"))
        world.put(port_id, endpoint, every)
    return world


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77", "fe80::77"])
def test_a_machine_inside_of_an_open_one_is_reached_by_its_own_mac_wherever_it_goes(
    said: str,
) -> None:
    world, inner = open_world(), address(said)
    here = match(metadata=7, eth_dst=INNER)
    there = match(metadata=7, eth_dst=INNER, reg0=p.FROM_HERE)

    world.take(announcement(inner, INNER), by="d")
    assert world.model.shared.holder("red", inner) is not None
    assert (world.leads(here), world.leads(there)) == (True, False)
    world.check()

    world.take(announcement(inner, INNER), tun_src=THERE.number)
    assert world.holder(inner) == "e"
    assert (world.leads(here), world.leads(there)) == (False, True)
    world.check()


def test_what_a_mac_has_goes_along_with_it() -> None:
    world = open_world()
    both = address("10.0.0.77"), address("fd00::77")
    for each in both:
        world.take(announcement(each, INNER), by="d")

    world.take(announcement(both[0], INNER), tun_src=THERE.number)

    assert [world.holder(each) for each in both] == ["e", "e"]
    assert not world.leads(match(metadata=7, eth_dst=INNER))
    world.check()


@pytest.mark.parametrize("mac", [mac_of("c"), mac_of("b"), ROUTER_MAC, SERVER_MAC])
def test_a_mac_that_is_another_s_is_not_taken(mac: Mac) -> None:
    world = open_world()
    world.compiler.update(world.model.put(LEG))

    assert world.take(announcement(address("10.0.0.77"), mac), by="d") == []
    assert world.holder(address("10.0.0.77")) == ""


def test_what_becomes_a_port_s_or_a_router_s_own_is_taken_from_who_may_have_every() -> None:
    own, gateway, other = address("10.0.0.102"), address("10.0.0.1"), address("10.0.0.77")
    for entry, is_left in (
        (Neighbour("f", "red", mac_of("f"), (own,), "h", THERE), [False, True, True]),
        (Neighbour("f", "red", INNER, (address("10.0.0.5"),), "h", THERE), [False] * 3),
        (LEG, [True, False, True]),
        (Gateway("g", "r", "red", ROUTER_MAC, LEG.fixed_ips), [True, False, True]),
        (FloatingIp("f", "r", "red", VIRTUAL, other, "", None), [True, True, False]),
    ):
        world = open_world()
        for each in (own, gateway, other):
            world.take(announcement(each, INNER), by="d")

        world.compiler.update(world.model.put(entry))

        assert [world.holder(each) != "" for each in (own, gateway, other)] == is_left
        world.check()


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_who_says_nothing_for_long_is_asked_and_then_forgotten(said: str) -> None:
    world, inner = open_world(), address(said)
    world.take(announcement(inner, INNER), by="d")
    assert world.pass_s(asked_after_s - 1) == []

    first, second, *last = world.pass_s(asks_max)

    assert first == second == last[0]  # asked itself
    assert first.actions == (output(NUMBERS["d"]),)
    assert len(last) == 2  # and at last whoever may have it, on all hosts
    assert world.holder(inner) == "d"
    assert world.pass_s(1) == []
    assert world.holder(inner) == ""
    assert not world.leads(match(metadata=7, eth_dst=INNER))
    world.check()
    assert world.pass_s(forgotten_after_s) == []


def test_who_answers_stays_and_other_hosts_are_told_but_no_machine() -> None:
    world, inner = open_world(), address("10.0.0.77")
    world.take(announcement(inner, INNER), by="d")
    for _ in range(3):
        assert len(world.pass_s(asked_after_s)) == 1

        (told,) = world.take(announcement(inner, INNER), by="d")

        assert told.actions[-1] == output(100)
        assert world.holder(inner) == "d"


def test_who_is_elsewhere_is_forgotten_when_his_host_says_nothing_more() -> None:
    world, inner = open_world(), address("10.0.0.77")
    world.take(announcement(inner, INNER), tun_src=THERE.number)
    world.pass_s(200)
    assert world.take(announcement(inner, INNER), tun_src=THERE.number) == []  # he has it still

    assert world.pass_s(forgotten_after_s - 1) == []
    assert world.holder(inner) == "e"
    world.pass_s(1)
    assert world.holder(inner) == ""
    world.check()


def test_of_a_port_no_more_is_asked_than_its_meter_lets_it_answer() -> None:
    world = open_world()
    every = [address(f"10.0.1.{number}") for number in range(1, 36)]
    for each in every:
        world.take(announcement(each, INNER), by="d")
    world.pass_s(asked_after_s - 1)

    for _ in range(4):
        asked = world.pass_s(1)
        assert len(asked) <= asks_of_port_max
        for frame, _ in asked:
            world.take(announcement(Address(4, Packet(frame)["arp_tpa"]), INNER), by="d")

    assert world.pass_s(asked_after_s - 5) == []
    assert {world.holder(each) for each in every} == {"d"}


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_on_a_physical_network_its_host_alone_believes_and_nothing_is_said_for_it(
    said: str,
) -> None:
    world, inner = open_world(WIRED), address(said)
    here = match(metadata=7, eth_dst=INNER)

    assert world.take(announcement(inner, INNER), by="d") == []

    assert (world.holder(inner), world.leads(here)) == ("d", True)
    world.check()
    # It moves to somebody outside: a frame with its MAC comes from there.
    world.take(
        question(SHARED, "c").replace(mac_of("c").to_bytes(6, "big"), INNER.to_bytes(6, "big")),
        outside=True,
    )
    assert (world.holder(inner), world.leads(here)) == ("", False)
    world.check()


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_who_is_on_no_wire_of_a_physical_network_is_told_where_a_machine_inside_is(
    said: str,
) -> None:
    world, inner = open_world(WIRED), address(said)
    world.compiler.update(world.model.remove(ON_THE_WIRE))

    ((frame, way),) = world.take(announcement(inner, INNER), by="d")

    assert set_field("tun_dst", THERE.number) in way
    assert Packet(frame)["arp_op"] != 1  # which would ask all machines there
    there = match(metadata=7, eth_dst=INNER, reg0=p.FROM_MACHINE)
    other = open_world(WIRED)
    assert other.take(frame, tun_src=THERE.number) == []
    assert (other.holder(inner), other.leads(there)) == ("e", True)
    other.check()
    world.check()


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_who_is_on_the_wire_is_told_where_a_machine_is_whose_host_is_on_none_or_was(
    said: str,
) -> None:
    world, inner = open_world(WIRED), address(said)
    world.compiler.update(world.model.exits.set_uplinks({}))

    ((frame, way),) = world.take(announcement(inner, INNER), by="d")

    assert set_field("tun_dst", THERE.number) in way
    world.check()
    other = open_world(WIRED)
    other.compiler.update(other.model.remove(ON_THE_WIRE))
    other.take(frame, tun_src=THERE.number)
    assert other.holder(inner) == "e"
    # It comes here: whoever believes that it is there yet is told.
    beyond = address("172.31.0.3")
    other.put("f", beyond, ())
    other.compiler.update(other.model.put(UplinkNode("ext", "h3", beyond)))
    told = other.take(announcement(inner, INNER), by="d")
    assert other.holder(inner) == "d"
    assert [
        set_field("tun_dst", each.number) in way
        for each, (_, way) in zip((THERE, beyond), told, strict=True)
    ] == [True, True]
    other.check()


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_on_a_physical_network_a_machine_on_no_wire_is_lost_to_who_has_its_mac_outside(
    said: str,
) -> None:
    world, inner = open_world(WIRED), address(said)
    world.take(announcement(inner, INNER), tun_src=THERE.number)
    assert world.holder(inner) == "e"
    sent = match(metadata=7, eth_src=INNER, reg0=p.FROM_UPLINK)
    assert world.leads(sent)

    world.take(announcement(inner, INNER), outside=True)

    assert world.holder(inner) == ""
    assert not world.leads(sent)
    world.check()


@pytest.mark.parametrize("said", ["10.0.0.77", "fd00::77"])
def test_on_a_physical_network_an_address_is_lost_to_who_announces_it_outside(said: str) -> None:
    world, own, theirs = open_world(WIRED), address(said), Mac(0x0200_0000_3001)
    for mac in (mac_of("d"), INNER):
        world.take(announcement(own, mac), by="d")
        world.take(announcement(own, mac), outside=True)  # heard of itself
        world.take(announcement(own, mac), by="d")
        assert world.holder(own) == "d"

        world.take(announcement(own, theirs), outside=True)

        assert world.holder(own) == ""
        world.check()


def test_on_a_physical_network_who_announces_a_pair_s_address_outside_is_not_answered() -> None:
    world = World(network=WIRED)
    world.take(announcement(SHARED, mac_of("a")), by="a")
    announces = match(
        metadata=7,
        eth_type=0x806,
        arp_op=1,
        arp_spa=SHARED.number,
        arp_tpa=SHARED.number,
        reg0=p.FROM_UPLINK,
    )
    assert world.leads(announces)

    world.take(announcement(SHARED, mac_of("b")), outside=True)  # his own host is believed

    assert world.holder(SHARED) == "a"
    world.check()


def test_on_a_physical_network_who_asks_is_known_as_well() -> None:
    world, inner = open_world(WIRED), address("10.0.0.77")
    asks = frames.arp(1, sha=INNER, spa=inner.number, tpa=address("10.0.0.200").number)

    assert world.take(asks, by="d") == []  # all have been asked

    assert world.holder(inner) == "d"
    asks6 = frames.neighbour(135, address("fd00::77").number, 2 << 120, 3 << 120, (1, INNER))
    world.take(frames.ip_frame(0x3333_0000_0001, INNER, asks6), by="d")
    assert world.holder(address("fd00::77")) == "d"
    world.check()


def test_what_a_router_has_outside_is_not_taken() -> None:
    world = open_world(WIRED)
    gateway = Gateway("g", "r", "red", ROUTER_MAC, (FixedIp("s", address("10.0.0.50")),))
    floating = FloatingIp("f", "r", "red", VIRTUAL, address("10.0.0.51"), "", None)
    for entry in (gateway, floating):
        world.compiler.update(world.model.put(entry))

    for taken, mac in (("10.0.0.50", INNER), ("10.0.0.51", INNER), ("10.0.0.52", VIRTUAL)):
        world.take(announcement(address(taken), mac), by="d")
        assert world.holder(address(taken)) == ""


def test_who_has_a_pair_of_an_address_is_believed_however_long_he_says_nothing() -> None:
    world = World()
    world.take(announcement(SHARED, mac_of("a")), by="a")

    assert world.pass_s(2 * forgotten_after_s) == []
    assert world.holder(SHARED) == "a"


def test_only_so_many_addresses_are_believed_of_who_may_have_every() -> None:
    world = World()
    shared, more = world.model.shared, address("10.0.0.77")
    for number in range(1, holders_of_port_max + 1):
        shared.set_holder("red", Address(4, number), Holder("d", mac_of("d")))

    assert not shared.is_free("red", "d", more, mac_of("d"))
    assert shared.is_free("red", "d", Address(4, 5), mac_of("d"))
    assert shared.is_free("red", "e", more, mac_of("e"))
    for number in range(1, holders_max + 1):
        shared.set_holder("red", Address(4, number), Holder(f"{number}", Mac(number)))
    assert not shared.is_free("red", "e", more, mac_of("e"))


def test_a_virtual_mac_is_where_its_address_is() -> None:
    world = World(virtual=True)
    here = match(metadata=7, eth_dst=VIRTUAL)
    there = match(metadata=7, eth_dst=VIRTUAL, reg0=p.FROM_HERE)

    world.take(announcement(SHARED, VIRTUAL), by="a")
    assert (world.leads(here), world.leads(there)) == (True, False)
    world.take(announcement(SHARED, VIRTUAL), tun_src=THERE.number)
    assert (world.leads(here), world.leads(there)) == (False, True)
    world.check()


def test_an_address_is_nobodys_when_its_pair_is_taken_away() -> None:
    world = World()
    world.take(announcement(SHARED, mac_of("a")), by="a")
    answer = match(metadata=7, eth_type=0x806, arp_op=1, arp_tpa=SHARED.number)
    assert world.leads(answer)

    world.put("a", HERE, ())

    assert world.holder(SHARED) == ""
    assert not world.leads(answer)
    world.check()


@pytest.mark.parametrize("said", [SHARED, SHARED6])
def test_who_had_it_before_a_restart_has_it_and_is_asked_until_somebody_says_so(
    said: Address,
) -> None:
    before, world = World(), World()
    before.take(announcement(said, mac_of("b")), tun_src=THERE.number)
    assert before.holder(said) == "b"

    world.neighbours.restore(before.neighbours.saved())

    assert world.holder(said) == "b"
    here, there = world.neighbours.ask_again()
    assert here.actions == (output(NUMBERS["a"]),)
    assert there.actions[-1] == output(100)
    asked = Packet(here.frame)
    assert said.number in (asked["arp_tpa"], asked["nd_target"])
    assert asked["arp_spa"] == 0
    world.take(announcement(said, mac_of("a")), by="a")
    assert world.holder(said) == "a"
    assert world.neighbours.ask_again() == []
    world.check()


def test_who_says_nothing_after_a_restart_is_asked_a_few_times_and_still_believed() -> None:
    before, world = World(), World()
    before.take(announcement(SHARED, mac_of("b")), tun_src=THERE.number)
    world.neighbours.restore(before.neighbours.saved())

    asked = [len(world.neighbours.ask_again()) for _ in range(asks_max + 1)]

    assert asked == [2] * asks_max + [0]
    assert world.neighbours.saved() == before.neighbours.saved()


def test_who_may_not_have_it_any_more_is_not_remembered() -> None:
    world = World()
    world.take(announcement(SHARED, mac_of("b")), tun_src=THERE.number)
    world.put("b", THERE, ())

    assert world.neighbours.saved() == []
