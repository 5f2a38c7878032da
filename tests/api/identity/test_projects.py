"""What members, readers, administrators and services of one project and another may do and see."""

from typing import Any

import pytest

NETWORKS = "/v2.0/networks"
PORTS = "/v2.0/ports"


@pytest.fixture(scope="module")
def blue(api_as: Any, people: Any) -> dict[str, Any]:
    """A network of project blue, with a subnet and a port."""
    mary = api_as(people.member)
    network = mary.network(name="blue")
    subnet = mary.subnet(network["id"], "10.1.0.0/24")
    port = mary.port(network["id"], name="blue-port")
    return {"networks": network, "subnets": subnet, "ports": port}


def test_what_a_member_makes_is_their_projects(
    blue: dict[str, Any], keystone: Any, people: Any
) -> None:
    project = keystone.project(people.member.project)
    for made in blue.values():
        assert made["project_id"] == made["tenant_id"] == project


def test_a_member_may_not_make_things_for_another_project(api_as: Any, people: Any) -> None:
    answer = api_as(people.member).call("POST", NETWORKS, {"network": {"project_id": "red"}})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


@pytest.mark.parametrize("kind", ["networks", "subnets", "ports"])
def test_what_is_of_another_project_is_not_there(
    blue: dict[str, Any], api_as: Any, people: Any, kind: str
) -> None:
    steve, path = api_as(people.stranger), f"/v2.0/{kind}/{blue[kind]['id']}"
    singular = kind.removesuffix("s")

    answers = [
        steve.get(path),
        steve.call("PUT", path, {singular: {"name": "mine"}}),
        steve.call("DELETE", path),
    ]

    assert [a.status for a in answers] == [404] * 3
    assert {a.type for a in answers} == {f"{singular.title()}NotFound"}
    assert blue[kind]["id"] not in {each["id"] for each in steve.listed(f"/v2.0/{kind}")}
    assert not steve.listed(f"/v2.0/{kind}?id={blue[kind]['id']}")


def test_a_stranger_makes_nothing_on_the_network_of_another(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    steve = api_as(people.stranger)
    network = blue["networks"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.2.0.0/24"}

    for path, body in ((PORTS, {"port": {"network_id": network}}),
                       ("/v2.0/subnets", {"subnet": subnet})):  # fmt: skip
        answer = steve.call("POST", path, body)
        assert (answer.status, answer.type) == (404, "NetworkNotFound")


@pytest.mark.parametrize("kind", ["networks", "subnets", "ports"])
def test_a_reader_sees_and_changes_nothing(
    blue: dict[str, Any], api_as: Any, people: Any, kind: str
) -> None:
    rita, path = api_as(people.reader), f"/v2.0/{kind}/{blue[kind]['id']}"
    singular = kind.removesuffix("s")
    network = blue["networks"]["id"]
    body = {"network": {}, "port": {"network_id": network}, "subnet": {
        "network_id": network, "ip_version": 4, "cidr": "10.3.0.0/24"}}[singular]  # fmt: skip

    answers = [
        rita.call("POST", f"/v2.0/{kind}", {singular: body}),
        rita.call("PUT", path, {singular: {"name": "mine"}}),
        rita.call("DELETE", path),
    ]

    assert rita.get(path).json[singular]["id"] == blue[kind]["id"]
    assert [a.status for a in answers] == [403] * 3
    assert {a.type for a in answers} == {"PolicyNotAuthorized"}


def test_who_has_no_role_that_counts_sees_nothing(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    nemo = api_as(people.nobody)

    assert nemo.listed(NETWORKS) == []
    assert nemo.get(f"{NETWORKS}/{blue['networks']['id']}").status == 404


def test_an_administrator_sees_all_and_makes_things_for_others(
    blue: dict[str, Any], api_as: Any, people: Any, keystone: Any
) -> None:
    admin, project = api_as(people.admin), keystone.project("blue")

    made = admin.network(name="given", project_id=project)

    assert blue["networks"]["id"] in {n["id"] for n in admin.listed(NETWORKS)}
    assert api_as(people.member).get(f"{NETWORKS}/{made['id']}").status == 200


def test_only_administrators_and_services_see_and_set_where_a_port_is_bound(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    path = f"{PORTS}/{blue['ports']['id']}"
    mary, nova = api_as(people.member), api_as(people.nova)

    refused = mary.call("PUT", path, {"port": {"binding:host_id": "h1"}})
    bound = nova.call("PUT", path, {"port": {"binding:host_id": "h1"}})

    assert (refused.status, refused.type) == (403, "PolicyNotAuthorized")
    assert bound.json["port"]["binding:host_id"] == "h1"
    assert "binding:host_id" not in mary.get(path).json["port"]
    assert mary.get(f"{PORTS}?binding:host_id=h1").status == 400


def test_only_administrators_see_hosts(api_as: Any, people: Any) -> None:
    mary, admin = api_as(people.member), api_as(people.admin)
    admin.make("/alcor/v1/nodes", "node", name="seen-by-admin", tunnel_ip="192.0.2.9")
    agent = admin.listed("/v2.0/agents")[0]["id"]

    for path, id_ in (("/alcor/v1/nodes", "seen-by-admin"), ("/v2.0/agents", agent)):
        assert admin.get(f"{path}/{id_}").status == 200
        assert mary.listed(path) == []
        assert mary.get(f"{path}/{id_}").status == 404
        assert mary.call("DELETE", f"{path}/{id_}").status == 404


def test_a_member_sees_no_segment_of_a_network(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    path = f"{NETWORKS}/{blue['networks']['id']}"

    assert "provider:segmentation_id" not in api_as(people.member).get(path).json["network"]
    assert "provider:segmentation_id" in api_as(people.admin).get(path).json["network"]


def test_a_service_sees_every_projects_ports_but_makes_no_network(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    octavia = api_as(people.service)

    assert octavia.get(f"{PORTS}/{blue['ports']['id']}").status == 200
    assert octavia.call("POST", NETWORKS, {"network": {}}).status == 403


@pytest.mark.parametrize("owner", ["compute:nova", "baremetal:none", "manila:share"])
def test_a_port_of_a_service_is_not_deleted_from_under_it(
    blue: dict[str, Any], api_as: Any, people: Any, owner: str
) -> None:
    mary = api_as(people.member)
    port = mary.port(blue["networks"]["id"], device_owner=owner, device_id="a-machine")
    path = f"{PORTS}/{port['id']}"

    refused = mary.call("DELETE", path)

    assert (refused.status, refused.type) == (403, "PolicyNotAuthorized")
    assert api_as(people.nova).call("DELETE", path).status == 204


def test_a_service_deletes_its_port_for_a_member_by_its_own_token_beside_theirs(
    blue: dict[str, Any], asking: Any, keystone: Any, api_as: Any, people: Any
) -> None:
    port = api_as(people.member).port(blue["networks"]["id"], device_owner="compute:nova")
    token = keystone.token(people.member)
    service, other = keystone.token(people.nova), keystone.token(people.stranger)
    path = f"{PORTS}/{port['id']}"

    unvouched = asking.bearing(token, X_Service_Token=other).call("DELETE", path)
    vouched = asking.bearing(token, X_Service_Token=service).call("DELETE", path)

    assert (unvouched.status, vouched.status) == (403, 204)
