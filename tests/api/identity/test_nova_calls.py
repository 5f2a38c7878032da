"""The calls that Nova makes, in its order, as its service user and as the user it works for.

Source: nova.network.neutron of August 2026; the lists are in the Networking API's order there.
"""

from typing import Any

import pytest

SERVER = "5e7a0000-0000-4000-8000-0000000000aa"
PORTS = "/v2.0/ports"


@pytest.fixture(scope="module")
def blue(api_as: Any, people: Any, keystone: Any) -> dict[str, Any]:
    """A network of the user's with a subnet, and the id of their project."""
    mary = api_as(people.member)
    network = mary.network(name="nova-blue")
    subnet = mary.subnet(network["id"], "10.9.0.0/24")
    return {
        "network": network["id"],
        "subnet": subnet["id"],
        "project": keystone.project(people.member.project),
    }


@pytest.fixture
def booted(blue: dict[str, Any], api_as: Any, people: Any) -> dict[str, Any]:
    """A port that Nova made for a machine on host h1."""
    mary, nova = api_as(people.member), api_as(people.nova)
    made = mary.port(blue["network"], tenant_id=blue["project"], device_id=SERVER,
                     admin_state_up=True)  # fmt: skip
    body = {
        "device_id": SERVER,
        "device_owner": "compute:nova",
        "binding:host_id": "h1",
        "binding:profile": {},
    }
    answer = nova.call("PUT", f"{PORTS}/{made['id']}", {"port": body})
    assert answer.status == 200, answer
    port: dict[str, Any] = answer.json["port"]
    return port


def test_before_a_boot_networks_and_quotas_are_found(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    mary, nova = api_as(people.member), api_as(people.nova)
    project, network = blue["project"], blue["network"]

    assert {"binding", "net-mtu"} <= {e["alias"] for e in mary.listed("/v2.0/extensions")}
    assert [n["id"] for n in mary.listed(f"/v2.0/networks?id={network}")] == [network]
    own = mary.listed(f"/v2.0/networks?tenant_id={project}&shared=False")
    assert network in {each["id"] for each in own}
    assert mary.get("/v2.0/networks?shared=True").status == 200
    assert nova.get(f"/v2.0/quotas/{project}").json["quota"]["port"]
    ports = nova.listed(f"{PORTS}?tenant_id={project}&fields=id")
    assert all(each.keys() == {"id"} for each in ports)


def test_a_booting_machine_gets_a_bound_port(booted: dict[str, Any]) -> None:
    assert booted["device_owner"] == "compute:nova"
    assert booted["binding:host_id"] == "h1"
    assert booted["binding:vnic_type"] == "normal"
    assert booted["binding:profile"] == {}
    assert booted["status"] == "DOWN"  # until the host says otherwise
    assert booted["fixed_ips"][0]["ip_address"].startswith("10.9.0.")


def test_a_host_that_is_not_there_is_a_failed_binding_and_no_error(booted: dict[str, Any]) -> None:
    assert booted["binding:vif_type"] == "binding_failed"


def test_a_host_that_is_there_plugs_the_port_into_its_switch(
    booted: dict[str, Any], api_as: Any, people: Any
) -> None:
    admin, nova = api_as(people.admin), api_as(people.nova)
    admin.make("/alcor/v1/nodes", "node", name="nova-host", tunnel_ip="192.0.2.77")

    answer = nova.call("PUT", f"{PORTS}/{booted['id']}", {"port": {"binding:host_id": "nova-host"}})

    assert answer.json["port"]["binding:vif_type"] == "ovs"
    assert answer.json["port"]["binding:vif_details"]["port_filter"] is True


def test_the_network_info_of_a_machine_is_found(
    booted: dict[str, Any], blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    nova = api_as(people.nova)
    project, network = blue["project"], blue["network"]

    found = nova.listed(f"{PORTS}?tenant_id={project}&device_id={SERVER}")
    assert booted["id"] in {port["id"] for port in found}
    assert nova.listed(f"/v2.0/networks?id={network}")[0]["mtu"] > 0
    subnet = booted["fixed_ips"][0]["subnet_id"]
    assert nova.listed(f"/v2.0/subnets?id={subnet}")[0]["cidr"] == "10.9.0.0/24"
    assert nova.listed(f"{PORTS}?network_id={network}&device_owner=network%3Adhcp") == []


def test_a_port_that_nova_made_is_deleted_with_its_machine(
    booted: dict[str, Any], api_as: Any, people: Any
) -> None:
    nova = api_as(people.nova)

    assert booted["id"] in {p["id"] for p in nova.listed(f"{PORTS}?device_id={SERVER}")}
    assert nova.call("DELETE", f"{PORTS}/{booted['id']}").status == 204
    assert nova.get(f"{PORTS}/{booted['id']}").status == 404


def test_a_users_port_is_detached_and_stays(
    booted: dict[str, Any], api_as: Any, people: Any
) -> None:
    nova, path = api_as(people.nova), f"{PORTS}/{booted['id']}"
    body: dict[str, Any] = {"device_id": "", "device_owner": ""}
    body |= {"binding:host_id": None, "binding:profile": {}}

    answer = nova.call("PUT", path, {"port": body})

    port = answer.json["port"]
    assert (port["device_id"], port["device_owner"], port["binding:host_id"]) == ("", "", "")
    assert port["binding:vif_type"] == "unbound"
    assert api_as(people.member).call("DELETE", path).status == 204


def test_many_machines_are_asked_about_in_one_call(
    booted: dict[str, Any], api_as: Any, people: Any
) -> None:
    """Nova asks for a page of servers at once: long queries, which broke the original's gateway."""
    ids = [SERVER] + [f"5e7a0000-0000-4000-8000-{number:012x}" for number in range(500)]
    query = "&".join(f"device_id={each}" for each in ids)

    found = api_as(people.nova).listed(f"{PORTS}?{query}&fields=id&fields=device_id")

    assert booted["id"] in {port["id"] for port in found}


def test_security_groups_are_found_by_name_when_they_are_announced(
    blue: dict[str, Any], api_as: Any, people: Any
) -> None:
    mary = api_as(people.member)
    aliases = {each["alias"] for each in mary.listed("/v2.0/extensions")}

    answer = mary.get(f"/v2.0/security-groups?fields=id&fields=name&tenant_id={blue['project']}")

    assert answer.status == (200 if "security-group" in aliases else 404)
