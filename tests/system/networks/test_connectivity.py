"""Packets that must arrive: IPv6, leases in full, TCP, and ports that come later."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from shutil import rmtree
from threading import Timer

import pytest
from tests.system.conftest import wait_active

from alcor.client.api import NETWORK, PORT, SUBNET
from alcor.lab import hosts, processes
from alcor.lab.lab import Lab
from alcor.lab.layout import interface_name
from alcor.lab.machines import bridge, give_address
from alcor.lab.record import Machine

lab_name = "sysconn"
lab_hosts = 2
ALCOR = [sys.executable, "-P", "-m", "alcor.cli.main"]

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


@pytest.mark.proves("Networks", "IPv4 IPv6", "same across")
def test_machines_of_a_dual_stack_network_ping_each_other_by_ipv6_and_ipv4(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network_id = make_network("10.5.0.0/24", "fd00:5::/64")
    machines = make_machines(network_id, "six1 six2 six3", "h1 h2 h2")

    for version in (6, 4):
        result = lab.ping_all({m.name: m.address(version) for m in machines})
        assert (result.ok, result.total) == (6, 6)
    lab.unplug(machines)


@pytest.mark.proves("DHCP", "IPv4", "same")
def test_a_lease_says_what_the_subnet_says(lab: Lab) -> None:
    network = lab.api.create(NETWORK, [{"mtu": 1400}]).items[0]
    lab.api.create(
        SUBNET,
        [
            {
                "network_id": network["id"],
                "ip_version": 4,
                "cidr": "10.6.0.0/23",
                "dns_nameservers": ["192.0.2.53", "192.0.2.54"],
                "host_routes": [{"destination": "198.51.100.0/24", "nexthop": "10.6.0.9"}],
            }
        ],
    )
    body = {"network_id": network["id"], "name": "lease1", "binding:host_id": "h1"}
    machines = lab.plug(lab.api.create(PORT, [body]).items)

    lease = lab.get_leases(machines)["lease1"]
    kept = lab.keep_evidence(machines)

    assert lease.address == machines[0].addresses[0]
    assert (lease.length, lease.mtu) == (23, "1400")
    assert lease.dns.split() == ["192.0.2.53", "192.0.2.54"]
    assert "198.51.100.0/24 10.6.0.9" in lease.routes
    assert "0.0.0.0/0 10.6.0.1" in lease.routes
    assert lease.lease_s > 0
    assert "lease of" in (kept / "lease1" / "lease1.dhcp.log").read_text()
    assert "controller(" in (kept / "lease1" / "dhcp-trace").read_text()
    assert machines[0].mac in (kept / "h1" / "dump-flows").read_text()
    assert (kept / "h1" / "agent" / "goal-state").exists()
    assert (kept / "h2" / "agent.log").read_text()
    rmtree(kept)
    lab.unplug(machines)


def test_who_is_plugged_in_where_another_was_gets_a_lease_of_his_own(
    lab: Lab, make_network: MakeNetwork
) -> None:
    network_id = make_network("10.12.0.0/24")
    bodies = [
        {"network_id": network_id, "name": name, "binding:host_id": "h1"}
        for name in ("was", "comes")
    ]
    was, comes = machines = lab.plug(lab.api.create(PORT, bodies).items)
    assert lab.get_leases([was])["was"].address == was.addresses[0]
    host, old, new = lab.host("h1"), *(interface_name(each.port_id) for each in machines)
    number = hosts.vsctl(host, "get", "Interface", old, "ofport").strip()

    for _ in range(5):  # to and fro, each time in one change of the switch's database
        words = ["del-port", old, "--", "del-port", new, "--", "add-port", bridge, new, "--", "set"]
        words += ["Interface", new, f"ofport_request={number}"]
        hosts.vsctl(host, *words, f"external_ids:iface-id={comes.port_id}")
        assert hosts.vsctl(host, "get", "Interface", new, "ofport").strip() == number
        assert lab.get_leases([comes])[comes.name].address == comes.addresses[0]
        (was, old), (comes, new) = (comes, new), (was, old)
        hosts.vsctl(host, "add-port", bridge, new)
    lab.unplug(machines)


def test_who_asks_while_the_agent_hangs_gets_a_lease_when_it_goes_on(
    lab: Lab, make_network: MakeNetwork
) -> None:
    network_id = make_network("10.13.0.0/24")
    bodies = [
        {"network_id": network_id, "name": f"hung{number}", "binding:host_id": "h1"}
        for number in range(8)
    ]
    created = lab.api.create(PORT, bodies)
    machines = lab.plug(created.items)
    wait_active(lab, [each.port_id for each in machines])
    (agent,) = processes.running(lab.host("h1").folder, processes.Program.AGENT)
    goes_on = Timer(2.5, os.kill, (agent.pid, signal.SIGCONT))
    os.kill(agent.pid, signal.SIGSTOP)
    goes_on.start()
    try:
        leases = lab.get_leases(machines)
    finally:
        goes_on.join()

    assert {m.name: m.addresses[0] for m in machines} == {
        name: lease.address for name, lease in leases.items()
    }
    lab.unplug(machines)


def test_a_machine_is_told_the_options_of_its_port_and_its_neighbour_is_not(
    lab: Lab, make_network: MakeNetwork
) -> None:
    network_id = make_network("10.10.0.0/24")
    options = [
        {"opt_name": "server-ip-address", "opt_value": "192.0.2.5"},
        {"opt_name": "bootfile-name", "opt_value": "undionly.kpxe"},
        {"opt_name": "42", "opt_value": "192.0.2.3"},
    ]
    bodies = [
        {"network_id": network_id, "name": "pxe", "binding:host_id": "h1"},
        {"network_id": network_id, "name": "plain", "binding:host_id": "h1"},
    ]
    created = lab.api.create(PORT, [bodies[0] | {"extra_dhcp_opts": options}, bodies[1]])
    machines = lab.plug(created.items)
    assert lab.api.wait(created.revision, 30).converged

    leases = lab.get_leases(machines)

    told, plain = leases["pxe"], leases["plain"]
    assert (told.next_server, told.boot_file) == ("192.0.2.5", "undionly.kpxe")
    assert told.ntp == "192.0.2.3"
    assert (plain.boot_file, plain.ntp) == ("", "")
    lab.unplug(machines)


def test_a_machine_can_be_plugged_in_pinged_and_taken_away_by_the_command_line(
    lab: Lab, make_network: MakeNetwork
) -> None:
    network = lab.api.show(NETWORK, make_network("10.7.0.0/24", name="seven"))
    alcor = ["--endpoint", lab.record.endpoint]
    run("port", "create", "seven", "--network", "seven", "--count", "2", *alcor,
        "--spread-over", "h1,h2", "--wait", "30")  # fmt: skip

    name = lab.layout.name
    run("router", "create", "seven", *alcor)
    run(
        "router", "attach", "seven", "--subnet", network["subnets"][0], *alcor
    )  # whose port gets no machine
    run("lab", "plug", "seven1", "--name", name)
    plugged = run("lab", "plug", "--network", "seven", "--name", name)
    again = run("lab", "plug", "--network", "seven", "--name", name)
    pings = run("lab", "ping", "seven1", "seven2", "--name", name, "-f", "json")
    inside = run("lab", "exec", "--name", name, "seven1", "--", "ip", "-j", "link", "show", "eth0")
    status = json.loads(run("lab", "status", "--name", name, "-f", "json"))
    nobody = subprocess.run(  # that none of no pings is lost is no good news
        [*ALCOR, "lab", "ping", "seven1", "seven2", "--version", "6", "--name", name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    run("lab", "unplug", "seven1", "seven2", "--name", name)

    assert nobody.returncode == 1
    assert "fewer than two of these machines have an IPv6 address" in nobody.stderr
    assert "seven1" not in plugged
    assert "seven2" in plugged
    assert "seven" not in again
    assert json.loads(pings) == {"pings_ok": 2, "pings_total": 2}
    assert json.loads(inside)[0]["mtu"] == 1450
    assert {"seven1", "seven2"} <= {machine["name"] for machine in status["machines"]}
    assert all(host["agent"] and host["switch"] for host in status["hosts"])


def test_a_machine_without_ipv4_is_plugged_in_without_waiting_for_a_lease(
    lab: Lab, make_network: MakeNetwork
) -> None:
    make_network("fd07::/64", name="six")
    alcor = ["--endpoint", lab.record.endpoint]
    run("port", "create", "six", "--network", "six", "--host", "h1", *alcor)

    plugged = run("lab", "plug", "six", "--name", lab.layout.name)
    run("lab", "unplug", "six", "--name", lab.layout.name)

    assert "six" in plugged


def run(*words: str) -> str:
    done = subprocess.run([*ALCOR, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.proves("Ports that move", "IPv4 IPv6", "across")
@pytest.mark.parametrize(("cidr", "bits"), [("10.8.0.0/24", 24), ("fd08::/64", 64)])
def test_a_port_moved_to_another_host_is_reached_there(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines, cidr: str, bits: int
) -> None:
    network_id = make_network(cidr)
    stays, moves = make_machines(network_id, "stays moves", "h1 h1")
    assert lab.ping_all({m.name: m.addresses[0] for m in (stays, moves)}).ok == 2

    lab.unplug([moves])
    port, _ = lab.api.update(PORT, moves.port_id, {"binding:host_id": "h2"})
    moved = lab.plug([port])
    give_address(lab.layout, moved[0], moved[0].addresses[0], bits)

    assert lab.ping_all({m.name: m.addresses[0] for m in (stays, *moved)}, 30).ok == 2
    lab.unplug([stays, *moved])
