"""Security groups by packets: what a rule lets pass passes, and nothing else does.

Both families, on one host and across hosts, TCP and UDP with payload, and ping.
"""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from alcor.client.api import PORT
from alcor.lab import namespaces
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.ping import Pair, ping
from alcor.lab.traffic.sessions import Protocol, opens

lab_name = "sysfw"
lab_hosts = 2
passes_s, fails_s = 5.0, 0.7

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
EGRESS = ("out 4", "out 6")


class Talk:
    """What machines can say to each other."""

    def __init__(self, lab: Lab, version: int) -> None:
        self._lab, self._version = lab, version

    def can(self, protocol: Protocol, source: Machine, target: Machine, port: int) -> bool:
        """Whether a session can be opened and used, that is expected to be."""
        return self._opens(protocol, source, target, port, passes_s)

    def can_not(self, protocol: Protocol, source: Machine, target: Machine, port: int) -> bool:
        """Whether no session can be opened."""
        return not self._opens(protocol, source, target, port, fails_s)

    def _opens(
        self, protocol: Protocol, source: Machine, target: Machine, port: int, timeout_s: float
    ) -> bool:
        here, there = (self._lab.layout.machine_namespace(each.name) for each in (source, target))
        return opens(protocol, here, there, target.address(self._version), port, timeout_s)

    def pings(self, source: Machine, target: Machine, timeout_s: float = passes_s) -> bool:
        """Whether the target answers."""
        pair = Pair(source.name, target.name, target.address(self._version))
        where = {source.name: self._lab.layout.machine_namespace(source.name)}
        return ping([pair], where, timeout_s).ok == 1


@pytest.fixture(scope="module")
def cast(request: pytest.FixtureRequest) -> dict[str, Machine]:
    """A client and a server on h1, another server on h2."""
    return {}


@pytest.fixture
def machines(
    cast: dict[str, Machine], make_network: MakeNetwork, make_machines: MakeMachines
) -> dict[str, Machine]:
    """A client and a server on h1, another server on h2; made once."""
    if not cast:
        network_id = make_network("10.20.0.0/24", "fd00:20::/64")
        made = make_machines(network_id, "fwcli fwsame fwfar", "h1 h1 h2")
        cast.update({machine.name: machine for machine in made})
    return cast


