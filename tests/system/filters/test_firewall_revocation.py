"""What is revoked is cut within a second, and nothing else is (P035, P038, P043).

Each test holds sessions that one change must end and, on the same port of the same machine, others
that it must not touch.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from alcor.client.api import PORT
from alcor.lab.lab import Lab
from alcor.lab.machines import give_address
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket
from alcor.lab.traffic.sessions import Protocol, Session

lab_name = "sysrevoke"
lab_hosts = 2
answers_s, cut_s = 5.0, 1.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
EGRESS = ("out 4", "out 6")


class Held:
    """Sessions that are held open, by name."""

    def __init__(self, lab: Lab, stack: ExitStack) -> None:
        self._lab, self._stack = lab, stack
        self._sessions: dict[str, Session] = {}

    def open(
        self, name: str, protocol: Protocol, client: Machine, server: Machine, port: int,
        version: int = 4,
    ) -> None:  # fmt: skip
        """Open a session; it must work."""
        here, there = (self._lab.layout.machine_namespace(each.name) for each in (client, server))
        session = Session(protocol, here, there, server.address(version), port)
        self._sessions[name] = self._stack.enter_context(session)
        assert session.ask(answers_s), name

    def alive(self) -> set[str]:
        """The sessions that still work."""
        return {name for name, each in self._sessions.items() if each.ask(cut_s)}

    def pushed(self) -> set[str]:
        """The sessions whose servers still reach their clients."""
        return {name for name, each in self._sessions.items() if each.push(cut_s)}


@pytest.fixture
def held(lab: Lab) -> Iterator[Held]:
    with ExitStack() as stack:
        yield Held(lab, stack)


@pytest.fixture(scope="module")
def cast() -> dict[str, Machine]:
    return {}


@pytest.fixture
def trio(
    cast: dict[str, Machine], make_network: MakeNetwork, make_machines: MakeMachines
) -> tuple[Machine, Machine, Machine]:
    """Two clients, one on the server's host and one on the other, and the server; made once."""
    if not cast:
        network_id = make_network("10.22.0.0/24", "fd00:22::/64")
        made = make_machines(network_id, "rvnear rvfar rvserver", "h1 h2 h1")
        cast.update({machine.name: machine for machine in made})
    return cast["rvnear"], cast["rvfar"], cast["rvserver"]


Trio = tuple[Machine, Machine, Machine]


