"""Routers: packets that must pass between networks, what routers say, and what must not pass."""

import re
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from ipaddress import ip_network
from itertools import islice
from typing import Any

import pytest

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysroute"
lab_hosts = 2

ROUTER = Kind("router", "routers", "/v2.0/routers")
converge_timeout_s = 30.0

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
_FROM = re.compile(r"^From (\S+) icmp_seq=\d+ (.*)$", re.MULTILINE)


def make_router(lab: Lab, *network_ids: str, **fields: Any) -> str:
    """A router with an interface on every subnet of these networks, its flows on all hosts."""
    router_id: str = lab.api.create(ROUTER, [{"name": "r", **fields}]).items[0]["id"]
    for network_id in network_ids:
        for subnet in lab.api.list_page(SUBNET, [("network_id", network_id)]):
            attach(lab, router_id, subnet_id=subnet["id"])
    return router_id


def attach(lab: Lab, router_id: str, **what: str) -> None:
    """Give a router one more interface."""
    _, revision = lab.api.act(ROUTER, router_id, "add_router_interface", what)
    assert lab.api.wait(revision, converge_timeout_s).converged


def gateway_of(lab: Lab, machine: Machine, version: int) -> str:
    """The gateway of the machine's subnet of a family."""
    port = lab.api.show(PORT, machine.port_id)
    subnets = [lab.api.show(SUBNET, each["subnet_id"]) for each in port["fixed_ips"]]
    return str(next(each["gateway_ip"] for each in subnets if each["ip_version"] == version))


def use_gateways(lab: Lab, *machines: Machine) -> None:
    """The default routes that DHCP and router advertisements would give."""
    for machine in machines:
        versions = {6 if ":" in each else 4 for each in machine.addresses}
        ip_batch(
            [
                f"route replace default via {gateway_of(lab, machine, version)}"
                for version in versions
            ],
            lab.layout.machine_namespace(machine.name),
        )


