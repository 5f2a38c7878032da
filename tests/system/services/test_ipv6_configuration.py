"""Machines that configure IPv6 by themselves: the kernel by advertisements, dhclient by DHCPv6."""

import json
from typing import Any

import pytest

from alcor.agent.packets.advertisement import (
    ALL_NODES,
    ALL_NODES_MAC,
    Advertisement,
    build_advertisement,
)
from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces
from alcor.lab.commands import run
from alcor.lab.interfaces import forward_packets
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic import dhcp6
from alcor.lab.traffic.frames import FrameSocket
from alcor.lab.waiting import wait_until
from alcor.values.addresses import eui64_link_local, mac

ROUTER = Kind("router", "routers", "/v2.0/routers")
lab_name = "sysip6"
lab_hosts = 2
wait_s = 30.0


def make(lab: Lab, mode: str, cidr: str, names: str, hosts: str, **more: Any) -> list[Machine]:
    """Machines on a network whose IPv6 subnet has this mode."""
    network = lab.api.create(NETWORK, [{"dns_domain": "example.org.", "mtu": 1400}]).items[0]
    subnet = {"network_id": network["id"], "ip_version": 6, "cidr": cidr}
    modes = {"ipv6_ra_mode": mode, "ipv6_address_mode": mode}
    lab.api.create(SUBNET, [subnet | modes | more])
    bodies = [
        {"network_id": network["id"], "name": name, "binding:host_id": host}
        for name, host in zip(names.split(), hosts.split(), strict=True)
    ]
    created = lab.api.create(PORT, bodies)
    machines = lab.plug(created.items)
    assert lab.api.wait(created.revision, wait_s).converged
    return machines


def ip6(lab: Lab, machine: Machine, *words: str) -> list[dict[str, Any]]:
    namespace = lab.layout.machine_namespace(machine.name)
    shown: list[dict[str, Any]] = json.loads(run("ip", "-n", namespace, "-6", "-j", *words))
    return shown


def addresses(lab: Lab, machine: Machine) -> set[str]:
    """The machine's global addresses that can be used."""
    shown = ip6(lab, machine, "address", "show", "dev", "eth0", "scope", "global")
    found = (each for link in shown for each in link.get("addr_info", ()))
    return {each["local"] for each in found if "local" in each and not each.get("tentative")}


@pytest.mark.proves("Router advertisements", "IPv6", "same")
def test_a_kernel_gives_itself_the_address_that_the_api_gave_its_port(lab: Lab) -> None:
    machines = make(lab, "slaac", "fd00:51::/64", "auto1 auto2", "h1 h2")

    for machine in machines:
        expected = {machine.address(6)}
        wait_until("SLAAC", lambda m=machine, e=expected: addresses(lab, m) == e, wait_s)  # type: ignore[misc]

    routes = ip6(lab, machines[0], "route", "show", "dev", "eth0")
    assert "fd00:51::/64" in {route["dst"] for route in routes}
    assert "default" not in {route["dst"] for route in routes}
    assert lab.ping_all({each.name: each.address(6) for each in machines}).ok == 2
    lab.unplug(machines)


def test_a_machine_uses_the_address_of_a_subnet_that_has_gone_no_more(lab: Lab) -> None:
    (machine,) = make(lab, "slaac", "fd00:57::/64", "stays", "h1")
    (kept,) = machine.addresses
    network_id = lab.api.show(PORT, machine.port_id)["network_id"]
    body = {"network_id": network_id, "ip_version": 6, "cidr": "fd00:58::/64"}
    modes = dict.fromkeys(("ipv6_address_mode", "ipv6_ra_mode"), "slaac")
    subnet_id = lab.api.create(SUBNET, [body | modes]).items[0]["id"]
    wait_until("both addresses", lambda: len(addresses(lab, machine)) == 2, wait_s)
    assert preferred(lab, machine) == addresses(lab, machine)

    lab.api.delete(SUBNET, subnet_id)

    wait_until("one to be used", lambda: preferred(lab, machine) == {kept}, wait_s)
    lab.unplug([machine])


def preferred(lab: Lab, machine: Machine) -> set[str]:
    """Those of its addresses that new connections use."""
    shown = ip6(lab, machine, "address", "show", "dev", "eth0", "scope", "global", "-deprecated")
    return {each["local"] for link in shown for each in link.get("addr_info", ()) if each}


def test_a_router_is_the_default_router_of_who_is_told_by_advertisement(lab: Lab) -> None:
    (one,) = make(lab, "slaac", "fd00:54::/64", "left", "h1")
    (other,) = make(lab, "slaac", "fd00:55::/64", "right", "h2")
    router_id = lab.api.create(ROUTER, [{"name": "between"}]).items[0]["id"]
    for machine in (one, other):
        port = lab.api.show(PORT, machine.port_id)
        subnet_id = port["fixed_ips"][0]["subnet_id"]
        arguments = {"subnet_id": subnet_id}
        _, revision = lab.api.act(ROUTER, router_id, "add_router_interface", arguments)
    assert lab.api.wait(revision, wait_s).converged

    wait_until("a default router", lambda: len(default_routers(lab, one)) == 1, wait_s)
    wait_until("a default router", lambda: len(default_routers(lab, other)) == 1, wait_s)
    wait_until("SLAAC", lambda: addresses(lab, other) == {other.address(6)}, wait_s)
    wait_until("SLAAC", lambda: addresses(lab, one) == {one.address(6)}, wait_s)
    assert lab.ping_all({each.name: each.address(6) for each in (one, other)}).ok == 2

    for machine in (one, other):
        ask_whether_it_is_there(lab, machine, *default_routers(lab, machine))
        assert len(default_routers(lab, machine)) == 1
    lab.api.act(ROUTER, router_id, "remove_router_interface", {"subnet_id": subnet_id})
    wait_until("its farewell", lambda: default_routers(lab, other) == [], wait_s)
    lab.unplug([one, other])


