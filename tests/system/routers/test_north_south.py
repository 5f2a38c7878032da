"""North-south: floating IPs, the router's own address, IPv6, and what is taken back."""

import re
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import pytest
from tests.system.obeyed import obeyed

from alcor.agent.pipeline.pipeline import STAGE_BY_NAME
from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces, outside, parts
from alcor.lab.commands import ip_batch
from alcor.lab.hosts import ofctl
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysnorth"
lab_hosts = 3
lab_uplinks = 2  # the third host has none

ROUTER = Kind("router", "routers", "/v2.0/routers")
METERING = "/v2.0/metering/metering-label"
LABEL = Kind("metering_label", "metering_labels", f"{METERING}s")
LABEL_RULE = Kind("metering_label_rule", "metering_label_rules", f"{METERING}-rules")
FLOATING = Kind("floatingip", "floatingips", "/v2.0/floatingips")
timeout_s = 30.0
lost_at_failback_max = 50  # of a hundred a second; alone it is one at most

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Site(NamedTuple):
    """A network behind a router with a gateway, and a machine on every host."""

    network_id: str
    router_id: str
    gateway: dict[int, str]  # the router's addresses outside, by family
    machines: dict[str, Machine]


@pytest.fixture(scope="module")
def world(lab: Lab) -> str:
    """The external network."""
    return make_world(lab)


def make_world(lab: Lab) -> str:
    """An external network of both families; its id."""
    body = {"router:external": True, "provider:network_type": "flat"}
    body |= {"provider:physical_network": outside.physical_network}
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    for version, cidr, gateway in (
        (4, outside.cidr, outside.gateway),
        (6, outside.cidr6, outside.gateway6),
    ):
        subnet = {"network_id": network_id, "ip_version": version, "cidr": cidr}
        subnet |= {"gateway_ip": gateway, "enable_dhcp": False}
        lab.api.create(SUBNET, [subnet])
    return network_id


@pytest.fixture
def site(
    lab: Lab, world: str, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Site]:
    """A site of its own for each test."""
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    yield from stand(lab, world, network_id, make_machines(network_id, "m1 m2 m3", "h1 h2 h3"))


@pytest.fixture
def far_site(
    lab: Lab, world: str, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Site]:
    """A site whose only machine is on the host without uplink."""
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    yield from stand(lab, world, network_id, make_machines(network_id, "far", "h3"))


def stand(
    lab: Lab, world: str, network_id: str, machines: list[Machine], **wishes: object
) -> Iterator[Site]:
    """The network behind a router, until the test has ended."""
    gateway = {"network_id": world}
    body = {"name": "r", "external_gateway_info": gateway} | wishes
    router = lab.api.create(ROUTER, [body]).items[0]
    for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
        lab.api.act(ROUTER, router["id"], "add_router_interface", {"subnet_id": subnet["id"]})
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        routes = [f"route replace default via {each}" for each in ("10.40.0.1", "fd40::1")]
        ip_batch(routes, lab.layout.machine_namespace(machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    info = lab.api.show(ROUTER, router["id"])["external_gateway_info"]["external_fixed_ips"]
    own = {6 if ":" in each["ip_address"] else 4: each["ip_address"] for each in info}
    yield Site(network_id, router["id"], own, {each.name: each for each in machines})
    lab.unplug(machines)
    take_down(lab, router["id"], network_id)


def take_down(lab: Lab, router_id: str, network_id: str) -> None:
    for floating in lab.api.list_page(FLOATING):
        lab.api.delete(FLOATING, floating["id"])
    lab.api.update(ROUTER, router_id, {"external_gateway_info": None})
    for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
        lab.api.act(ROUTER, router_id, "remove_router_interface", {"subnet_id": subnet["id"]})
    lab.api.delete(ROUTER, router_id)


def give_floating_ip(lab: Lab, world: str, machine: Machine) -> dict[str, Any]:
    """A floating IP of a machine, in force on all hosts."""
    body = {"floating_network_id": world, "port_id": machine.port_id}
    created = lab.api.create(FLOATING, [body])
    assert lab.api.wait(created.revision, timeout_s).converged
    return created.items[0]


def space(lab: Lab, machine: str) -> str:
    return lab.layout.machine_namespace(machine)


def ping(namespace: str, target: str, *options: str) -> str:
    with namespaces.inside(namespace):
        words = ["ping", "-n", "-c1", "-W2", *options, target]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout + done.stderr


def is_answered(namespace: str, target: str, *options: str) -> bool:
    return "1 received" in ping(namespace, target, *options)


def answers(namespace: str, target: str) -> None:
    """Wait until it is answered: neighbours outside are found out by the first packets."""
    wait_until(f"{target} to answer", lambda: is_answered(namespace, target), timeout_s)


class Talk:
    """A TCP connection from one namespace to another, line by line."""

    def __init__(
        self, stack: ExitStack, server: str, client: str, target: str, port: int = 7777
    ) -> None:
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with namespaces.inside(server):
            door = stack.enter_context(socket.socket(family))
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 7777))
        door.listen()
        with namespaces.inside(client):
            self.near = stack.enter_context(socket.socket(family))
        self.near.settimeout(10)
        self.near.connect((target, port))
        door.settimeout(10)
        far, (self.seen_as, *_) = door.accept()
        self.far = stack.enter_context(far)

    def passes(self, line: bytes, wait_s: float = 5.0) -> bool:
        """Whether a line gets to the other end, and one back."""
        for one, other in ((self.near, self.far), (self.far, self.near)):
            other.settimeout(wait_s)
            one.sendall(line)
            heard = b""
            try:
                while len(heard) < len(line):
                    heard += other.recv(len(line) - len(heard))
            except TimeoutError:
                return False
            assert heard == line
        return True


