"""What an operator of Neutron tries first on a replacement, one step after the other.

Where a step is Nova's or a client program's, it is done with what these ask for: bindings of ports
for the live migration, extensions and agents as the command line lists them.
"""

import signal
from contextlib import suppress
from typing import Any, NamedTuple

import pytest
from tests.system.conftest import ControlPlane, converge_timeout_s, wait_active

from alcor.agent.desired.desired import Desired
from alcor.agent.desired.state import read
from alcor.client.api import AGENT, NETWORK, PORT, SUBNET, Kind
from alcor.client.connection import Refused
from alcor.goal_state.entries import Neighbour
from alcor.lab import hosts, outside, parts
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.layout import LabHost
from alcor.lab.machines import give_address
from alcor.lab.moving import MovingMachine
from alcor.lab.record import Machine
from alcor.lab.traffic.ping import Pair, ping
from alcor.lab.traffic.stream import Stream
from alcor.lab.waiting import wait_until

lab_name = "sysfirst"
lab_hosts = 2
lab_uplinks = 2

EXTENSION = Kind("extension", "extensions", "/v2.0/extensions")
ROUTER = Kind("router", "routers", "/v2.0/routers")
FLOATING = Kind("floatingip", "floatingips", "/v2.0/floatingips")
GROUP = Kind("security_group", "security_groups", "/v2.0/security-groups")
RULE = Kind("security_group_rule", "security_group_rules", "/v2.0/security-group-rules")
CIDR, GATEWAY = "10.80.0.0/24", "10.80.0.1"


class Site(NamedTuple):
    """Two servers on two hosts behind a router, each with a floating IP."""

    servers: dict[str, Machine]
    moving: MovingMachine  # the second, which can be moved to the first's host
    floating: dict[str, str]


