"""What clients of Neutron may write otherwise, and what it means; Neutron 29 was asked beside."""

from typing import Any

import pytest


@pytest.fixture(scope="module")
def network(api: Any) -> str:
    return str(api.network(name="spellings")["id"])


@pytest.mark.parametrize("field", ["dns_nameservers", "host_routes", "service_types"])
def test_null_is_an_empty_list_of_a_subnet(api: Any, network: str, field: str) -> None:
    made = api.subnet(network, "10.201.0.0/24", **{field: None})
    changed = api.call("PUT", f"/v2.0/subnets/{made['id']}", {"subnet": {field: None}})
    api.call("DELETE", f"/v2.0/subnets/{made['id']}")

    assert made[field] == []
    assert (changed.status, changed.json["subnet"][field]) == (200, [])


@pytest.mark.parametrize("mac", ["02-00-5E-00-00-1A", "0200.5e00.001a", "02005e00001a"])
def test_a_mac_is_shown_with_colons_and_found_as_it_was_written(
    api: Any, network: str, mac: str
) -> None:
    port = api.port(network, mac_address=mac)
    found = api.listed(f"/v2.0/ports?network_id={network}&mac_address={mac}")
    api.call("DELETE", f"/v2.0/ports/{port['id']}")

    assert port["mac_address"] == "02:00:5e:00:00:1a"
    assert [each["id"] for each in found] == [port["id"]]


@pytest.mark.parametrize("mac", ["02-00:5e:00:00:1a", "0200.5e00001a", "02005e00001", "02-00"])
def test_a_mac_in_no_known_form_is_refused(api: Any, network: str, mac: str) -> None:
    answer = api.call("POST", "/v2.0/ports", {"port": {"network_id": network, "mac_address": mac}})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_a_route_with_host_bits_is_refused_instead_of_shown_otherwise(
    api: Any, network: str
) -> None:
    """A client that compares what it wrote with what it reads would see a difference for ever."""
    route = {"destination": "10.202.0.5/16", "nexthop": "10.201.1.1"}
    subnet = api.subnet(network, "10.201.1.0/24")
    router = api.make("/v2.0/routers", "router")

    of_hosts = api.call(
        "PUT", f"/v2.0/subnets/{subnet['id']}", {"subnet": {"host_routes": [route]}}
    )
    of_router = api.call("PUT", f"/v2.0/routers/{router['id']}", {"router": {"routes": [route]}})

    for answer in (of_hosts, of_router):
        assert (answer.status, answer.type) == (400, "HTTPBadRequest")
        assert "'10.202.0.5/16' is not a valid CIDR" in answer.message


def test_a_service_type_that_is_none_is_refused_by_neutrons_name(api: Any, network: str) -> None:
    fields = {"network_id": network, "ip_version": 4, "cidr": "10.201.2.0/24"}
    answer = api.call("POST", "/v2.0/subnets", {"subnet": {**fields, "service_types": ["nope"]}})

    assert (answer.status, answer.type) == (400, "InvalidSubnetServiceType")


def test_paths_may_say_json(api: Any, network: str) -> None:
    assert api.get("/v2.0/networks.json?name=spellings").json["networks"][0]["id"] == network
    assert api.get(f"/v2.0/networks/{network}.json").json["network"]["name"] == "spellings"
    assert api.call("PUT", f"/v2.0/networks/{network}/tags/a.json").status in (200, 201)
    assert api.get(f"/v2.0/networks/{network}/tags").json["tags"] == ["a.json"]


def test_a_load_balancer_before_neutron_asks_whether_there_is_health(api: Any) -> None:
    answer = api.get("/healthcheck")

    assert (answer.status, answer.body) == (200, b"OK")
    assert answer.headers["content-type"].startswith("text/plain")
    for path in ("/healthcheck", "/readyz", "/"):
        briefly = api.call("HEAD", path)
        assert (briefly.status, briefly.body) == (200, b""), path


def test_a_ports_addresses_may_come_back_with_octavias_empty_subnet(api: Any, network: str) -> None:
    """Octavia plugs a port into one more subnet so; Neutron takes no notice of the key."""
    subnets = [api.subnet(network, f"10.20{i}.0.0/24")["id"] for i in (2, 3)]
    port = api.port(network, fixed_ips=[{"subnet_id": subnets[0]}])
    more = [*(each | {"subnet": None} for each in port["fixed_ips"]), {"subnet_id": subnets[1]}]
    changed = api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": {"fixed_ips": more}})
    wrong = {"fixed_ips": [{"subnets": subnets[0]}]}
    refused = api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": wrong})
    api.call("DELETE", f"/v2.0/ports/{port['id']}")
    for subnet in subnets:
        api.call("DELETE", f"/v2.0/subnets/{subnet}")

    assert changed.status == 200, changed
    assert {each["subnet_id"] for each in changed.json["port"]["fixed_ips"]} == set(subnets)
    assert refused.status == 400
