"""NDP proxies by packets: an IPv6 address inside is found from outside without a route to it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.system.routers.test_north_south import ROUTER, answers, ping, space

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch, run
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.waiting import wait_until

lab_name = "sysndp"
lab_hosts = 2
lab_uplinks = 1  # the second host has none

SCOPE = Kind("address_scope", "address_scopes", "/v2.0/address-scopes")
POOL = Kind("subnetpool", "subnetpools", "/v2.0/subnetpools")
PROXY = Kind("ndp_proxy", "ndp_proxies", "/v2.0/ndp_proxies")
inside = "2001:db8:0:40::/64"

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


class Site(NamedTuple):
    """A network behind a router that may answer for it outside, and a machine on every host."""

    router_id: str
    machines: list[Machine]


@pytest.fixture
def site(lab: Lab, make_machines: MakeMachines) -> Site:
    scope = made(lab, SCOPE, name="s", ip_version=6)
    fields = {"prefixes": ["2001:db8::/32"], "default_prefixlen": 64, "address_scope_id": scope}
    pool = made(lab, POOL, name="p", **fields)
    flat = {"provider:network_type": "flat", "provider:physical_network": outside.physical_network}
    public = made(lab, NETWORK, **{"router:external": True}, **flat)
    network = made(lab, NETWORK, name="inside")
    for network_id, cidr, gateway in (
        (public, outside.cidr6, outside.gateway6),
        (network, inside, "2001:db8:0:40::1"),
    ):
        subnet = {"network_id": network_id, "cidr": cidr, "gateway_ip": gateway}
        leg = made(lab, SUBNET, ip_version=6, subnetpool_id=pool, enable_dhcp=False, **subnet)
    way_out = {"network_id": public}
    router = made(lab, ROUTER, external_gateway_info=way_out, enable_ndp_proxy=True)
    lab.api.act(ROUTER, router, "add_router_interface", {"subnet_id": leg})
    machines = make_machines(network, "near far", "h1 h2")
    for machine in machines:
        free = {"port_security_enabled": False, "security_groups": []}
        revision = lab.api.update(PORT, machine.port_id, free)[1]
        ip_batch(
            ["route replace default via 2001:db8:0:40::1"],
            lab.layout.machine_namespace(machine.name),
        )
    assert lab.api.wait(revision, 30).converged
    ip_batch([f"route replace {inside} dev br0"], lab.layout.outside_namespace)
    return Site(router, machines)


def made(lab: Lab, kind: Kind, **fields: Any) -> str:
    id_: str = lab.api.create(kind, [fields]).items[0]["id"]
    return id_


def forget(lab: Lab) -> None:
    """Whoever is outside asks anew who has which address."""
    with namespaces.inside(lab.layout.outside_namespace):
        run("ip", "-6", "neigh", "flush", "dev", "br0")


def test_only_an_address_with_a_proxy_is_found_from_outside(lab: Lab, site: Site) -> None:
    out = lab.layout.outside_namespace
    near, far = site.machines
    for machine in site.machines:
        assert "0 received" in ping(out, machine.address(6))
    created = lab.api.create(
        PROXY, [{"router_id": site.router_id, "port_id": each.port_id} for each in (near, far)]
    )
    assert lab.api.wait(created.revision, 30).converged

    for machine in site.machines:  # also behind a host without uplink
        answers(out, machine.address(6))
        answers(space(lab, machine.name), outside.gateway6)  # whose answer finds the way back
    gone = lab.api.delete(PROXY, created.items[0]["id"])
    assert lab.api.wait(gone, 30).converged
    forget(lab)
    assert "0 received" in ping(out, near.address(6))
    answers(out, far.address(6))
    closed = lab.api.update(ROUTER, site.router_id, {"enable_ndp_proxy": False})[1]
    assert lab.api.wait(closed, 30).converged
    forget(lab)
    wait_until("nobody to answer", lambda: "0 received" in ping(out, far.address(6)), 30)
