"""QoS policies over HTTP: their rules, who may use them, and what has them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from tests.api.conftest import Answer, Api, running, tokens

from alcor.gateway.app import GatewaySettings

POLICIES = "/v2.0/qos/policies"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("qos")
    tenants = {"ann": "ann manager member reader", "bob": "bob member reader"}
    given = tokens(folder, root="root admin member reader", **tenants)
    with running(folder / "data", GatewaySettings(), **given) as api:
        yield api


@pytest.fixture
def root(control: Api) -> Api:
    return control.bearing("root")


@pytest.fixture
def ann(control: Api) -> Api:
    return control.bearing("ann")


@pytest.fixture
def bob(control: Api) -> Api:
    return control.bearing("bob")


def policy(api: Api, **fields: Any) -> dict[str, Any]:
    return api.make(POLICIES, "policy", **fields)


def rule(api: Api, of: dict[str, Any], kind: str, **fields: Any) -> Answer:
    return api.call("POST", f"{POLICIES}/{of['id']}/{kind}_rules", {f"{kind}_rule": fields})


def limit(api: Api, of: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = rule(api, of, "bandwidth_limit", **({"max_kbps": 1_000} | fields))
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json["bandwidth_limit_rule"]
    return made


def change(api: Api, path: str, kind: str, /, **fields: Any) -> Answer:
    return api.call("PUT", path, {kind: fields})


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.type


def test_a_policy_shows_its_rules_and_its_revision_grows_with_them(ann: Api) -> None:
    made = policy(ann, name="gold", description="much")
    assert (made["rules"], made["shared"], made["is_default"]) == ([], False, False)
    first = limit(ann, made, max_burst_kbps=100)
    assert first == {
        "id": first["id"],
        "max_kbps": 1_000,
        "max_burst_kbps": 100,
        "direction": "egress",
    }
    shown = ann.get(f"{POLICIES}/{made['id']}").json["policy"]
    assert shown["rules"] == [
        first | {"type": "bandwidth_limit", "qos_policy_id": made["id"]},
    ]
    assert shown["revision_number"] == made["revision_number"] + 1


def test_a_rule_is_changed_and_removed_under_its_policy_and_by_its_id_alone(ann: Api) -> None:
    made = policy(ann)
    held = limit(ann, made)
    below = f"{POLICIES}/{made['id']}/bandwidth_limit_rules/{held['id']}"
    alone = f"/v2.0/qos/alias-bandwidth-limit-rules/{held['id']}"
    assert change(ann, below, "bandwidth_limit_rule", max_kbps=5).status == 200
    assert change(ann, alone, "alias_bandwidth_limit_rule", direction="ingress").status == 200
    wanted = held | {"max_kbps": 5, "direction": "ingress"}
    assert ann.get(below).json["bandwidth_limit_rule"] == wanted
    assert ann.get(alone).json["alias_bandwidth_limit_rule"] == wanted
    assert ann.call("DELETE", alone).status == 204
    assert refused(ann.get(below)) == (404, "QosRuleNotFound")
    assert ann.get(f"{POLICIES}/{made['id']}").json["policy"]["rules"] == []


def test_rules_are_listed_filtered_and_paged_under_their_policy_only(ann: Api) -> None:
    one, other = policy(ann), policy(ann)
    kept = [limit(ann, one), limit(ann, one, direction="ingress", max_kbps=7)]
    limit(ann, other)
    path = f"{POLICIES}/{one['id']}/bandwidth_limit_rules"
    assert ann.get(f"{path}?sort_key=max_kbps&sort_dir=desc").json["bandwidth_limit_rules"] == kept
    assert ann.get(f"{path}?max_kbps=7").json["bandwidth_limit_rules"] == kept[1:]
    first = ann.get(f"{path}?limit=1&sort_key=max_kbps&sort_dir=asc").json
    assert first["bandwidth_limit_rules"] == kept[1:]
    assert ann.get(f"{POLICIES}/{one['id']}/dscp_marking_rules").json == {"dscp_marking_rules": []}


def test_a_policy_has_one_rule_of_a_type_and_direction(ann: Api) -> None:
    made = policy(ann)
    limit(ann, made)
    limit(ann, made, direction="ingress")
    again = rule(ann, made, "bandwidth_limit", max_kbps=3)
    assert refused(again) == (409, "QoSRulesConflict")
    held = rule(ann, made, "dscp_marking", dscp_mark=46).json["dscp_marking_rule"]
    assert refused(rule(ann, made, "dscp_marking", dscp_mark=0)) == (409, "QoSRulesConflict")
    path = f"{POLICIES}/{made['id']}/dscp_marking_rules/{held['id']}"
    assert change(ann, path, "dscp_marking_rule", dscp_mark=0).status == 200
    both = rule(ann, made, "minimum_bandwidth", min_kbps=1_001)
    assert refused(both) == (409, "QoSRuleParameterConflict")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("dscp_marking", {"dscp_mark": 58}),
        ("dscp_marking", {}),
        ("bandwidth_limit", {"max_kbps": -1}),
        ("bandwidth_limit", {"max_kbps": 1 << 31}),
        ("bandwidth_limit", {"max_kbps": 1, "direction": "any"}),
        ("packet_rate_limit", {"max_kpps": "many"}),
        ("packet_rate_limit", {"max_kpps": 1, "max_kbps": 1}),
    ],
)
def test_what_is_no_rule_is_refused(ann: Api, kind: str, fields: dict[str, Any]) -> None:
    assert rule(ann, policy(ann), kind, **fields).status == 400


def test_p095_a_rule_is_reached_through_its_own_policy_only(ann: Api, root: Api) -> None:
    """Child read through one's own parent."""
    theirs, own = policy(root), policy(ann)
    held = limit(root, theirs)
    paths = [
        f"{POLICIES}/{own['id']}/bandwidth_limit_rules/{held['id']}",
        f"{POLICIES}/{theirs['id']}/bandwidth_limit_rules/{held['id']}",
        f"/v2.0/qos/alias-bandwidth-limit-rules/{held['id']}",
    ]
    for path in paths:
        name = "alias_bandwidth_limit_rule" if "alias" in path else "bandwidth_limit_rule"
        assert ann.get(path).status == 404, path
        assert change(ann, path, name, max_kbps=1).status == 404, path
        assert ann.call("DELETE", path).status == 404, path
    assert root.get(paths[1]).json["bandwidth_limit_rule"] == held


