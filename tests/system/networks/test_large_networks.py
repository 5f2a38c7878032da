"""A network of more ports than hosts want to know: neighbours are looked for when they are wanted.

Every frame that is wanted first is sent once: it must be held, and go on when its neighbour is
known.
"""

import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.system.conftest import converge_timeout_s, hears, sent
from tests.system.services.test_names import SERVER4, dig, ready

from alcor.agent.desired.state import read
from alcor.client.api import NETWORK, PORT, ROUTER, SUBNET
from alcor.goal_state.slices import looked_for
from alcor.lab import parts
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import ofctl
from alcor.lab.lab import Lab
from alcor.lab.layout import LabError
from alcor.lab.record import Machine
from alcor.lab.traffic.echo import EchoSocket, kind_of
from alcor.lab.traffic.frames import FrameSocket, broadcast, udp4
from alcor.lab.waiting import wait_until
from alcor.ovs import frames
from alcor.values.addresses import address, mac

lab_name = "syslazy"
lab_hosts = 3
lazy_above = 4  # ports
idle_s = 2.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture(scope="module")
def lab_settings() -> Mapping[str, str]:
    """Hosts hold a network lazily when it has five ports."""
    return {"ALCOR_AGENTS__LAZY_ABOVE": str(lazy_above), "ALCOR_LAZY_IDLE_S": str(idle_s)}


def knows(lab: Lab, host: str, machine: Machine) -> bool:
    """Whether a host has flows that lead to a machine of another one."""
    return machine.mac in ofctl(lab.host(host), "dump-flows", "br-int", f"dl_dst={machine.mac}")


def wire_of(lab: Lab, machine: Machine, stack: ExitStack) -> FrameSocket:
    return stack.enter_context(FrameSocket(lab.layout.machine_namespace(machine.name)))


def asks_for(asker: Machine, wanted: str) -> bytes:
    own = mac(asker.mac)
    return frames.arp(1, sha=own, spa=number(asker.address(4)), tpa=number(wanted))


def number(text: str) -> int:
    return address(text).number


def is_answer(address: str, mac: str) -> Callable[[bytes], bool]:
    """Whether a frame says that an address is at a MAC."""
    wanted = bytes.fromhex(mac.replace(":", "")) + bytes(map(int, address.split(".")))
    return lambda frame: frame[12:14] == b"\x08\x06" and frame[22:32] == wanted


def answers(lab: Lab, asker: Machine, address: str) -> bool:
    """Whether one ping is answered."""
    return asked(lab, asker, address, 10.0)


def asked(lab: Lab, asker: Machine, address: str, within_s: float) -> bool:
    kind = kind_of(address)
    with EchoSocket(lab.layout.machine_namespace(asker.name), kind, 0x5EE4) as echo:
        echo.send(address, 1)
        wait_until(f"{address} to answer {asker.name}", lambda: bool(echo.replies()), within_s)
    return True


def answers_in_the_end(lab: Lab, asker: Machine, address: str) -> bool:
    """Whether a ping is answered, the first or one of those after it: on a busy machine what is
    held may be given up before its way is known."""
    for _ in range(4):
        with suppress(LabError):
            return asked(lab, asker, address, 4.0)
    return False


def make_port(lab: Lab, network_id: str, name: str, host: str, address: str) -> dict[str, Any]:
    body = {"network_id": network_id, "name": name, "binding:host_id": host}
    created = lab.api.create(PORT, [{**body, "fixed_ips": [{"ip_address": address}]}])
    assert lab.api.wait(created.revision, converge_timeout_s).converged
    return created.items[0]