@pytest.mark.proves("Floating IPs", "IPv4", "same across")
def test_a_floating_ip_is_reached_from_outside_and_seen_there_on_hosts_with_and_without_uplink(
    lab: Lab, world: str, site: Site
) -> None:
    out = lab.layout.outside_namespace
    for name in ("m1", "m3"):
        floating = give_floating_ip(lab, world, site.machines[name])["floating_ip_address"]
        answers(out, floating)
        answers(space(lab, name), outside.beyond)
        with ExitStack() as stack:
            inward = Talk(stack, space(lab, name), out, floating)
            assert inward.passes(b"in" * 10_000)
        with ExitStack() as stack:
            outward = Talk(stack, out, space(lab, name), outside.gateway)
            assert outward.seen_as == floating
            assert outward.passes(b"out" * 10_000)


@pytest.mark.proves("Translation to the router's address", "IPv4", "same across")
def test_who_has_no_floating_ip_is_seen_as_the_router_and_is_not_reached(
    lab: Lab, site: Site
) -> None:
    out = lab.layout.outside_namespace
    for name in site.machines:
        answers(space(lab, name), outside.beyond)
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, name), outside.gateway)
            assert talk.seen_as == site.gateway[4]
            assert talk.passes(b"snat" * 10_000)
    answers(out, site.gateway[4])
    assert is_answered(out, site.gateway[4], "-s4000")


def test_what_passes_the_gateway_is_counted_under_a_label_on_one_host(
    lab: Lab, world: str, site: Site
) -> None:
    floating = give_floating_ip(lab, world, site.machines["m1"])
    for name in site.machines:
        answers(space(lab, name), outside.beyond)
    label = lab.api.create(LABEL, [{"name": "all"}]).items[0]["id"]
    rules = [
        {"metering_label_id": label, "direction": way, "remote_ip_prefix": f"{outside.beyond}/32"}
        for way in ("ingress", "egress")
    ]
    created = lab.api.create(LABEL_RULE, rules)
    assert lab.api.wait(created.revision, timeout_s).converged

    for name in site.machines:
        assert "1 received" in ping(space(lab, name), outside.beyond)

    # A question and an answer of each of three machines, wherever they pass.
    expected = 2 * len(site.machines)
    wait_until("all to be counted", lambda: metered(lab) >= expected, timeout_s)
    assert metered(lab) == expected
    lab.api.delete(LABEL, label)
    lab.api.delete(FLOATING, floating["id"])


def metered(lab: Lab) -> int:
    """How many packets METERED has counted on all hosts."""
    table = f"table={STAGE_BY_NAME['METERED'].table},"
    dumps = (ofctl(host, "dump-flows", "br-int", table) for host in lab.layout.hosts(lab_hosts))
    counts = (re.findall(r"n_packets=(\d+).*priority=100,", dump) for dump in dumps)
    return sum(int(count) for each in counts for count in each)