def test_members_use_policies_and_managers_make_them(ann: Api, bob: Api, root: Api) -> None:
    assert bob.call("POST", POLICIES, {"policy": {"name": "x"}}).status == 403
    assert rule(bob, {"id": "policy"}, "bandwidth_limit", max_kbps=1).status == 403
    mine = policy(root, project_id="bob")
    held = limit(root, mine)
    path = f"{POLICIES}/{mine['id']}"
    assert change(bob, path, "policy", name="y").status == 403
    below = f"{path}/bandwidth_limit_rules/{held['id']}"
    assert change(bob, below, "bandwidth_limit_rule", max_kbps=2).status == 403
    assert bob.get(below).json["bandwidth_limit_rule"] == held
    foreign = f"{POLICIES}/{policy(ann)['id']}"
    assert refused(change(bob, foreign, "policy", name="y")) == (404, "QosPolicyNotFound")


def test_a_policy_that_something_has_stays(ann: Api) -> None:
    made = policy(ann)
    path = f"{POLICIES}/{made['id']}"
    network = ann.network(qos_policy_id=made["id"])
    assert refused(ann.call("DELETE", path)) == (409, "QosPolicyInUse")
    assert (
        change(ann, f"/v2.0/networks/{network['id']}", "network", qos_policy_id=None).json[
            "network"
        ]["qos_policy_id"]
        is None
    )
    port = ann.make("/v2.0/ports", "port", network_id=network["id"], qos_policy_id=made["id"])
    assert refused(ann.call("DELETE", path)) == (409, "QosPolicyInUse")
    # The refused deletions fenced nothing.
    assert ann.network(qos_policy_id=made["id"])["qos_policy_id"] == made["id"]
    for each in ann.listed(f"/v2.0/networks?qos_policy_id={made['id']}"):
        assert ann.call("DELETE", f"/v2.0/networks/{each['id']}").status == 204
    assert ann.call("DELETE", f"/v2.0/ports/{port['id']}").status == 204
    assert ann.call("DELETE", path).status == 204
    for body in ({"network": {"qos_policy_id": made["id"]}},):
        assert refused(ann.call("POST", "/v2.0/networks", body)) == (404, "QosPolicyNotFound")


@pytest.fixture
def public(root: Api, ann: Api) -> str:
    """An external network."""
    made: str = root.network(**{"router:external": True})["id"]
    root.subnet(made, "203.0.113.0/24")
    return made


