"""A port that opens very many connections takes none from others of its host."""

import socket
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from tests.system.routers.test_north_south import ping, space

from alcor.lab import namespaces, parts
from alcor.lab.hosts import appctl, start_switch, stop_switch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysconns"
lab_hosts = 1

limit, taken_by_all = 60, 150
timeout_s = 40.0


@pytest.fixture(scope="module")
def limited(lab: Lab) -> Lab:
    (host,) = lab.hosts
    parts.stop_agent(host)
    parts.start_agent(host, lab.record, "--connections-max", str(limit))
    parts.wait_alive(lab.api, [host])
    return lab


def counts(lab: Lab) -> dict[int, int]:
    """The connections in each zone that is limited."""
    (host,) = lab.hosts
    lines = appctl(host, "dpctl/ct-get-limits").splitlines()[1:]
    words = ([each.partition("=")[2] for each in line.split(",")] for line in lines if line)
    return {int(zone): int(count) for zone, given, count in words if int(given) == limit}


def flood(lab: Lab, name: str, target: str) -> None:
    """A datagram to each of many ports."""
    with ExitStack() as stack:
        with namespaces.inside(space(lab, name)):
            mouth = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for port in range(20_000, 20_000 + 2 * taken_by_all):
            mouth.sendto(b"x", (target, port))


def test_a_flood_of_one_port_leaves_others_their_connections(
    limited: Lab, make_network: Callable[..., str], make_machines: Callable[..., list[Machine]]
) -> None:
    lab = limited
    (host,) = lab.hosts
    machines = make_machines(make_network("10.60.0.0/24"), "bad sink one other", "h1 h1 h1 h1")
    at = {each.name: each.address(4) for each in machines}
    wait_until("zones to be limited", lambda: len(counts(lab)) == len(machines), timeout_s)
    appctl(host, "dpctl/ct-set-maxconns", str(taken_by_all))

    flood(lab, "bad", at["sink"])

    assert max(counts(lab).values()) == limit
    assert "1 received" in ping(space(lab, "one"), at["other"])

    appctl(host, "dpctl/ct-set-maxconns", "3000000")
    stop_switch(host)
    start_switch(host)
    wait_until("limits of the new switch", lambda: len(counts(lab)) == len(machines), timeout_s)
    lab.unplug(machines)