@pytest.mark.proves("To the outside untranslated", "IPv6", "same across")
def test_ipv6_goes_out_and_in_as_it_is(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace
    ip_batch([f"route replace fd40::/64 via {site.gateway[6]}"], out)
    answers(out, site.gateway[6])
    assert is_answered(out, site.gateway[6], "-s4000")
    for name, machine in site.machines.items():
        answers(space(lab, name), outside.beyond6)
        answers(out, machine.address(6))
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, name), outside.gateway6)
            assert talk.seen_as == machine.address(6)
            assert talk.passes(b"six" * 10_000)


@pytest.mark.proves("To the outside untranslated", "IPv4", "same across")
def test_a_router_without_source_translation_lets_machines_be_seen_as_they_are(
    lab: Lab, world: str, site: Site
) -> None:
    out = lab.layout.outside_namespace
    plain = {"external_gateway_info": {"network_id": world, "enable_snat": False}}
    revision = lab.api.update(ROUTER, site.router_id, plain)[1]
    assert lab.api.wait(revision, timeout_s).converged
    ip_batch([f"route replace 10.40.0.0/24 via {site.gateway[4]}"], out)
    for name, machine in site.machines.items():
        answers(space(lab, name), outside.beyond)
        answers(out, machine.address(4))
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, name), outside.gateway)
            assert talk.seen_as == machine.address(4)
            assert talk.passes(b"four" * 10_000)
    ip_batch(["route del 10.40.0.0/24"], out)


@pytest.mark.proves("Floating IP to floating IP", "IPv4", "same across")
def test_floating_ips_reach_each_other_on_a_host_and_across(
    lab: Lab, world: str, site: Site, make_machines: MakeMachines
) -> None:
    beside = make_machines(site.network_id, "m4", "h1")[0]
    machines = {**site.machines, "m4": beside}
    lab.api.update(PORT, beside.port_id, {"port_security_enabled": False, "security_groups": []})
    ip_batch(["route replace default via 10.40.0.1"], space(lab, "m4"))
    address = {
        name: give_floating_ip(lab, world, machines[name])["floating_ip_address"]
        for name in ("m1", "m2", "m4")
    }
    for one in address:
        for other in address.values():
            answers(space(lab, one), other)
    answers(space(lab, "m3"), address["m1"])
    for server in ("m2", "m4"):
        with ExitStack() as stack:
            talk = Talk(stack, space(lab, server), space(lab, "m1"), address[server])
            assert talk.seen_as == address["m1"]
            assert talk.passes(b"pin" * 10_000)
    lab.unplug([beside])


def test_who_sends_from_outside_what_is_too_large_for_a_network_inside_is_told_its_size(
    lab: Lab, world: str, site: Site
) -> None:
    out = lab.layout.outside_namespace
    ip_batch([f"route replace fd40::/64 via {site.gateway[6]}"], out)
    mtu = lab.api.show(NETWORK, site.network_id)["mtu"]
    assert mtu < outside.mtu
    for name in ("m1", "m3"):
        floating = give_floating_ip(lab, world, site.machines[name])["floating_ip_address"]
        for target, headers in ((floating, 28), (site.machines[name].address(6), 48)):
            answers(out, target)
            fits, large = (f"-s{size - headers}" for size in (mtu, mtu + 1))
            assert "1 received" in ping(out, target, "-Mdo", fits)
            ping(out, target, "-Mdo", large)
            # The sender's kernel has learned it, and says so itself from now on.
            assert re.search(rf"mtu ?[=:] ?{mtu}\b", ping(out, target, "-Mdo", large)), target


