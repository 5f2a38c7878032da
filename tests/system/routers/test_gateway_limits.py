"""QoS at gateways by packets: of floating IPs, and of what is seen as the router."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.system.obeyed import obeyed
from tests.system.ports.test_qos import (
    POLICY,
    burst_kbit,
    count,
    is_limited,
    limit_kbps,
    payload_bytes,
)
from tests.system.routers.test_north_south import (
    FLOATING,
    ROUTER,
    Site,
    answers,
    give_floating_ip,
    ping,
    space,
    stand,
)

from alcor.client.api import NETWORK, SUBNET, Kind
from alcor.lab import outside
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.flood import Flooded, flood, overhead_bytes

pytestmark = pytest.mark.alone
lab_name = "sysgwlim"
lab_hosts = 2
lab_uplinks = 1  # the second host has none

MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]
pings, slow_kbps = 150, 100


@pytest.fixture(scope="module")
def world(lab: Lab) -> str:
    """The external network."""
    body = {
        "router:external": True,
        "provider:network_type": "flat",
        "provider:physical_network": outside.physical_network,
    }
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    subnet = {"network_id": network_id, "ip_version": 4, "cidr": outside.cidr}
    lab.api.create(SUBNET, [subnet | {"gateway_ip": outside.gateway, "enable_dhcp": False}])
    return network_id


@pytest.fixture
def site(
    lab: Lab, world: str, make_network: MakeNetwork, make_machines: MakeMachines
) -> Iterator[Site]:
    network_id = make_network("10.40.0.0/24", "fd40::/64")
    yield from stand(lab, world, network_id, make_machines(network_id, "g1 g2", "h1 h2"))


def policy(lab: Lab, *directions: str, kbps: int = limit_kbps) -> str:
    """A policy that limits bits in these directions."""
    made: str = lab.api.create(POLICY, [{"name": "q"}]).items[0]["id"]
    rules = f"/v2.0/qos/policies/{made}/bandwidth_limit_rules"
    kind = Kind("bandwidth_limit_rule", "bandwidth_limit_rules", rules)
    limits = {"max_kbps": kbps, "max_burst_kbps": burst_kbit}
    for direction in directions:
        lab.api.create(kind, [limits | {"direction": direction}])
    return made


def give(lab: Lab, kind: Kind, id_: str, changes: dict[str, Any]) -> None:
    obeyed(lab, lab.api.update(kind, id_, changes)[1])


def out_of(lab: Lab, machine: str) -> Flooded:
    ends = space(lab, machine), lab.layout.outside_namespace
    return flood(*ends, outside.gateway, count, payload_bytes)


def into(lab: Lab, machine: Machine, via: str) -> Flooded:
    ends = lab.layout.outside_namespace, space(lab, machine.name)
    return flood(*ends, machine.address(4), count, payload_bytes, via=via)


def test_a_floating_ip_is_limited_both_ways_and_what_is_seen_as_the_router_is_not(
    lab: Lab, world: str, site: Site
) -> None:
    machine = site.machines["g1"]
    floating = give_floating_ip(lab, world, machine)
    address = floating["floating_ip_address"]
    for name in site.machines:
        answers(space(lab, name), outside.beyond)
    assert into(lab, machine, address).share > 0.95
    give(lab, FLOATING, floating["id"], {"qos_policy_id": policy(lab, "ingress", "egress")})

    for limited in (into(lab, machine, address), out_of(lab, "g1")):
        assert is_limited(limited), limited
    assert out_of(lab, "g2").share > 0.95
    give(lab, FLOATING, floating["id"], {"qos_policy_id": None})
    for free in (into(lab, machine, address), out_of(lab, "g1")):
        assert free.share > 0.95, free


def test_a_floating_ip_has_the_policy_of_its_network_unless_it_has_its_own(
    lab: Lab, world: str, site: Site
) -> None:
    floating = give_floating_ip(lab, world, site.machines["g1"])
    for name in site.machines:
        answers(space(lab, name), outside.beyond)
    give(lab, NETWORK, world, {"qos_policy_id": policy(lab, "egress")})
    try:
        limited = out_of(lab, "g1")
        assert is_limited(limited), limited
        assert out_of(lab, "g2").share > 0.95  # what is seen as the router is no floating IP
        give(
            lab, FLOATING, floating["id"], {"qos_policy_id": policy(lab, "egress", kbps=slow_kbps)}
        )
        limited = out_of(lab, "g1")
        assert is_limited(limited, slow_kbps), limited
    finally:
        give(lab, NETWORK, world, {"qos_policy_id": None})
    give(lab, FLOATING, floating["id"], {"qos_policy_id": None})
    assert out_of(lab, "g1").share > 0.95


def test_what_is_seen_as_the_router_is_limited_both_ways_and_a_floating_ip_is_not(
    lab: Lab, world: str, site: Site
) -> None:
    give_floating_ip(lab, world, site.machines["g1"])
    for name in site.machines:
        answers(space(lab, name), outside.beyond)
    way_out = {"network_id": world, "qos_policy_id": policy(lab, "egress")}
    give(lab, ROUTER, site.router_id, {"external_gateway_info": way_out})

    limited = out_of(lab, "g2")
    assert is_limited(limited), limited
    assert out_of(lab, "g1").share > 0.95
    way_out["qos_policy_id"] = policy(lab, "ingress", kbps=slow_kbps)
    give(lab, ROUTER, site.router_id, {"external_gateway_info": way_out})
    assert out_of(lab, "g2").share > 0.95  # what it sends is free; what it is answered is not
    limited = answered(lab, "g2")
    assert is_limited(limited, slow_kbps), limited
    assert answered(lab, "g1").share > 0.95
    give(lab, ROUTER, site.router_id, {"external_gateway_info": way_out | {"qos_policy_id": None}})
    assert answered(lab, "g2").share > 0.95


def answered(lab: Lab, machine: str) -> Flooded:
    """How many of many large pings at a time are answered."""
    said = ping(space(lab, machine), outside.beyond, f"-c{pings}", "-i0.003", f"-s{payload_bytes}")
    received = re.search(r"(\d+) received", said)
    took = re.search(r"time (\d+)ms", said)
    assert received is not None
    assert took is not None
    bits = (payload_bytes + overhead_bytes) * 8
    return Flooded(pings, int(received[1]), int(took[1]) / 1_000, bits, frozenset())
