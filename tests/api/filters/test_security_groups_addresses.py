"""Address groups and network ACLs over HTTP."""

import time
from typing import Any
from uuid import uuid4

import pytest

ADDRESS_GROUPS = "/v2.0/address-groups"
within_s = 5  # what is fed by the log is right soon, not at once
ACLS, ACL_RULES = "/alcor/v1/network-acls", "/alcor/v1/network-acl-rules"


def address_group(api: Any, *addresses: str) -> dict[str, Any]:
    made: dict[str, Any]
    made = api.make(ADDRESS_GROUPS, "address_group", name="a", addresses=list(addresses))
    return made


def act(api: Any, id_: object, action: str, *addresses: str) -> Any:
    path = f"{ADDRESS_GROUPS}/{id_}/{action}"
    return api.call("PUT", path, {"addresses": list(addresses)})


def test_addresses_come_and_go(announced: Any) -> None:
    made = address_group(announced, "10.10.10.3/32", "192.168.0.10/24", "2001:db8::f00/64")
    assert made["addresses"] == ["10.10.10.3/32", "192.168.0.0/24", "2001:db8::/64"]

    added = act(announced, made["id"], "add_addresses", "10.20.30.40/32")
    removed = act(announced, made["id"], "remove_addresses", "10.10.10.3/32")

    assert added.status == removed.status == 200
    shown = announced.get(f"{ADDRESS_GROUPS}/{made['id']}").json["address_group"]
    assert removed.json["address_group"] == shown
    assert shown["addresses"] == ["192.168.0.0/24", "2001:db8::/64", "10.20.30.40/32"]
    assert shown["revision_number"] == 3


@pytest.mark.parametrize(
    ("action", "address", "status", "type_"),
    [
        ("add_addresses", "this is bad IP address", 400, "InvalidInput"),
        ("remove_addresses", "this is bad IP address", 400, "InvalidInput"),
        ("add_addresses", "10.0.0.7/24", 400, "AddressesAlreadyExist"),
        ("remove_addresses", "10.200.200.200", 404, "AddressesNotFound"),
        ("turn_addresses", "10.0.0.0/8", 404, "HTTPNotFound"),
    ],
)
def test_an_action_that_cannot_be_done_changes_nothing(
    announced: Any, action: str, address: str, status: int, type_: str
) -> None:
    made = address_group(announced, "10.0.0.0/24")

    answer = act(announced, made["id"], action, address)

    assert (answer.status, answer.type) == (status, type_)
    assert announced.get(f"{ADDRESS_GROUPS}/{made['id']}").json["address_group"] == made


def test_an_action_needs_its_method_its_arguments_and_its_group(announced: Any) -> None:
    made = address_group(announced)
    path = f"{ADDRESS_GROUPS}/{made['id']}/add_addresses"

    assert announced.get(path).status == 405
    bodies: list[Any] = [{}, {"addresses": "10.0.0.0/8"}, {"addresses": [], "x": 1}, [], b"{"]
    for body in bodies:
        answer = announced.call("PUT", path, body)
        assert (answer.status, answer.type) == (400, "HTTPBadRequest"), body
    for id_ in (uuid4(), "nonsense"):
        answer = act(announced, id_, "add_addresses", "10.0.0.0/8")
        assert (answer.status, answer.type) == (404, "AddressGroupNotFound")


@pytest.mark.parametrize("addresses", [["10.20.30.40"], ["bad"], "10.0.0.0/8", [5], [None]])
def test_an_address_group_takes_prefixes_only(announced: Any, addresses: object) -> None:
    body = {"address_group": {"name": "a", "addresses": addresses}}

    assert announced.call("POST", ADDRESS_GROUPS, body).status == 400


def test_an_address_group_that_a_rule_names_stays(announced: Any) -> None:
    made = address_group(announced, "10.0.0.0/24")
    group = announced.make("/v2.0/security-groups", "security_group", name="g")
    rule = announced.make(
        "/v2.0/security-group-rules",
        "security_group_rule",
        security_group_id=group["id"],
        direction="ingress",
        remote_address_group_id=made["id"],
    )
    path = f"{ADDRESS_GROUPS}/{made['id']}"

    refused = announced.call("DELETE", path)
    announced.call("DELETE", f"/v2.0/security-group-rules/{rule['id']}")

    assert (refused.status, refused.type) == (409, "AddressGroupInUse")
    assert announced.call("DELETE", path).status == 204


def test_a_network_acl_guards_a_subnet(announced: Any) -> None:
    network = announced.network(name="n")["id"]
    subnet = announced.subnet(network, "10.0.0.0/24")["id"]
    acl = announced.make(
        ACLS, "network_acl", name="edge", vpc_id=network, associated_subnets=[subnet]
    )
    for number in (20, 10):
        announced.make(
            ACL_RULES,
            "network_acl_rule",
            network_acl_id=acl["id"],
            number=number,
            direction="ingress",
            action="allow",
            protocol="tcp",
            port_range_min=number,
            port_range_max=number,
        )

    query = f"{ACL_RULES}?network_acl_id={acl['id']}&direction=ingress"
    rules = announced.get(f"{query}&sort_key=number&sort_dir=asc").json["network_acl_rules"]

    assert [rule["number"] for rule in rules] == [10, 20, 32_767]
    found = announced.get(f"{ACLS}?subnet_id={subnet}").json["network_acls"]
    assert [each["id"] for each in found] == [acl["id"]]
    in_use = announced.call("DELETE", f"{ACLS}/{acl['id']}")
    assert (in_use.status, in_use.type) == (409, "NetworkAclInUse")
    twice = {"network_acl": {"network_id": network, "subnet_ids": [subnet]}}
    assert announced.call("POST", ACLS, twice).type == "SubnetHasNetworkAcl"


def test_a_network_acl_forgets_a_subnet_that_is_deleted(announced: Any) -> None:
    network = announced.network(name="n")["id"]
    subnet = announced.subnet(network, "10.0.0.0/24")["id"]
    acl = announced.make(ACLS, "network_acl", network_id=network, subnet_ids=[subnet])
    path = f"{ACLS}/{acl['id']}"

    deleted = announced.call("DELETE", f"/v2.0/subnets/{subnet}")
    assert deleted.status == 204

    deadline = time.monotonic() + within_s
    while announced.get(path).json["network_acl"]["subnet_ids"] and time.monotonic() < deadline:
        pass
    assert announced.get(path).json["network_acl"]["subnet_ids"] == []
    assert announced.call("DELETE", path).status == 204


@pytest.mark.parametrize("number", [0, 32_767, -1, "x", None])
def test_a_number_of_a_rule_is_below_the_default_rules(announced: Any, number: object) -> None:
    network = announced.network(name="n")["id"]
    acl = announced.make(ACLS, "network_acl", network_id=network)
    rule = {"network_acl_id": acl["id"], "number": number, "direction": "egress", "action": "deny"}

    answer = announced.call("POST", ACL_RULES, {"network_acl_rule": rule})

    expected = "HTTPBadRequest" if number in (0, -1) else "InvalidInput"
    assert (answer.status, answer.type) == (400, expected)