def test_a_floating_ip_that_is_taken_away_cuts_its_connections_and_no_others(
    lab: Lab, world: str, site: Site
) -> None:
    out = lab.layout.outside_namespace
    floating = give_floating_ip(lab, world, site.machines["m1"])
    other = give_floating_ip(lab, world, site.machines["m2"])
    for each in (floating, other):
        answers(out, each["floating_ip_address"])
    with ExitStack() as stack:
        cut = Talk(stack, space(lab, "m1"), out, floating["floating_ip_address"])
        assert cut.passes(b"still")
        with lab.stream("m2", outside.beyond) as stream:
            revision = lab.api.update(FLOATING, floating["id"], {"port_id": None})[1]
            obeyed(lab, revision)
            assert not cut.passes(b"again", wait_s=1.0)
        assert stream.result.lost == ()
    assert "0 received" in ping(out, floating["floating_ip_address"])


def test_a_floating_ip_given_to_a_machine_beside_cuts_the_connections_of_the_first(
    lab: Lab, world: str, site: Site, make_machines: MakeMachines
) -> None:
    out = lab.layout.outside_namespace
    beside = make_machines(site.network_id, "m5", "h1")[0]
    lab.api.update(PORT, beside.port_id, {"port_security_enabled": False, "security_groups": []})
    ip_batch(["route replace default via 10.40.0.1"], space(lab, "m5"))
    floating = give_floating_ip(lab, world, site.machines["m1"])
    address = floating["floating_ip_address"]
    answers(out, address)
    with ExitStack() as stack:
        inward = Talk(stack, space(lab, "m1"), out, address)
        outward = Talk(stack, out, space(lab, "m1"), outside.gateway)
        assert inward.passes(b"in")
        assert outward.passes(b"out")
        revision = lab.api.update(FLOATING, floating["id"], {"port_id": beside.port_id})[1]
        obeyed(lab, revision)
        assert not inward.passes(b"in", wait_s=1.0)
        assert not outward.passes(b"out", wait_s=1.0)
    with ExitStack() as stack:
        assert Talk(stack, space(lab, "m5"), out, address).passes(b"anew")
    lab.unplug([beside])


def test_a_connection_from_the_port_of_one_that_was_reset_arrives_at_once(
    lab: Lab, world: str, site: Site
) -> None:
    machine, out = site.machines["m1"], lab.layout.outside_namespace
    floating = give_floating_ip(lab, world, machine)["floating_ip_address"]
    answers(out, floating)
    with ExitStack() as stack:
        with namespaces.inside(space(lab, "m1")):
            door = stack.enter_context(socket.socket())
        door.bind(("0.0.0.0", 7777))
        door.listen()
        door.settimeout(5)
        for resets in ("near", "far") * 5:
            with namespaces.inside(out):
                near = stack.enter_context(socket.socket())
            near.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            near.bind((outside.gateway, 40_001))
            near.settimeout(0.9)  # before a first packet that is lost would be sent again
            near.connect((floating, 7777))
            far = stack.enter_context(door.accept()[0])
            far.settimeout(5)
            near.sendall(b"before it ends")
            assert far.recv(100) == b"before it ends"
            one, other = (near, far) if resets == "near" else (far, near)
            at_once = struct.pack("ii", 1, 0)  # lingers for no time: by a reset
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            one.close()
            with pytest.raises(ConnectionResetError):
                other.recv(1)
            other.close()


def test_an_error_from_beyond_reaches_who_sent_the_packet(lab: Lab, world: str, site: Site) -> None:
    give_floating_ip(lab, world, site.machines["m1"])
    out, floating = lab.layout.outside_namespace, lab.api.list_page(FLOATING)[0]
    answers(out, floating["floating_ip_address"])
    said = ping(out, floating["floating_ip_address"], "-t1")
    assert f"From {floating['floating_ip_address']} icmp_seq=1 Time to live exceeded" in said
    for name in ("m1", "m2"):
        answers(space(lab, name), outside.beyond)
        said = ping(space(lab, name), outside.beyond, "-t1")
        assert "From 10.40.0.1 icmp_seq=1 Time to live exceeded" in said
        said = ping(space(lab, name), "192.0.2.55")
        assert f"From {outside.gateway} icmp_seq=1 Destination Net Unreachable" in said