@pytest.mark.parametrize("of", ["floatingip", "router"])
def test_a_policy_at_a_gateway_stays_while_it_is_there(ann: Api, public: str, of: str) -> None:
    made, other = policy(ann), policy(ann)
    path, gateway = f"{POLICIES}/{made['id']}", {"network_id": public}
    at = f"/v2.0/{of}s"

    def said(policy_id: str | None) -> dict[str, Any]:
        if of == "floatingip":
            return {"qos_policy_id": policy_id}
        return {"external_gateway_info": gateway | {"qos_policy_id": policy_id}}

    def seen(thing: dict[str, Any]) -> Any:
        return (thing if of == "floatingip" else thing["external_gateway_info"])["qos_policy_id"]

    needed = {"floating_network_id": public} if of == "floatingip" else {}
    thing = ann.make(at, of, **needed, **said(made["id"]))
    mine = f"{at}/{thing['id']}"
    assert seen(thing) == seen(ann.get(mine).json[of]) == made["id"]
    assert refused(ann.call("DELETE", path)) == (409, "QosPolicyInUse")
    assert seen(change(ann, mine, of, **said(other["id"])).json[of]) == other["id"]
    assert ann.call("DELETE", path).status == 204
    assert refused(change(ann, mine, of, **said(made["id"]))) == (404, "QosPolicyNotFound")
    assert refused(ann.call("POST", at, {of: needed | said(made["id"])})) == (
        404,
        "QosPolicyNotFound",
    )
    if of == "router":  # who says nothing of it keeps it; what has gone took it along
        kept = change(ann, mine, of, external_gateway_info=gateway).json[of]
        assert seen(kept) == other["id"]
        assert change(ann, mine, of, external_gateway_info=None).status == 200
        assert ann.call("DELETE", f"{POLICIES}/{other['id']}").status == 204
    else:
        assert seen(change(ann, mine, of, description="d").json[of]) == other["id"]
    assert ann.call("DELETE", mine).status == 204


def test_a_floating_ip_shows_the_policy_that_it_has_from_its_network(
    root: Api, ann: Api, public: str
) -> None:
    made, name = policy(root), "qos_network_policy_id"
    mine = ann.make("/v2.0/floatingips", "floatingip", floating_network_id=public)
    path, network = f"/v2.0/floatingips/{mine['id']}", f"/v2.0/networks/{public}"

    assert mine[name] is ann.get(path).json["floatingip"][name] is None
    assert change(root, network, "network", qos_policy_id=made["id"]).status == 200
    (listed,) = ann.listed(f"/v2.0/floatingips?id={mine['id']}")
    changed = change(ann, path, "floatingip", description="d").json["floatingip"]
    assert listed[name] == changed[name] == made["id"]
    assert listed["qos_policy_id"] is None
    assert refused(change(ann, path, "floatingip", **{name: made["id"]}))[0] == 400
    assert change(root, network, "network", qos_policy_id=None).status == 200
    assert ann.get(path).json["floatingip"][name] is None
    assert ann.call("DELETE", path).status == 204


def test_policies_of_others_are_not_had_at_gateways(
    root: Api, ann: Api, bob: Api, public: str
) -> None:
    theirs, unkept = policy(ann), policy(ann)
    assert rule(ann, unkept, "minimum_bandwidth", min_kbps=10).status == 201
    for api, wanted, answer in (
        (bob, theirs, (404, "QosPolicyNotFound")),
        (ann, unkept, (409, "QosRuleNotSupported")),
    ):
        id_ = {"qos_policy_id": wanted["id"]}
        floating = {"floatingip": {"floating_network_id": public} | id_}
        assert refused(api.call("POST", "/v2.0/floatingips", floating)) == answer
        router = {"router": {"external_gateway_info": {"network_id": public} | id_}}
        assert refused(api.call("POST", "/v2.0/routers", router)) == answer
    assert bob.listed("/v2.0/floatingips") == bob.listed("/v2.0/routers") == []
    # An administrator gives what the project may not take itself.
    given = {"floating_network_id": public, "project_id": "bob", "qos_policy_id": theirs["id"]}
    made = root.make("/v2.0/floatingips", "floatingip", **given)
    assert (
        bob.get(f"/v2.0/floatingips/{made['id']}").json["floatingip"]["qos_policy_id"]
        == (theirs["id"])
    )
    assert root.call("DELETE", f"/v2.0/floatingips/{made['id']}").status == 204


