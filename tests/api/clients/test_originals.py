"""The original Alcor's routes: its paths and words, today's answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alcor.gateway.app import GatewaySettings

UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"


@pytest.fixture(scope="module")
def vpc(api: Any) -> dict[str, Any]:
    answer = api.call("POST", "/project/blue/vpcs", {"network": {"name": "a-vpc"}})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json["network"]
    return made


def test_a_vpc_is_a_network_of_the_paths_project(api: Any, vpc: dict[str, Any]) -> None:
    assert vpc["project_id"] == "blue"
    assert api.get(f"/v2.0/networks/{vpc['id']}").json["network"] == vpc
    assert api.get(f"/project/blue/vpcs/{vpc['id']}").json["network"] == vpc
    assert api.get(f"/v4/blue/vpcs/{vpc['id']}").json["network"] == vpc


def test_a_list_holds_the_projects_own_under_its_name(api: Any, vpc: dict[str, Any]) -> None:
    api.network(name="of-another", project_id="red")

    listed = api.get("/project/blue/vpcs?name=a-vpc").json["vpcs"]
    all_of_it = api.get("/project/blue/vpcs").json["vpcs"]

    assert [each["id"] for each in listed] == [vpc["id"]]
    assert {each["project_id"] for each in all_of_it} == {"blue"}


def test_it_is_changed_and_deleted_with_todays_statuses(api: Any) -> None:
    id_ = api.call("POST", "/project/blue/vpcs", {"network": {}}).json["network"]["id"]
    path = f"/project/blue/vpcs/{id_}"

    changed = api.call("PUT", path, {"network": {"name": "other"}})

    assert changed.json["network"]["name"] == "other"
    assert api.call("DELETE", path).status == 204
    gone = api.get(path)
    assert (gone.status, gone.type) == (404, "NetworkNotFound")


def test_bulk_makes_all_and_changes_each(api: Any, vpc: dict[str, Any]) -> None:
    made = api.call("POST", "/project/blue/vpcs/bulk", {"vpcs": [{"name": "x"}, {"name": "y"}]})
    ids = [each["id"] for each in made.json["vpcs"]]
    ports = api.call(
        "POST", "/project/blue/ports/bulk", {"ports": [{"network_id": id_} for id_ in ids]}
    ).json["ports"]

    items = [{"id": port["id"], "name": "changed"} for port in ports] + [{"id": UNKNOWN}]
    answer = api.call("PUT", "/project/blue/ports/bulk", {"ports": items})

    assert {port["project_id"] for port in ports} == {"blue"}
    assert [each["status"] for each in answer.json["results"]] == [200, 200, 404]


def test_subnets_have_their_path(api: Any, vpc: dict[str, Any]) -> None:
    fields = {"network_id": vpc["id"], "cidr": "10.40.0.0/24", "ip_version": 4}
    made = api.call("POST", "/project/blue/subnets", {"subnet": fields})

    assert made.json["subnet"]["project_id"] == "blue"
    assert api.get("/project/blue/subnets?cidr=10.40.0.0/24").json["subnets"]


def test_a_node_has_its_old_words(api: Any) -> None:
    body = {"host_info": {"node_name": "old-host", "local_ip": "192.0.2.140"}}
    made = api.call("POST", "/nodes", body)
    more = [{"node_name": f"old-{n}", "local_ip": f"192.0.2.{141 + n}"} for n in range(2)]

    bulk = api.call("POST", "/nodes/bulk", {"host_infos": more})

    assert made.json["host_info"]["local_ip"] == "192.0.2.140"
    assert [each["node_name"] for each in bulk.json["host_infos"]] == ["old-0", "old-1"]
    assert api.get("/nodes/old-host").json["host_info"]["node_name"] == "old-host"
    assert api.get("/alcor/v1/nodes/old-host").status == 200


def test_a_mac_tells_whose_it_is(api: Any, vpc: dict[str, Any]) -> None:
    port = api.port(vpc["id"], project_id="blue")

    told = api.get(f"/macs/{port['mac_address']}").json["mac_state"]

    assert told == {
        "mac_address": port["mac_address"], "project_id": "blue", "vpc_id": vpc["id"],
        "port_id": port["id"], "state": "Active",
    }  # fmt: skip
    assert api.get("/macs/fa:16:3e:ff:ff:ff").status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/project/blue/nothing", 404),
        ("GET", "/project//vpcs", 404),
        ("GET", "/project/blue", 404),
        ("GET", "/project/blue/vpcs/x/y", 404),
        ("GET", "/project/blue/vpcs/x/y/z", 404),
        ("PATCH", "/project/blue/vpcs", 405),
        ("DELETE", "/project/blue/vpcs/bulk", 405),
        ("PUT", "/macs/fa:16:3e:00:00:01", 405),
        ("POST", "/project/blue/vpcs", 400),
        ("GET", f"/project/blue/ports/{UNKNOWN}", 404),
    ],
)
def test_what_is_not_there_is_refused_as_everywhere(
    api: Any, method: str, path: str, status: int
) -> None:
    answer = api.call(method, path)

    assert answer.status == status
    assert answer.type


def test_network_acls_have_their_path_and_words(announced: Any) -> None:
    api = announced
    net = api.network(name="acl-vpc", project_id="blue")["id"]
    subnet = api.subnet(net, "10.41.0.0/24", project_id="blue")["id"]
    body = {"network_acl": {"name": "acl", "vpc_id": net, "associated_subnets": [subnet]}}

    made = api.call("POST", "/project/blue/network-acls", body)

    assert made.status == 201, made
    acl = made.json["network_acl"]
    assert (acl["vpc_id"], acl["associated_subnets"]) == (net, [subnet])
    rule = {"network_acl_id": acl["id"], "number": 10, "direction": "ingress", "action": "deny"}
    made = api.call("POST", "/project/blue/network-acl-rules", {"network_acl_rule": rule})
    assert made.status == 201, made


@pytest.fixture
def with_one_outside(control_plane: Any, tmp_path: Path) -> Iterator[Any]:
    """A control plane of its own with exactly one external network."""
    with control_plane(tmp_path, GatewaySettings()) as api:
        outside = api.network(**{"router:external": True})
        api.subnet(outside["id"], "198.18.0.0/24", enable_dhcp=False)
        yield api


def test_an_elastic_ip_is_a_floating_ip_of_the_only_external_network(with_one_outside: Any) -> None:
    api = with_one_outside
    made = api.call("POST", "/project/blue/elasticips", {"elasticip": {"elastic_ip_version": 4}})

    assert made.status == 201, made
    elastic = made.json["elasticip"]
    assert elastic["elastic_ip"].startswith("198.18.")
    assert elastic["private_ip"] is None
    ours = api.get(f"/v2.0/floatingips/{elastic['id']}").json["floatingip"]
    assert ours["floating_ip_address"] == elastic["elastic_ip"]
    assert api.call("DELETE", f"/project/blue/elasticips/{elastic['id']}").status == 204


@pytest.mark.parametrize("rest", ["", "/default", "/details.json"])
def test_quotas_have_their_path(api: Any, rest: str) -> None:
    ours = api.get(f"/v2.0/quotas/blue{rest}")

    assert ours.status == 200, ours
    assert api.get(f"/project/blue/quotas/blue{rest}").json == ours.json
