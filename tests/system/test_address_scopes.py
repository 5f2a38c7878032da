"""Between address scopes a router leads by translation only: proven by packets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any, NamedTuple

import pytest
from tests.system.test_north_south import ROUTER, Talk, answers, give_floating_ip, ping, space

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import outside
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "sysscope"
lab_hosts = 2
lab_uplinks = 1  # the second host has none

SCOPE = Kind("address_scope", "address_scopes", "/v2.0/address-scopes")
POOL = Kind("subnetpool", "subnetpools", "/v2.0/subnetpools")
timeout_s = 30.0
numbers = count(61)  # of prefixes: a scope has none twice

MakeMachines = Callable[..., list[Machine]]


class Site(NamedTuple):
    """A router on three networks and outside: all but `green` are in the scope of outside."""

    scope_id: str
    green_pool_id: str
    world_id: str
    gateway: str  # the router's address outside
    machines: dict[str, Machine]


def make(lab: Lab, kind: Kind, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = lab.api.create(kind, [body]).items[0]
    return made


def make_pool(lab: Lab, prefix: str, scope_id: str) -> str:
    body = {"name": "p", "prefixes": [prefix], "min_prefixlen": 24, "address_scope_id": scope_id}
    return str(make(lab, POOL, **body)["id"])


def make_subnet(lab: Lab, network_id: str, pool_id: str, cidr: str, **more: Any) -> str:
    body = {"network_id": network_id, "ip_version": 4, "subnetpool_id": pool_id, "cidr": cidr}
    return str(make(lab, SUBNET, **body, **more)["id"])


@pytest.fixture(scope="module")
def world(lab: Lab) -> tuple[str, str]:
    """A scope, and an external network in it."""
    scope_id = make(lab, SCOPE, name="s", ip_version=4)["id"]
    body = {"provider:network_type": "flat", "provider:physical_network": outside.physical_network}
    network_id = make(lab, NETWORK, **{"router:external": True}, **body)["id"]
    pool_id = make_pool(lab, outside.cidr, scope_id)
    gateway = {"gateway_ip": outside.gateway, "enable_dhcp": False}
    make_subnet(lab, network_id, pool_id, outside.cidr, **gateway)
    return scope_id, network_id


@pytest.fixture
def site(lab: Lab, world: tuple[str, str], make_machines: MakeMachines) -> Iterator[Site]:
    scope_id, world_id = world
    other_id = make(lab, SCOPE, name="other", ip_version=4)["id"]
    prefixes = [f"10.{number}.0.0/16" for number in (next(numbers), next(numbers))]
    pool_id, green_pool_id = (
        make_pool(lab, prefixes[0], scope_id),
        make_pool(lab, prefixes[1], other_id),
    )
    router = make(lab, ROUTER, name="r", external_gateway_info={"network_id": world_id})
    machines: list[Machine] = []
    for name, host, pool, cidr in (
        ("red", "h1", pool_id, prefixes[0].replace("0.0/16", "0.0/24")),
        ("blue", "h2", pool_id, prefixes[0].replace("0.0/16", "1.0/24")),
        ("green", "h2", green_pool_id, prefixes[1].replace("0.0/16", "0.0/24")),
    ):
        network_id = make(lab, NETWORK, name=name)["id"]
        subnet_id = make_subnet(lab, network_id, pool, cidr)
        lab.api.act(ROUTER, router["id"], "add_router_interface", {"subnet_id": subnet_id})
        machines += make_machines(network_id, name, host)
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        gateway = machine.address(4).rpartition(".")[0] + ".1"
        ip_batch([f"route replace default via {gateway}"], space(lab, machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    (own,) = router["external_gateway_info"]["external_fixed_ips"]
    by_name = {machine.name: machine for machine in machines}
    yield Site(scope_id, green_pool_id, world_id, own["ip_address"], by_name)
    lab.unplug(machines)


def move(lab: Lab, site: Site, scope_id: str | None) -> None:
    """Put the pool of the green network into a scope, or out of all."""
    change = {"address_scope_id": scope_id}
    revision = lab.api.update(POOL, site.green_pool_id, change)[1]
    assert lab.api.wait(revision, timeout_s).converged


@pytest.mark.proves("Address scopes", "IPv4", "same across")
def test_subnets_of_one_scope_reach_each_other_and_no_others(lab: Lab, site: Site) -> None:
    at = {name: machine.address(4) for name, machine in site.machines.items()}
    answers(space(lab, "red"), at["blue"])
    for one, other in (("red", "green"), ("green", "red"), ("blue", "green")):
        said = ping(space(lab, one), at[other])
        assert "Net Unreachable" in said, said

    move(lab, site, site.scope_id)
    answers(space(lab, "red"), at["green"])
    answers(space(lab, "green"), at["blue"])

    move(lab, site, None)
    assert "Net Unreachable" in ping(space(lab, "red"), at["green"])


def test_the_outside_sees_its_own_scope_as_it_is_and_others_translated(
    lab: Lab, site: Site
) -> None:
    out = lab.layout.outside_namespace
    for machine in site.machines.values():
        ip_batch([f"route replace {machine.address(4)} via {site.gateway}"], out)
    for name in ("red", "blue"):
        machine = site.machines[name]
        answers(space(lab, name), outside.beyond)
        answers(out, machine.address(4))
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, name), outside.gateway)
            assert talk.seen_as == machine.address(4)
            assert talk.passes(b"as it is" * 1_000)
    green = site.machines["green"]
    answers(space(lab, "green"), outside.beyond)
    with ExitStack() as stack:
        talk = Talk(stack, out, space(lab, "green"), outside.gateway)
        assert talk.seen_as == site.gateway
        assert talk.passes(b"translated" * 1_000)
    assert "1 received" not in ping(out, green.address(4))
    floating = give_floating_ip(lab, site.world_id, green)["floating_ip_address"]
    answers(out, floating)
