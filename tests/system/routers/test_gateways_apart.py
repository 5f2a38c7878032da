"""Several gateways of a router on different hosts: no host leads to both networks outside."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import pytest
from tests.system.routers.test_north_south import FLOATING, ROUTER, answers, space, take_down
from tests.system.routers.test_port_forwardings import datagrams, forward, forwardings

from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import namespaces, outside, parts
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import vsctl
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "sysapart"
lab_hosts = 3
lab_uplinks = 1  # the second has one to another network, the third has none

timeout_s = 30.0
other, bridge = "two", "br-two"  # the second physical network
cidr, gateway = "192.0.2.0/24", "192.0.2.1"

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Site(NamedTuple):
    """A router with a gateway at the first host and one at the second, a machine on every host."""

    worlds: tuple[str, str]
    router_id: str
    machines: list[Machine]


@pytest.fixture(scope="module")
def worlds(lab: Lab) -> tuple[str, str]:
    """The external networks, by the hosts that lead to them."""
    second_world(lab)
    made = []
    for physical, where, first in (
        (outside.physical_network, outside.cidr, outside.gateway),
        (other, cidr, gateway),
    ):
        body = {"router:external": True, "provider:physical_network": physical}
        made.append(lab.api.create(NETWORK, [body | {"provider:network_type": "flat"}]).items[0])
        subnet = {"network_id": made[-1]["id"], "ip_version": 4, "cidr": where}
        lab.api.create(SUBNET, [subnet | {"gateway_ip": first, "enable_dhcp": False}])
    return made[0]["id"], made[1]["id"]


def second_world(lab: Lab) -> None:
    """Another interface of the world outside; the second host's uplink leads to it."""
    host, out = lab.host("h2"), lab.layout.outside_namespace
    peer = f"type veth peer name ext2 mtu {outside.mtu} netns {host.namespace}"
    ip_batch([f"link add two netns {out} mtu {outside.mtu} {peer}"])
    ip_batch([f"addr add {gateway}/24 dev two", "link set two up"], out)
    ip_batch(["link set ext2 up"], host.namespace)
    for namespace, name in ((out, "two"), (host.namespace, "ext2")):
        with namespaces.inside(namespace):
            checksum_in_software(name)
    made = ("--", "add-br", bridge, "--", "set", "Bridge", bridge, "datapath_type=netdev")
    vsctl(host, *made, "fail_mode=standalone", "--", "add-port", bridge, "ext2")
    parts.stop_agent(host)
    parts.start_agent(host, lab.record, "--bridge-mappings", f"{other}:{bridge}")
    parts.wait_alive(lab.api, [host])


@pytest.fixture
def site(
    lab: Lab, worlds: tuple[str, str], make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Site]:
    network_id = make_network("10.50.0.0/24")
    machines = make_machines(network_id, "m1 m2 m3", "h1 h2 h3")
    router_id = lab.api.create(ROUTER, [{}]).items[0]["id"]
    for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
        lab.api.act(ROUTER, router_id, "add_router_interface", {"subnet_id": subnet["id"]})
    ways = {"router": {"external_gateways": [{"network_id": each} for each in worlds]}}
    revision = lab.api.act(ROUTER, router_id, "update_external_gateways", ways)[1]
    assert lab.api.wait(revision, timeout_s).converged
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        ip_batch(["route replace default via 10.50.0.1"], space(lab, machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    for machine in machines:  # neighbours outside are found by first packets
        answers(space(lab, machine.name), outside.gateway)
        answers(space(lab, machine.name), gateway)
    yield Site(worlds, router_id, machines)
    lab.unplug(machines)
    for floating in lab.api.list_page(FLOATING):
        for each in lab.api.list_page(forwardings(floating)):
            lab.api.delete(forwardings(floating), each["id"])
    take_down(lab, router_id, network_id)


@pytest.mark.parametrize("ecmp", [False, True])
@pytest.mark.parametrize("which", [0, 1])
def test_a_forwarded_port_answers_by_the_gateway_that_it_was_asked_by_also_in_fragments(
    lab: Lab, site: Site, which: int, ecmp: bool
) -> None:
    revision = lab.api.update(ROUTER, site.router_id, {"enable_default_route_ecmp": ecmp})[1]
    assert lab.api.wait(revision, timeout_s).converged
    for machine in site.machines:
        wanted = {"floating_network_id": site.worlds[which]}
        floating = lab.api.create(FLOATING, [wanted]).items[0]
        revision = forward(lab, forwardings(floating), machine, 53, 5353)
        assert lab.api.wait(revision, timeout_s).converged
        with ExitStack() as stack:
            server = datagrams(stack, space(lab, machine.name))
            server.bind(("0.0.0.0", 5353))
            for _ in range(6):
                client = client_at(stack, lab, which, floating["floating_ip_address"], 53)
                for said in (b"whole", b"part" * 1_000, b"again"):
                    client.send(said)
                    heard, sender = server.recvfrom(10_000)
                    assert heard == said
                    server.sendto(heard, sender)
                    assert client.recv(10_000) == heard, machine.name


def client_at(stack: ExitStack, lab: Lab, which: int, target: str, port: int) -> socket.socket:
    """A socket beyond both gateways, which asks by one of them."""
    client = datagrams(stack, lab.layout.outside_namespace)
    client.bind((outside.beyond, 0))
    device = (b"br0", b"two")[which]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    client.connect((target, port))
    return client


def test_a_machine_with_floating_ips_of_both_answers_each_by_its_own(lab: Lab, site: Site) -> None:
    for machine in site.machines:
        bodies = [{"floating_network_id": w, "port_id": machine.port_id} for w in site.worlds]
        made = [lab.api.create(FLOATING, [body]) for body in bodies]
        assert lab.api.wait(made[-1].revision, timeout_s).converged
        with ExitStack() as stack:
            server = datagrams(stack, space(lab, machine.name))
            server.bind(("0.0.0.0", 5353))
            for which, each in enumerate(made):
                address = each.items[0]["floating_ip_address"]
                client = client_at(stack, lab, which, address, 5353)
                for said in (b"whole", b"part" * 1_000, b"again"):
                    client.send(said)
                    heard, sender = server.recvfrom(10_000)
                    assert heard == said
                    server.sendto(heard, sender)
                    assert client.recv(10_000) == heard, (machine.name, which)
