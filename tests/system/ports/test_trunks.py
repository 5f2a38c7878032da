"""Trunks by packets: machines behind machines, told apart by tags, on real Open vSwitch.

`p1` and `q1` on h1 and `p2` on h2 are machines with trunks. Behind them are `a1` and `a2` of one
network, by different tags, and `b1` of another, with the tag on q1 that a1 has on p1.
"""

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from alcor.client.api import NETWORK, PORT, ROUTER, SUBNET, Kind
from alcor.lab import parts
from alcor.lab.lab import Lab
from alcor.lab.machines import give_address
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, udp4
from alcor.lab.traffic.ping import Pair, ping
from alcor.lab.traffic.sessions import Session, opens
from alcor.lab.waiting import wait_until

lab_name = "systrunk"
lab_hosts = 2
converge_s, passes_s, fails_s, cut_s = 30.0, 10.0, 1.0, 1.0
TRUNK = Kind("trunk", "trunks", "/v2.0/trunks")
NOBODYS_TAG = 99
GROUP = Kind("security_group", "security_groups", "/v2.0/security-groups")
RULE = Kind("security_group_rule", "security_group_rules", "/v2.0/security-group-rules")


class Place:
    """Machines by name, and the trunks of those that have one."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.machines: dict[str, Machine] = {}
        self.trunks: dict[str, str] = {}

    def network(self, *cidrs: str) -> str:
        made: str = self.lab.api.create(NETWORK, [{}]).items[0]["id"]
        for cidr in cidrs:
            version = 6 if ":" in cidr else 4
            self.lab.api.create(SUBNET, [{"network_id": made, "cidr": cidr, "ip_version": version}])
        return made

    def port(self, network: str, name: str, **fields: Any) -> str:
        body = {"network_id": network, "name": name, "port_security_enabled": True, **fields}
        made: str = self.lab.api.create(PORT, [body]).items[0]["id"]
        return made

    def plug(self, name: str, port_id: str) -> None:
        (machine,) = self.lab.plug([self.lab.api.show(PORT, port_id)])
        self.machines[name] = machine

    def trunk(self, parent: str, tag_by_port: dict[str, int]) -> None:
        body = {"port_id": self.machines[parent].port_id, "sub_ports": seats(tag_by_port)}
        made = self.lab.api.create(TRUNK, [body])
        self.trunks[parent] = made.items[0]["id"]
        self.converged(made.revision)

    def act(self, parent: str, action: str, tag_by_port: dict[str, int]) -> None:
        body = {"sub_ports": seats(tag_by_port)}
        _, revision = self.lab.api.act(TRUNK, self.trunks[parent], action, body)
        self.converged(revision)

    def converged(self, revision: str) -> None:
        assert self.lab.api.wait(revision, converge_s).converged

    def behind(self, parent: str, port_by_tag: dict[int, str]) -> Any:
        """Machines for these sub-ports, as a context."""
        ports = {tag: self.lab.api.show(PORT, port) for tag, port in port_by_tag.items()}
        switch = self.lab.plug_behind(self.machines[parent], ports)
        for port in ports.values():
            (self.machines[port["name"]],) = self.lab.machines([port["name"]])
        return switch

    def namespace(self, name: str) -> str:
        return self.lab.layout.machine_namespace(self.machines[name].name)

    def give_addresses(self, *names: str) -> None:
        for name in names:
            machine = self.machines[name]
            for address in machine.addresses:
                give_address(self.lab.layout, machine, address, 64 if ":" in address else 24)

    def answers(
        self, source: str, target: str, within_s: float = passes_s, version: int = 4
    ) -> bool:
        """Whether one answers the other's ping."""
        pair = Pair(source, target, self.machines[target].address(version))
        return ping([pair], {source: self.namespace(source)}, within_s).ok == 1

    def status(self, name: str) -> str:
        return str(self.lab.api.show(PORT, self.machines[name].port_id)["status"])

    def trunk_status(self, parent: str) -> str:
        return str(self.lab.api.show(TRUNK, self.trunks[parent])["status"])