@pytest.mark.proves("Revocation of sessions", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_a_rule_that_goes_ends_its_sessions_and_no_others(
    trio: Trio, groups: Any, held: Held, version: int
) -> None:
    near, far, server = trio
    length = 32 if version == 4 else 128
    for client in (near, far):
        groups.put(client, groups.make(*EGRESS))
    group = groups.make(*EGRESS)
    rule = {
        (client.name, protocol): groups.rule(
            group, f"in {version} {protocol} 5001 prefix={client.address(version)}/{length}"
        )
        for client in (near, far)
        for protocol in ("tcp", "udp")
    }
    groups.put(server, group)
    held.open("far tcp", "tcp", far, server, 5001, version)
    held.open("near tcp", "tcp", near, server, 5001, version)
    held.open("far udp", "udp", far, server, 5001, version)

    groups.drop(rule[far.name, "tcp"])
    assert held.alive() == {"near tcp", "far udp"}

    groups.drop(rule[far.name, "udp"])
    assert held.alive() == {"near tcp"}
    groups.drop(rule[near.name, "tcp"])
    assert held.alive() == set()


def test_a_session_in_which_only_the_server_speaks_is_cut_as_well(
    trio: Trio, groups: Any, held: Held
) -> None:
    near, far, server = trio
    for client in (near, far):
        groups.put(client, groups.make(*EGRESS))
    group = groups.make(*EGRESS)
    first = groups.rule(group, f"in 4 tcp 5002 prefix={far.address(4)}/32")
    groups.rule(group, f"in 4 tcp 5002 prefix={near.address(4)}/32")
    groups.put(server, group)
    held.open("far", "tcp", far, server, 5002)
    held.open("near", "tcp", near, server, 5002)

    groups.drop(first)

    assert held.pushed() == {"near"}


def test_a_session_that_another_rule_allows_goes_on(trio: Trio, groups: Any, held: Held) -> None:
    near, _, server = trio
    groups.put(near, groups.make(*EGRESS))
    group = groups.make(*EGRESS, "in 4 tcp 5000-5010")
    one = groups.rule(group, "in 4 tcp 5003")
    groups.put(server, group)
    held.open("session", "tcp", near, server, 5003)

    groups.drop(one)

    assert held.pushed() == {"session"}
    assert held.alive() == {"session"}


def test_an_egress_rule_that_goes_ends_what_it_let_out(trio: Trio, groups: Any, held: Held) -> None:
    near, _, server = trio
    group = groups.make("out 4 tcp 5005")
    rule = groups.rule(group, "out 4 tcp 5004")
    groups.put(near, group)
    groups.put(server, groups.make("in 4"))
    held.open("goes", "tcp", near, server, 5004)
    held.open("stays", "tcp", near, server, 5005)

    groups.drop(rule)

    assert held.alive() == {"stays"}
    assert held.pushed() == {"stays"}


def test_a_member_that_leaves_is_cut_off_and_the_others_are_not(
    trio: Trio, groups: Any, held: Held
) -> None:
    near, far, server = trio
    friends, out = groups.make(), groups.make(*EGRESS)
    for client in (near, far):
        groups.put(client, out, friends)
    groups.put(server, out, groups.make(f"in 4 tcp 5006 group={friends}"))
    held.open("near", "tcp", near, server, 5006)
    held.open("far", "tcp", far, server, 5006)

    groups.put(far, out)

    assert held.alive() == {"near"}


def test_a_prefix_that_leaves_an_address_group_is_cut_off(
    trio: Trio, groups: Any, held: Held
) -> None:
    near, far, server = trio
    for client in (near, far):
        groups.put(client, groups.make(*EGRESS))
    office = groups.addresses(*(f"{client.address(4)}/32" for client in (near, far)))
    groups.put(server, groups.make(*EGRESS, f"in 4 addresses={office}"))
    held.open("near", "udp", near, server, 5007)
    held.open("far", "udp", far, server, 5007)

    groups.set_addresses(office, "remove_addresses", f"{far.address(4)}/32")

    assert held.alive() == {"near"}


def test_a_group_that_is_taken_from_a_port_ends_what_it_let_in(
    lab: Lab, trio: Trio, groups: Any, held: Held
) -> None:
    """P043: a group's own traffic goes with it, in the hosts as well."""
    near, far, server = trio
    for client in (near, far):
        groups.put(client, groups.make(*EGRESS))
    out = groups.make(*EGRESS)
    lets_far = groups.make(f"in 4 tcp 5008 prefix={far.address(4)}/32")
    lets_near = groups.make(f"in 4 tcp 5008 prefix={near.address(4)}/32")
    groups.put(server, out, lets_far, lets_near)
    held.open("near", "tcp", near, server, 5008)
    held.open("far", "tcp", far, server, 5008)

    groups.put(server, out, lets_near)

    assert held.alive() == {"near"}


def test_an_unrelated_stream_loses_nothing_while_rules_and_members_change(
    lab: Lab, trio: Trio, groups: Any
) -> None:
    near, far, server = trio
    out = groups.make(*EGRESS)
    friends = groups.make()
    group = groups.make(*EGRESS, f"in 4 icmp prefix={near.address(4)}/32")
    groups.put(near, out)
    groups.put(server, group)
    groups.rule(group, f"in 4 tcp 80 group={friends}")

    with lab.stream(near.name, server.address(4)) as stream:
        for _ in range(3):
            groups.put(far, out, friends)
            groups.drop(groups.rule(group, f"in 4 tcp 81-95 group={friends}"))
            groups.put(far, out)

    assert stream.result.sent > 10
    assert stream.result.lost == ()


def test_the_next_owner_of_an_address_gets_nothing_of_the_former_s_sessions(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, groups: Any
) -> None:
    """P038: both have the same address, MAC, host and place on the switch."""
    network_id = make_network("10.23.0.0/24")
    peer, former = make_machines(network_id, "rvpeer rvformer", "h2 h1")
    out = groups.make(*EGRESS)
    groups.put(peer, out, groups.make("in 4"))
    groups.put(former, out)
    names = lab.layout.machine_namespace(former.name), lab.layout.machine_namespace(peer.name)
    with Session("udp", *names, peer.address(4), 5009) as session:
        assert session.ask(answers_s)
        lab.unplug([former])
        lab.api.delete(PORT, former.port_id)
        body = {
            "network_id": network_id, "name": "rvnext", "binding:host_id": "h1",
            "mac_address": former.mac, "security_groups": [out],
            "fixed_ips": [{"ip_address": former.address(4)}],
        }  # fmt: skip
        created = lab.api.create(PORT, [body])
        (next_,) = lab.plug(created.items)
        assert lab.api.wait(created.revision, 30).converged
        give_address(lab.layout, next_, next_.address(4), 24)
        assert lab.ping_all({m.name: m.address(4) for m in (peer, next_)}, 5.0).ok == 1  # its own

        with FrameSocket(lab.layout.machine_namespace(next_.name)) as ear:
            session.push(cut_s)

            assert not [frame for frame in ear.heard() if frame[12:14] == b"\x08\x00"]
    lab.unplug([peer, next_])
