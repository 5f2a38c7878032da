"""Between address scopes a router leads by translation only: proven by packets."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any, NamedTuple

import pytest
from tests.system.obeyed import obeyed
from tests.system.routers.test_north_south import (
    ROUTER,
    Talk,
    answers,
    give_floating_ip,
    ping,
    space,
)
from tests.system.routers.test_routing import gateway_of

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


class World(NamedTuple):
    """An external network, and the scope of its addresses of each family."""

    network_id: str
    scope_id: dict[int, str]


class Site(NamedTuple):
    """A router on three networks and outside: all but `green` are in the scope of outside."""

    version: int
    scope_id: str
    green_pool_id: str
    world_id: str
    gateway: str  # the router's address outside
    machines: dict[str, Machine]

    def at(self, name: str) -> str:
        """A machine's address."""
        return self.machines[name].address(self.version)


def make(lab: Lab, kind: Kind, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = lab.api.create(kind, [body]).items[0]
    return made


def make_pool(lab: Lab, prefix: str, scope_id: str) -> str:
    shortest = 64 if ":" in prefix else 24
    body = {"prefixes": [prefix], "min_prefixlen": shortest, "address_scope_id": scope_id}
    return str(make(lab, POOL, name="p", **body)["id"])


def make_subnet(lab: Lab, network_id: str, pool_id: str, cidr: str, **more: Any) -> str:
    version = 6 if ":" in cidr else 4
    body = {"network_id": network_id, "ip_version": version, "subnetpool_id": pool_id, "cidr": cidr}
    return str(make(lab, SUBNET, **body, **more)["id"])


@pytest.fixture(scope="module")
def world(lab: Lab) -> World:
    """An external network in a scope of each family."""
    body = {"provider:network_type": "flat", "provider:physical_network": outside.physical_network}
    network_id = make(lab, NETWORK, **{"router:external": True}, **body)["id"]
    scopes = {}
    for version, cidr, gateway in (
        (4, outside.cidr, outside.gateway),
        (6, outside.cidr6, outside.gateway6),
    ):
        scopes[version] = make(lab, SCOPE, name="s", ip_version=version)["id"]
        pool_id = make_pool(lab, cidr, scopes[version])
        make_subnet(lab, network_id, pool_id, cidr, gateway_ip=gateway, enable_dhcp=False)
    return World(network_id, scopes)


def prefix_of(version: int) -> tuple[str, Callable[[int], str]]:
    """A prefix that was not there before, and its subnets by number."""
    number = next(numbers)
    if version == 4:
        return f"10.{number}.0.0/16", lambda n: f"10.{number}.{n}.0/24"
    return f"fd{number}::/48", lambda n: f"fd{number}:0:0:{n}::/64"


@pytest.fixture(params=[4, 6])
def site(
    lab: Lab, world: World, make_machines: MakeMachines, request: pytest.FixtureRequest
) -> Iterator[Site]:
    version: int = request.param
    scope_id = world.scope_id[version]
    other_id = make(lab, SCOPE, name="other", ip_version=version)["id"]
    (prefix, subnet), (green_prefix, green_subnet) = prefix_of(version), prefix_of(version)
    pool_id, green_pool_id = (
        make_pool(lab, prefix, scope_id),
        make_pool(lab, green_prefix, other_id),
    )
    router = make(lab, ROUTER, name="r", external_gateway_info={"network_id": world.network_id})
    machines: list[Machine] = []
    for name, host, pool, cidr in (
        ("red", "h1", pool_id, subnet(0)),
        ("blue", "h2", pool_id, subnet(1)),
        ("green", "h2", green_pool_id, green_subnet(0)),
    ):
        network_id = make(lab, NETWORK, name=name)["id"]
        subnet_id = make_subnet(lab, network_id, pool, cidr)
        lab.api.act(ROUTER, router["id"], "add_router_interface", {"subnet_id": subnet_id})
        machines += make_machines(network_id, name, host)
    for machine in machines:
        open_up = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, open_up)[1]
        gateway = gateway_of(lab, machine, version)
        ip_batch([f"route replace default via {gateway}"], space(lab, machine.name))
    assert lab.api.wait(revision, timeout_s).converged
    every = [each["ip_address"] for each in router["external_gateway_info"]["external_fixed_ips"]]
    (own,) = (each for each in every if (":" in each) == (version == 6))
    by_name = {machine.name: machine for machine in machines}
    yield Site(version, scope_id, green_pool_id, world.network_id, own, by_name)
    lab.unplug(machines)


def move(lab: Lab, site: Site, scope_id: str | None) -> None:
    """Put the pool of the green network into a scope, or out of all."""
    change = {"address_scope_id": scope_id}
    obeyed(lab, lab.api.update(POOL, site.green_pool_id, change)[1])


def is_told_so(said: str) -> bool:
    """Whether a router says to who pings that there is no way."""
    return "Net Unreachable" in said or "Destination unreachable: No route" in said


@pytest.mark.proves("Address scopes", "IPv4 IPv6", "same across")
def test_subnets_of_one_scope_reach_each_other_and_no_others(lab: Lab, site: Site) -> None:
    answers(space(lab, "red"), site.at("blue"))
    for one, other in (("red", "green"), ("green", "red"), ("blue", "green")):
        said = ping(space(lab, one), site.at(other))
        assert is_told_so(said), said

    move(lab, site, site.scope_id)
    answers(space(lab, "red"), site.at("green"))
    answers(space(lab, "green"), site.at("blue"))

    move(lab, site, None)
    assert is_told_so(ping(space(lab, "red"), site.at("green")))


def test_the_outside_sees_its_own_scope_as_it_is_and_others_translated_or_not_at_all(
    lab: Lab, site: Site
) -> None:
    out = lab.layout.outside_namespace
    beyond, gateway = {
        4: (outside.beyond, outside.gateway),
        6: (outside.beyond6, outside.gateway6),
    }[site.version]
    for name in site.machines:
        ip_batch([f"route replace {site.at(name)} via {site.gateway}"], out)
    for name in ("red", "blue"):
        answers(space(lab, name), beyond)
        answers(out, site.at(name))
        with ExitStack() as stack:
            talk = Talk(stack, out, space(lab, name), gateway)
            assert talk.seen_as == site.at(name)
            assert talk.passes(b"as it is" * 1_000)
    green = site.machines["green"]
    if site.version == 6:  # which nobody translates
        assert is_told_so(ping(space(lab, "green"), beyond))
        assert "1 received" not in ping(out, site.at("green"))
        return
    answers(space(lab, "green"), outside.beyond)
    with ExitStack() as stack:
        talk = Talk(stack, out, space(lab, "green"), outside.gateway)
        assert talk.seen_as == site.gateway
        assert talk.passes(b"translated" * 1_000)
    assert "1 received" not in ping(out, green.address(4))
    floating = give_floating_ip(lab, site.world_id, green)["floating_ip_address"]
    answers(out, floating)