def minima(api: Api) -> dict[str, Any]:
    """A policy with minimum rules of both kinds."""
    made = policy(api)
    for direction, least in (("egress", 1_000), ("ingress", 2_000)):
        wanted = {"direction": direction, "min_kbps": least}
        assert rule(api, made, "minimum_bandwidth", **wanted).status == 201
    answer = rule(api, made, "minimum_packet_rate", direction="any", min_kpps=500)
    assert answer.status == 201, answer
    return made


def test_a_port_asks_placement_for_the_minima_of_its_policy(root: Api, ann: Api) -> None:
    made = minima(ann)
    network = ann.network()["id"]
    asking = ann.make("/v2.0/ports", "port", network_id=network, qos_policy_id=made["id"])
    assert "resource_request" not in asking
    path = f"/v2.0/ports/{asking['id']}"
    wanted = root.get(path).json["port"]["resource_request"]
    bandwidth, packets = wanted["request_groups"]
    assert wanted["same_subtree"] == [bandwidth["id"], packets["id"]]
    assert bandwidth["resources"] == {
        "NET_BW_EGR_KILOBIT_PER_SEC": 1_000,
        "NET_BW_IGR_KILOBIT_PER_SEC": 2_000,
    }
    assert bandwidth["required"] == ["CUSTOM_NETWORK_TUNNEL_PROVIDER", "CUSTOM_VNIC_TYPE_NORMAL"]
    assert packets["resources"] == {"NET_PACKET_RATE_KILOPACKET_PER_SEC": 500}
    assert packets["required"] == ["CUSTOM_VNIC_TYPE_NORMAL"]
    assert root.listed(f"/v2.0/ports?id={asking['id']}")[0]["resource_request"] == wanted
    assert change(root, path, "port", qos_policy_id=None).json["port"]["resource_request"] is None


def test_a_port_asks_placement_for_what_its_network_gives_it(root: Api) -> None:
    made = minima(root)
    physical = {"provider:network_type": "vlan", "provider:physical_network": "rack-1.a"}
    network = root.network(qos_policy_id=made["id"], **physical)["id"]
    asking, silent = (
        root.make("/v2.0/ports", "port", network_id=network, qos_policy_id=own)
        for own in (None, policy(root)["id"])
    )
    bandwidth, _ = asking["resource_request"]["request_groups"]
    assert bandwidth["required"] == ["CUSTOM_PHYSNET_RACK_1_A", "CUSTOM_VNIC_TYPE_NORMAL"]
    assert silent["resource_request"] is None


def test_minima_stay_as_they_are_while_something_has_the_policy(root: Api, ann: Api) -> None:
    made = minima(ann)
    (path,) = (
        f"{POLICIES}/{made['id']}/minimum_packet_rate_rules/{each['id']}"
        for each in ann.listed(f"{POLICIES}/{made['id']}/minimum_packet_rate_rules")
    )
    network = ann.network()["id"]
    port = ann.make("/v2.0/ports", "port", network_id=network, qos_policy_id=made["id"])
    assert refused(change(ann, path, "minimum_packet_rate_rule", min_kpps=1)) == (
        *(409, "QosPolicyInUse"),
    )
    assert refused(ann.call("DELETE", path)) == (409, "QosPolicyInUse")
    plain = policy(ann)
    ann.network(qos_policy_id=plain["id"])
    added = rule(ann, plain, "minimum_bandwidth", min_kbps=10)
    assert refused(added) == (409, "QosPolicyInUse")
    # A machine runs where there was room for what its port asked for.
    bound = {"binding:host_id": "h1", "device_owner": "compute:nova", "device_id": "vm"}
    where = f"/v2.0/ports/{port['id']}"
    assert change(root, where, "port", **bound).status == 200
    lost = change(root, where, "port", qos_policy_id=plain["id"])
    assert refused(lost) == (409, "QosPlacementAllocationUpdateConflict")
    assert change(root, where, "port", **{"binding:host_id": ""}).status == 200
    assert change(root, where, "port", qos_policy_id=plain["id"]).status == 200
    assert change(ann, path, "minimum_packet_rate_rule", min_kpps=1).status == 200
    assert ann.call("DELETE", path).status == 204
    given = change(ann, f"/v2.0/networks/{network}", "network", qos_policy_id=made["id"])
    assert given.status == 200


