"""Ports of floating IPs that are forwarded to ports of machines, whole and in fragments."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.system.obeyed import obeyed
from tests.system.routers.test_north_south import (
    FLOATING,
    Site,
    Talk,
    make_world,
    ping,
    space,
    stand,
)

from alcor.client.api import Kind
from alcor.lab import namespaces
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "sysfwd"
lab_hosts = 3
lab_uplinks = 2  # the third host has none

timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.fixture(scope="module")
def world(lab: Lab) -> str:
    """The external network."""
    return make_world(lab)


@pytest.fixture
def site(
    lab: Lab, world: str, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Site]:
    """A site of its own for each test."""
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    sites = stand(lab, world, network_id, make_machines(network_id, "m1 m2 m3", "h1 h2 h3"))
    yield next(sites)
    for floating in lab.api.list_page(FLOATING):
        for each in lab.api.list_page(forwardings(floating)):
            lab.api.delete(forwardings(floating), each["id"])
    yield from sites  # which ends


@pytest.mark.proves("Port forwardings", "IPv4", "same across")
@pytest.mark.parametrize("name", ["m1", "m2", "m3"])
def test_a_port_of_a_floating_ip_is_a_port_of_a_machine_until_that_is_taken_back(
    lab: Lab, world: str, site: Site, name: str
) -> None:
    out, machine = lab.layout.outside_namespace, site.machines[name]
    floating = lab.api.create(FLOATING, [{"floating_network_id": world}]).items[0]
    forwarding = forwardings(floating)
    body = {"protocol": "tcp", "external_port": 2222, "internal_port": 7777}
    body |= {"internal_port_id": machine.port_id, "internal_ip_address": machine.address(4)}
    created = lab.api.create(forwarding, [body])
    assert lab.api.wait(created.revision, timeout_s).converged
    address = floating["floating_ip_address"]

    for inside in site.machines:  # and so also where the router translates
        with ExitStack() as stack:
            talk = Talk(stack, space(lab, name), space(lab, inside), address, 2222)
            assert talk.seen_as == site.gateway[4], inside
            assert talk.passes(b"around" * 1_000), inside
    with ExitStack() as stack:
        talk = Talk(stack, space(lab, name), out, address, 2222)
        assert talk.passes(b"forward" * 10_000)
        revision = lab.api.delete(forwarding, created.items[0]["id"])
        obeyed(lab, revision)
        assert not talk.passes(b"again", wait_s=1.0)
    assert "0 received" in ping(out, address)


@pytest.mark.parametrize("name", ["m1", "m3"])
@pytest.mark.parametrize("others", [0, 1])
def test_what_a_forwarded_port_hears_and_answers_comes_in_fragments(
    lab: Lab, world: str, site: Site, name: str, others: int
) -> None:
    out = lab.layout.outside_namespace
    floating = lab.api.create(FLOATING, [{"floating_network_id": world}]).items[0]
    forwarding = forwardings(floating)
    revision = forward(lab, forwarding, site.machines[name], 53, 5353)
    if others:  # a connection that begins in fragments may then be of either
        revision = forward(lab, forwarding, site.machines["m2"], 54, 5354)
    assert lab.api.wait(revision, timeout_s).converged
    with ExitStack() as stack:
        server, client = (datagrams(stack, each) for each in (space(lab, name), out))
        server.bind(("0.0.0.0", 5353))
        client.connect((floating["floating_ip_address"], 53))
        if others:
            client.send(b"who?")
            assert server.recv(100) == b"who?"
        for word in (b"a", b"b"):
            client.send(word * 4_000)
            heard, sender = server.recvfrom(10_000)
            assert heard == word * 4_000
            server.sendto(heard, sender)
            assert client.recv(10_000) == heard
        closed = datagrams(stack, out)
        closed.connect((floating["floating_ip_address"], 5353))
        closed.send(b"c" * 4_000)
        client.send(b"d" * 4_000)
        assert server.recv(10_000) == b"d" * 4_000


def test_a_port_that_is_forwarded_to_another_machine_is_no_more_the_first_ones(
    lab: Lab, world: str, site: Site
) -> None:
    floating = lab.api.create(FLOATING, [{"floating_network_id": world}]).items[0]
    forwarding = forwardings(floating)
    assert lab.api.wait(forward(lab, forwarding, site.machines["m1"], 53, 5353), timeout_s)
    (made,) = lab.api.list_page(forwarding)
    with ExitStack() as stack:
        ends = (space(lab, "m1"), space(lab, "m3"), lab.layout.outside_namespace)
        first, second, client = (datagrams(stack, each) for each in ends)
        for server in (first, second):
            server.bind(("0.0.0.0", 5353))
        client.connect((floating["floating_ip_address"], 53))
        client.send(b"first")
        assert first.recv(100) == b"first"
        other = site.machines["m3"]
        to = {"internal_port_id": other.port_id, "internal_ip_address": other.address(4)}
        revision = lab.api.update(forwarding, made["id"], to)[1]
        obeyed(lab, revision)
        client.send(b"again")  # of the connection that was to the first
        anew = datagrams(stack, lab.layout.outside_namespace)
        anew.connect((floating["floating_ip_address"], 53))
        anew.send(b"second")
        assert second.recv(100) == b"second"
        first.setblocking(False)
        with pytest.raises(BlockingIOError):
            first.recv(100)


def forwardings(floating: dict[str, Any]) -> Kind:
    path = f"{FLOATING.path}/{floating['id']}/port_forwardings"
    return Kind("port_forwarding", "port_forwardings", path)


def forward(lab: Lab, forwarding: Kind, machine: Machine, outer: int, inner: int) -> str:
    """Forward a UDP port to a machine; the revision."""
    body = {"protocol": "udp", "external_port": outer, "internal_port": inner}
    body |= {"internal_port_id": machine.port_id, "internal_ip_address": machine.address(4)}
    return str(lab.api.create(forwarding, [body]).revision)


def datagrams(stack: ExitStack, namespace: str) -> socket.socket:
    """A UDP socket inside a namespace."""
    with namespaces.inside(namespace):
        made = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
    made.settimeout(5)
    return made
