"""Several gateways of a router: what leaves by which, and is seen as whom."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from typing import NamedTuple

import pytest
from tests.system.routers.test_north_south import (
    FLOATING,
    ROUTER,
    Talk,
    answers,
    is_answered,
    ping,
    space,
    take_down,
)
from tests.system.routers.test_port_forwardings import datagrams, forward, forwardings

from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import vsctl
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysgates"
lab_hosts = 2
lab_uplinks = 1  # the second host has none

timeout_s = 30.0
vlan, cidr, gateway = 200, "192.0.2.0/24", "192.0.2.1"  # of the second external network
cidr6, gateway6 = "2001:db8:fe::/64", "2001:db8:fe::1"
connections = 24  # that all leave by the same of two ways once in eight million times
beyond6 = [f"{outside.beyond6}:{number:x}" for number in range(1, connections + 1)]


class Site(NamedTuple):
    """A router with two gateways, a machine on every host behind it."""

    worlds: tuple[str, str]
    router_id: str
    own: tuple[str, str]  # the router's addresses outside, of IPv4
    own6: tuple[str, str]  # and of IPv6
    machines: list[Machine]


@pytest.fixture(scope="module")
def worlds(lab: Lab) -> tuple[str, str]:
    """The external networks: one untagged, one of a tag."""
    made = []
    for tag, *subnets in (
        (0, (4, outside.cidr, outside.gateway), (6, outside.cidr6, outside.gateway6)),
        (vlan, (4, cidr, gateway), (6, cidr6, gateway6)),
    ):
        body = {"router:external": True, "provider:physical_network": outside.physical_network}
        body |= {"provider:network_type": "vlan" if tag else "flat"}
        body |= {"provider:segmentation_id": tag} if tag else {}
        made.append(lab.api.create(NETWORK, [body]).items[0]["id"])
        for version, where, first in subnets:
            body = {"network_id": made[-1], "ip_version": version, "cidr": where}
            lab.api.create(SUBNET, [body | {"gateway_ip": first, "enable_dhcp": False}])
    second_way_out(lab)
    return made[0], made[1]


def second_way_out(lab: Lab) -> None:
    """Another interface of the world outside, beside the first: the host's switch has its tag."""
    host, out = lab.host("h1"), lab.layout.outside_namespace
    peer = f"type veth peer name ext1 mtu {outside.mtu} netns {host.namespace}"
    ip_batch([f"link add two netns {out} mtu {outside.mtu} {peer}"])
    addresses = [f"addr add {gateway}/24 dev two", f"addr add {gateway6}/64 dev two nodad"]
    ip_batch([*addresses, "link set two up"], out)
    ip_batch(["link set ext1 up"], host.namespace)
    for namespace, name in ((out, "two"), (host.namespace, "ext1")):
        with namespaces.inside(namespace):
            checksum_in_software(name)
    vsctl(host, "--", "add-port", outside.bridge, "ext1", f"tag={vlan}")