def test_a_machine_that_is_a_router_stays_the_default_router_of_its_neighbours(lab: Lab) -> None:
    edge, near, far = make(lab, "slaac", "fd00:59::/64", "edge near far", "h1 h1 h2")
    anything = {"port_security_enabled": False, "security_groups": []}
    for machine in (edge, near, far):
        revision = lab.api.update(PORT, machine.port_id, anything)[1]
    assert lab.api.wait(revision, wait_s).converged
    space = lab.layout.machine_namespace(edge.name)
    with namespaces.inside(space):
        forward_packets()
    said = Advertisement(mac(edge.mac), 1_800, False, False, 1_400, ())
    router = str(eui64_link_local(mac(edge.mac)))

    with FrameSocket(space) as wire:
        for machine in (near, far):

            def hears(machine: Machine = machine) -> bool:
                wire.send(build_advertisement(said, ALL_NODES_MAC, ALL_NODES))
                return default_routers(lab, machine) == [router]

            wait_until("a default router", hears, wait_s)
            ask_whether_it_is_there(lab, machine, router)
            assert default_routers(lab, machine) == [router]
    lab.unplug([edge, near, far])


def ask_whether_it_is_there(lab: Lab, machine: Machine, router: str) -> None:
    """As a kernel does from time to time, of whom it sends to; until it is answered."""
    space = lab.layout.machine_namespace(machine.name)

    def found() -> dict[str, Any]:
        return next(
            each
            for each in ip6(lab, machine, "neigh", "show", "dev", "eth0")
            if each["dst"] == router
        )

    link_layer = found()["lladdr"]

    def is_there() -> bool:
        if found()["state"] == ["REACHABLE"]:
            return True
        words = ("lladdr", link_layer, "dev", "eth0", "router", "nud", "probe")
        run("ip", "-n", space, "neigh", "replace", router, *words)
        return False

    wait_until(f"{router} to answer", is_there, wait_s)


def default_routers(lab: Lab, machine: Machine) -> list[str]:
    """Whom the kernel sends to what is not on its link."""
    shown = ip6(lab, machine, "route", "show", "default", "dev", "eth0")
    return [route["gateway"] for route in shown if "gateway" in route]


@pytest.mark.proves("DHCP", "IPv6", "same")
def test_a_client_gets_its_address_names_and_domain_by_dhcpv6(lab: Lab) -> None:
    servers = {"dns_nameservers": ["fd00:52::53"]}
    machines = make(lab, "dhcpv6-stateful", "fd00:52::/64", "asks1 asks2", "h1 h2", **servers)
    revision = lab.api.update(PORT, machines[0].port_id, {"dns_name": "asks1"})[1]
    assert lab.api.wait(revision, wait_s).converged

    leases = [dhcp6.get_lease(lab.layout, machine) for machine in machines]

    assert [lease.address for lease in leases] == [machine.address(6) for machine in machines]
    assert {(lease.dns, lease.domain.rstrip(".")) for lease in leases} == {
        ("fd00:52::53", "openstacklocal")
    }
    label = f"host-{machines[1].address(6)}".replace(":", "-")
    assert [each.name.rstrip(".") for each in leases] == [
        "asks1.openstacklocal",
        f"{label}.openstacklocal",
    ]
    assert all(addresses(lab, each) == {each.address(6)} for each in machines)
    assert lab.ping_all({each.name: each.address(6) for each in machines}).ok == 2
    dhcp6.release(lab.layout, machines[1])
    boot = {"opt_name": "bootfile-url", "opt_value": "http://[fd00::9]/x", "ip_version": 6}
    _, revision = lab.api.update(PORT, machines[1].port_id, {"extra_dhcp_opts": [boot]})
    assert lab.api.wait(revision, wait_s).converged
    assert dhcp6.get_lease(lab.layout, machines[1]).boot == "http://[fd00::9]/x"
    lab.unplug(machines)


def test_a_stateless_client_has_its_address_by_advertisement_and_the_rest_by_dhcpv6(
    lab: Lab,
) -> None:
    servers = {"dns_nameservers": ["fd00:53::53"]}
    (machine,) = make(lab, "dhcpv6-stateless", "fd00:53::/64", "half", "h1", **servers)

    lease = dhcp6.get_lease(lab.layout, machine, addresses=False)

    assert (lease.address, lease.dns) == ("", "fd00:53::53")
    wait_until("SLAAC", lambda: addresses(lab, machine) == {machine.address(6)}, wait_s)
    lab.unplug([machine])
