"""Metering labels and their rules."""

from typing import Any

import pytest

LABELS = "/v2.0/metering/metering-labels"
RULES = "/v2.0/metering/metering-label-rules"
UNKNOWN = "a3b1c0de-0000-4000-8000-0000000000ff"


def label(api: Any, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.make(LABELS, "metering_label", **fields)
    return made


def rule(api: Any, label_id: str, **fields: Any) -> Any:
    body = {"metering_label_id": label_id, "direction": "ingress"} | fields
    return api.call("POST", RULES, {"metering_label_rule": body})


def test_a_label_is_made_and_deleted_with_its_rules(announced: Any) -> None:
    made = label(announced, name="web", description="all of it")
    ruled = rule(announced, made["id"], remote_ip_prefix="10.0.0.1/24").json["metering_label_rule"]

    assert made["shared"] is False
    assert ruled["remote_ip_prefix"] == "10.0.0.0/24"
    assert ruled["excluded"] is False
    assert announced.call("PUT", f"{LABELS}/{made['id']}", {"metering_label": {}}).status == 405
    assert announced.call("DELETE", f"{LABELS}/{made['id']}").status == 204
    assert announced.get(f"{RULES}/{ruled['id']}").type == "MeteringLabelRuleNotFound"
    assert announced.get(f"{LABELS}/{made['id']}").type == "MeteringLabelNotFound"


def test_labels_and_rules_are_found_by_their_fields(announced: Any) -> None:
    made = label(announced, name="found")
    rule(announced, made["id"], remote_ip_prefix="fd02::/64")

    assert announced.listed(f"{LABELS}?name=found") == [made]
    found = announced.listed(f"{RULES}?metering_label_id={made['id']}&direction=ingress")
    assert [each["remote_ip_prefix"] for each in found] == ["fd02::/64"]
    assert announced.listed(f"{LABELS}?id=33") == []


def test_rules_of_a_label_do_not_overlap_unless_they_differ(announced: Any) -> None:
    made = label(announced)
    assert rule(announced, made["id"], remote_ip_prefix="10.0.0.0/8").status == 201

    overlapping = rule(announced, made["id"], remote_ip_prefix="10.1.0.0/16")

    assert (overlapping.status, overlapping.type) == (409, "MeteringLabelRuleOverlaps")
    excluding = rule(announced, made["id"], remote_ip_prefix="10.1.0.0/16", excluded=True)
    other_way = rule(announced, made["id"], remote_ip_prefix="10.1.0.0/16", direction="egress")
    assert (excluding.status, other_way.status) == (201, 201)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"remote_ip_prefix": "10.0.0.0/8", "source_ip_prefix": "10.0.0.0/8"},
        {"source_ip_prefix": "10.0.0.0/8", "destination_ip_prefix": "fd00::/8"},
        {"remote_ip_prefix": "nowhere"},
    ],
)
def test_a_rule_names_one_remote_end_or_source_and_destination(
    announced: Any, fields: dict[str, str]
) -> None:
    answer = rule(announced, label(announced)["id"], **fields)

    assert (answer.status, answer.type) == (400, "InvalidInput")


def test_a_rule_is_of_a_label_that_there_is(announced: Any) -> None:
    answer = rule(announced, UNKNOWN, remote_ip_prefix="10.0.0.0/8")

    assert (answer.status, answer.type) == (404, "MeteringLabelNotFound")


def test_managers_of_a_project_meter_it_and_operators_share_a_label(tenants: Any) -> None:
    manager, member = tenants.bearing("manager"), tenants.bearing("member")
    stranger, operator = tenants.bearing("stranger"), tenants.bearing("operator")
    mine = label(manager)
    wide = label(operator, shared=True)

    assert member.call("POST", LABELS, {"metering_label": {}}).status == 403
    shared = {"metering_label": {"shared": True}}
    assert manager.call("POST", LABELS, shared).status == 403
    assert member.listed(f"{LABELS}?id={mine['id']}") == [mine]
    assert stranger.get(f"{LABELS}/{mine['id']}").status == 404
    assert stranger.listed(f"{LABELS}?id={wide['id']}") == [wide]
    assert stranger.call("DELETE", f"{LABELS}/{wide['id']}").status in (403, 404)
    assert rule(stranger, wide["id"], remote_ip_prefix="10.0.0.0/8").status == 404
    assert rule(stranger, mine["id"], remote_ip_prefix="10.0.0.0/8").status == 404
