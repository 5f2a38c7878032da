"""Availability zones over HTTP: of hosts, and asked for by routers and networks."""

from collections.abc import Iterator
from typing import Any

import pytest

from alcor.gateway.app import GatewaySettings

ZONES, NODES, ROUTERS = "/v2.0/availability_zones", "/alcor/v1/nodes", "/v2.0/routers"


@pytest.fixture
def region(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Any]:
    with control_plane(tmp_path_factory.mktemp("zones"), GatewaySettings()) as api:
        yield api


def zones(api: Any, kind: str = "router") -> list[str]:
    return [each["name"] for each in api.listed(f"{ZONES}?resource={kind}")]


def test_the_zones_are_those_of_hosts_and_one_host_is_in_one(region: Any) -> None:
    assert zones(region) == []
    made = region.make(NODES, "node", name="h1", tunnel_ip="192.0.2.1")
    region.make(NODES, "node", name="h2", tunnel_ip="192.0.2.2", availability_zone="east")
    assert made["availability_zone"] == "nova"
    assert zones(region) == zones(region, "network") == ["east", "nova"]

    moved = region.call("PUT", f"{NODES}/h1", {"node": {"availability_zone": "west"}})

    assert moved.json["node"]["availability_zone"] == "west"
    assert zones(region) == ["east", "west"]
    (agent,) = region.listed("/v2.0/agents?availability_zone=west")
    assert agent["host"] == "h1"


@pytest.mark.parametrize("name", ["", "a" * 256, "a\tb", None])
def test_a_zone_has_a_name(api: Any, name: object) -> None:
    body = {"name": "h1", "tunnel_ip": "192.0.2.1", "availability_zone": name}

    answer = api.call("POST", NODES, {"node": body})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_routers_and_networks_are_asked_for_in_zones_that_are_there(region: Any) -> None:
    region.make(NODES, "node", name="h1", tunnel_ip="192.0.2.1", availability_zone="east")

    router = region.make(ROUTERS, "router", availability_zone_hints=["east", "nova"])
    network = region.network(availability_zone_hints=["east"])

    assert router["availability_zone_hints"] == router["availability_zones"] == ["east", "nova"]
    assert network["availability_zone_hints"] == ["east"]
    for path, name in ((ROUTERS, "router"), ("/v2.0/networks", "network")):
        answer = region.call("POST", path, {name: {"availability_zone_hints": ["east", "far"]}})
        assert (answer.status, answer.type) == (404, "AvailabilityZoneNotFound")
    assert region.make(ROUTERS, "router")["availability_zones"] == []