def seats(tag_by_port: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"port_id": port, "segmentation_type": "vlan", "segmentation_id": tag}
        for port, tag in tag_by_port.items()
    ]


@pytest.fixture(scope="module")
def place(lab: Lab) -> Iterator[Place]:
    """All that the tests of this module share; they leave it as it was."""
    place = Place(lab)
    under, a, b = (
        place.network(f"10.{number}.0.0/24", f"fd{number}::/64") for number in (60, 61, 61)
    )
    everything = {"security_groups": [_open_group(lab)]}
    for name, host in (("p1", "h1"), ("q1", "h1"), ("p2", "h2")):
        port = place.port(under, name, **everything, **{"binding:host_id": host})
        place.plug(name, port)
        place.give_addresses(name)
    a1, a2, a3 = (place.port(a, name, **everything) for name in ("a1", "a2", "a3"))
    b1, b2 = (place.port(b, name, **everything) for name in ("b1", "b2"))
    place.trunk("p1", {a1: 10, b2: 20})
    place.trunk("q1", {b1: 10, a3: 30})
    place.trunk("p2", {a2: 77})
    with ExitStack() as stack:
        stack.enter_context(place.behind("p1", {10: a1, 20: b2}))
        stack.enter_context(place.behind("q1", {10: b1, 30: a3}))
        stack.enter_context(place.behind("p2", {77: a2}))
        yield place


def _open_group(lab: Lab) -> str:
    group: str = lab.api.create(GROUP, [{"name": "open"}]).items[0]["id"]
    for family in ("IPv4", "IPv6"):
        rule = {"security_group_id": group, "direction": "ingress", "ethertype": family}
        lab.api.create(RULE, [rule])
    return group


def test_sub_ports_and_trunks_are_active_once_their_host_has_them(place: Place) -> None:
    def active() -> bool:
        ports = [place.status(name) for name in ("a1", "a2", "a3", "b1", "b2")]
        return {*ports, *(place.trunk_status(parent) for parent in place.trunks)} == {"ACTIVE"}

    wait_until("sub-ports and trunks to be ACTIVE", active, converge_s)


def test_machines_behind_trunks_get_their_leases_by_dhcp(lab: Lab, place: Place) -> None:
    names = ["a1", "a2", "b1"]

    leases = lab.get_leases([place.machines[name] for name in names])

    assert {name: lease.address for name, lease in leases.items()} == {
        name: place.machines[name].address(4) for name in names
    }