@pytest.mark.proves("Security groups", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("where", ["same", "far"])
@pytest.mark.parametrize("version", [4, 6])
def test_what_a_rule_lets_in_comes_in_and_nothing_else(
    lab: Lab, machines: dict[str, Machine], groups: Any, version: int, where: str
) -> None:
    client, server = machines["fwcli"], machines[f"fw{where}"]
    icmp = "icmp 8" if version == 4 else "ipv6-icmp 128"
    rules = [f"in {version} {what}" for what in ("tcp 80-95", "udp 53", icmp)]
    groups.put(client, groups.make(*EGRESS))
    groups.put(server, groups.make(*EGRESS, *rules))
    talk = Talk(lab, version)

    assert talk.can("tcp", client, server, 80)
    assert talk.can("tcp", client, server, 95)
    assert talk.can("udp", client, server, 53)
    assert talk.pings(client, server)
    for port in (79, 96):
        assert talk.can_not("tcp", client, server, port)
    assert talk.can_not("udp", client, server, 80)
    for protocol, port in (("tcp", 80), ("udp", 53)):
        assert talk.can_not(protocol, server, client, port)  # type: ignore[arg-type]
    assert not talk.pings(server, client, fails_s)


@pytest.mark.parametrize("version", [4, 6])
def test_large_pings_come_back_in_fragments_to_who_may_only_ping(
    lab: Lab, machines: dict[str, Machine], groups: Any, version: int
) -> None:
    client = machines["fwcli"]
    icmp = "icmp 8" if version == 4 else "ipv6-icmp 128"
    network = "10.20.0.0/24" if version == 4 else "fd00:20::/64"
    groups.put(client, groups.make(f"out {version} {icmp} prefix={network}"))
    for name in ("fwsame", "fwfar"):
        server = machines[name]
        groups.put(server, groups.make(f"in {version} {icmp}"))
        words = ["ping", "-n", "-c3", "-i0.2", "-W2", "-s4000", server.address(version)]
        with namespaces.inside(lab.layout.machine_namespace(client.name)):
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
        assert "3 received" in done.stdout, done.stdout + done.stderr


@pytest.mark.proves("Security groups", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("where", ["same", "far"])
@pytest.mark.parametrize("version", [4, 6])
def test_what_no_rule_lets_out_stays_in(
    lab: Lab, machines: dict[str, Machine], groups: Any, version: int, where: str
) -> None:
    client, server = machines["fwcli"], machines[f"fw{where}"]
    groups.put(client, groups.make(f"out {version} tcp 80"))
    groups.put(server, groups.make(f"in {version}"))
    talk = Talk(lab, version)

    assert talk.can("tcp", client, server, 80)
    assert talk.can_not("tcp", client, server, 81)
    assert talk.can_not("udp", client, server, 80)
    assert not talk.pings(client, server, fails_s)


@pytest.mark.proves("Remote groups", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(("server", "other"), [("fwsame", "fwfar"), ("fwfar", "fwsame")])
@pytest.mark.parametrize("version", [4, 6])
def test_members_of_a_remote_group_are_let_in_when_they_join_and_not_when_they_leave(
    lab: Lab, machines: dict[str, Machine], groups: Any, version: int, server: str, other: str
) -> None:
    client, near, asked = (machines[name] for name in ("fwcli", other, server))
    friends, out = groups.make(), groups.make(*EGRESS)
    groups.put(asked, out, groups.make(f"in {version} tcp 80 group={friends}"))
    groups.put(client, out)
    groups.put(near, out, friends)
    talk = Talk(lab, version)

    assert talk.can("tcp", near, asked, 80)
    assert talk.can_not("tcp", client, asked, 80)
    groups.put(client, out, friends)
    groups.put(near, out)
    assert talk.can("tcp", client, asked, 80)
    assert talk.can_not("tcp", near, asked, 80)


def test_overlapping_rules_let_in_exactly_their_union(
    lab: Lab, machines: dict[str, Machine], groups: Any
) -> None:
    """P047."""
    client, same, far = (machines[name] for name in ("fwcli", "fwsame", "fwfar"))
    one, two, out = groups.make(), groups.make(), groups.make(*EGRESS)
    group = groups.make(
        f"in 4 tcp 80-90 group={one}",
        f"in 4 tcp 85-95 group={two}",
        f"in 4 tcp 88 prefix={client.address(4)}/32",
    )
    groups.put(far, out, group)
    groups.put(client, out, one)
    groups.put(same, out, two)
    talk = Talk(lab, 4)

    allowed = {client.name: {80, 86, 88}, same.name: {86, 88, 92}}
    for machine in (client, same):
        for port in (80, 86, 88, 92):
            can = talk.can if port in allowed[machine.name] else talk.can_not
            assert can("tcp", machine, far, port), (machine.name, port)
    groups.put(client, out)
    assert talk.can("tcp", client, far, 88)
    assert talk.can_not("tcp", client, far, 86)


def test_an_address_group_lets_in_its_prefixes(
    lab: Lab, machines: dict[str, Machine], groups: Any
) -> None:
    client, far = machines["fwcli"], machines["fwfar"]
    office = groups.addresses("192.0.2.0/24")
    groups.put(far, groups.make(f"in 4 udp 53 addresses={office}"))
    groups.put(client, groups.make(*EGRESS))
    talk = Talk(lab, 4)

    assert talk.can_not("udp", client, far, 53)
    groups.set_addresses(office, "add_addresses", f"{client.address(4)}/32")
    assert talk.can("udp", client, far, 53)
    groups.set_addresses(office, "remove_addresses", f"{client.address(4)}/32")
    assert talk.can_not("udp", client, far, 53)


@pytest.mark.proves("Stateless security groups", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("where", ["same", "far"])
@pytest.mark.parametrize("version", [4, 6])
def test_a_stateless_group_lets_answers_pass_by_rules_only(
    lab: Lab, machines: dict[str, Machine], groups: Any, version: int, where: str
) -> None:
    client, server = machines["fwcli"], machines[f"fw{where}"]
    plain = groups.make(f"in {version} tcp 80", f"in {version} udp 53", stateful=False)
    groups.put(server, plain)
    groups.put(client, groups.make(*EGRESS))
    talk = Talk(lab, version)

    assert talk.can_not("tcp", client, server, 80)
    assert talk.can_not("udp", client, server, 53)
    groups.rule(plain, f"out {version} tcp")
    assert talk.can("tcp", client, server, 80)
    assert talk.can_not("udp", client, server, 53)
    groups.rule(plain, f"out {version} udp")
    assert talk.can("udp", client, server, 53)
    assert talk.can_not("tcp", server, client, 80)


def test_without_port_security_everything_passes(
    lab: Lab, machines: dict[str, Machine], groups: Any
) -> None:
    client, far = machines["fwcli"], machines["fwfar"]
    groups.put(client, groups.make(*EGRESS))
    groups.put(far)
    talk = Talk(lab, 4)
    assert talk.can_not("tcp", client, far, 80)

    groups.put(far, port_security_enabled=False)

    assert talk.can("tcp", client, far, 80)
    groups.put(far, port_security_enabled=True)
    assert talk.can_not("tcp", client, far, 80)


def test_a_port_without_groups_gets_its_lease_and_nothing_else(
    lab: Lab, make_network: MakeNetwork, groups: Any
) -> None:
    """P050, for IPv4."""
    network_id = make_network("10.21.0.0/24")
    bodies = [
        {"network_id": network_id, "name": name, "binding:host_id": host, "security_groups": []}
        for name, host in (("locked1", "h1"), ("locked2", "h2"))
    ]
    created = lab.api.create(PORT, bodies)
    made = lab.plug(created.items)
    assert lab.api.wait(created.revision, 30).converged

    leases = lab.get_leases(made)

    assert {name: each.address for name, each in leases.items()} == {
        machine.name: machine.address(4) for machine in made
    }
    one, other = made
    assert not Talk(lab, 4).pings(one, other, fails_s)
    lab.unplug(made)