def test_a_minimum_packet_rate_is_of_both_directions_or_of_each(ann: Api) -> None:
    made = policy(ann)
    egress = rule(ann, made, "minimum_packet_rate", min_kpps=1).json["minimum_packet_rate_rule"]
    assert egress["direction"] == "egress"
    again = rule(ann, made, "minimum_packet_rate", min_kpps=2)
    assert refused(again) == (409, "QoSRulesConflict")
    both = rule(ann, made, "minimum_packet_rate", min_kpps=2, direction="any")
    assert refused(both) == (409, "QoSRuleParameterConflict")
    alias = f"/v2.0/qos/alias-minimum-packet-rate-rules/{egress['id']}"
    told = change(ann, alias, "alias_minimum_packet_rate_rule", direction="any").json
    assert told["alias_minimum_packet_rate_rule"]["direction"] == "any"
    other = rule(ann, made, "minimum_packet_rate", min_kpps=2, direction="ingress")
    assert refused(other) == (409, "QoSRuleParameterConflict")


def test_a_policy_of_others_is_used_once_it_is_shared(root: Api, bob: Api) -> None:
    made = policy(root)
    body = {"network": {"qos_policy_id": made["id"]}}
    assert refused(bob.call("POST", "/v2.0/networks", body)) == (404, "QosPolicyNotFound")
    target = {"object_type": "qos_policy", "object_id": made["id"], "target_tenant": "bob"}
    shared = {"rbac_policy": target | {"action": "access_as_shared"}}
    sharing = root.call("POST", "/v2.0/rbac-policies", shared).json["rbac_policy"]
    assert bob.get(f"{POLICIES}/{made['id']}").json["policy"]["shared"] is True
    network = bob.call("POST", "/v2.0/networks", body).json["network"]
    path = f"/v2.0/rbac-policies/{sharing['id']}"
    assert refused(root.call("DELETE", path)) == (409, "RbacPolicyInUse")
    assert change(root, f"{POLICIES}/{made['id']}", "policy", shared=True).status == 200
    assert root.call("DELETE", path).status == 204
    unshared = change(root, f"{POLICIES}/{made['id']}", "policy", shared=False)
    assert refused(unshared) == (409, "RbacPolicyInUse")
    assert bob.call("DELETE", f"/v2.0/networks/{network['id']}").status == 204
    assert change(root, f"{POLICIES}/{made['id']}", "policy", shared=False).status == 200
    assert refused(bob.call("POST", "/v2.0/networks", body)) == (404, "QosPolicyNotFound")


def test_what_is_used_by_no_other_sharing_policy_keeps_the_one_that_there_is(
    root: Api, bob: Api
) -> None:
    made = policy(root, shared=True)
    path = f"{POLICIES}/{made['id']}"
    own = root.network(qos_policy_id=made["id"])
    unshared = change(root, path, "policy", shared=False)
    assert refused(unshared) == (409, "RbacPolicyInUse")
    assert root.call("DELETE", f"/v2.0/networks/{own['id']}").status == 204
    theirs = bob.network(qos_policy_id=made["id"])
    (sharing,) = root.listed(f"/v2.0/rbac-policies?object_id={made['id']}")
    below = f"/v2.0/rbac-policies/{sharing['id']}"
    assert change(root, below, "rbac_policy", target_tenant="bob").status == 409
    # Whoever used it before may do so still.
    assert root.network(qos_policy_id=made["id"])["qos_policy_id"] == made["id"]
    assert bob.call("DELETE", f"/v2.0/networks/{theirs['id']}").status == 204


def test_who_may_not_use_a_policy_does_not_take_it_away(root: Api, bob: Api) -> None:
    made = policy(root)
    network = bob.network()
    path = f"/v2.0/networks/{network['id']}"
    assert change(root, path, "network", qos_policy_id=made["id"]).status == 200
    taken = change(bob, path, "network", qos_policy_id=None)
    assert refused(taken) == (403, "PolicyRemoveAuthorizationError")
    port = bob.make("/v2.0/ports", "port", network_id=network["id"])
    below = f"/v2.0/ports/{port['id']}"
    assert change(root, below, "port", qos_policy_id=made["id"]).status == 200
    taken = change(bob, below, "port", qos_policy_id=None)
    assert refused(taken) == (403, "PolicyRemoveAuthorizationError")
    assert change(bob, below, "port", name="new").status == 200
    assert change(root, f"{POLICIES}/{made['id']}", "policy", shared=True).status == 200
    assert change(bob, path, "network", qos_policy_id=None).status == 200
    assert change(bob, below, "port", qos_policy_id=None).json["port"]["qos_policy_id"] is None