@pytest.mark.parametrize("remembers", [True, False], ids=["remembers", "has_forgotten"])
def test_an_agent_that_is_restarted_costs_no_packet_outside(
    lab: Lab, world: str, site: Site, remembers: bool
) -> None:
    for _ in range(5):  # what is new everywhere settles
        answers(space(lab, "m1"), outside.beyond)
    with lab.stream("m1", outside.beyond, 0.002) as stream:
        for host in lab.hosts[:lab_uplinks]:
            parts.stop_agent(host, signal.SIGKILL)
            if not remembers:
                (host.folder / "agent" / "goal-state").unlink()
            parts.start_agent(host, lab.record)
        parts.wait_alive(lab.api, lab.hosts)
        give_floating_ip(lab, world, site.machines["m2"])  # which they have when they are back
        upto = stream.sent + 500
        wait_until("the stream", lambda: stream.sent >= upto, timeout_s)
    assert stream.result.lost == ()


def test_the_router_leaves_by_another_host_when_its_own_is_gone(lab: Lab, site: Site) -> None:
    answers(space(lab, "m3"), outside.beyond)
    with ExitStack() as stack:
        with lost_exit(lab, site) as central:
            answers(space(lab, "m3"), outside.beyond)
            answers(lab.layout.outside_namespace, site.gateway[4])
            shutil.rmtree(lab.host(central).folder / "agent")  # it has been made anew
            ofctl(lab.host(central), "del-flows", "br-int")
            stream = stack.enter_context(lab.stream("m3", outside.beyond, 0.01))
        wait_until("it to return", lambda: speakers(lab, site) == {central}, timeout_s)
        upto = stream.sent + 200
        wait_until("the stream", lambda: stream.sent >= upto, timeout_s)
    assert len(stream.result.lost) <= lost_at_failback_max


def test_hosts_without_a_machine_of_the_router_lead_it_outside_one_after_the_other(
    lab: Lab, world: str, far_site: Site
) -> None:
    machine = far_site.machines["far"]
    leads_far_site_outside(lab, far_site)
    floating = give_floating_ip(lab, world, machine)["floating_ip_address"]
    reaches_far_site(lab, machine, floating)
    with lost_exit(lab, far_site):
        leads_far_site_outside(lab, far_site, seen_as=floating)
        reaches_far_site(lab, machine, floating)


def leads_far_site_outside(lab: Lab, far_site: Site, seen_as: str = "") -> None:
    """Its machine reaches who is outside: IPv4 as the router or as `seen_as`, IPv6 as it is."""
    expected = {4: seen_as or far_site.gateway[4], 6: far_site.machines["far"].address(6)}
    out = lab.layout.outside_namespace
    ip_batch([f"route replace fd40::/64 via {far_site.gateway[6]}"], out)
    for version, door in ((4, outside.gateway), (6, outside.gateway6)):
        answers(space(lab, "far"), door)
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, "far"), door)
            assert talk.seen_as == expected[version]
            assert talk.passes(b"out" * 10_000)
    answers(out, far_site.gateway[4])


def reaches_far_site(lab: Lab, machine: Machine, floating: str) -> None:
    """Who is outside reaches its machine: by its floating IP, and by its own IPv6 address."""
    for target in (floating, machine.address(6)):
        answers(lab.layout.outside_namespace, target)
        with ExitStack() as stack:
            talk = Talk(stack, space(lab, "far"), lab.layout.outside_namespace, target)
            assert talk.passes(b"in" * 10_000)


@contextmanager
def lost_exit(lab: Lab, site: Site) -> Iterator[str]:
    """The host that the router leaves by loses its agent, and another one takes over."""
    wait_until("a host to speak", lambda: len(speakers(lab, site)) == 1, timeout_s)
    (central,) = speakers(lab, site)
    parts.stop_agent(lab.host(central), signal.SIGKILL)
    try:
        takes_over = "the other host to take over"
        wait_until(takes_over, lambda: speakers(lab, site) - {central} != set(), 60.0)
        yield central
    finally:
        parts.start_agent(lab.host(central), lab.record)
        parts.wait_alive(lab.api, lab.hosts)


def speakers(lab: Lab, site: Site) -> set[str]:
    """The hosts whose switches speak for the router outside."""
    return {host.name for host in lab.hosts if speaks_for(lab, site, host.name)}


def speaks_for(lab: Lab, site: Site, host: str) -> bool:
    """Whether a host's switch answers ARP for the router's address outside."""
    flows = ofctl(lab.host(host), "dump-flows", "br-int")
    return f"arp_tpa={site.gateway[4]}," in flows.replace(" ", ",")
