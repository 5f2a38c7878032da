"""Who may have every address claims one that is nobody's own, at a cost that no network raises."""

import sys
from types import FrameType

from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.agent.model.networks.shared_addresses import Holder
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.shared_addresses import SharedNeighbours
from alcor.goal_state.entries import AddressPair, FixedIp, Neighbour, Network, Port
from alcor.ovs import frames
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.ovs.openflow.packets import PacketIn
from alcor.values.addresses import Address, Mac, address, prefix

RED = Network("red", 7, 1450, True, "")
HERE, THERE = address("172.31.0.1"), address("172.31.0.2")
FREE, WANTED = address("10.0.7.6"), address("10.0.7.7")
OPEN, INSIDE = Mac(0x0200_0000_0004), Mac(0x0600_0000_0001)  # of the port; of a machine in its own


class World:
    """A port here that may have every address, and others of its network elsewhere."""

    def __init__(self) -> None:
        self.model = HostModel()
        self.model.set_tunnel(Tunnel(100, HERE))
        self.model.put(RED)
        own = address("10.0.0.4")
        pairs = (AddressPair(prefix("0.0.0.0/0"), OPEN),)
        self.model.put(Neighbour("open", "red", OPEN, (own,), "h1", HERE, pairs))
        self.model.put(Port("open", "red", OPEN, (FixedIp("s", own),), True, False, "", ""))
        self.model.set_interface("open", Interface(4, True))
        self.neighbours = SharedNeighbours(self.model, self.heard)

    def heard(self, network_id: str, who: Address, holder: Holder | None) -> None:
        assert holder is not None
        self.model.shared.set_holder(network_id, who, holder)

    def claim(self, who: Address) -> str:
        """Whose an address is once a machine behind the port has said that it has it."""
        frame = frames.arp(2, sha=INSIDE, spa=who.number, tpa=who.number)
        fields = {"metadata": RED.vni, "reg0": p.FROM_INSIDE[0], "reg14": 4}
        places = {FIELD_BY_NAME[name].place: value for name, value in fields.items()}
        self.neighbours.take(PacketIn(frame, p.ARP_ND, 0, 4, places, p.PUNT_SHARED))
        found = self.model.shared.holder("red", who)
        return found[0].port_id if found else ""


def elsewhere(number: int, who: Address) -> Neighbour:
    return Neighbour(f"n{number}", "red", Mac(0x0A << 40 | number), (who,), "h2", THERE)


def test_what_is_somebodys_own_is_claimed_by_nobody_until_he_has_gone() -> None:
    world, own = World(), elsewhere(1, WANTED)
    assert world.claim(FREE) == "open"

    world.model.put(own)
    assert world.claim(WANTED) == ""

    world.model.remove(own)
    assert world.claim(WANTED) == "open"


def calls_of_a_claim(ports: int) -> int:
    """How many calls of Python's one costs in a network of so many ports, once another came."""
    world, count = World(), 0
    for number in range(ports):
        world.model.put(elsewhere(number, address(f"10.9.{number // 250}.{number % 250}")))
    world.claim(FREE)

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        assert world.claim(WANTED) == "open"
    finally:
        sys.setprofile(before)
    return count


def test_a_claim_costs_the_same_however_many_ports_a_network_has() -> None:
    assert calls_of_a_claim(400) == calls_of_a_claim(20)