def test_new_networks_have_the_default_policy_of_their_project(root: Api) -> None:
    project = uuid4().hex
    default = policy(root, project_id=project, is_default=True)
    second = {"policy": {"project_id": project, "is_default": True}}
    answer = root.call("POST", POLICIES, second)
    assert refused(answer) == (409, "QoSPolicyDefaultAlreadyExists")
    other = policy(root, project_id=project)
    assert root.network(project_id=project)["qos_policy_id"] == default["id"]
    named = root.network(project_id=project, qos_policy_id=other["id"])
    assert named["qos_policy_id"] == other["id"]
    assert root.network()["qos_policy_id"] is None


def test_a_port_shows_the_policy_of_its_network_beside_its_own(ann: Api) -> None:
    of_network, own = policy(ann), policy(ann)
    network = ann.network(qos_policy_id=of_network["id"])["id"]
    made = ann.make("/v2.0/ports", "port", network_id=network, qos_policy_id=own["id"])
    assert (made["qos_policy_id"], made["qos_network_policy_id"]) == (own["id"], of_network["id"])
    assert ann.listed(f"/v2.0/ports?qos_policy_id={own['id']}") == [made]


def _directions(driver: Any) -> Any:
    (found,) = (
        each["parameter_values"]
        for each in driver["supported_parameters"]
        if each["parameter_name"] == "direction"
    )
    return found


def test_users_see_which_rules_are_kept_and_administrators_how(root: Api, bob: Api) -> None:
    limits = ["bandwidth_limit", "dscp_marking", "packet_rate_limit"]
    kept = sorted([*limits, "minimum_bandwidth", "minimum_packet_rate"])
    for query in ("", "?all_rules=true", "?all_supported=true"):
        types = bob.get(f"/v2.0/qos/rule-types{query}").json["rule_types"]
        assert [each["type"] for each in types] == kept
    by = root.get("/v2.0/qos/rule-types/minimum_packet_rate").json["rule_type"]["drivers"]
    assert [each["name"] for each in by] == ["placement"]
    by = root.get("/v2.0/qos/rule-types/minimum_bandwidth").json["rule_type"]["drivers"]
    assert [(each["name"], _directions(each)) for each in by] == [
        ("placement", ["egress", "ingress"]),
        ("openvswitch", ["egress"]),
    ]
    assert bob.get("/v2.0/qos/rule-types/dscp_marking").status == 403
    shown = root.get("/v2.0/qos/rule-types/dscp_marking").json["rule_type"]
    (parameter,) = shown["drivers"][0]["supported_parameters"]
    assert parameter["parameter_name"] == "dscp_mark"
    assert 46 in parameter["parameter_values"]
    assert refused(root.get("/v2.0/qos/rule-types/colour")) == (404, "QosRuleTypeNotFound")


def test_tags_of_a_policy_stand_under_both_its_paths(ann: Api) -> None:
    made = policy(ann)
    assert ann.call("PUT", f"/v2.0/policies/{made['id']}/tags", {"tags": ["a"]}).status == 200
    assert ann.call("PUT", f"{POLICIES}/{made['id']}/tags/b").status == 201
    assert ann.get(f"/v2.0/policies/{made['id']}/tags").json == {"tags": ["a", "b"]}
    assert [each["id"] for each in ann.listed(f"{POLICIES}?tags=a,b")] == [made["id"]]


def test_a_policy_that_goes_while_it_is_given_is_nowhere(ann: Api) -> None:
    """Deletions against creations of what has the policy: one of both wins."""
    for _ in range(8):
        made = policy(ann)
        network = ann.network()["id"]
        body = {"port": {"network_id": network, "qos_policy_id": made["id"]}}
        with ThreadPoolExecutor(5) as threads:
            given = [threads.submit(ann.call, "POST", "/v2.0/ports", body) for _ in range(4)]
            gone = threads.submit(ann.call, "DELETE", f"{POLICIES}/{made['id']}").result()
            statuses = {each.result().status for each in given}
        assert gone.status in (204, 409)
        assert statuses <= {201, 404}
        assert (201 in statuses) == (gone.status == 409)
        assert len(ann.listed(f"/v2.0/ports?qos_policy_id={made['id']}")) == (
            sum(each.result().status == 201 for each in given)
        )