def make(lab: Lab, kind: Kind, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = lab.api.create(kind, [body]).items[0]
    return made


@pytest.fixture(scope="module")
def site(lab: Lab) -> Site:
    """What the tests of this module share; the last but one takes it down."""
    world = make(
        lab,
        NETWORK,
        **{
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": outside.physical_network,
        },
    )["id"]
    gateway = {"gateway_ip": outside.gateway, "enable_dhcp": False}
    make(lab, SUBNET, network_id=world, ip_version=4, cidr=outside.cidr, **gateway)
    network = make(lab, NETWORK, name="first")["id"]
    subnet = make(lab, SUBNET, network_id=network, ip_version=4, cidr=CIDR)["id"]
    router = make(lab, ROUTER, external_gateway_info={"network_id": world})["id"]
    lab.api.act(ROUTER, router, "add_router_interface", {"subnet_id": subnet})
    group = make(lab, GROUP, name="pings")["id"]
    make(lab, RULE, security_group_id=group, direction="ingress", protocol="icmp")
    common = {"network_id": network, "security_groups": [group]}
    bodies = [
        {"name": name, "binding:host_id": host, **common}
        for name, host in (("one", "h1"), ("two", "h2"))
    ]
    created = lab.api.create(PORT, bodies)
    one, two = lab.plug(created.items)
    moving = MovingMachine(lab.layout, two)
    floating: dict[str, str] = {}
    for machine in (one, two):
        give_address(lab.layout, machine, machine.addresses[0], 24)
        space = lab.layout.machine_namespace(machine.name)
        ip_batch([f"route replace default via {GATEWAY}"], space)
        body = {"floating_network_id": world, "port_id": machine.port_id}
        given = lab.api.create(FLOATING, [body])
        floating[machine.name] = given.items[0]["floating_ip_address"]
    assert lab.api.wait(given.revision, converge_timeout_s).converged
    wait_active(lab, [one.port_id, two.port_id])
    moving.plug(lab.host("h1"))
    return Site({"one": one, "two": two}, moving, floating)


def answers(lab: Lab, site: Site) -> None:
    """Both servers hear each other, and the world hears both by their floating IPs."""
    addresses = {name: each.addresses[0] for name, each in site.servers.items()}
    assert not lab.ping_all(addresses, converge_timeout_s).unanswered
    where = {"world": lab.layout.outside_namespace}
    pairs = [Pair("world", name, address) for name, address in site.floating.items()]
    assert not ping(pairs, where, converge_timeout_s).unanswered


def sent(stream: Stream, more: int) -> None:
    upto = stream.sent + more
    wait_until("the stream", lambda: stream.sent >= upto, converge_timeout_s)


def test_step_1_the_extensions_of_the_network_service_are_listed(lab: Lab) -> None:
    listed = lab.api.list_page(EXTENSION)
    aliases = {each["alias"] for each in listed}
    assert {"router", "security-group", "binding", "agent", "quotas", "qos"} <= aliases
    assert all(each["name"] and each["description"] and each["updated"] for each in listed)


def test_step_2_the_agents_are_listed_and_alive(lab: Lab) -> None:
    agents = {each["host"]: each for each in lab.api.list_page(AGENT)}
    assert {"h1", "h2"} <= agents.keys()
    for host in ("h1", "h2"):
        assert agents[host]["alive"]
        assert agents[host]["admin_state_up"]
        assert agents[host]["heartbeat_timestamp"]


def test_step_3_two_servers_on_two_hosts_hear_each_other_and_are_heard_by_floating_ip(
    lab: Lab, site: Site
) -> None:
    answers(lab, site)


def test_step_4_the_api_is_stopped_and_pings_go_on(
    lab: Lab, site: Site, control_plane: ControlPlane
) -> None:
    with lab.stream("one", site.servers["two"].addresses[0]) as stream:
        sent(stream, 20)
        control_plane.kill()
        sent(stream, 100)
        control_plane.start()
    assert stream.result.lost == ()


def test_step_5_an_agent_is_restarted_and_pings_go_on(lab: Lab, site: Site) -> None:
    parts.wait_alive(lab.api, lab.hosts)
    with lab.stream("one", site.servers["two"].addresses[0]) as stream:
        sent(stream, 20)
        parts.stop_agent(lab.host("h1"))
        parts.start_agent(lab.host("h1"), lab.record)
        parts.wait_alive(lab.api, lab.hosts)
        sent(stream, 50)
    assert stream.result.lost == ()


def test_step_6_a_server_is_moved_while_it_runs(lab: Lab, site: Site) -> None:
    bindings = Kind("binding", "bindings", f"/v2.0/ports/{site.moving.machine.port_id}/bindings")
    with lab.stream("one", site.moving.machine.addresses[0]) as stream:
        made = lab.api.create(bindings, [{"host": "h1"}])
        assert lab.api.wait(made.revision, converge_timeout_s).converged
        sent(stream, 20)
        before, first = stream.under_way(), stream.sent
        site.moving.move(lab.host("h1"))
        last = stream.sent
        lab.api.act(bindings, "h1", "activate", {})
        gone = lab.api.delete(bindings, "h2")
        assert lab.api.wait(gone, converge_timeout_s).converged
        sent(stream, 20)
    assert set(stream.result.lost) <= before | set(range(first, last + 1))
    site.moving.unplug(lab.host("h2"))
    wait_active(lab, [site.moving.machine.port_id])
    answers(lab, site)


def remembers(host: LabHost, machine: Machine) -> bool:
    """Whether a host's memory says that a machine is there, and nowhere else."""
    saved = read(host.folder / "agent" / "goal-state")
    held = Desired(host.name).restore(saved).put if saved is not None else []
    found = [e for e in held if isinstance(e, Neighbour) and e.port_id == machine.port_id]
    return [(str(e.tunnel_endpoint), e.also) for e in found] == [(host.tunnel_ip, ())]


def test_step_10_a_host_is_rebooted_and_its_servers_are_back_without_the_controller(
    lab: Lab, site: Site, control_plane: ControlPlane
) -> None:
    host, moved = lab.host("h1"), site.moving.machine
    wait_until("the move to be saved", lambda: remembers(host, moved), converge_timeout_s)
    control_plane.kill()
    parts.stop_agent(host, signal.SIGKILL)
    hosts.reboot(host)
    parts.start_agent(host, lab.record)
    answers(lab, site)
    control_plane.start()
    parts.wait_alive(lab.api, lab.hosts)


def test_step_7_everything_is_deleted_by_a_script_that_knows_no_order(lab: Lab, site: Site) -> None:
    lab.unplug([site.servers["one"], site.moving.machine])
    kinds = (NETWORK, SUBNET, GROUP, ROUTER, PORT, FLOATING)  # the wrong way round
    refusals: set[int] = set()
    for _ in range(10):
        left = 0
        for router in lab.api.list_page(ROUTER):
            for subnet in lab.api.list_page(SUBNET):
                with suppress(Refused):
                    body = {"subnet_id": subnet["id"]}
                    lab.api.act(ROUTER, router["id"], "remove_router_interface", body)
        for kind in kinds:
            for each in lab.api.list_page(kind):
                if each["name" if "name" in each else "id"] == "default":
                    continue
                left += 1
                try:
                    lab.api.delete(kind, each["id"])
                except Refused as refused:
                    refusals.add(refused.status)
        if not left:
            break
    assert not left
    assert refusals <= {404, 409}
    assert 409 in refusals