@pytest.mark.proves("Large networks, held lazily", "IPv4 IPv6", "same across")
def test_who_is_wanted_is_found_and_the_first_packet_arrives(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.60.0.0/24", "fd60::/64")
    machines = make_machines(network_id, "a1 a2 b1 b2 c1 c2", "h1 h1 h2 h2 h3 h3")
    asker, near, far, sent_to, *_ = machines
    wait_until(
        "hosts to forget what nobody uses",
        lambda: not any(knows(lab, "h1", each) for each in machines[2:]),
        converge_timeout_s,
    )

    with ExitStack() as stack:
        wire, theirs = (wire_of(lab, each, stack) for each in (asker, sent_to))
        wire.send(asks_for(asker, far.address(4)))
        wire.wait_for("the answer", is_answer(far.address(4), far.mac))
        wire.send(asks_for(asker, near.address(4)))
        wire.wait_for("the neighbour's", is_answer(near.address(4), near.mac))
        words = [f"by its MAC, number {number}".encode() for number in range(3)]
        ends = (asker.mac, asker.address(4), 9), (sent_to.mac, sent_to.address(4), 9)
        for each in words:
            wire.send(udp4(*ends, each))
        for each in words:
            hears(theirs, each)

    for one, other in permutations(machines, 2):
        for version in (4, 6):
            assert answers(lab, one, other.address(version))


def test_what_nobody_has_is_looked_for_once_and_found_as_soon_as_somebody_has_it(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.61.0.0/24")
    asker, other, *_ = make_machines(network_id, "d1 d2 d3 d4 d5", "h1 h2 h2 h3 h3")
    wanted = "10.61.0.200"

    with ExitStack() as stack:
        wire = wire_of(lab, asker, stack)
        for _ in range(50):
            wire.send(asks_for(asker, wanted))
        wire.send(asks_for(asker, other.address(4)))
        wire.wait_for("the answer of who is there", is_answer(other.address(4), other.mac))
        assert not [frame for frame in wire.heard() if frame[28:32] == bytes((10, 61, 0, 200))]

        port = make_port(lab, network_id, "late", "h2", wanted)
        wire.send(asks_for(asker, wanted))
        wire.wait_for("who has it now", is_answer(wanted, port["mac_address"]))

        # It becomes another's: who knew it is told, and no one asks in vain.
        gone = lab.api.delete(PORT, port["id"])
        assert lab.api.wait(gone, converge_timeout_s).converged
        assert port["mac_address"] not in ofctl(lab.host("h1"), "dump-flows", "br-int")
        heir = make_port(lab, network_id, "heir", "h3", wanted)
        wire.wait_for("an announcement", is_answer(wanted, heir["mac_address"]))
        wire.send(asks_for(asker, wanted))
        wire.wait_for("who has it after that", is_answer(wanted, heir["mac_address"]))


def test_who_has_no_port_security_is_asked_for_what_nobody_has(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.98.0.0/24")
    taken = "10.98.0.150"
    home, beside, far, *others = make_machines(network_id, "oa ob oc od oe", "h1 h1 h2 h3 h3")
    open_up = {"port_security_enabled": False, "security_groups": []}
    revision = lab.api.update(PORT, home.port_id, open_up)[1]
    assert lab.api.wait(revision, converge_timeout_s).converged
    space = lab.layout.machine_namespace(home.name)
    ip_batch([f"address add {taken}/24 dev eth0"], space)

    for asker in (beside, far):
        assert answers_in_the_end(lab, asker, taken)
    lab.unplug([home, beside, far, *others])


def test_a_broadcast_reaches_those_whom_nobody_has_looked_for(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    machines = make_machines(make_network("10.62.0.0/24"), "e1 e2 e3 e4 e5", "h1 h1 h2 h3 h3")
    wait_until(
        "hosts to forget what nobody uses",
        lambda: not any(knows(lab, "h1", each) for each in machines[2:]),
        converge_timeout_s,
    )
    speaker = machines[0]

    with ExitStack() as stack:
        wire, *hearers = (wire_of(lab, each, stack) for each in machines)
        said = (speaker.mac, speaker.address(4), 4000), (broadcast, "10.62.0.255", 4000)
        wire.send(udp4(*said, b"to all"))
        for hearer in hearers:
            hearer.wait_for("the broadcast", lambda frame: b"to all" in frame)


def test_a_router_leads_to_who_is_not_known_yet_and_says_so_if_nobody_is(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    small = make_network("10.63.0.0/24")
    large: str = lab.api.create(NETWORK, [{}]).items[0]["id"]
    subnet = {"network_id": large, "cidr": "10.64.0.0/24", "ip_version": 4}
    subnets = [lab.api.create(SUBNET, [subnet]).items[0]["id"]]
    subnets += [each["id"] for each in lab.api.list_page(SUBNET, [("network_id", small)])]
    router_id: str = lab.api.create(ROUTER, [{}]).items[0]["id"]
    (asker,) = make_machines(small, "f1", "h1")
    machines = make_machines(large, "g1 g2 g3 g4 g5", "h2 h2 h3 h3 h1")
    for each in subnets:
        _, revision = lab.api.act(ROUTER, router_id, "add_router_interface", {"subnet_id": each})
    assert lab.api.wait(revision, converge_timeout_s).converged
    for machine in (asker, *machines):
        gateway = machine.address(4).rpartition(".")[0] + ".1"
        space = lab.layout.machine_namespace(machine.name)
        ip_batch([f"route replace default via {gateway}"], space)

    for machine in machines:
        assert answers_in_the_end(lab, asker, machine.address(4))

    with ExitStack() as stack:
        wire = wire_of(lab, asker, stack)
        echo = stack.enter_context(
            EchoSocket(lab.layout.machine_namespace(asker.name), kind_of("10.64.0.99"), 1)
        )
        echo.send("10.64.0.99", 1)
        wire.wait_for("unreachable", lambda frame: frame[23] == 1 and frame[34:36] == b"\x03\x01")


def test_nothing_is_lost_while_a_network_becomes_large_or_small_or_an_agent_starts_again(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.65.0.0/24")
    one, other, third, _ = make_machines(network_id, "m1 m2 m3 m4", "h1 h2 h3 h1")
    for each in (other, third):
        assert answers(lab, one, each.address(4))

    with (
        lab.stream(one.name, other.address(4), 0.005) as there,
        lab.stream(third.name, one.address(4), 0.005) as back,
    ):
        streams = [there, back]
        sent(*streams, more=40)
        more = [make_port(lab, network_id, f"n{n}", "h2", f"10.65.0.{100 + n}") for n in range(3)]
        wait_until("h3 to forget", lambda: not knows(lab, "h3", other), converge_timeout_s)
        assert knows(lab, "h1", other)
        sent(*streams, more=40)
        parts.stop_agent(lab.host("h1"), signal.SIGKILL)
        sent(*streams, more=40)
        parts.start_agent(lab.host("h1"), lab.record)
        parts.wait_alive(lab.api, lab.hosts)
        sent(*streams, more=100)
        assert knows(lab, "h1", other)
        for port in more:
            gone = lab.api.delete(PORT, port["id"])
        assert lab.api.wait(gone, converge_timeout_s).converged
        wait_until("h3 to know all", lambda: knows(lab, "h3", other), converge_timeout_s)
        sent(*streams, more=100)

    assert [each.result.lost for each in streams] == [(), ()]


def test_names_are_looked_for_when_somebody_asks_and_never_out_of_date(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    machines = make_machines(make_network("10.67.0.0/24"), "q1 q2 q3 q4 q5", "h1 h2 h3 h2 h3")
    asker, named, other, unnamed, unasked = machines
    for each, name in ((named, "db"), (other, "Web"), (unasked, "unasked")):
        revision = lab.api.update(PORT, each.port_id, {"dns_name": name})[1]
    assert lab.api.wait(revision, converge_timeout_s).converged
    ready(lab, asker)

    def said(*words: str, form: str = "+short") -> str:
        return dig(lab, asker, f"@{SERVER4}", *words, form=form)

    assert said("db.openstacklocal") == named.address(4)
    assert said("+tcp", "WEB.openstacklocal") == other.address(4)
    assert said("-x", other.address(4)).lower() == "web.openstacklocal."
    label = unnamed.address(4).replace(".", "-")
    assert said("-x", unnamed.address(4)) == f"host-{label}.openstacklocal."
    assert said(f"host-{label}.openstacklocal") == unnamed.address(4)
    assert "NXDOMAIN" in said("late.openstacklocal", form="+comments")
    assert "NXDOMAIN" in said("-x", "10.67.0.222", form="+comments")

    revision = lab.api.update(PORT, named.port_id, {"dns_name": "late"})[1]
    assert lab.api.wait(revision, converge_timeout_s).converged
    assert said("late.openstacklocal") == named.address(4)
    assert "NXDOMAIN" in said("db.openstacklocal", form="+comments")
    memory = lab.host("h1").folder / "agent" / "goal-state"
    wait_until("it to be saved", lambda: b"late" in memory.read_bytes(), converge_timeout_s)
    assert b"unasked" not in memory.read_bytes()


def test_who_was_found_just_before_an_agent_died_is_found_again_by_the_next_packet(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    machines = make_machines(make_network("10.66.0.0/24"), "s1 s2 s3 s4 s5", "h1 h2 h3 h2 h3")
    one, other = machines[:2]
    memory = lab.host("h1").folder / "agent" / "goal-state"
    wait_until("h1 to forget", lambda: not knows(lab, "h1", other), converge_timeout_s)
    wait_until("it to be saved", lambda: not has_found(memory, other), converge_timeout_s)
    before = memory.read_bytes()

    with lab.stream(one.name, other.address(4), 0.005) as stream:
        sent(stream, more=40)
        parts.stop_agent(lab.host("h1"), signal.SIGKILL)
        memory.write_bytes(before)  # as if it had died before it wrote who was found
        sent(stream, more=40)
        parts.start_agent(lab.host("h1"), lab.record)
        parts.wait_alive(lab.api, lab.hosts)
        sent(stream, more=200)
        wait_until("it to be saved", lambda: has_found(memory, other), converge_timeout_s)

    assert stream.result.lost == ()


def has_found(memory: Path, machine: Machine) -> bool:
    """Whether an agent's memory says that a machine was looked for."""
    saved = read(memory)
    return saved is not None and any(
        looked_for(each.name) is not None and machine.port_id in entry.key
        for each in saved.slices
        for entry in each.entries
    )
