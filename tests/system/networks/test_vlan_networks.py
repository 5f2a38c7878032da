"""Networks that are a VLAN of a physical network: over the wire, beside who else is there."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple, Self

import pytest
from tests.system.ports.test_shared_addresses import put_inside

from alcor.agent.announcements.herald import announcement
from alcor.agent.packets.advertisement import (
    ALL_NODES,
    ALL_NODES_MAC,
    Advertisement,
    build_advertisement,
)
from alcor.client.api import NETWORK, PORT, ROUTER, SUBNET
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch, run
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, arp, broadcast, udp4
from alcor.lab.vlans import AUXDATA, SOL_PACKET, tagged, untagged
from alcor.lab.waiting import wait_until
from alcor.ovs.packet import Packet
from alcor.values.addresses import address, eui64_link_local, mac

lab_name = "sysvlan"
lab_hosts = 3
lab_uplinks = 2  # the third host has none

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]

VLAN, OTHER_VLAN = 50, 51
PC = "10.60.0.200"  # an address of the world outside; its MAC is that of the bridge there
passes_s, converge_s = 30.0, 30.0
_ETH_P_ALL, _ARP = 3, b"\x08\x06"


class Heard(NamedTuple):
    """A frame on the wire."""

    vlan: int
    frame: bytes

    def is_between(self, source: str, target: str) -> bool:
        """Whether it is from one MAC to another."""
        return self.frame[:12] == mac(target).to_bytes(6, "big") + mac(source).to_bytes(6, "big")


class Wire:
    """What an interface of the world outside hears, with tags, and what is said there."""

    def __init__(self, lab: Lab, interface: str) -> None:
        with namespaces.inside(lab.layout.outside_namespace):
            kind = socket.htons(_ETH_P_ALL)
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, kind)
        self._socket.bind((interface, _ETH_P_ALL))
        self._socket.setsockopt(SOL_PACKET, AUXDATA, 1)
        self._socket.setblocking(False)
        self._heard: list[Heard] = []

    def send(self, frame: bytes, vlan: int) -> None:
        """Say something, with a tag."""
        self._socket.send(tagged(frame, vlan))

    def say(self, frame: bytes) -> None:
        """Say something without a tag."""
        self._socket.send(frame)

    def heard(self) -> list[Heard]:
        """Every frame so far, what was sent from here too."""
        while True:
            try:
                frame, aside, _, _ = self._socket.recvmsg(65_535, 256)
            except BlockingIOError:
                return self._heard
            self._heard.append(Heard(*untagged(frame, aside)))

    def wait_for(self, what: str, is_it: Callable[[Heard], bool]) -> None:
        """Wait until such a frame was heard."""
        wait_until(what, lambda: any(map(is_it, self.heard())), passes_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._socket.close()


class Site(NamedTuple):
    """A VLAN network with a machine on every host; whoever may talk to them."""

    network_id: str
    machines: list[Machine]


@pytest.fixture
def site(lab: Lab, make_machines: MakeMachines) -> Iterator[Site]:
    body = {
        "provider:network_type": "vlan",
        "provider:physical_network": outside.physical_network,
        "provider:segmentation_id": VLAN,
    }
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    for version, cidr in ((4, "10.60.0.0/24"), (6, "fd60::/64")):
        subnet = {"network_id": network_id, "ip_version": version, "cidr": cidr}
        lab.api.create(SUBNET, [subnet])
    machines = make_machines(network_id, "m1 m2 m3", "h1 h2 h3")
    open_up(lab, machines)
    yield Site(network_id, machines)
    lab.unplug(machines)
    for machine in machines:
        lab.api.delete(PORT, machine.port_id)
    lab.api.delete(NETWORK, network_id)


def open_up(lab: Lab, machines: list[Machine]) -> None:
    for machine in machines:
        anything = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, anything)[1]
    assert lab.api.wait(revision, converge_s).converged


def answers(lab: Lab, machine: Machine, target: str) -> None:
    """Wait until the target answers a ping."""

    def pings() -> bool:
        with namespaces.inside(lab.layout.machine_namespace(machine.name)):
            words = ["ping", "-n", "-c1", "-W2", target]
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        return "1 received" in done.stdout

    wait_until(f"{target} to answer {machine.name}", pings, passes_s)


def test_hosts_with_an_uplink_talk_over_the_wire_and_all_others_by_tunnels(
    lab: Lab, site: Site
) -> None:
    one, two, far = site.machines

    with Wire(lab, "h1") as wire:
        for version in (4, 6):
            for source, target in ((one, two), (two, one), (one, far), (far, one), (far, two)):
                answers(lab, source, target.address(version))
        direct = [each for each in wire.heard() if each.is_between(one.mac, two.mac)]
        assert direct
        assert {each.vlan for each in direct} == {VLAN}
        assert not [each for each in wire.heard() if each.is_between(one.mac, far.mac)]


def test_a_machine_and_somebody_outside_find_each_other_and_talk(lab: Lab, site: Site) -> None:
    one, two, far = site.machines
    here, there = (one.mac, one.address(4), 4000), (outside.mac, PC, 4000)

    with ExitStack() as stack:
        pc = stack.enter_context(Wire(lab, "br0"))
        guest = stack.enter_context(FrameSocket(lab.layout.machine_namespace(one.name)))
        # The machine asks, and hears the answer; then they talk.
        asks = arp(one.mac, broadcast, operation=1, sender=(one.mac, one.address(4)), asked=PC)
        guest.send(asks)
        pc.wait_for("the question", lambda h: h.vlan == VLAN and h.frame[:42] == asks[:42])
        says = arp(
            outside.mac, one.mac, operation=2, sender=(outside.mac, PC), asked=one.address(4)
        )
        pc.send(says, VLAN)
        guest.wait_for("the answer", lambda frame: frame[12:14] == _ARP and frame[21] == 2)
        guest.send(udp4(here, there, b"to the pc"))
        pc.wait_for("what it sends", lambda h: h.vlan == VLAN and b"to the pc" in h.frame)
        # Of another tag nothing is heard.
        pc.send(udp4(there, here, b"of others"), OTHER_VLAN)
        pc.send(udp4(there, here, b"to the machine"), VLAN)
        guest.wait_for("what the pc sends", lambda frame: b"to the machine" in frame)
        assert not [frame for frame in guest.heard() if b"of others" in frame]
        # Broadcasts go both ways.
        everybody = (broadcast, "10.60.0.255", 4000)
        guest.send(udp4(here, everybody, b"is there anybody"))
        pc.wait_for("a broadcast", lambda h: h.vlan == VLAN and b"is there anybody" in h.frame)
        pc.send(udp4(there, everybody, b"here I am"), VLAN)
        guest.wait_for("a broadcast from outside", lambda frame: b"here I am" in frame)

        # Each machine is answered for once, by its own host.
        for asked in (far, one, two):
            asks = arp(
                outside.mac,
                broadcast,
                operation=1,
                sender=(outside.mac, PC),
                asked=asked.address(4),
            )
            pc.send(asks, VLAN)
        for found in (one, two):
            pc.wait_for(f"{found.name} to be found", partial(_says, machine=found))
        for found, times in ((one, 1), (two, 1), (far, 0)):
            assert sum(_says(each, found) for each in pc.heard()) == times


def _begins(words: bytes, frame: bytes) -> bool:
    return frame.startswith(words)


def _says(heard: Heard, machine: Machine, own: str = "", vlan: int = VLAN) -> bool:
    """Whether it is the answer to the pc that the machine has its address, or this one."""
    frame = heard.frame
    is_answer = heard.vlan == vlan and frame[12:14] == _ARP and frame[21] == 2
    ends = mac(machine.mac).to_bytes(6, "big") + address(own or machine.address(4)).packed
    return is_answer and frame[:6] == mac(outside.mac).to_bytes(6, "big") and frame[22:32] == ends


def test_a_network_that_gets_another_vlan_is_heard_there_and_nowhere_else(
    lab: Lab, site: Site
) -> None:
    one, two, far = site.machines
    answers(lab, one, two.address(4))
    change = {"provider:segmentation_id": OTHER_VLAN}

    assert lab.api.wait(lab.api.update(NETWORK, site.network_id, change)[1], converge_s).converged

    with Wire(lab, "h1") as wire, Wire(lab, "br0") as pc:
        for source, target in ((one, two), (two, one), (one, far), (far, two)):
            answers(lab, source, target.address(4))
        direct = [each for each in wire.heard() if each.is_between(one.mac, two.mac)]
        assert {each.vlan for each in direct} == {OTHER_VLAN}
        asks = arp(
            outside.mac, broadcast, operation=1, sender=(outside.mac, PC), asked=one.address(4)
        )
        pc.send(asks, VLAN)
        pc.send(asks, OTHER_VLAN)
        pc.wait_for("an answer", lambda heard: _says(heard, one, vlan=OTHER_VLAN))
        assert not any(_says(each, one) for each in pc.heard())


@pytest.mark.proves("Machines without port security on a VLAN", "IPv4 IPv6", "same across")
def test_who_has_no_port_security_is_found_at_what_it_takes_from_inside_and_outside(
    lab: Lab, site: Site, make_machines: MakeMachines
) -> None:
    one, two, far = site.machines
    (near,) = make_machines(site.network_id, "m4", "h2")
    taken4, taken6 = "10.60.0.150", "fd60::150"
    space = lab.layout.machine_namespace(two.name)
    ip_batch(
        [f"address add {taken4}/24 dev eth0", f"address add {taken6}/64 dev eth0 nodad"], space
    )

    for asker in (near, one, far):  # beside it, by the wire, and by tunnels
        answers(lab, asker, taken4)
        answers(lab, asker, taken6)
    with Wire(lab, "br0") as pc:
        asks = arp(outside.mac, broadcast, operation=1, sender=(outside.mac, PC), asked=taken4)
        pc.send(asks, VLAN)
        pc.wait_for("it to be found", lambda heard: _says(heard, two, taken4))
    lab.unplug([near])
    lab.api.delete(PORT, near.port_id)


@pytest.mark.proves("Machines inside of machines on a VLAN", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("own", ["10.60.0.160", "fd60::160"])
def test_a_machine_inside_of_one_is_found_from_inside_and_outside_wherever_it_goes(
    lab: Lab, site: Site, make_machines: MakeMachines, own: str
) -> None:
    one, two, far = site.machines
    (near,) = make_machines(site.network_id, f"n{len(own)}", "h2")

    for home, other in ((two, one), (far, one), (one, two)):  # that of the third has no uplink
        nested = put_inside(lab, home, own)
        space = lab.layout.machine_namespace(nested.name)
        if home is not two:
            with FrameSocket(space) as guest:
                guest.send(announcement(address(own), mac(nested.mac)))
        for asker in {each.name: each for each in (near, other, far, two)}.values():
            if asker is not home:
                answers(lab, asker, own)
        answers(lab, nested, other.address(6 if ":" in own else 4))
        if ":" not in own and home is not far:
            with Wire(lab, "br0") as pc, FrameSocket(space) as guest:
                asks = arp(outside.mac, broadcast, operation=1, sender=(outside.mac, PC), asked=own)
                pc.send(asks, VLAN)
                pc.wait_for("it to be found", partial(_says, machine=nested, own=own))
                says = arp(
                    outside.mac, nested.mac, operation=2, sender=(outside.mac, PC), asked=own
                )
                pc.send(says, VLAN)
                guest.wait_for("an answer", partial(_begins, says[:42]))
        namespaces.remove([space])
    lab.unplug([near])
    lab.api.delete(PORT, near.port_id)


def test_a_filtered_machine_has_its_default_router_from_the_wire(
    lab: Lab, site: Site, make_machines: MakeMachines
) -> None:
    (guest,) = make_machines(site.network_id, "m5", "h2")  # with the default group
    space, own = lab.layout.machine_namespace(guest.name), mac(outside.mac)
    router = eui64_link_local(own)
    says = Advertisement(own, 1_800, False, False, 1_500, ())

    with Wire(lab, "br0") as pc:
        run("ip", "-n", space, "link", "set", "eth0", "down")
        run("ip", "-n", space, "link", "set", "eth0", "up")
        for kind in (133, 143):  # it asks for routers, and says which multicast it listens to
            pc.wait_for(f"ICMPv6 {kind}", partial(_is_of_link, machine=guest, kind=kind))

        def hears() -> bool:
            pc.send(build_advertisement(says, ALL_NODES_MAC, ALL_NODES), VLAN)
            return f"via {router}" in run("ip", "-n", space, "-6", "route", "show", "default")

        wait_until("a default router", hears, passes_s)
    lab.unplug([guest])
    lab.api.delete(PORT, guest.port_id)


def _is_of_link(heard: Heard, machine: Machine, kind: int) -> bool:
    """Whether it is ICMPv6 of this type, from the machine."""
    packet = Packet(heard.frame)
    own = packet["eth_src"] == mac(machine.mac) and heard.vlan == VLAN
    return own and packet["icmpv6_type"] == kind


def test_what_is_announced_outside_is_heard_by_the_machines_here(lab: Lab, site: Site) -> None:
    one = site.machines[0]
    moved = (outside.mac, PC)
    request = arp(outside.mac, broadcast, operation=1, sender=moved, asked=PC)
    reply = arp(outside.mac, broadcast, operation=2, sender=moved, asked=PC)
    advertisement = announcement(address("fd60::200"), mac(outside.mac))

    with ExitStack() as stack:
        pc = stack.enter_context(Wire(lab, "br0"))
        guest = stack.enter_context(FrameSocket(lab.layout.machine_namespace(one.name)))
        for says in (request, reply, advertisement):
            pc.send(says, VLAN)
            guest.wait_for("it", partial(_begins, says))


def test_a_router_leads_into_a_vlan_and_is_never_seen_on_the_wire(
    lab: Lab, site: Site, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    inside = make_network("10.61.0.0/24")
    (guest,) = make_machines(inside, "g1", "h1")
    open_up(lab, [guest])
    router = lab.api.create(ROUTER, [{}]).items[0]["id"]
    macs = []
    for network_id in (site.network_id, inside):
        (subnet,) = lab.api.list_page(SUBNET, [("network_id", network_id), ("ip_version", "4")])
        made, revision = lab.api.act(
            ROUTER, router, "add_router_interface", {"subnet_id": subnet["id"]}
        )
        macs.append(lab.api.show(PORT, made["port_id"])["mac_address"])
    assert lab.api.wait(revision, converge_s).converged
    for machine in (*site.machines, guest):
        gateway = machine.address(4).rsplit(".", 1)[0] + ".1"
        route = [f"route replace default via {gateway}"]
        ip_batch(route, lab.layout.machine_namespace(machine.name))

    with Wire(lab, "h1") as near, Wire(lab, "h2") as other:
        for machine in site.machines:
            answers(lab, guest, machine.address(4))
            answers(lab, machine, guest.address(4))
        for wire in (near, other):
            sources = {each.frame[6:12] for each in wire.heard()}
            assert not sources & {mac(each).to_bytes(6, "big") for each in macs}

    lab.unplug([guest])
    for network_id in (site.network_id, inside):
        (subnet,) = lab.api.list_page(SUBNET, [("network_id", network_id), ("ip_version", "4")])
        lab.api.act(ROUTER, router, "remove_router_interface", {"subnet_id": subnet["id"]})
    lab.api.delete(ROUTER, router)
