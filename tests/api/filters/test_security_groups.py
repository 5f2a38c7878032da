"""Security groups over HTTP, as Neutron's clients meet them.

Cases of the pains: P040 ICMP type and code, P041 port ranges, P044 default group.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

GROUPS, RULES = "/v2.0/security-groups", "/v2.0/security-group-rules"
TEMPLATES = "/v2.0/default-security-group-rules"


@pytest.fixture
def project() -> str:
    return uuid4().hex


@pytest.fixture
def group(announced: Any, project: str) -> str:
    made = announced.make(GROUPS, "security_group", name="web", project_id=project)
    return str(made["id"])


def post_rule(api: Any, group: str, **fields: Any) -> Any:
    rule = {"security_group_id": group, "direction": "ingress"} | fields
    return api.call("POST", RULES, {"security_group_rule": rule})


def listed(api: Any, path: str, collection: str) -> list[dict[str, Any]]:
    answer = api.get(path)
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json[collection]
    return items


def test_without_the_switch_there_is_what_hosts_obey(api: Any) -> None:
    for path in (GROUPS, RULES, TEMPLATES, "/v2.0/address-groups", "/alcor/v1/network-acls"):
        assert api.get(path).status == 200, path
    for alias in ("security-group", "stateful-security-group", "alcor-network-acl"):
        assert api.get(f"/v2.0/extensions/{alias}").status == 200, alias


def test_with_the_switch_they_are_announced(announced: Any) -> None:
    for alias in ("security-group", "stateful-security-group", "address-group"):
        assert announced.get(f"/v2.0/extensions/{alias}").status == 200
    collections = {each["collection"] for each in announced.get("/v2.0").json["resources"]}
    assert {"security_groups", "security_group_rules", "address_groups"} <= collections


def test_a_group_lives_as_neutron_clients_expect(announced: Any, project: str) -> None:
    made = announced.make(
        GROUPS, "security_group", name="web", description="d", project_id=project, stateful=False
    )
    path = f"{GROUPS}/{made['id']}"

    changed = announced.call("PUT", path, {"security_group": {"name": "n", "description": "e"}})
    shown = announced.get(path)

    assert changed.status == 200
    assert shown.json["security_group"] == changed.json["security_group"]
    assert (
        shown.json["security_group"] | {"name": "n", "description": "e"}
        == changed.json["security_group"]
    )
    assert shown.json["security_group"]["stateful"] is False
    assert shown.json["security_group"]["revision_number"] == 2
    assert shown.json["security_group"]["tenant_id"] == project
    assert announced.call("DELETE", path).status == 204
    gone = announced.get(path)
    assert (gone.status, gone.type) == (404, "SecurityGroupNotFound")
    assert listed(announced, f"{RULES}?security_group_id={made['id']}", RULES_KEY) == []


RULES_KEY = "security_group_rules"


@pytest.mark.parametrize("name", ["default", "DEFAULT", "Default"])
def test_nobody_else_is_called_default(announced: Any, group: str, name: str) -> None:
    """P044."""
    create = announced.call("POST", GROUPS, {"security_group": {"name": name}})
    rename = announced.call("PUT", f"{GROUPS}/{group}", {"security_group": {"name": name}})

    for answer in (create, rename):
        assert (answer.status, answer.type) == (409, "SecurityGroupDefaultAlreadyExists")


def test_an_administrator_brings_a_projects_default_group_under_its_id(
    announced: Any, project: str
) -> None:
    body = {"name": "default", "project_id": project, "id": str(uuid4()), "description": "d"}
    other = body | {"id": str(uuid4())}

    made = announced.call("POST", GROUPS, {"security_group": body})
    second = announced.call("POST", GROUPS, {"security_group": other})
    network = announced.network(project_id=project)
    port = announced.port(network["id"], project_id=project)

    assert made.status == 201, made
    assert len(made.json["security_group"][RULES_KEY]) == 4
    assert (second.status, second.type) == (409, "SecurityGroupDefaultAlreadyExists")
    assert port["security_groups"] == [body["id"]]


def test_32_first_requests_together_make_one_default_group(announced: Any, project: str) -> None:
    """P044."""
    paths = [f"{GROUPS}?project_id={project}", f"{RULES}?project_id={project}"] * 16

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(announced.get, paths))

    assert {answer.status for answer in answers} == {200}
    found = listed(announced, f"{GROUPS}?project_id={project}", "security_groups")
    assert [each["name"] for each in found] == ["default"]
    assert len(found[0][RULES_KEY]) == 4


@pytest.mark.parametrize("bad", ["x" * 256, True, 5, None, {}])
def test_a_name_that_is_none_is_refused(announced: Any, bad: object) -> None:
    answer = announced.call("POST", GROUPS, {"security_group": {"name": bad}})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_novas_list_of_ids_and_names(announced: Any, group: str, project: str) -> None:
    found = listed(
        announced, f"{GROUPS}?fields=id&fields=name&tenant_id={project}", "security_groups"
    )

    assert {"id": group, "name": "web"} in found
    assert {frozenset(each) for each in found} == {frozenset(("id", "name"))}


def test_groups_come_in_bulk_pages_and_order(announced: Any, project: str) -> None:
    names = ["b", "a", "c"]
    bulk = [{"name": name, "project_id": project} for name in names]
    answer = announced.call("POST", GROUPS, {"security_groups": bulk})

    assert answer.status == 201
    assert [each["name"] for each in answer.json["security_groups"]] == names
    query = f"{GROUPS}?project_id={project}&sort_key=name&sort_dir=desc&limit=2"
    first = announced.get(query).json
    assert [each["name"] for each in first["security_groups"]] == ["default", "c"]
    (following,) = (e["href"] for e in first["security_groups_links"] if e["rel"] == "next")
    url = urlsplit(following)
    second = announced.get(f"{url.path}?{url.query}").json
    assert [each["name"] for each in second["security_groups"]] == ["b", "a"]


@pytest.mark.parametrize("protocol", ["ah", "dccp", "gre", "igmp", "ospf", "sctp", "vrrp", "4"])
def test_a_protocol_is_shown_as_it_was_given(announced: Any, group: str, protocol: str) -> None:
    answer = post_rule(announced, group, protocol=protocol)

    assert answer.status == 201
    assert answer.json["security_group_rule"]["protocol"] == protocol


def test_a_protocol_may_be_a_number(announced: Any, group: str) -> None:
    assert post_rule(announced, group, protocol=17).json["security_group_rule"]["protocol"] == "17"
    assert (
        post_rule(announced, group, protocol="any").json["security_group_rule"]["protocol"] is None
    )


@pytest.mark.parametrize(
    ("fields", "type_", "message"),
    [
        ({"protocol": "bad"}, "SecurityGroupRuleInvalidProtocol", "'bad' not supported"),
        ({"protocol": 256}, "SecurityGroupRuleInvalidProtocol", "'256'"),
        ({"protocol": [6]}, "SecurityGroupRuleInvalidProtocol", ""),
        ({"ethertype": "bad"}, "SecurityGroupRuleInvalidEtherType", ""),
        ({"remote_ip_prefix": "192.168.1./24"}, "InvalidCIDR", ""),
        ({"remote_ip_prefix": "192.168.1.1/33"}, "InvalidCIDR", ""),
        ({"remote_ip_prefix": "256"}, "InvalidCIDR", ""),
        ({"remote_ip_prefix": 5}, "InvalidCIDR", ""),
        (
            {"remote_ip_prefix": "::/64"},
            "SecurityGroupRuleParameterConflict",
            "Conflicting value ethertype",
        ),
        ({"protocol": "ipv6-icmp"}, "SecurityGroupEthertypeConflictWithProtocol", ""),
        ({"direction": "sideways"}, "HTTPBadRequest", ""),
        ({"colour": "red"}, "HTTPBadRequest", ""),
    ],
)
def test_a_rule_is_refused_in_neutrons_words(
    announced: Any, group: str, fields: dict[str, Any], type_: str, message: str
) -> None:
    answer = post_rule(announced, group, **fields)

    assert (answer.status, answer.type) == (400, type_)
    assert message in answer.message


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (-16, 80, "Invalid value for port -16"),
        (80, 79, "port_range_min must be <= port_range_max"),
        (80, 65_536, "Invalid value for port 65536"),
        (None, 6, "port_range_min must be <= port_range_max"),
        (6, None, "port_range_min must be <= port_range_max"),
        (0, 5, "Invalid value for port 0"),
        ("x", 5, "Invalid value for port x"),
        (True, 5, "Invalid value for port True"),
    ],
)
def test_a_port_range_that_is_none_is_refused(
    announced: Any, group: str, low: object, high: object, message: str
) -> None:
    """P041."""
    answer = post_rule(announced, group, protocol="tcp", port_range_min=low, port_range_max=high)

    assert answer.status == 400
    assert message in answer.message


@pytest.mark.parametrize(
    ("type_", "code", "status", "message"),
    [
        (8, None, 201, ""),
        (0, 0, 201, ""),
        (3, 2, 201, ""),
        (11, 0, 201, ""),
        (1, 256, 400, "Invalid value for ICMP code"),
        (-1, 25, 400, "Invalid value"),
        (None, 6, 400, "ICMP type (port-range-min) is missing"),
        (300, 1, 400, "Invalid value for ICMP type"),
    ],
)
def test_icmp_has_a_type_and_a_code_where_others_have_ports(
    announced: Any, group: str, type_: object, code: object, status: int, message: str
) -> None:
    """P040: 0 is a value."""
    answer = post_rule(announced, group, protocol="icmp", port_range_min=type_, port_range_max=code)

    assert answer.status == status
    if status == 201:
        rule = answer.json["security_group_rule"]
        assert (rule["port_range_min"], rule["port_range_max"]) == (type_, code)
    else:
        assert message in answer.message


def test_a_rule_that_exists_is_named(announced: Any, group: str) -> None:
    first = post_rule(announced, group, protocol="tcp", port_range_min=66, port_range_max=67)
    again = post_rule(announced, group, protocol="tcp", port_range_min=66, port_range_max=67)

    assert (again.status, again.type) == (409, "SecurityGroupRuleExists")
    assert first.json["security_group_rule"]["id"] in again.message


def test_what_a_rule_names_must_be_there(announced: Any, group: str) -> None:
    for remote in ("bad_group_id", str(uuid4())):
        answer = post_rule(announced, group, remote_group_id=remote)
        assert (answer.status, answer.type) == (404, "SecurityGroupNotFound")
    answer = post_rule(announced, group, remote_address_group_id=str(uuid4()))
    assert (answer.status, answer.type) == (404, "AddressGroupNotFound")
    answer = post_rule(announced, str(uuid4()))
    assert (answer.status, answer.type) == (404, "SecurityGroupNotFound")


def test_a_client_may_send_null_for_what_it_does_not_want(announced: Any, group: str) -> None:
    nothing = dict.fromkeys(
        ("protocol", "remote_address_group_id", "remote_group_id", "remote_ip_prefix")
    )

    rule = post_rule(announced, group, **nothing).json["security_group_rule"]

    assert nothing.items() <= rule.items()
    assert rule["normalized_cidr"] is None


def test_the_prefix_is_shown_as_given_and_normalized(announced: Any, group: str) -> None:
    rule = post_rule(announced, group, remote_ip_prefix="10.0.0.34/24").json["security_group_rule"]
    bare = post_rule(announced, group, remote_ip_prefix="10.0.0.34").json["security_group_rule"]

    assert (rule["remote_ip_prefix"], rule["normalized_cidr"]) == ("10.0.0.34/24", "10.0.0.0/24")
    assert (bare["remote_ip_prefix"], bare["normalized_cidr"]) == ("10.0.0.34/32", "10.0.0.34/32")
    for prefix in ("10.0.0.34", "10.0.0.34/32"):
        found = announced.listed(f"{RULES}?security_group_id={group}&remote_ip_prefix={prefix}")
        assert found == [bare]
    assert not announced.listed(f"{RULES}?security_group_id={group}&remote_ip_prefix=no")


def test_only_the_description_of_a_rule_changes(announced: Any, group: str) -> None:
    rule = post_rule(announced, group).json["security_group_rule"]
    path = f"{RULES}/{rule['id']}"

    changed = announced.call("PUT", path, {"security_group_rule": {"description": "why"}})
    refused = announced.call("PUT", path, {"security_group_rule": {"protocol": "tcp"}})

    assert changed.json["security_group_rule"]["description"] == "why"
    assert (refused.status, refused.type) == (400, "HTTPBadRequest")
    assert announced.call("DELETE", path).status == 204
    assert announced.call("DELETE", path).type == "SecurityGroupRuleNotFound"


def test_a_stale_change_of_a_group_is_refused(announced: Any, group: str) -> None:
    post_rule(announced, group)

    answer = announced.call(
        "PUT",
        f"{GROUPS}/{group}",
        {"security_group": {"name": "x"}},
        {"If-Match": "revision_number=1"},
    )

    assert (answer.status, answer.type) == (412, "RevisionNumberConstraintFailed")


def test_templates_are_listed_and_made_by_administrators(announced: Any) -> None:
    kept = {"direction": "ingress", "ethertype": "IPv6", "remote_group_id": "PARENT"}
    found = listed(
        announced, f"{TEMPLATES}?used_in_default_sg=True", "default_security_group_rules"
    )
    assert any(kept.items() <= each.items() for each in found)
    assert {each["used_in_default_sg"] for each in found} == {True}

    made = announced.make(
        TEMPLATES,
        "default_security_group_rule",
        direction="ingress",
        protocol="tcp",
        port_range_min=7,
        port_range_max=7,
    )

    path = f"{TEMPLATES}/{made['id']}"
    assert (made["used_in_default_sg"], made["used_in_non_default_sg"]) == (False, True)
    assert announced.get(path).json["default_security_group_rule"] == made
    update = announced.call("PUT", path, {"default_security_group_rule": {"description": "x"}})
    assert update.status == 405
    assert announced.call("DELETE", path).status == 204
    gone = announced.get(path)
    assert (gone.status, gone.type) == (404, "DefaultSecurityGroupRuleNotFound")


def test_the_log_hears_of_a_group_and_its_revision_can_be_waited_for(announced: Any) -> None:
    answer = announced.call("POST", GROUPS, {"security_group": {"name": "w"}})
    revision = answer.headers["x-alcor-revision"]

    waited = announced.get(f"/alcor/v1/convergence?revision={revision}&timeout=10")

    assert revision.startswith("security_group:")
    assert waited.json["converged"] is True
