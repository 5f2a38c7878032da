"""Quotas over HTTP: shown, set, reset, obeyed by single and bulk, and never passed by a race."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import Answer, Api, soon, tokens

from alcor.gateway.app import GatewaySettings


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    return f"quota-{request.node.name}"


def limit(api: Api, project: str, **limits: int) -> None:
    answer = api.call("PUT", f"/v2.0/quotas/{project}", {"quota": limits})
    assert answer.status == 200, answer
    assert {kind: answer.json["quota"][kind] for kind in limits} == limits


def details(api: Api, project: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v2.0/quotas/{project}/details.json").json["quota"]
    return found


def refused(answer: Answer, kind: str) -> bool:
    assert (answer.status, answer.type) == (409, "OverQuota"), answer
    return answer.message == f"Quota exceeded for resources: ['{kind}']."


def test_who_has_no_limits_of_its_own_has_the_defaults(api: Api, project: str) -> None:
    defaults = api.get(f"/v2.0/quotas/{project}/default").json["quota"]
    whose = {"project_id": project, "tenant_id": project}
    assert api.get(f"/v2.0/quotas/{project}").json["quota"] == defaults | whose
    assert all(type(limit) is int for limit in defaults.values())  # as Horizon believes
    assert {"network", "subnet", "port", "security_group", "security_group_rule"} <= defaults.keys()
    assert defaults["port"] == -1  # nobody is asked who they are here
    assert project not in [each["project_id"] for each in api.listed("/v2.0/quotas")]


def test_limits_are_set_kept_listed_and_reset(api: Api, project: str) -> None:
    limit(api, project, network=3, port=7)
    limit(api, project, network=4)
    held = api.get(f"/v2.0/quotas/{project}").json["quota"]
    assert (held["network"], held["port"], held["subnet"]) == (4, 7, -1)
    assert held in api.listed("/v2.0/quotas")
    assert api.call("DELETE", f"/v2.0/quotas/{project}").status == 204
    assert api.get(f"/v2.0/quotas/{project}").json["quota"]["network"] == -1
    again = api.call("DELETE", f"/v2.0/quotas/{project}")
    assert (again.status, again.type) == (404, "TenantQuotaNotFound")


def test_what_is_no_limit_is_refused(api: Api, project: str) -> None:
    for value in (-2, "many", 1 << 31, None, 1.5):
        answer = api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"network": value}})
        assert answer.status == 400, value
    assert api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"chairs": 1}}).status == 400
    assert api.call("POST", "/v2.0/quotas", {"quota": {}}).status == 405


def test_subnet_pools_have_a_limit_as_well(api: Api, project: str) -> None:
    body = {"name": "p", "prefixes": ["10.0.0.0/16"], "project_id": project}
    limit(api, project, subnetpool=1)
    pool = api.make("/v2.0/subnetpools", "subnetpool", **body)

    assert refused(api.call("POST", "/v2.0/subnetpools", {"subnetpool": body}), "subnetpool")
    assert details(api, project)["subnetpool"] == {"limit": 1, "used": 1, "reserved": 0}
    assert api.call("DELETE", f"/v2.0/subnetpools/{pool['id']}").status == 204
    api.make("/v2.0/subnetpools", "subnetpool", **body)


def test_every_kind_is_refused_over_its_limit_and_counts_down_again(
    announced: Api, project: str
) -> None:
    api = announced
    network = api.network(project_id=project)["id"]
    api.get(f"/v2.0/security-groups?project_id={project}")  # the default group, with four rules
    limit(api, project, network=1, subnet=1, port=2, security_group=2, security_group_rule=7)
    answer = api.call("POST", "/v2.0/networks", {"network": {"project_id": project}})
    assert refused(answer, "network")
    subnet = api.subnet(network, "10.0.0.0/24", project_id=project)["id"]
    other = {"network_id": network, "cidr": "10.1.0.0/24", "ip_version": 4, "project_id": project}
    assert refused(api.call("POST", "/v2.0/subnets", {"subnet": other}), "subnet")
    body = {"network_id": network, "project_id": project}
    assert refused(api.call("POST", "/v2.0/ports", {"ports": [body] * 3}), "port")
    ports = api.call("POST", "/v2.0/ports", {"ports": [body] * 2}).json["ports"]
    assert refused(api.call("POST", "/v2.0/ports", {"port": body}), "port")
    group = api.make("/v2.0/security-groups", "security_group", name="a", project_id=project)
    more = {"security_group": {"name": "b", "project_id": project}}
    assert refused(api.call("POST", "/v2.0/security-groups", more), "security_group")
    rule = {"security_group_id": group["id"], "direction": "ingress", "project_id": project}
    made = api.make("/v2.0/security-group-rules", "security_group_rule", **rule)
    rule["protocol"] = "tcp"
    over = api.call("POST", "/v2.0/security-group-rules", {"security_group_rule": rule})
    assert refused(over, "security_group_rule")
    used = {kind: each["used"] for kind, each in details(api, project).items()}
    wanted = {"network": 1, "subnet": 1, "port": 2, "security_group": 2, "security_group_rule": 7}
    assert {kind: used[kind] for kind in wanted} == wanted
    assert details(api, project)["port"] == {"limit": 2, "used": 2, "reserved": 0}
    for port in ports:
        api.call("DELETE", f"/v2.0/ports/{port['id']}")
    api.call("DELETE", f"/v2.0/security-group-rules/{made['id']}")
    api.call("DELETE", f"/v2.0/security-groups/{group['id']}")
    api.call("DELETE", f"/v2.0/subnets/{subnet}")
    api.call("DELETE", f"/v2.0/networks/{network}")
    used = {kind: each["used"] for kind, each in details(api, project).items()}
    left = {"network": 0, "subnet": 0, "port": 0, "security_group": 1, "security_group_rule": 4}
    assert {kind: used[kind] for kind in left} == left


def test_a_limit_below_what_is_used_is_refused_unless_forced(api: Api, project: str) -> None:
    api.network(project_id=project)
    api.network(project_id=project)
    answer = api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"network": 1}})
    assert (answer.status, answer.type) == (400, "InvalidInput")
    forced = {"quota": {"network": 1, "force": True}}
    assert api.call("PUT", f"/v2.0/quotas/{project}", forced).status == 200
    more = api.call("POST", "/v2.0/networks", {"network": {"project_id": project}})
    assert refused(more, "network")


def test_a_limit_is_never_passed_whatever_comes_at_once(api: Api, project: str) -> None:
    network = api.network(project_id=project)["id"]
    limit(api, project, network=11, port=25)
    new_network = {"network": {"project_id": project}}
    new_ports = {"ports": [{"network_id": network, "project_id": project}] * 2}

    def ask(i: int) -> Answer:
        return (
            api.call("POST", "/v2.0/networks", new_network)
            if i % 2
            else api.call("POST", "/v2.0/ports", new_ports)
        )

    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(ask, range(64)))
    assert {answer.status for answer in answers} == {201, 409}
    assert {a.type for a in answers if a.status == 409} == {"OverQuota"}
    found = details(api, project)
    assert (found["network"]["used"], found["port"]["used"]) == (11, 24)
    assert len(api.listed(f"/v2.0/networks?project_id={project}")) == 11
    assert len(api.listed(f"/v2.0/ports?project_id={project}")) == 24


def test_whose_limits_ones_own_are_is_told_to_everybody(control_plane: Any, tmp_path: Path) -> None:
    folder = tmp_path / "tokens"
    folder.mkdir()
    given = tokens(folder, root="operators admin member reader", ann="blue member reader")
    with control_plane(folder, GatewaySettings(), **given) as api:
        for token, project in (("root", "operators"), ("ann", "blue")):
            for word in ("tenant", "project"):
                answer = api.bearing(token).get(f"/v2.0/quotas/{word}")
                assert (answer.status, answer.json) == (200, {word: {"tenant_id": project}})
        change = {"quota": {"port": 1}}
        assert api.bearing("ann").call("PUT", "/v2.0/quotas/tenant", change).status == 403


def test_each_router_of_a_project_has_as_many_routes_as_its_quota_says(
    announced: Api, project: str
) -> None:
    api = announced
    assert details(api, project)["router_route"] == {"limit": 30, "used": 0, "reserved": 0}
    subnet = api.subnet(api.network(project_id=project)["id"], "10.3.0.0/24", project_id=project)
    routers = [api.make("/v2.0/routers", "router", project_id=project) for _ in "ab"]
    hops = iter(range(100, 200))
    for each in routers:
        port = api.port(subnet["network_id"], fixed_ips=[{"ip_address": f"10.3.0.{next(hops)}"}])
        path = f"/v2.0/routers/{each['id']}/add_router_interface"
        assert api.call("PUT", path, {"port_id": port["id"]}).status == 200
    routes = [{"destination": f"10.200.{i}.0/24", "nexthop": "10.3.0.9"} for i in range(32)]

    def routed(number: int, count: int) -> Answer:
        path = f"/v2.0/routers/{routers[number]['id']}"
        return api.call("PUT", path, {"router": {"routes": routes[:count]}})

    assert refused(routed(0, 31), "router_route")
    limit(api, project, router_route=2)
    soon(lambda: routed(0, 3).status, lambda status: status == 409)
    assert [routed(0, 2).status, routed(1, 2).status] == [200, 200]
    more = f"/v2.0/routers/{routers[0]['id']}/add_extraroutes"
    assert refused(api.call("PUT", more, {"router": {"routes": routes[2:3]}}), "router_route")
    limit(api, project, router_route=-1)
    soon(lambda: routed(0, 32).status, lambda status: status == 200)


def test_who_sees_whose_limits_is_the_policys_to_say(control_plane: Any, tmp_path: Path) -> None:
    rules = tmp_path / "policy.yaml"
    rules.write_text('get_quota: "role:auditor"\ndefault: "role:auditor"\n')
    whose = {"root": "operators admin", "ann": "blue member reader", "eve": "green auditor reader"}
    folder = tmp_path / "tokens"
    folder.mkdir()
    settings = GatewaySettings(policy_file=str(rules))
    with control_plane(folder, settings, **tokens(folder, **whose)) as api:
        root, ann, eve = (api.bearing(token) for token in whose)
        update = root.call("PUT", "/v2.0/quotas/blue", {"quota": {"port": 3}})
        assert update.status == 200
        for path in ("/v2.0/quotas", "/v2.0/quotas/blue", "/v2.0/quotas/blue/default"):
            refused_to = ann.get(path)
            assert (refused_to.status, refused_to.type) == (403, "PolicyNotAuthorized"), path
            assert eve.get(path).status == 200, path
        assert eve.get("/v2.0/quotas/blue").json["quota"]["port"] == 3
        assert [each["project_id"] for each in eve.listed("/v2.0/quotas")] == ["blue"]
