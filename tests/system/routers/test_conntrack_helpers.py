"""Conntrack helpers: FTP and TFTP name further connections, which routers translate as well."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from tests.system.obeyed import obeyed
from tests.system.routers.test_north_south import (
    FLOATING,
    ROUTER,
    answers,
    give_floating_ip,
    space,
    take_down,
)

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "sysalg"
lab_hosts = 2
lab_uplinks = 1  # the second host has none

timeout_s = 30.0
patience_s = 10.0
silence_s = 2.0
request = b"\0\1file\0octet\0"  # TFTP (RFC 1350): read a file
FTP: dict[str, Any] = {"protocol": "tcp", "port": 21, "helper": "ftp"}
UNUSUAL: dict[str, Any] = {"protocol": "tcp", "port": 2121, "helper": "ftp"}
TFTP: dict[str, Any] = {"protocol": "udp", "port": 69, "helper": "tftp"}


class Site(NamedTuple):
    """A router with a gateway, a machine on every host behind it."""

    router_id: str
    own: str  # the router's address outside
    machines: list[Machine]


@pytest.fixture(scope="module")
def world(lab: Lab) -> str:
    """The external network."""
    body = {"router:external": True, "provider:network_type": "flat"}
    body |= {"provider:physical_network": outside.physical_network}
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": outside.cidr}
    lab.api.create(SUBNET, [subnet | {"gateway_ip": outside.gateway, "enable_dhcp": False}])
    return network_id


@pytest.fixture
def site(
    lab: Lab,
    world: str,
    make_network: Callable[..., str],
    make_machines: Callable[..., list[Machine]],
) -> Iterator[Site]:
    network_id = make_network("10.60.0.0/24")
    machines = make_machines(network_id, "near far", "h1 h2")
    router = lab.api.create(ROUTER, [{"external_gateway_info": {"network_id": world}}]).items[0]
    for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
        lab.api.act(ROUTER, router["id"], "add_router_interface", {"subnet_id": subnet["id"]})
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        ip_batch(["route replace default via 10.60.0.1"], space(lab, machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    for machine in machines:
        answers(space(lab, machine.name), outside.beyond)
    own = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    yield Site(router["id"], own, machines)
    lab.unplug(machines)
    take_down(lab, router["id"], network_id)


def helper_kind(router_id: str) -> Kind:
    path = f"{ROUTER.path}/{router_id}/conntrack_helpers"
    return Kind("conntrack_helper", "conntrack_helpers", path)


def read_along(lab: Lab, site: Site, *helpers: dict[str, Any]) -> None:
    """Let the router have these helpers, in force on all hosts."""
    created = lab.api.create(helper_kind(site.router_id), list(helpers))
    obeyed(lab, created.revision)


def opened(stack: ExitStack, namespace: str, address: str, port: int, kind: int) -> socket.socket:
    """A socket in a namespace."""
    with namespaces.inside(namespace):
        one = stack.enter_context(socket.socket(socket.AF_INET, kind))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((address, port))
    one.settimeout(patience_s)
    return one


def door(stack: ExitStack, namespace: str, port: int) -> socket.socket:
    """Where TCP connections are waited for."""
    one = opened(stack, namespace, "0.0.0.0", port, socket.SOCK_STREAM)
    one.listen()
    return one


def called(
    stack: ExitStack, namespace: str, to: tuple[str, int], source: tuple[str, int]
) -> socket.socket:
    """A TCP connection from a namespace."""
    one = opened(stack, namespace, *source, socket.SOCK_STREAM)
    one.connect(to)
    return one


def line(one: socket.socket) -> str:
    """What is said on a connection, up to the end of the line."""
    heard = b""
    while not heard.endswith(b"\r\n"):
        more = one.recv(4_096)
        assert more, heard
        heard += more
    return heard.decode().strip()


def words_of(address: str, port: int) -> str:
    """An address and a port as FTP says them (RFC 959)."""
    return ",".join([*address.split("."), str(port >> 8), str(port & 0xFF)])


def place_in(said: str) -> tuple[str, int]:
    """The address and the port that FTP has said."""
    found = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", said)
    assert found is not None, said
    *address, high, low = found.groups()
    return ".".join(address), int(high) << 8 | int(low)


def carries(one: socket.socket, other: socket.socket) -> None:
    """Both ends hear each other."""
    for sends, hears in ((one, other), (other, one)):
        sends.sendall(b"file" * 2_000)
        heard = b""
        while len(heard) < 8_000:
            heard += hears.recv(8_000)
        assert heard == b"file" * 2_000


def is_answered_from_another_port(lab: Lab, machine: Machine, port: int) -> bool:
    """Whether a file that is asked for by TFTP comes, which it does from a port of its own."""
    out = lab.layout.outside_namespace
    with ExitStack() as stack:
        server = opened(stack, out, outside.beyond, port, socket.SOCK_DGRAM)
        client = opened(stack, space(lab, machine.name), "0.0.0.0", 0, socket.SOCK_DGRAM)
        client.sendto(request, (outside.beyond, port))
        asked, who = server.recvfrom(2_000)
        assert asked == request
        data = opened(stack, out, outside.beyond, 0, socket.SOCK_DGRAM)
        data.sendto(b"\0\3\0\1content", who)
        client.settimeout(silence_s)
        try:
            content, source = client.recvfrom(2_000)
        except TimeoutError:
            return False
        assert content == b"\0\3\0\1content"
        client.sendto(b"\0\4\0\1", source)
        assert data.recvfrom(2_000) == (b"\0\4\0\1", who)
        return True


def actively(lab: Lab, site: Site, machine: Machine, port: int, named: str) -> None:
    """A client behind the router is called back by the server, to `named`."""
    out, inside = lab.layout.outside_namespace, space(lab, machine.name)
    with ExitStack() as stack:
        server = door(stack, out, port)
        client = called(stack, inside, (outside.beyond, port), ("0.0.0.0", 0))
        control, _ = server.accept()
        stack.enter_context(control).settimeout(patience_s)
        waiting = door(stack, inside, 0)
        said = words_of(machine.address(4), waiting.getsockname()[1])
        client.sendall(f"PORT {said}\r\n".encode())
        place = place_in(line(control))
        assert place[0] == named
        data = called(stack, out, place, (outside.beyond, port - 1))
        back, (who, _) = waiting.accept()
        stack.enter_context(back).settimeout(patience_s)
        assert who == outside.beyond
        carries(data, back)
        client.sendall(b"NOOP\r\n")  # the connection that named it goes on, longer or shorter
        assert line(control) == "NOOP"
        control.sendall(b"200 well\r\n")
        assert line(client) == "200 well", (machine, port)


def passively(lab: Lab, machine: Machine, to: tuple[str, int], port: int = 21) -> None:
    """A client outside calls where the server behind the router says."""
    out, inside = lab.layout.outside_namespace, space(lab, machine.name)
    with ExitStack() as stack:
        server = door(stack, inside, port)
        client = called(stack, out, to, ("0.0.0.0", 0))
        control, _ = server.accept()
        stack.enter_context(control).settimeout(patience_s)
        client.sendall(b"PASV\r\n")
        assert line(control) == "PASV"
        waiting = door(stack, inside, 0)
        said = words_of(machine.address(4), waiting.getsockname()[1])
        control.sendall(f"227 Entering Passive Mode ({said}).\r\n".encode())
        place = place_in(line(client))
        assert place[0] == to[0]
        data = called(stack, out, place, ("0.0.0.0", 0))
        far, _ = waiting.accept()
        stack.enter_context(far).settimeout(patience_s)
        carries(data, far)


@pytest.mark.proves("Conntrack helpers", "IPv4", "same across")
def test_a_file_asked_for_by_tftp_comes_back_through_a_router_that_reads_along(
    lab: Lab, site: Site
) -> None:
    for machine in site.machines:
        assert not is_answered_from_another_port(lab, machine, 69)

    read_along(lab, site, TFTP, TFTP | {"port": 6969})

    for machine in site.machines:
        for port in (69, 6969):
            assert is_answered_from_another_port(lab, machine, port)
        assert not is_answered_from_another_port(lab, machine, 7070)


def test_an_ftp_server_outside_calls_back_through_a_router_that_reads_along(
    lab: Lab, site: Site
) -> None:
    read_along(lab, site, FTP, UNUSUAL)

    for machine in site.machines:
        for helper in (FTP, UNUSUAL):
            actively(lab, site, machine, helper["port"], site.own)


def test_an_ftp_server_with_a_floating_ip_names_that_and_is_reached_there(
    lab: Lab, world: str, site: Site
) -> None:
    read_along(lab, site, FTP, UNUSUAL)

    for machine in site.machines:
        floating = give_floating_ip(lab, world, machine)["floating_ip_address"]
        answers(lab.layout.outside_namespace, floating)
        for helper in (FTP, UNUSUAL):
            port = helper["port"]
            passively(lab, machine, (floating, port), port)
        actively(lab, site, machine, 21, floating)


def test_an_ftp_server_behind_a_forwarded_port_is_called_where_it_says(
    lab: Lab, world: str, site: Site
) -> None:
    read_along(lab, site, FTP, UNUSUAL)
    for machine in site.machines:
        floating = lab.api.create(FLOATING, [{"floating_network_id": world}]).items[0]
        path = f"{FLOATING.path}/{floating['id']}/port_forwardings"
        body = {"protocol": "tcp", "external_port": 2121, "internal_port": 21}
        body |= {"internal_port_id": machine.port_id, "internal_ip_address": machine.address(4)}
        forwarding = Kind("port_forwarding", "port_forwardings", path)
        created = lab.api.create(forwarding, [body])
        assert lab.api.wait(created.revision, timeout_s).converged

        passively(lab, machine, (floating["floating_ip_address"], 2121))
        lab.api.delete(forwarding, created.items[0]["id"])


def test_without_a_helper_nothing_is_read(lab: Lab, world: str, site: Site) -> None:
    read_along(lab, site, FTP)
    kind = helper_kind(site.router_id)
    for each in lab.api.list_page(kind):
        revision = lab.api.delete(kind, each["id"])
    assert lab.api.wait(revision, timeout_s).converged
    out = lab.layout.outside_namespace
    with ExitStack() as stack:
        server = door(stack, out, 21)
        inside = space(lab, site.machines[0].name)
        client = called(stack, inside, (outside.beyond, 21), ("0.0.0.0", 0))
        control, _ = server.accept()
        stack.enter_context(control).settimeout(patience_s)
        client.sendall(f"PORT {words_of(site.machines[0].address(4), 5_000)}\r\n".encode())

        assert place_in(line(control)) == (site.machines[0].address(4), 5_000)
