"""Who is wanted is looked for once, whoever waits; what waits is bounded; what is idle goes."""

from collections.abc import Iterable

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.seeking import Seeker, held_max, held_s_max, negative_s, seeks_burst, tidy_s
from alcor.goal_state.entries import Neighbour, Network
from alcor.goal_state.slices import found_slice
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.flow import Resubmit, set_field
from alcor.ovs.openflow.packets import PacketIn
from alcor.values.addresses import Mac, address, eui64_link_local, mac_text

RED = Network("red", 7, 1450, True, "", lazy=True)
ASKER = Mac(0x0200_0000_0001)
WEB = Neighbour("web", "red", Mac(2), (address("10.0.0.2"),), "h2", address("192.0.2.2"))
IDLE_S = 60.0


class World:
    """A seeker whose wishes are noted, and come true when a test says so."""

    def __init__(self) -> None:
        self.model, self.now_s = HostModel(), 0.0
        self.model.put(RED)
        self.asked: list[str] = []
        self.sought_now: dict[str, None] = {}
        self.known: dict[str, list[Neighbour]] = {}
        self.looked_at: list[str] = []
        self.left: dict[str, list[Neighbour]] = {}
        self.metrics = Metrics()
        clock = lambda: self.now_s  # noqa: E731
        self.seeker = Seeker(self.model, self, self, clock, self.metrics, IDLE_S)

    @property
    def sought(self) -> list[str]:
        return list(self.sought_now)

    def found(self, name: str) -> list[Neighbour] | None:
        self.looked_at.append(name)
        return self.known.get(name)

    def leftovers(self) -> dict[str, list[Neighbour]]:
        return self.left

    def seek(self, names: Iterable[str]) -> None:
        self.asked += (new := list(names))
        self.sought_now.update(dict.fromkeys(new))

    def forsake(self, names: Iterable[str]) -> None:
        for name in names:
            del self.sought_now[name]

    def drop_leftovers(self, network_id: str) -> None:
        del self.left[network_id]

    def limit(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value("alcor_limit_reached_total", {"limit": name})
        return value or 0


def arp_for(text: str, *, port: int = 1) -> PacketIn:
    frame = frames.arp(1, sha=ASKER, spa=address("10.0.0.1").number, tpa=address(text).number)
    return packet(frame, p.Wants.ADDRESS, port)


def sent_to(mac: int) -> PacketIn:
    return packet(frames.ethernet(mac, ASKER, 0x0800, bytes(20)), p.Wants.MAC, 1)


def routed_to(text: str) -> PacketIn:
    frame = frames.ethernet(5, 6, 0x0800, bytes(20))
    return packet(frame, p.Wants.NEXT_HOP, 1, reg8=address(text).number)


def packet(frame: bytes, wants: p.Wants, port: int, **more: int) -> PacketIn:
    fields = {"metadata": RED.vni, "reg0": wants << 11, "reg14": port, "in_port": port, **more}
    places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
    return PacketIn(frame, p.SEEK, 0, 1, places, p.PUNT_SEEK)


WEB_BY_ADDRESS = found_slice("red", "10.0.0.2")
WEB_BY_NAME = found_slice("red", "name=web")


def test_one_question_is_asked_for_all_that_wait_and_the_last_of_them_go_on() -> None:
    world = World()
    packets = [arp_for("10.0.0.2") for _ in range(held_max + 5)]

    assert not [out for each in packets for out in world.seeker.want(each)]
    assert world.asked == [WEB_BY_ADDRESS]
    assert world.seeker.settle() == []
    world.known[WEB_BY_ADDRESS] = [WEB]
    released = world.seeker.settle()

    assert [out.frame for out in released] == [packets[0].data] * held_max
    assert released[0].actions[-1] == Resubmit(p.ARP_ND)
    assert set_field(p.FLAGS, p.AGAIN[0]) in released[0].actions
    assert world.seeker.settle() == []


def test_a_packet_goes_on_at_the_stage_where_it_was_with_what_it_carried() -> None:
    world = World()
    world.seeker.want(sent_to(WEB.mac))
    world.seeker.want(routed_to("10.0.0.2"))
    world.known = {found_slice("red", mac_text(WEB.mac)): [WEB], WEB_BY_ADDRESS: [WEB]}

    by_mac, by_hop = world.seeker.settle()

    assert by_mac.actions[-1] == Resubmit(p.L2_DST)
    assert by_hop.actions[-1] == Resubmit(p.NEIGHBOUR)
    assert set_field("reg8", address("10.0.0.2").number) in by_hop.actions


def test_a_link_local_address_is_looked_for_by_the_mac_that_it_is_made_of() -> None:
    world = World()
    target = eui64_link_local(WEB.mac).number
    packet6 = frames.neighbour(135, 1, 2, target, (1, ASKER))
    world.seeker.want(packet(frames.ip_frame(3, ASKER, packet6), p.Wants.ADDRESS, 1))

    assert world.asked == [found_slice("red", mac_text(WEB.mac))]


def test_that_nobody_has_an_address_is_remembered_and_said_by_routers() -> None:
    world = World()
    world.seeker.want(routed_to("10.0.0.2"))
    world.known[WEB_BY_ADDRESS] = []

    (told,) = world.seeker.settle()
    (again,) = world.seeker.want(routed_to("10.0.0.2"))

    assert told.actions == again.actions
    assert told.actions[-1] == Resubmit(p.NEIGHBOUR)  # which has no flow: a fault, this time
    assert world.asked == [WEB_BY_ADDRESS]
    world.now_s += negative_s + 1
    world.seeker.tick()
    assert not world.sought_now


def test_a_port_that_wants_everybody_is_slowed_down_and_no_other() -> None:
    world = World()
    for number in range(int(seeks_burst) + 50):
        world.seeker.want(arp_for(f"10.1.{number // 256}.{number % 256}"))

    assert len(world.asked) == seeks_burst
    assert world.limit("seeks_per_port") == 50
    world.seeker.want(arp_for("10.0.0.2", port=2))
    assert world.asked[-1] == WEB_BY_ADDRESS
    world.now_s += 1
    for number in range(50):
        world.seeker.want(arp_for(f"10.2.0.{number}"))
    assert len(world.asked) == seeks_burst + 1 + 20


def test_packets_do_not_wait_for_ever() -> None:
    world = World()
    world.seeker.want(arp_for("10.0.0.2"))
    world.now_s += held_s_max + 0.1
    world.seeker.tick()
    world.known[WEB_BY_ADDRESS] = [WEB]

    assert world.seeker.settle() == []


def test_who_is_used_no_more_is_forgotten() -> None:
    world = World()
    world.seeker.want(arp_for("10.0.0.2"))
    world.known[WEB_BY_ADDRESS] = [WEB]
    world.seeker.settle()

    for packets in (5, 6):
        world.now_s += IDLE_S - 1
        world.seeker.counted({"web": packets})
        assert world.sought_now
    world.now_s += IDLE_S + 1
    world.seeker.counted({"web": 6})

    assert not world.sought_now


def test_who_was_found_by_its_mac_is_followed_by_its_addresses_too() -> None:
    world = World()
    world.seeker.want(sent_to(WEB.mac))
    world.known[found_slice("red", mac_text(WEB.mac))] = [WEB]
    world.seeker.settle()

    assert world.asked == [found_slice("red", mac_text(WEB.mac)), WEB_BY_ADDRESS]


def test_what_is_used_of_a_whole_network_is_looked_for_before_the_rest_goes() -> None:
    world = World()
    other = WEB._replace(port_id="db", mac=Mac(3))
    world.left = {"red": [WEB, other]}
    assert world.seeker.waits_for_counts

    world.seeker.counted({"web": 1})

    name = found_slice("red", "web")
    assert world.asked == [name]
    assert world.left
    world.known[name] = [WEB]
    world.known[WEB_BY_ADDRESS] = [WEB]
    world.seeker.settle()
    world.seeker.settle()
    world.seeker.tick()
    assert not world.left


def test_a_question_goes_on_once_all_that_it_asks_for_is_known_and_the_next_one_at_once() -> None:
    world, told = World(), list[bool]()
    world.seeker.look_for([WEB_BY_NAME, WEB_BY_ADDRESS], 1, told.append)
    assert sorted(world.asked) == sorted([WEB_BY_NAME, WEB_BY_ADDRESS])
    world.known[WEB_BY_NAME] = []
    world.seeker.settle()
    assert told == []

    world.known[WEB_BY_ADDRESS] = [WEB]
    world.seeker.settle()
    assert told == [True]
    world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    assert told == [True, True]
    assert world.asked.count(WEB_BY_NAME) == 1


def test_a_question_costs_the_same_however_many_wait() -> None:
    world, told = World(), list[bool]()
    for _ in range(100):
        world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    world.looked_at.clear()
    world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    assert world.looked_at == [WEB_BY_NAME]
    world.known[WEB_BY_NAME] = []
    world.seeker.settle()
    assert told == [True] * 101


def test_a_question_that_nobody_answers_is_told_so_and_so_is_one_too_many() -> None:
    world, told = World(), list[bool]()
    world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    world.now_s = held_s_max + 0.1
    world.seeker.tick()
    assert told == [False]
    world.known[WEB_BY_NAME] = []
    world.seeker.settle()
    assert told == [False]

    for number in range(int(seeks_burst) + 10):
        world.seeker.look_for([found_slice("red", f"name=n{number}")], 1, told.append)
    assert told[1:]
    assert not any(told)
    assert world.limit("seeks_per_port") > 0


def test_a_name_that_nobody_asks_for_any_more_is_forgotten() -> None:
    world, told = World(), list[bool]()
    world.known[WEB_BY_NAME] = []
    world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    world.now_s = negative_s - 1
    world.seeker.look_for([WEB_BY_NAME], 1, told.append)
    world.now_s = negative_s + 1
    world.seeker.tick()
    assert world.sought == [WEB_BY_NAME]

    world.now_s = 2 * negative_s
    world.seeker.tick()
    assert world.sought == []


def test_it_is_looked_now_and_then_only_for_who_is_nobodys() -> None:
    world = World()
    world.seeker.want(arp_for("10.0.0.2"))
    world.known[WEB_BY_ADDRESS] = [WEB]
    world.seeker.settle()
    world.now_s = negative_s + 1
    world.seeker.tick()
    world.looked_at.clear()

    world.now_s += tidy_s / 2
    world.seeker.tick()
    assert world.looked_at == []

    world.now_s += tidy_s
    world.seeker.tick()
    assert world.looked_at == [WEB_BY_ADDRESS]


def test_who_was_sought_in_a_network_that_has_gone_is_looked_for_anew_when_it_is_back() -> None:
    world = World()
    world.seeker.want(arp_for("10.0.0.2"))
    world.sought_now.clear()
    world.now_s = 0.25
    world.seeker.tick()

    world.seeker.want(arp_for("10.0.0.2"))

    assert world.asked == [WEB_BY_ADDRESS, WEB_BY_ADDRESS]
