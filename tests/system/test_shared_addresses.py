"""Allowed address pairs: an address that moves between machines, as VRRP's does, is found."""

from collections.abc import Callable

import pytest
from tests.system.test_routing import make_router, ping, use_gateways

from alcor.agent.herald import announcement
from alcor.client.api import PORT
from alcor.lab.commands import ip_batch
from alcor.lab.frames import FrameSocket
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
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
