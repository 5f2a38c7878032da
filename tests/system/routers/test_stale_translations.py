"""Connections that were opened when addresses outside meant something else, and that go on."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from tests.system.routers.test_north_south import (
    FLOATING,
    ROUTER,
    Site,
    give_floating_ip,
    make_world,
    ping,
    space,
    stand,
)

from alcor.lab import namespaces, outside
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysstale"
lab_hosts = lab_uplinks = 2

timeout_s = 20.0  # less than trackers keep connections that nobody answers
PORT = 7777


@pytest.fixture(scope="module")
def world(lab: Lab) -> str:
    """The external network."""
    return make_world(lab)


@pytest.fixture
def site(
    lab: Lab,
    world: str,
    make_network: Callable[..., str],
    make_machines: Callable[..., list[Machine]],
) -> Iterator[Site]:
    """Machines `m1` and `m2` on one host and `m3` on another, behind a router."""
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    yield from stand(lab, world, network_id, make_machines(network_id, "m1 m2 m3", "h1 h1 h2"))


class Caller:
    """Asks one address from one port, again and again."""

    def __init__(self, stack: ExitStack, namespace: str, target: str) -> None:
        self._target = target
        with namespaces.inside(namespace):
            self._socket = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        self._socket.settimeout(0.2)

    def hears_from(self, doors: dict[str, socket.socket]) -> tuple[str, str]:
        """At which door a question arrives, and as whose; nothing when it arrives nowhere."""
        self._socket.sendto(b"who?", (self._target, PORT))
        for name, door in doors.items():
            try:
                _, (asker, number) = door.recvfrom(10)
                door.sendto(b"I", (asker, number))
                self._socket.recv(10)
            except TimeoutError:
                continue
            return name, asker
        return "", ""


def door(stack: ExitStack, namespace: str) -> socket.socket:
    """Where questions may arrive."""
    with namespaces.inside(namespace):
        opened = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    opened.bind(("0.0.0.0", PORT))
    opened.settimeout(0.2)
    return opened


def becomes(what: Callable[[], object], expected: object) -> None:
    wait_until(f"{expected}", lambda: what() == expected, timeout_s)


def test_whoever_goes_on_sending_leaves_as_its_router_is_called_now(
    lab: Lab, world: str, site: Site
) -> None:
    with ExitStack() as stack:
        caller = Caller(stack, space(lab, "m1"), outside.gateway)
        doors = {"outside": door(stack, lab.layout.outside_namespace)}
        becomes(lambda: caller.hears_from(doors), ("outside", site.gateway[4]))
        becomes(lambda: "1 received" in ping(space(lab, "m1"), outside.beyond, "-e", "4242"), True)

        other = "203.0.113.222"
        info = {"network_id": world, "external_fixed_ips": [{"ip_address": other}]}
        revision = lab.api.update(ROUTER, site.router_id, {"external_gateway_info": info})[1]
        assert lab.api.wait(revision, timeout_s).converged

        becomes(lambda: caller.hears_from(doors), ("outside", other))
        becomes(lambda: "1 received" in ping(space(lab, "m1"), outside.beyond, "-e", "4242"), True)


def test_whoever_goes_on_sending_leaves_as_the_router_when_its_floating_ip_is_gone(
    lab: Lab, world: str, site: Site
) -> None:
    floating = give_floating_ip(lab, world, site.machines["m1"])
    with ExitStack() as stack:
        caller = Caller(stack, space(lab, "m1"), outside.gateway)
        doors = {"outside": door(stack, lab.layout.outside_namespace)}
        becomes(lambda: caller.hears_from(doors), ("outside", floating["floating_ip_address"]))

        revision = lab.api.update(FLOATING, floating["id"], {"port_id": None})[1]
        assert lab.api.wait(revision, timeout_s).converged

        becomes(lambda: caller.hears_from(doors), ("outside", site.gateway[4]))


def test_whoever_goes_on_asking_a_floating_ip_reaches_the_machine_that_has_it_now(
    lab: Lab, world: str, site: Site
) -> None:
    floating = give_floating_ip(lab, world, site.machines["m1"])
    with ExitStack() as stack:
        caller = Caller(
            stack, lab.layout.outside_namespace, address := floating["floating_ip_address"]
        )
        doors = {name: door(stack, space(lab, name)) for name in ("m1", "m2", "m3")}
        becomes(lambda: caller.hears_from(doors), ("m1", outside.gateway))

        for name in ("m2", "m3", "m1"):
            there = {"port_id": site.machines[name].port_id}
            revision = lab.api.update(FLOATING, floating["id"], there)[1]
            assert lab.api.wait(revision, timeout_s).converged

            becomes(lambda: caller.hears_from(doors), (name, outside.gateway))
    assert "1 received" in ping(lab.layout.outside_namespace, address)
