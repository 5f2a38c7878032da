"""Broadcast and multicast: to every machine of the network, and to nobody else."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from tests.system.conftest import Groups, hears

from alcor.client.api import PORT, Kind
from alcor.lab.hosts import appctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, broadcast, ethernet, udp4, udp6
from alcor.lab.waiting import wait_until
from alcor.ovs import frames
from alcor.values.addresses import address, mac

lab_name = "sysmany"
lab_hosts = 2

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]

VRRP_MAC, VRRP_GROUP, VRRP = "01:00:5e:00:00:12", "224.0.0.18", 112
POLICY = Kind("policy", "policies", "/v2.0/qos/policies")
many = 60  # broadcasts, which no limit of the network's holds back
MDNS_MAC, MDNS_GROUP = "33:33:00:00:00:fb", "ff02::fb"


def wire_of(lab: Lab, machine: Machine, stack: ExitStack) -> FrameSocket:
    return stack.enter_context(FrameSocket(lab.layout.machine_namespace(machine.name)))


def vrrp(machine: Machine, text: bytes, source: str = "") -> bytes:
    """An advertisement of VRRP in all that a switch looks at."""
    sender = address(source or machine.address(4)).number
    datagram = frames.ipv4(sender, address(VRRP_GROUP).number, VRRP, text)
    return frames.ethernet(mac(VRRP_MAC), mac(machine.mac), 0x0800, datagram)


@pytest.mark.proves("Broadcast and multicast", "IPv4 IPv6", "same across")
def test_everybody_of_the_network_hears_it_but_the_sender(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    red, blue = make_network("10.90.0.0/24", "fd90::/64"), make_network("10.90.0.0/24")
    sender, near, far = make_machines(red, "r1 r2 r3", "h1 h1 h2")
    strangers = make_machines(blue, "b1 b2", "h1 h2")
    own = (sender.mac, sender.address(6), 5353)
    said = {
        b"to all": udp4(
            (sender.mac, sender.address(4), 4000), (broadcast, "10.90.0.255", 4000), b"to all"
        ),
        b"to a group": vrrp(sender, b"to a group"),
        b"to a group of IPv6": udp6(own, (MDNS_MAC, MDNS_GROUP, 5353), b"to a group of IPv6"),
    }

    with ExitStack() as stack:
        speaker, *hearers = (wire_of(lab, each, stack) for each in (sender, near, far))
        deaf = [wire_of(lab, each, stack) for each in strangers]
        for words, frame in said.items():
            speaker.send(frame)
            for hearer in hearers:
                hears(hearer, words)
        last = udp4(
            (strangers[0].mac, strangers[0].address(4), 1), (broadcast, "10.90.0.255", 1), b"done"
        )
        deaf[0].send(last)
        deaf[1].wait_for("its own network's", lambda frame: b"done" in frame)

        for wire in (speaker, *deaf):
            assert not [f for f in wire.heard() if any(words in f for words in said)]


def test_copies_obey_the_receivers_security_groups_and_the_senders_own_addresses(
    lab: Lab, groups: Groups, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    sender, near, far = make_machines(make_network("10.91.0.0/24"), "s1 s2 s3", "h1 h1 h2")
    speaks, closed = groups.make("out 4"), groups.make("in 4 udp 4000")
    groups.put(sender, speaks)
    groups.put(near, closed)
    groups.put(far, closed)

    with ExitStack() as stack:
        speaker, *hearers = (wire_of(lab, each, stack) for each in (sender, near, far))

        def say_then_mark(frame: bytes, mark: bytes) -> None:
            """What is said after it is heard, so what was said before it has been dropped."""
            speaker.send(frame)
            ends = (sender.mac, sender.address(4), 4000), (broadcast, "10.91.0.255", 4000)
            speaker.send(udp4(*ends, mark))
            for hearer in hearers:
                hearer.wait_for("the mark", lambda frame: mark in frame)

        say_then_mark(vrrp(sender, b"too early"), b"mark 1")
        groups.rule(closed, f"in 4 {VRRP}")
        say_then_mark(vrrp(sender, b"a lie", source=near.address(4)), b"mark 2")
        say_then_mark(ethernet(sender.mac, broadcast, 0x88B5, b"of no kind"), b"mark 3")
        speaker.send(vrrp(sender, b"in time"))
        for hearer in hearers:
            hearer.wait_for("VRRP", lambda frame: b"in time" in frame)
            unheard = (b"too early", b"a lie", b"of no kind")
            assert not [f for f in hearer.heard() if any(words in f for words in unheard)]


@pytest.mark.parametrize("filtered", [True, False])
@pytest.mark.parametrize("limited", ["l1", "l2", "l3"])
def test_a_receivers_limit_is_for_its_own_copies_only(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, limited: str, filtered: bool
) -> None:
    machines = make_machines(make_network("10.92.0.0/24"), "l0 l1 l2 l3 l4", "h1 h1 h1 h1 h2")
    sender, *hearers = machines
    policy = lab.api.create(POLICY, [{"name": "q"}]).items[0]["id"]
    limit = {"max_kbps": 80, "max_burst_kbps": 80, "direction": "ingress"}
    rules = f"{POLICY.path}/{policy}/bandwidth_limit_rules"
    lab.api.create(Kind("bandwidth_limit_rule", "bandwidth_limit_rules", rules), [limit])
    for each in hearers:
        fields = {} if filtered else {"port_security_enabled": False, "security_groups": []}
        fields |= {"qos_policy_id": policy} if each.name == limited else {}
        if fields:
            revision = lab.api.update(PORT, each.port_id, fields)[1]
            assert lab.api.wait(revision, 30).converged
    appctl(lab.host("h1"), "revalidator/wait")
    ends = (sender.mac, sender.address(4), 4000), (broadcast, "10.92.0.255", 4000)
    frame = udp4(*ends, bytes(1_000))

    with ExitStack() as stack:
        speaker = wire_of(lab, sender, stack)
        wires = {each.name: wire_of(lab, each, stack) for each in hearers}
        slow = wires.pop(limited)
        for sent in range(1, many + 1):
            speaker.send(frame)

            def is_heard(sent: int = sent) -> bool:
                return all(each.heard().count(frame) == sent for each in wires.values())

            wait_until(f"copy {sent}", is_heard, 30)
        assert 0 < slow.heard().count(frame) < many
    lab.unplug(machines)
