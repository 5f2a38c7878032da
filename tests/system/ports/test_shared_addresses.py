"""Allowed address pairs: an address that moves between machines, as VRRP's does, is found."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.system.routers.test_routing import make_router, ping, use_gateways

from alcor.agent.announcements.herald import announcement
from alcor.agent.desired.state import read
from alcor.client.api import PORT
from alcor.lab import namespaces, parts
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket
from alcor.lab.waiting import wait_until
from alcor.values.addresses import address, mac

lab_name = "syspairs"
lab_hosts = 2

timeout_s = 30.0
MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
SetUp = Callable[[int, int], tuple[str, list[Machine]]]


@pytest.fixture
def set_up(lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines) -> SetUp:
    """An address, and five machines: two on a network that may have it by turns, one on h1 and
    one on h2, two beside them, and one behind a router. Networks are made by number and family."""

    def make(number: int, version: int) -> tuple[str, list[Machine]]:
        start = "10.{}.0." if version == 4 else "fd{}::"
        size = "0/24" if version == 4 else "/64"
        inner, outer = (make_network(start.format(each) + size) for each in (number, number + 1))
        names = [f"{letter}{number}{version}" for letter in "abcde"]
        machines = make_machines(inner, " ".join(names[:4]), "h1 h2 h1 h2")
        machines += make_machines(outer, names[4], "h2")
        make_router(lab, inner, outer)
        use_gateways(lab, *machines)
        return f"{start.format(number)}100", machines

    return make


def open_up(lab: Lab, *machines: Machine) -> None:
    """Have no port security, in force on all hosts."""
    for machine in machines:
        wanted = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, wanted)[1]
        assert lab.api.wait(revision, timeout_s).converged


def allow(lab: Lab, machines: list[Machine], *addresses: str) -> None:
    """Let machines have addresses besides their own, in force on all hosts."""
    pairs = [{"ip_address": each} for each in addresses]
    for machine in machines:
        revision = lab.api.update(PORT, machine.port_id, {"allowed_address_pairs": pairs})[1]
        assert lab.api.wait(revision, timeout_s).converged


def take(lab: Lab, machine: Machine, shared: str, *, loudly: bool) -> None:
    """Have an address from now on, and (`loudly`) say so."""
    space, length = lab.layout.machine_namespace(machine.name), 64 if ":" in shared else 24
    ip_batch([f"address add {shared}/{length} dev eth0 nodad"], space)
    if loudly:
        with FrameSocket(space) as wire:
            wire.send(announcement(address(shared), mac(machine.mac)))


def leave(lab: Lab, machine: Machine, shared: str) -> None:
    length = 64 if ":" in shared else 24
    space = lab.layout.machine_namespace(machine.name)
    ip_batch([f"address del {shared}/{length} dev eth0"], space)


def answers(lab: Lab, machine: Machine, target: str) -> None:
    """Wait until it is answered: the first packets find out by whom."""
    wait_until(f"{target} to answer", lambda: "1 received" in ping(lab, machine, target), timeout_s)


@pytest.mark.proves("Allowed address pairs", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_an_address_that_moves_is_found_where_it_is(lab: Lab, set_up: SetUp, version: int) -> None:
    shared, machines = set_up(70, version)
    first, second, *askers = machines
    near, stranger, _ = askers
    allow(lab, [first, second], shared)

    take(lab, first, shared, loudly=False)
    for asker in askers:
        answers(lab, asker, shared)

    leave(lab, first, shared)
    take(lab, second, shared, loudly=True)
    for asker in askers:
        answers(lab, asker, shared)

    # Who has no pair is not heard, however loud.
    take(lab, stranger, shared, loudly=True)
    leave(lab, second, shared)
    assert "0 received" in ping(lab, near, shared)
    lab.unplug(machines)


@pytest.mark.proves("Machines without port security", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_who_has_no_port_security_is_found_at_what_it_takes_but_not_at_what_is_anothers(
    lab: Lab, set_up: SetUp, version: int
) -> None:
    taken, machines = set_up(72, version)
    first, second, *askers = machines
    near, far, beyond = askers
    open_up(lab, first, second)

    take(lab, first, taken, loudly=False)
    for asker in askers:
        answers(lab, asker, taken)

    leave(lab, first, taken)
    take(lab, second, taken, loudly=True)
    for asker in askers:
        answers(lab, asker, taken)

    for others in (near.addresses[0], f"{taken.removesuffix('100')}1"):  # that is the router's
        take(lab, first, others, loudly=True)
    space = lab.layout.machine_namespace(near.name)
    ip_batch([f"address del {near.addresses[0]}/{64 if version == 6 else 24} dev eth0"], space)
    assert "0 received" in ping(lab, far, near.addresses[0])
    assert "1 received" in ping(lab, beyond, second.addresses[0])
    lab.unplug(machines)


@pytest.mark.proves("Machines inside of machines", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("version", [4, 6])
def test_a_machine_inside_of_one_without_port_security_is_reached_by_its_own_mac(
    lab: Lab, set_up: SetUp, version: int
) -> None:
    own, machines = set_up(74, version)
    first, second, *others = machines
    near = others[0]
    open_up(lab, first, second)

    for home in (first, second):
        nested = put_inside(lab, home, own)
        use_gateways(lab, nested)
        if home is second:  # it was moved with its MAC and address, and says so
            with FrameSocket(lab.layout.machine_namespace(nested.name)) as wire:
                wire.send(announcement(address(own), mac(nested.mac)))
        for other in others:
            answers(lab, other, own)
        neighbour = first if home is second else second  # whose port lets everybody in
        answers(lab, nested, neighbour.addresses[0])
        answers(lab, near, home.addresses[0])
        namespaces.remove([lab.layout.machine_namespace(nested.name)])
    lab.unplug(machines)


def put_inside(lab: Lab, home: Machine, own: str) -> Machine:
    """A machine inside of a machine, with a MAC and an address of its own on its network."""
    name = f"in{home.name}"
    nested = replace(home, name=name, mac="02:00:5e:00:76:01", addresses=[own])
    space, inside = (lab.layout.machine_namespace(each.name) for each in (home, nested))
    namespaces.create([inside])
    link = "link add link eth0 name inside0 type macvlan mode bridge"
    ip_batch([link, f"link set inside0 netns {inside}"], space)
    usable = "64 dev eth0 nodad" if ":" in own else "24 dev eth0"
    ip_batch(
        [
            f"link set inside0 name eth0 address {nested.mac} up",
            f"address add {own}/{usable}",
        ],
        inside,
    )
    return nested


@pytest.mark.parametrize("version", [4, 6])
def test_agents_that_are_restarted_know_who_has_it_and_find_out_who_took_it_meanwhile(
    lab: Lab, set_up: SetUp, version: int
) -> None:
    shared, machines = set_up(76, version)
    first, second, *askers = machines
    near, _, beyond = askers
    allow(lab, [first, second], shared)
    take(lab, first, shared, loudly=True)
    answers(lab, beyond, shared)
    remembered = [(host.folder / "agent" / "goal-state") for host in lab.hosts]
    saved = "it to be saved"
    wait_until(saved, lambda: all(knows(each, shared) for each in remembered), timeout_s)

    with lab.stream(beyond.name, shared, 0.005) as stream:
        for host in lab.hosts:
            parts.stop_agent(host, signal.SIGKILL)
            parts.start_agent(host, lab.record)
        allow(lab, [near], "192.0.2.9" if version == 4 else "2001:db8::9")  # they are back
        upto = stream.sent + 200
        wait_until("the stream", lambda: stream.sent >= upto, timeout_s)
    assert stream.result.lost == ()

    for host in lab.hosts:
        parts.stop_agent(host, signal.SIGKILL)
    leave(lab, first, shared)
    take(lab, second, shared, loudly=True)  # which nobody hears
    for host in lab.hosts:
        parts.start_agent(host, lab.record)
    parts.wait_alive(lab.api, lab.hosts)
    for asker in askers:
        answers(lab, asker, shared)
    lab.unplug(machines)


def test_what_an_agent_heard_just_before_it_died_it_finds_out_again(
    lab: Lab, set_up: SetUp
) -> None:
    shared, machines = set_up(78, 4)
    first, second, *_, beyond = machines
    allow(lab, [first, second], shared)
    host = lab.host("h2")
    memory = host.folder / "agent" / "goal-state"
    for heard_of in (first, second):  # of nobody before; then of the first, who has it no more
        before = memory.read_bytes()
        if heard_of is second:
            leave(lab, first, shared)
        take(lab, heard_of, shared, loudly=True)
        answers(lab, beyond, shared)

        parts.stop_agent(host, signal.SIGKILL)
        memory.write_bytes(before)  # as if it had died before it wrote what it heard
        parts.start_agent(host, lab.record)
        parts.wait_alive(lab.api, lab.hosts)

        def is_found() -> bool:
            return "1 received" in ping(lab, beyond, shared) and knows(memory, shared)

        wait_until("it to be found and saved", is_found, timeout_s)
    lab.unplug(machines)


def knows(path: Path, shared: str) -> bool:
    """Whether an agent's memory says who has an address."""
    saved = read(path)
    return saved is not None and any(each.address == shared for each in saved.holders)