@pytest.mark.proves("Trunks", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_sub_ports_of_one_network_reach_each_other(place: Place, version: int) -> None:
    place.give_addresses("a1", "a2", "a3", "b1", "b2")

    pairs = [("a1", "a2"), ("a2", "a1"), ("a1", "a3"), ("b1", "b2"), ("b2", "b1"), ("p1", "p2")]
    assert [pair for pair in pairs if not place.answers(*pair, version=version)] == []


def test_networks_of_one_cidr_and_one_tag_stay_apart(place: Place) -> None:
    place.give_addresses("a1", "a2", "b1", "b2")
    names = ("a1", "a2", "b1", "b2", "p1", "q1")
    word = b"of network a"

    def said_to(name: str) -> bytes:
        source, target = place.machines["a1"], place.machines[name]
        ends = (source.mac, source.address(4), 4000), (target.mac, target.address(4), 4000)
        return udp4(*ends, word)

    def is_to_all(frame: bytes) -> bool:
        return word in frame and frame[:6] == b"\xff" * 6

    def is_said(frame: bytes) -> bool:
        """And not an answer to it, which says it too, nor what is said to all."""
        return word in frame and frame[6:12] == said_to("a2")[6:12] and not is_to_all(frame)

    with ExitStack() as stack:
        doors = {name: stack.enter_context(FrameSocket(place.namespace(name))) for name in names}
        for name in ("b1", "b2", "p1"):
            doors["a1"].send(said_to(name))
        doors["a1"].send(b"\xff" * 6 + said_to("b1")[6:])
        doors["a1"].send(said_to("a2"))
        doors["a2"].wait_for("what was said to it", lambda frame: word in frame)
        doors["q1"].wait_for("what is said to all", is_to_all)  # for a3, by its trunk
        heard = {name: doors[name].heard() for name in names}

    assert [name for name in names if any(map(is_said, heard[name]))] == ["a2"]
    others = [name for name in names if name not in ("a1", "p1")]  # who said it, and by whom
    assert [name for name in others if any(map(is_to_all, heard[name]))] == ["a2", "q1"]


def test_a_tag_of_nobody_and_a_tag_behind_a_tag_are_not_heard(place: Place) -> None:
    place.give_addresses("a1", "a3")
    source, target = place.machines["a1"], place.machines["a3"]
    ends = (source.mac, source.address(4), 4000), (target.mac, target.address(4), 4000)

    with ExitStack() as stack:
        parent = stack.enter_context(FrameSocket(place.namespace("p1")))
        a3 = stack.enter_context(FrameSocket(place.namespace("a3")))
        q1 = stack.enter_context(FrameSocket(place.namespace("q1")))
        lies = {"nobody's": [NOBODYS_TAG], "another's": [20], "two": [10, 10], "none": []}
        for word, tags in lies.items():
            parent.send(tagged(udp4(*ends, word.encode()), tags))
        parent.send(tagged(udp4(*ends, b"honest"), [10]))
        a3.wait_for("the honest word", lambda frame: b"honest" in frame)

        for word in lies:
            assert not any(word.encode() in frame for frame in (*a3.heard(), *q1.heard())), word


def tagged(frame: bytes, tags: list[int]) -> bytes:
    for tag in reversed(tags):
        frame = frame[:12] + b"\x81\x00" + tag.to_bytes(2, "big") + frame[12:]
    return frame


def test_a_router_leads_from_sub_port_to_sub_port_of_one_interface(lab: Lab, place: Place) -> None:
    left, right = place.network("10.62.0.0/24"), place.network("10.63.0.0/24")
    open_ = {"security_groups": [_open_group(lab)]}
    l1, r1 = place.port(left, "l1", **open_), place.port(right, "r1", **open_)
    router = lab.api.create(ROUTER, [{"name": "r"}]).items[0]["id"]
    for network in (left, right):
        subnet = lab.api.list_page(SUBNET, [("network_id", network)])[0]["id"]
        lab.api.act(ROUTER, router, "add_router_interface", {"subnet_id": subnet})
    place.act("p1", "add_subports", {l1: 101, r1: 102})

    with place.behind("p1", {101: l1, 102: r1}):
        assert set(lab.get_leases([place.machines["l1"], place.machines["r1"]])) == {"l1", "r1"}
        assert place.answers("l1", "r1")
        assert place.answers("r1", "l1")
    lab.unplug([place.machines["l1"], place.machines["r1"]])
    place.act("p1", "remove_subports", {l1: 101, r1: 102})


def test_a_firewall_is_a_sub_ports_own_and_what_it_revokes_is_cut(lab: Lab, place: Place) -> None:
    group = lab.api.create(GROUP, [{"name": "own"}]).items[0]["id"]
    rule = {"security_group_id": group, "direction": "ingress", "protocol": "tcp"}
    made = lab.api.create(RULE, [rule | {"port_range_min": 80, "port_range_max": 80}])
    place.give_addresses("a1", "a3", "b1", "b2")
    before = lab.api.show(PORT, place.machines["a3"].port_id)["security_groups"]
    change = {"security_groups": [group]}
    place.converged(lab.api.update(PORT, place.machines["a3"].port_id, change)[1])
    ends = place.namespace("a1"), place.namespace("a3"), place.machines["a3"].address(4)

    assert not opens("tcp", *ends, 81, fails_s)
    with Session("tcp", *ends, 80) as session:
        assert session.ask(passes_s)
        place.converged(lab.api.delete(RULE, made.items[0]["id"]))
        wait_until("the session to be cut", lambda: not session.ask(cut_s), cut_s)
    assert place.answers("b1", "b2")
    change = {"security_groups": before}
    place.converged(lab.api.update(PORT, place.machines["a3"].port_id, change)[1])


def test_a_sub_port_comes_and_goes_while_others_go_on(lab: Lab, place: Place) -> None:
    place.give_addresses("a1", "a2", "b1", "b2")
    a1 = place.machines["a1"].port_id

    with lab.stream("b1", place.machines["b2"].address(4)) as stream:
        with Session("udp", place.namespace("a1"), place.namespace("a2"),
                     place.machines["a2"].address(4), 5000) as session:  # fmt: skip
            assert session.ask(passes_s)
            place.act("p1", "remove_subports", {a1: 10})
            wait_until("the session to be cut", lambda: not session.ask(cut_s), cut_s)
        place.act("p1", "add_subports", {a1: 10})
        assert place.answers("a1", "a2")
    assert stream.result.lost == ()


def test_with_its_trunk_a_machine_loses_its_tags_and_keeps_its_port(lab: Lab, place: Place) -> None:
    place.give_addresses("a1", "a2")
    assert place.answers("a2", "a1")
    a2 = place.machines["a2"].port_id

    place.converged(lab.api.delete(TRUNK, place.trunks.pop("p2")))

    assert not place.answers("a2", "a1", fails_s)
    assert not place.answers("a1", "a2", fails_s)
    assert place.answers("p1", "p2")
    place.trunk("p2", {a2: 77})
    assert place.answers("a2", "a1")


def test_p115_a_port_that_no_agent_has_seen_hears_nothing_and_is_not_heard(
    lab: Lab, place: Place
) -> None:
    place.give_addresses("a1", "a3")
    network = lab.api.show(PORT, place.machines["a1"].port_id)["network_id"]
    host, everything = lab.host("h1"), {"security_groups": [_open_group(lab)]}
    parts.stop_agent(host, signal.SIGKILL)
    place.plug("late", place.port(network, "late", **everything, **{"binding:host_id": "h1"}))
    late, target = place.machines["late"], place.machines["a3"]
    ends = (late.mac, late.address(4), 4000), (target.mac, target.address(4), 4000)

    with ExitStack() as stack:
        door = stack.enter_context(FrameSocket(place.namespace("late")))
        listening = [
            stack.enter_context(FrameSocket(place.namespace(name))) for name in ("q1", "a3", "b1")
        ]
        for tags in ([], [10], [20], [30]):
            door.send(tagged(udp4(*ends, b"too early"), tags))
        assert place.answers("a1", "a3")  # by the flows that are there
        assert door.heard() == []
        assert not any(b"too early" in frame for each in listening for frame in each.heard())

        parts.start_agent(host, lab.record)
        wait_until("the port to be ACTIVE", lambda: place.status("late") == "ACTIVE", converge_s)
        place.give_addresses("late")
        assert place.answers("late", "a3")
    lab.unplug([late])


def test_an_agent_that_is_restarted_costs_sub_ports_nothing(lab: Lab, place: Place) -> None:
    place.give_addresses("a1", "a3")
    assert place.answers("a1", "a3")
    b2, host = place.machines["b2"].port_id, lab.host("h1")

    with lab.stream("a1", place.machines["a3"].address(4)) as stream:
        parts.stop_agent(host, signal.SIGKILL)
        parts.start_agent(host, lab.record)
        place.act("p1", "remove_subports", {b2: 20})
        place.act("p1", "add_subports", {b2: 20})
    assert stream.result.lost == ()
