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
@pytest.mark.parametrize(
    ("cidr", "shared"), [("10.70.0.0/24", "10.70.0.100"), ("fd70::/64", "fd70::100")]
)
def test_an_address_that_moves_is_found_where_it_is(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str, shared: str
) -> None:
    version = 6 if ":" in cidr else 4
    inner = make_network(cidr)
    outer = make_network("10.71.0.0/24" if version == 4 else "fd71::/64")
    names = " ".join(f"{name}{version}" for name in "abce")
    first, second, near, stranger = make_machines(inner, names, "h1 h2 h1 h2")
    beyond = make_machines(outer, f"d{version}", "h2")[0]
    make_router(lab, inner, outer)
    use_gateways(lab, first, second, beyond)
    allow(lab, [first, second], shared)
    askers = [near, stranger, beyond]

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
    lab.unplug([first, second, near, stranger, beyond])


@pytest.mark.proves("Machines without port security", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(
    ("cidr", "taken"), [("10.74.0.0/24", "10.74.0.100"), ("fd74::/64", "fd74::100")]
)
def test_who_has_no_port_security_is_found_at_what_it_takes_but_not_at_what_is_anothers(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str, taken: str
) -> None:
    version = 6 if ":" in cidr else 4
    inner = make_network(cidr)
    outer = make_network("10.75.0.0/24" if version == 4 else "fd75::/64")
    names = " ".join(f"{name}{version}" for name in "pqrs")
    first, second, near, far = make_machines(inner, names, "h1 h2 h1 h2")
    beyond = make_machines(outer, f"t{version}", "h2")[0]
    make_router(lab, inner, outer)
    use_gateways(lab, first, second, near, beyond)
    for machine in (first, second):
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        assert lab.api.wait(revision, timeout_s).converged
    askers = [near, far, beyond]

    take(lab, first, taken, loudly=False)
    for asker in askers:
        answers(lab, asker, taken)

    leave(lab, first, taken)
    take(lab, second, taken, loudly=True)
    for asker in askers:
        answers(lab, asker, taken)

    for others in (near.addresses[0], cidr.replace("0/24", "1").replace("/64", "1")):
        take(lab, first, others, loudly=True)
    space = lab.layout.machine_namespace(near.name)
    ip_batch([f"address del {near.addresses[0]}/{64 if version == 6 else 24} dev eth0"], space)
    assert "0 received" in ping(lab, far, near.addresses[0])
    assert "1 received" in ping(lab, beyond, second.addresses[0])
    lab.unplug([first, second, near, far, beyond])


@pytest.mark.proves("Machines inside of machines", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(
    ("cidr", "own"), [("10.76.0.0/24", "10.76.0.100"), ("fd76::/64", "fd76::100")]
)
def test_a_machine_inside_of_one_without_port_security_is_reached_by_its_own_mac(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str, own: str
) -> None:
    version = 6 if ":" in cidr else 4
    inner = make_network(cidr)
    outer = make_network("10.77.0.0/24" if version == 4 else "fd77::/64")
    names = " ".join(f"{name}{version}" for name in "klmn")
    first, second, near, far = make_machines(inner, names, "h1 h2 h1 h2")
    beyond = make_machines(outer, f"u{version}", "h2")[0]
    make_router(lab, inner, outer)
    use_gateways(lab, first, second, near, far, beyond)
    for machine in (first, second):
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        assert lab.api.wait(revision, timeout_s).converged

    for home in (first, second):
        nested = put_inside(lab, home, own)
        use_gateways(lab, nested)
        if home is second:  # it was moved with its MAC and address, and says so
            with FrameSocket(lab.layout.machine_namespace(nested.name)) as wire:
                wire.send(announcement(address(own), mac(nested.mac)))
        for other in (near, far, beyond):
            answers(lab, other, own)
        neighbour = first if home is second else second  # whose port lets everybody in
        answers(lab, nested, neighbour.addresses[0])
        answers(lab, near, home.addresses[0])
        namespaces.remove([lab.layout.machine_namespace(nested.name)])
    lab.unplug([first, second, near, far, beyond])


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


@pytest.mark.parametrize(
    ("cidr", "shared"), [("10.72.0.0/24", "10.72.0.100"), ("fd72::/64", "fd72::100")]
)
def test_agents_that_are_restarted_know_who_has_it_and_find_out_who_took_it_meanwhile(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str, shared: str
) -> None:
    version = 6 if ":" in cidr else 4
    inner = make_network(cidr)
    outer = make_network("10.73.0.0/24" if version == 4 else "fd73::/64")
    first, second, other = make_machines(inner, f"f{version} g{version} o{version}", "h1 h2 h1")
    beyond = make_machines(outer, f"x{version}", "h2")[0]
    make_router(lab, inner, outer)
    use_gateways(lab, first, second, beyond)
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
        allow(lab, [other], "192.0.2.9" if version == 4 else "2001:db8::9")  # they are back
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
    for asker in (other, beyond):
        answers(lab, asker, shared)
    lab.unplug([first, second, other, beyond])


def test_what_an_agent_heard_just_before_it_died_it_finds_out_again(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    shared = "10.74.0.100"
    inner, outer = make_network("10.74.0.0/24"), make_network("10.75.0.0/24")
    first, second = make_machines(inner, "h4 i4", "h1 h2")
    beyond = make_machines(outer, "y4", "h2")[0]
    make_router(lab, inner, outer)
    use_gateways(lab, first, second, beyond)
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
    lab.unplug([first, second, beyond])


def knows(path: Path, shared: str) -> bool:
    """Whether an agent's memory says who has an address."""
    saved = read(path)
    return saved is not None and any(each.address == shared for each in saved.holders)