@pytest.fixture
def site(
    lab: Lab,
    worlds: tuple[str, str],
    make_network: Callable[..., str],
    make_machines: Callable[..., list[Machine]],
) -> Iterator[Site]:
    network_id = make_network("10.50.0.0/24", "fd50::/64")
    machines = make_machines(network_id, "near far", "h1 h2")
    body = {"external_gateway_info": {"network_id": worlds[0]}, "enable_default_route_ecmp": True}
    router_id = lab.api.create(ROUTER, [body]).items[0]["id"]
    for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
        lab.api.act(ROUTER, router_id, "add_router_interface", {"subnet_id": subnet["id"]})
    more = {"router": {"external_gateways": [{"network_id": worlds[1]}]}}
    lab.api.act(ROUTER, router_id, "add_external_gateways", more)
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        ways = [f"route replace default via {each}" for each in ("10.50.0.1", "fd50::1")]
        ip_batch(ways, space(lab, machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    gateways = lab.api.show(ROUTER, router_id)["external_gateways"]
    first, second = ([ip["ip_address"] for ip in each["external_fixed_ips"]] for each in gateways)
    own, own6 = (
        tuple(next(each for each in every if sign in each) for every in (first, second))
        for sign in ".:"
    )
    yield Site(worlds, router_id, (own[0], own[1]), (own6[0], own6[1]), machines)
    lab.unplug(machines)
    for floating in lab.api.list_page(FLOATING):
        lab.api.delete(FLOATING, floating["id"])
    lab.api.act(ROUTER, router_id, "remove_external_gateways", more)
    take_down(lab, router_id, network_id)


def seen_as(lab: Lab, machine: Machine) -> set[str]:
    """As whom a machine is seen by who is reached by no route but the default."""
    seen = set()
    with ExitStack() as stack:
        with namespaces.inside(lab.layout.outside_namespace):
            door = stack.enter_context(socket.socket())
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((outside.beyond, 8080))
        door.listen(connections)
        door.settimeout(10)
        for _ in range(connections):
            with namespaces.inside(space(lab, machine.name)):
                near = stack.enter_context(socket.socket())
            near.settimeout(10)
            near.connect((outside.beyond, 8080))
            far, (address, _) = door.accept()
            stack.enter_context(far)
            far.settimeout(10)
            for one, other in ((near, far), (far, near)):
                one.sendall(b"w" * 3_000)
                heard = b""
                while len(heard) < 3_000:
                    heard += other.recv(3_000)
            seen.add(address)
    return seen


@pytest.mark.proves("Several gateways of a router", "IPv4", "same across")
def test_connections_leave_by_both_gateways_and_each_by_one(lab: Lab, site: Site) -> None:
    for machine in site.machines:
        for one in (outside.gateway, gateway, outside.beyond):
            answers(space(lab, machine.name), one)  # neighbours outside are found by first packets

        assert seen_as(lab, machine) == set(site.own)


@pytest.mark.proves("Several gateways of a router", "IPv6", "same across")
def test_ipv6_leaves_by_both_gateways_to_each_address_by_one(lab: Lab, site: Site) -> None:
    there = [f"addr add {each}/128 dev lo nodad" for each in beyond6]
    back = f"route replace fd50::/64 via {site.own6[0]}"
    ip_batch([*there, back], lab.layout.outside_namespace)
    for machine in site.machines:
        for one in (outside.gateway6, gateway6, outside.beyond6):
            answers(space(lab, machine.name), one)

        first, second = heard_by(lab, machine)

        assert not first & second
        assert first
        assert second
        assert len(first | second) == connections


def heard_by(lab: Lab, machine: Machine) -> list[set[int]]:
    """By which of both interfaces of the world a machine's datagrams to several addresses come: its
    ports, one for each address, by each."""
    heard: list[set[int]] = []
    with ExitStack() as stack:
        ears = []
        with namespaces.inside(lab.layout.outside_namespace):
            for device in (b"br0", b"two"):
                ear = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
                ear.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
                ear.bind(("::", 9_000))
                ear.settimeout(1)
                ears.append(ear)
        with namespaces.inside(space(lab, machine.name)):
            mouths = [
                stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
                for _ in range(connections)
            ]
        for mouth, there in [*zip(mouths, beyond6, strict=True)] * 3:
            mouth.sendto(b"which way?", (there, 9_000))
        for ear in ears:
            heard.append(set())
            with suppress(TimeoutError):
                while True:
                    heard[-1].add(ear.recvfrom(100)[1][1])
    return heard


@pytest.mark.parametrize("is_far", [False, True])
def test_a_datagram_in_fragments_leaves_as_the_whole_ones_of_its_sender(
    lab: Lab, site: Site, is_far: bool
) -> None:
    machine = site.machines[is_far]
    answers(space(lab, machine.name), outside.beyond)
    with ExitStack() as stack:
        ear = datagrams(stack, lab.layout.outside_namespace)
        ear.bind((outside.beyond, 9_001))
        for _ in range(connections):
            mouth = datagrams(stack, space(lab, machine.name))
            mouth.connect((outside.beyond, 9_001))
            senders = set()
            for said in (b"whole", b"part" * 1_000, b"again"):
                mouth.send(said)
                heard, sender = ear.recvfrom(10_000)
                assert heard == said
                senders.add(sender)
                ear.sendto(heard, sender)
                assert mouth.recv(10_000) == heard
            assert len(senders) == 1


@pytest.mark.parametrize("ecmp", [False, True])
def test_who_sends_by_either_what_is_too_large_inside_is_told_by_the_same(
    lab: Lab, site: Site, ecmp: bool
) -> None:
    out = lab.layout.outside_namespace
    revision = lab.api.update(ROUTER, site.router_id, {"enable_default_route_ecmp": ecmp})[1]
    assert lab.api.wait(revision, timeout_s).converged
    for machine in site.machines:
        bodies = [{"floating_network_id": w, "port_id": machine.port_id} for w in site.worlds]
        made = [lab.api.create(FLOATING, [body]) for body in bodies]
        assert lab.api.wait(made[-1].revision, timeout_s).converged
        for each in made:
            floating = each.items[0]["floating_ip_address"]
            answers(out, floating)
            beyond = (floating, "-I", outside.beyond)
            wait_until("beyond", partial(is_answered, out, *beyond), 10)
            ping(out, *beyond, "-Mdo", "-s1440")
            assert "mtu=1450" in ping(out, *beyond, "-Mdo", "-s1440")
        path = ("-I", outside.beyond, "-t1")
        assert "From" in ping(out, made[1].items[0]["floating_ip_address"], *path)


def test_who_sends_ipv6_by_the_second_what_is_too_large_inside_is_told_by_it(
    lab: Lab, site: Site
) -> None:
    out = lab.layout.outside_namespace
    ip_batch([f"route replace fd50::/64 via {site.own6[1]}"], out)
    for machine in site.machines:
        beyond = (machine.address(6), "-I", outside.beyond6)
        wait_until("beyond", partial(is_answered, out, *beyond), 10)
        ping(out, *beyond, "-Mdo", "-s1440")
        assert "mtu=1450" in ping(out, *beyond, "-Mdo", "-s1440").replace(": ", "=")


def test_without_ecmp_they_leave_by_the_first_and_the_second_is_reached_too(
    lab: Lab, site: Site
) -> None:
    revision = lab.api.update(ROUTER, site.router_id, {"enable_default_route_ecmp": False})[1]
    assert lab.api.wait(revision, timeout_s).converged
    for machine in site.machines:
        answers(space(lab, machine.name), gateway)
        answers(space(lab, machine.name), outside.beyond)

        assert seen_as(lab, machine) == {site.own[0]}
        with ExitStack() as stack:  # its own subnet is beside no default
            talk = Talk(stack, lab.layout.outside_namespace, space(lab, machine.name), gateway)
            assert talk.seen_as == site.own[1]
            assert talk.passes(b"second")


def test_a_floating_ip_of_the_second_answers_and_asks_by_the_second(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace
    for machine in site.machines:
        body = {"floating_network_id": site.worlds[1], "port_id": machine.port_id}
        created = lab.api.create(FLOATING, [body])
        assert lab.api.wait(created.revision, timeout_s).converged
        floating = created.items[0]["floating_ip_address"]
        answers(out, floating)
        answers(space(lab, machine.name), outside.beyond)

        with ExitStack() as stack:
            assert Talk(stack, space(lab, machine.name), out, floating).passes(b"in" * 5_000)
        assert seen_as(lab, machine) == {floating}


@pytest.mark.parametrize("ecmp", [False, True])
@pytest.mark.parametrize("is_far", [False, True])
def test_a_forwarded_port_of_the_second_answers_by_the_second_whole_and_in_fragments(
    lab: Lab, site: Site, is_far: bool, ecmp: bool
) -> None:
    machine = site.machines[is_far]
    revision = lab.api.update(ROUTER, site.router_id, {"enable_default_route_ecmp": ecmp})[1]
    assert lab.api.wait(revision, timeout_s).converged
    floating = lab.api.create(FLOATING, [{"floating_network_id": site.worlds[1]}]).items[0]
    forwarding = forwardings(floating)
    revision = forward(lab, forwarding, machine, 53, 5353)
    assert lab.api.wait(revision, timeout_s).converged
    answers(space(lab, machine.name), outside.beyond)
    with ExitStack() as stack:
        server = datagrams(stack, space(lab, machine.name))
        server.bind(("0.0.0.0", 5353))
        for _ in range(8):
            client = datagrams(stack, lab.layout.outside_namespace)
            client.bind((outside.beyond, 0))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"two")
            client.connect((floating["floating_ip_address"], 53))
            for said in (b"whole", b"part" * 1_000, b"again"):
                client.send(said)
                heard, sender = server.recvfrom(10_000)
                assert heard == said
                server.sendto(heard, sender)
                assert client.recv(10_000) == heard
        # What it begins itself leaves as before.
        ear, mouth = (
            datagrams(stack, each)
            for each in (lab.layout.outside_namespace, space(lab, machine.name))
        )
        ear.bind((outside.beyond, 9_002))
        mouth.connect((outside.beyond, 9_002))
        for said in (b"whole", b"part" * 1_000):
            mouth.send(said)
            heard, (seen_as, _) = ear.recvfrom(10_000)
            assert heard == said
            assert seen_as in (site.own if ecmp else site.own[:1])
    for each in lab.api.list_page(forwarding):
        lab.api.delete(forwarding, each["id"])


def test_the_routers_own_addresses_are_reached_from_outside(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace
    for own in site.own:
        answers(out, own)
    wait_until("beyond", partial(is_answered, out, site.own[1], "-I", outside.beyond), 10)


def test_two_gateways_to_one_network_are_ways_of_their_own(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace

    def lead(*networks: str) -> list[str]:
        """The router's addresses outside, once it leaves by these."""
        wanted = {"router": {"external_gateways": [{"network_id": each} for each in networks]}}
        answer, revision = lab.api.act(ROUTER, site.router_id, "update_external_gateways", wanted)
        assert lab.api.wait(revision, timeout_s).converged
        every = [each["external_fixed_ips"] for each in answer["router"]["external_gateways"]]
        return [ip["ip_address"] for ips in every for ip in ips if ":" not in ip["ip_address"]]

    own = lead(site.worlds[0], site.worlds[0])
    for machine in site.machines:
        answers(space(lab, machine.name), outside.beyond)

        assert seen_as(lab, machine) == set(own)
    for each in own:
        answers(out, each)
        wait_until("beyond", partial(is_answered, out, each, "-I", outside.beyond), 10)
    lead(*site.worlds)


def test_a_next_hop_that_is_outside_its_subnet_is_found_on_the_link(lab: Lab, site: Site) -> None:
    beside = "100.64.0.1"
    ip_batch([f"addr replace {beside}/32 dev two"], lab.layout.outside_namespace)
    subnets = lab.api.list_page(SUBNET, [("network_id", site.worlds[1]), ("cidr", cidr)])
    for hop in (beside, gateway):
        revision = lab.api.update(SUBNET, subnets[0]["id"], {"gateway_ip": hop})[1]
        assert lab.api.wait(revision, timeout_s).converged
        for machine in site.machines if hop == beside else ():
            assert seen_as(lab, machine) == set(site.own)


def test_floating_ips_of_both_networks_answer_each_by_its_own(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace
    for machine in site.machines:
        bodies = [{"floating_network_id": w, "port_id": machine.port_id} for w in site.worlds]
        made = [lab.api.create(FLOATING, [body]) for body in bodies]
        assert lab.api.wait(made[-1].revision, timeout_s).converged
        floating = [each.items[0]["floating_ip_address"] for each in made]
        for each in floating:
            answers(out, each)
            wait_until("beyond", partial(is_answered, out, each, "-I", outside.beyond), 10)
        for each in floating:
            with ExitStack() as stack:
                talk = Talk(stack, space(lab, machine.name), out, each)
                assert talk.passes(b"in" * 5_000)
        assert seen_as(lab, machine) == {floating[0]}  # whose id is the first