def ping(lab: Lab, machine: Machine, target: str, *options: str) -> str:
    """What `ping` says, however it ends."""
    with namespaces.inside(lab.layout.machine_namespace(machine.name)):
        done = subprocess.run(
            ["ping", "-n", "-c1", "-W3", *options, target],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    return done.stdout + done.stderr


def complaint(lab: Lab, machine: Machine, target: str, *options: str) -> tuple[str, str]:
    """Who complains about a ping, and how; one that is answered is complained of by nobody."""
    said = ping(lab, machine, target, *options)
    found = _FROM.search(said)
    return (found[1], found[2]) if found else ("", said)


def udp_heard(lab: Lab, source: Machine, hop: Machine, prefix: str) -> int:
    """Of 64 datagrams, each to an address of its own, how many reach a machine that has all."""
    family = socket.AF_INET6 if ":" in prefix else socket.AF_INET
    targets = islice(ip_network(prefix).hosts(), 64)
    with ExitStack() as stack:
        with namespaces.inside(lab.layout.machine_namespace(hop.name)):
            ear = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        ear.bind(("", 9999))
        ear.settimeout(1.0)
        for target in targets:
            with namespaces.inside(lab.layout.machine_namespace(source.name)):
                mouth = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            mouth.sendto(b"x", (str(target), 9999))
        heard = 0
        with suppress(TimeoutError):
            while ear.recv(10):
                heard += 1
    return heard


@pytest.mark.proves("Routers", "IPv4 IPv6", "same across")
def test_two_subnets_are_joined_on_a_host_and_across_by_both_families(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    red = make_network("10.20.0.0/24", "fd20::/64")
    blue = make_network("10.21.0.0/24", "fd21::/64")
    left, far = make_machines(red, "rleft rfar", "h1 h2")
    right = make_machines(blue, "rright", "h1")[0]
    machines = [left, far, right]
    make_router(lab, red, blue)
    use_gateways(lab, *machines)

    for version in (4, 6):
        result = lab.ping_all({each.name: each.address(version) for each in machines}, 30)
        assert (result.ok, result.total) == (6, 6)
    lab.unplug(machines)


@pytest.mark.proves("Routers' own answers and errors", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("far", ["h1", "h2"])
def test_a_router_answers_for_its_addresses_and_says_what_it_can_not_do(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, far: str
) -> None:
    red = make_network("10.22.0.0/24", "fd22::/64")
    blue = make_network("10.23.0.0/24", "fd23::/64")
    left = make_machines(red, "aleft", "h1")[0]
    right = make_machines(blue, "aright", far)[0]
    make_router(lab, red, blue)
    use_gateways(lab, left, right)

    for own in ("10.22.0.1", "10.23.0.1", "fd22::1", "fd23::1"):
        assert "1 received" in ping(lab, left, own)
        assert "1 received" in ping(lab, left, own, "-s4000")
    target4, target6 = right.address(4), right.address(6)
    assert complaint(lab, left, target4, "-t1") == ("10.22.0.1", "Time to live exceeded")
    assert complaint(lab, left, target6, "-t1") == ("fd22::1", "Time exceeded: Hop limit")
    assert "1 received" in ping(lab, left, target4, "-t2")
    assert complaint(lab, left, "10.23.0.99") == ("10.23.0.1", "Destination Host Unreachable")
    assert complaint(lab, left, "10.99.0.1") == ("10.22.0.1", "Destination Net Unreachable")
    assert complaint(lab, left, "fd99::1")[1].startswith("Destination unreachable: No route")
    lab.unplug([left, right])


@pytest.mark.proves("Extra routes", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("host", ["h1", "h2"])
@pytest.mark.parametrize("version", [4, 6])
def test_extra_routes_lead_over_a_second_router_and_traceroute_shows_both(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, version: int, host: str
) -> None:
    nets = {4: ("10.24.0", "10.25.0", "10.26.0"), 6: ("fd24:", "fd25:", "fd26:")}[version]
    dot, end = {4: (".", ".0/24"), 6: (":", ":/64")}[version]
    near, transit, far = (make_network(net + end) for net in nets)
    left = make_machines(near, "xleft", "h1")[0]
    right = make_machines(far, "xright", host)[0]
    one = make_router(lab, near, transit)
    two = make_router(lab, far)
    theirs, ours = f"{nets[1]}{dot}254", f"{nets[1]}{dot}1"
    body = {"network_id": transit, "fixed_ips": [{"ip_address": theirs}]}
    port = lab.api.create(PORT, [body]).items[0]
    attach(lab, two, port_id=port["id"])
    there = [{"destination": nets[2] + end, "nexthop": theirs}]
    back = [{"destination": nets[0] + end, "nexthop": ours}]
    for router_id, routes in ((one, there), (two, back)):
        revision = lab.api.update(ROUTER, router_id, {"routes": routes})[1]
        assert lab.api.wait(revision, converge_timeout_s).converged
    use_gateways(lab, left, right)

    result = lab.ping_all({each.name: each.address(version) for each in (left, right)}, 30)
    assert (result.ok, result.total) == (2, 2)
    hops = [complaint(lab, left, right.address(version), f"-t{ttl}")[0] for ttl in (1, 2, 3)]
    assert hops == [f"{nets[0]}{dot}1", theirs, ""]
    lab.unplug([left, right])


def test_without_a_router_nothing_passes_and_a_route_that_is_taken_away_is_gone(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    red, blue = make_network("10.27.0.0/24"), make_network("10.28.0.0/24")
    left = make_machines(red, "ileft", "h1")[0]
    right = make_machines(blue, "iright", "h2")[0]
    use_gateways(lab, left, right)
    assert "0 received" in ping(lab, left, right.address(4))

    router_id = make_router(lab, red, blue)
    addresses = {each.name: each.address(4) for each in (left, right)}
    assert lab.ping_all(addresses, 30).ok == 2

    subnet = lab.api.list_page(SUBNET, [("network_id", blue)])[0]
    gone = {"subnet_id": subnet["id"]}
    _, revision = lab.api.act(ROUTER, router_id, "remove_router_interface", gone)
    assert lab.api.wait(revision, converge_timeout_s).converged
    # The interface's port goes a moment after the router's own change.
    gone_for = ("10.27.0.1", "Destination Net Unreachable")
    wait_until("the way to be gone", lambda: complaint(lab, left, right.address(4)) == gone_for, 15)
    lab.unplug([left, right])


@pytest.mark.proves("MTU of the next network", "IPv4 IPv6", "same across")
@pytest.mark.parametrize("far", ["h1", "h2"])
def test_what_is_too_large_for_the_next_network_is_refused_with_its_size(
    lab: Lab, make_machines: MakeMachines, far: str
) -> None:
    wide, narrow = (lab.api.create(NETWORK, [{"mtu": mtu}]).items[0]["id"] for mtu in (1450, 1300))
    for n, network_id in ((32, wide), (33, narrow)):
        for version, cidr in ((4, f"10.{n}.0.0/24"), (6, f"fd{n}::/64")):
            body = {"network_id": network_id, "ip_version": version, "cidr": cidr}
            lab.api.create(SUBNET, [body])
    left = make_machines(wide, "wleft", "h1")[0]
    right = make_machines(narrow, "wright", far)[0]
    make_router(lab, wide, narrow)
    use_gateways(lab, left, right)
    for version in (4, 6):
        target = right.address(version)
        wait_until("the way", lambda: "1 received" in ping(lab, left, target), 15)  # noqa: B023
        head = 28 if version == 4 else 48
        said = complaint(lab, left, target, "-Mdo", f"-s{1301 - head}")
        assert said[0] == ("10.33.0.1" if version == 4 else "fd33::1")
        assert "1300" in said[1]
        assert "1 received" in ping(lab, left, target, "-Mdo", f"-s{1300 - head}")
    lab.unplug([left, right])


def test_a_router_on_two_subnets_of_a_network_is_to_each_machine_who_it_asked(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id, far = make_network("10.38.0.0/24", "10.39.0.0/24"), make_network("10.40.0.0/24")
    there = make_machines(far, "there", "h2")[0]
    pair = make_machines(network_id, "first second", "h1 h1", "10.38.0.9 10.39.0.9")
    make_router(lab, network_id, far)
    use_gateways(lab, there, *pair)

    for machine in pair:
        wait_until("the way", lambda: "1 received" in ping(lab, machine, there.address(4)), 15)  # noqa: B023
        gateway = gateway_of(lab, machine, 4)
        assert complaint(lab, machine, there.address(4), "-t1")[0] == gateway
    lab.unplug([there, *pair])


@pytest.mark.proves("Routes by several next hops", "IPv4 IPv6", "same across")
@pytest.mark.parametrize(
    ("version", "cidrs", "beyond", "destination"),
    [
        (4, ("10.34.0.0/24", "10.35.0.0/24"), "192.0.2.77", "192.0.2.0/24"),
        (6, ("fd34::/64", "fd35::/64"), "2001:db8:77::1", "2001:db8:77::/64"),
    ],
)
def test_a_route_by_several_next_hops_uses_all_of_them(
    lab: Lab,
    make_network: MakeNetwork,
    make_machines: MakeMachines,
    version: int,
    cidrs: tuple[str, str],
    beyond: str,
    destination: str,
) -> None:
    near, transit = (make_network(cidr) for cidr in cidrs)
    left = make_machines(near, "eleft", "h1")[0]
    hops = make_machines(transit, "ehop1 ehop2", "h1 h2")
    router_id = make_router(lab, near, transit)
    use_gateways(lab, left, *hops)
    for hop in hops:
        trust = {"port_security_enabled": False, "security_groups": []}
        lab.api.update(PORT, hop.port_id, trust)
        ip_batch([f"route add local {destination} dev lo"], lab.layout.machine_namespace(hop.name))
    routes = [{"destination": destination, "nexthop": hop.address(version)} for hop in hops]
    revision = lab.api.update(ROUTER, router_id, {"routes": routes})[1]
    assert lab.api.wait(revision, converge_timeout_s).converged
    wait_until("the way", lambda: "1 received" in ping(lab, left, beyond), 15)

    heard = {hop.name: udp_heard(lab, left, hop, destination) for hop in hops}

    # What went to each of 64 addresses went to one of them, in two rounds.
    assert all(count >= 10 for count in heard.values())
    lab.unplug([left, *hops])


def test_changes_of_routes_and_routers_cost_others_no_packet(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    red, blue = make_network("10.29.0.0/24"), make_network("10.30.0.0/24")
    left = make_machines(red, "sleft", "h1")[0]
    right = make_machines(blue, "sright", "h2")[0]
    router_id = make_router(lab, red, blue)
    use_gateways(lab, left, right)
    assert lab.ping_all({each.name: each.address(4) for each in (left, right)}, 30).ok == 2

    with lab.stream("sleft", right.address(4)) as stream:
        for n in range(5):
            routes = [{"destination": f"192.0.2.{n}/32", "nexthop": right.address(4)}]
            revision = lab.api.update(ROUTER, router_id, {"routes": routes})[1]
            assert lab.api.wait(revision, converge_timeout_s).converged
        other = make_router(lab, make_network("10.31.0.0/24"))
        lab.api.update(ROUTER, other, {"admin_state_up": False})
    assert stream.result.lost == ()
    lab.unplug([left, right])
