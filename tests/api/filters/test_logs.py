"""Logs of what security groups decide."""

from typing import Any

import pytest

LOGS = "/v2.0/log/logs"
ACLS = "/alcor/v1/network-acls"
UNKNOWN = "a3b1c0de-0000-4000-8000-0000000000ff"
SHOWN = {
    "id", "name", "description", "project_id", "tenant_id", "resource_type", "resource_id",
    "target_id", "event", "enabled", "revision_number", "created_at", "updated_at",
}  # fmt: skip


def ask(api: Any, **fields: Any) -> Any:
    return api.call("POST", LOGS, {"log": {"resource_type": "security_group"} | fields})


def log(api: Any, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.make(LOGS, "log", resource_type="security_group", **fields)
    return made


def group(api: Any) -> str:
    return str(api.make("/v2.0/security-groups", "security_group", name="g")["id"])


def network_acl(api: Any) -> str:
    made = api.make(ACLS, "network_acl", network_id=api.network()["id"])
    return str(made["id"])


def port(api: Any, *groups: str) -> str:
    network = api.network()["id"]
    return str(api.port(network, security_groups=list(groups))["id"])


def test_a_log_is_made_shown_changed_and_deleted(announced: Any) -> None:
    group_id = group(announced)
    made = log(announced, name="g", resource_id=group_id, event="DROP")
    path = f"{LOGS}/{made['id']}"

    assert made.keys() == SHOWN
    assert (made["resource_id"], made["target_id"]) == (group_id, None)
    assert (made["event"], made["enabled"]) == ("DROP", True)
    changed = announced.call("PUT", path, {"log": {"enabled": "false", "name": "h"}})
    assert changed.status == 200
    assert (changed.json["log"]["enabled"], changed.json["log"]["name"]) == (False, "h")
    assert changed.json["log"]["revision_number"] == made["revision_number"] + 1
    assert announced.listed(f"{LOGS}?resource_id={group_id}&event=DROP") == [changed.json["log"]]
    assert announced.call("DELETE", path).status == 204
    assert announced.get(path).type == "LogResourceNotFound"


def test_what_can_be_logged_is_told(announced: Any) -> None:
    found = announced.listed("/v2.0/log/loggable-resources")

    assert found == [{"type": "network_acl"}, {"type": "security_group"}]


@pytest.mark.parametrize("field", ["event", "resource_type", "resource_id", "target_id"])
def test_what_a_log_is_about_does_not_change(announced: Any, field: str) -> None:
    made = log(announced)

    answer = announced.call("PUT", f"{LOGS}/{made['id']}", {"log": {field: made[field]}})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


@pytest.mark.parametrize(
    ("fields", "status", "type_"),
    [
        ({"resource_type": "router"}, 400, "InvalidLogResourceType"),
        ({"event": "REJECT"}, 400, "HTTPBadRequest"),
        ({"target_id": "here"}, 400, "HTTPBadRequest"),
        ({"resource_id": UNKNOWN}, 404, "ResourceNotFound"),
        ({"target_id": UNKNOWN}, 404, "TargetResourceNotFound"),
        ({"resource_type": "network_acl"}, 400, "InvalidNetworkAclLog"),
        ({"resource_type": "network_acl", "resource_id": UNKNOWN}, 404, "ResourceNotFound"),
    ],
)
def test_a_log_is_about_something_that_there_is(
    announced: Any, fields: dict[str, str], status: int, type_: str
) -> None:
    answer = ask(announced, **fields)

    assert (answer.status, answer.type) == (status, type_)


def test_a_port_is_logged_by_a_group_that_it_has(announced: Any) -> None:
    mine, other = group(announced), group(announced)
    port_id = port(announced, mine)

    refused = ask(announced, resource_id=other, target_id=port_id)

    assert (refused.status, refused.type) == (400, "InvalidResourceConstraint")
    assert ask(announced, resource_id=mine, target_id=port_id).status == 201


def test_a_log_goes_with_its_port_and_with_its_group(announced: Any) -> None:
    group_id = group(announced)
    port_id = port(announced, group_id)
    of_port, of_group = log(announced, target_id=port_id), log(announced, resource_id=group_id)

    assert announced.call("DELETE", f"/v2.0/ports/{port_id}").status == 204
    assert announced.get(f"{LOGS}/{of_port['id']}").status == 404
    assert announced.get(f"{LOGS}/{of_group['id']}").status == 200
    assert announced.call("DELETE", f"/v2.0/security-groups/{group_id}").status == 204
    assert announced.listed(f"{LOGS}?id={of_group['id']}") == []


def test_a_log_of_a_network_acl_is_about_no_port_and_goes_with_the_acl(announced: Any) -> None:
    acl = network_acl(announced)
    of_acl = {"resource_type": "network_acl", "resource_id": acl}

    refused = ask(announced, **of_acl, target_id=port(announced, group(announced)))
    made = announced.make(LOGS, "log", **of_acl, event="DROP")

    assert (refused.status, refused.type) == (400, "InvalidNetworkAclLog")
    shown = announced.get(f"{LOGS}/{made['id']}").json["log"]
    assert (shown["resource_type"], shown["resource_id"]) == ("network_acl", acl)
    assert announced.listed(f"{LOGS}?resource_type=network_acl&resource_id={acl}") == [shown]
    assert announced.call("DELETE", f"{ACLS}/{acl}").status == 204
    assert announced.get(f"{LOGS}/{made['id']}").status == 404


def test_whose_network_acl_it_is_may_log_it(tenants: Any) -> None:
    manager, stranger = tenants.bearing("manager"), tenants.bearing("stranger")
    of_acl = {"resource_type": "network_acl", "resource_id": network_acl(manager)}

    assert ask(stranger, **of_acl).type == "ResourceNotFound"
    assert ask(manager, **of_acl).status == 201
    assert ask(tenants.bearing("operator"), **of_acl, project_id="blue").status == 201


def test_managers_of_a_project_log_what_is_theirs(tenants: Any) -> None:
    operator, manager = tenants.bearing("operator"), tenants.bearing("manager")
    member, stranger = tenants.bearing("member"), tenants.bearing("stranger")
    group_id = group(manager)
    port_id = port(manager, group_id)
    mine = log(manager, target_id=port_id)

    assert manager.get(f"{LOGS}/{mine['id']}").json["log"] == mine
    assert operator.get(f"{LOGS}/{mine['id']}").json["log"] == mine
    assert ask(member, target_id=port_id).status == 403
    assert member.get(f"{LOGS}/{mine['id']}").status in (403, 404)
    assert stranger.get(f"{LOGS}/{mine['id']}").status == 404
    assert ask(stranger, target_id=port_id).type == "TargetResourceNotFound"
    assert ask(stranger, resource_id=group_id).type == "ResourceNotFound"
    assert ask(operator, target_id=port_id, project_id="blue").status == 201
