"""Sharing over HTTP, as administrators, owners and others see it (with tokens)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from tests.api.conftest import Answer, Api, running, tokens

from alcor.gateway.app import GatewaySettings

PROJECTS = ("ann", "bob", "eve")


class Person:
    """A client with a token."""

    def __init__(self, api: Api, name: str) -> None:
        self.api, self.name = api, name

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        return self.api.call(method, f"/v2.0/{path}", body, {"X-Auth-Token": self.name})

    def make(self, path: str, **fields: Any) -> dict[str, Any]:
        name = path.replace("-", "_").removesuffix("s").replace("policie", "policy")
        answer = self.ask("POST", path, {name: fields})
        assert answer.status == 201, answer
        made: dict[str, Any] = answer.json[name]
        return made

    def ids(self, path: str) -> set[str]:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        (items,) = (v for k, v in answer.json.items() if not k.endswith("_links"))
        return {item["id"] for item in items}

    def show(self, path: str) -> dict[str, Any]:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        (shown,) = answer.json.values()
        return dict(shown)

    def share(self, type_: str, id_: str, target: str, action: str = "access_as_shared") -> Answer:
        policy = {"object_type": type_, "object_id": id_, "target_tenant": target, "action": action}
        return self.ask("POST", "rbac-policies", {"rbac_policy": policy})


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("sharing")
    tenants = {name: f"{name} member reader" for name in PROJECTS}
    tenants |= {"boss": "ann manager member reader", "looker": "ann reader"}
    given = tokens(folder, root="root admin member reader", **tenants)
    with running(folder / "data", GatewaySettings(), **given) as api:
        for name in PROJECTS:
            limits = {"quota": {"network": -1, "port": -1, "rbac_policy": -1, "force": True}}
            Person(api, "root").ask("PUT", f"quotas/{name}", limits)
        yield api


@pytest.fixture
def root(control: Api) -> Person:
    return Person(control, "root")


@pytest.fixture
def ann(control: Api) -> Person:
    return Person(control, "ann")


@pytest.fixture
def bob(control: Api) -> Person:
    return Person(control, "bob")


@pytest.fixture
def eve(control: Api) -> Person:
    return Person(control, "eve")


def test_what_is_not_shared_is_not_there_for_others(ann: Person, bob: Person) -> None:
    network = ann.make("networks")["id"]
    subnet = ann.make("subnets", network_id=network, cidr="10.0.0.0/24", ip_version=4)["id"]
    group = ann.make("security-groups", name="g")["id"]
    for path in (f"networks/{network}", f"subnets/{subnet}", f"security-groups/{group}"):
        assert bob.ask("GET", path).status == 404
        assert bob.ask("DELETE", path).status == 404
    assert network not in bob.ids("networks")
    assert bob.ask("POST", "ports", {"port": {"network_id": network}}).type == "NetworkNotFound"
    assert bob.share("network", network, "bob").type == "NetworkNotFound"


def test_a_network_is_seen_and_used_by_whom_it_is_shared_with_and_no_one_else(
    ann: Person, bob: Person, eve: Person
) -> None:
    network = ann.make("networks")["id"]
    subnet = ann.make("subnets", network_id=network, cidr="10.0.0.0/24", ip_version=4)["id"]
    assert ann.share("network", network, "bob").status == 201
    assert bob.show(f"networks/{network}")["shared"] is True
    assert ann.show(f"networks/{network}")["shared"] is False
    assert network in bob.ids("networks?shared=true")
    assert network not in bob.ids("networks?shared=false")
    assert bob.show(f"subnets/{subnet}")["id"] == subnet
    assert subnet in bob.ids("subnets?shared=true")
    assert subnet in bob.ids(f"subnets?network_id={network}")
    port = bob.make("ports", network_id=network)
    assert (port["project_id"], port["fixed_ips"][0]["subnet_id"]) == ("bob", subnet)
    assert eve.ask("GET", f"networks/{network}").status == 404
    assert eve.ask("GET", f"subnets/{subnet}").status == 404
    assert subnet not in eve.ids("subnets")
    assert eve.ask("POST", "ports", {"port": {"network_id": network}}).type == "NetworkNotFound"


def test_a_network_that_is_seen_and_not_shared_takes_no_ports_of_others(
    root: Person, ann: Person, bob: Person, eve: Person
) -> None:
    everybodys = root.make("networks", **{"router:external": True})["id"]
    bobs = ann.make("networks")["id"]
    assert root.share("network", bobs, "bob", "access_as_external").status == 201
    private = ann.make("networks")["id"]
    own = bob.make("networks")["id"]

    def refused(who: Person, *networks: str) -> tuple[int, str]:
        ports = [{"network_id": network} for network in networks]
        body = {"ports": ports} if len(ports) > 1 else {"port": ports[0]}
        answer = who.ask("POST", "ports", body)
        return answer.status, answer.type

    forbidden, missing = (403, "PolicyNotAuthorized"), (404, "NetworkNotFound")
    assert refused(bob, everybodys) == refused(bob, bobs) == forbidden
    assert refused(bob, own, everybodys) == forbidden
    assert refused(bob, private) == refused(bob, own, private, everybodys) == missing
    assert refused(eve, bobs) == missing
    answer = bob.ask("POST", "ports", {"port": {"network_id": everybodys}})
    assert answer.message == "rule:create_port is disallowed by policy"
    assert root.share("network", everybodys, "bob").status == 201
    bob.make("ports", network_id=everybodys)


def test_who_a_network_is_shared_with_may_not_change_it(ann: Person, bob: Person) -> None:
    network = ann.make("networks")["id"]
    subnet = ann.make("subnets", network_id=network, cidr="10.0.0.0/24", ip_version=4)["id"]
    ann.share("network", network, "bob")
    refused = [
        bob.ask("PUT", f"networks/{network}", {"network": {"name": "bobs"}}),
        bob.ask("DELETE", f"networks/{network}"),
        bob.ask("PUT", f"networks/{network}/tags", {"tags": ["bobs"]}),
        bob.ask("PUT", f"subnets/{subnet}", {"subnet": {"name": "bobs"}}),
        bob.ask("DELETE", f"subnets/{subnet}"),
        bob.ask(
            "POST",
            "subnets",
            {"subnet": {"network_id": network, "cidr": "10.1.0.0/24", "ip_version": 4}},
        ),
        bob.ask("POST", "ports", {"port": {"network_id": network, "mac_address": "02:0:0:0:0:1"}}),
        bob.ask(
            "POST",
            "ports",
            {"port": {"network_id": network, "mac_address": "02:00:00:00:00:01"}},
        ),
        bob.ask("POST", "ports", {"port": {"network_id": network, "port_security_enabled": False}}),
    ]
    statuses = [answer.status for answer in refused]
    assert statuses == [403, 403, 403, 403, 403, 403, 400, 403, 403]
    assert bob.share("network", network, "eve").type == "InvalidInput"


def test_who_a_network_is_shared_with_takes_a_subnet_of_it_but_no_address(
    ann: Person, bob: Person
) -> None:
    network = ann.make("networks")["id"]
    subnet = ann.make("subnets", network_id=network, cidr="10.0.0.0/24", ip_version=4)["id"]
    ann.share("network", network, "bob")
    chosen = {"subnet_id": subnet, "ip_address": "10.0.0.77"}

    def ask(person: Person, **fixed: str) -> int:
        body = {"port": {"network_id": network, "fixed_ips": [fixed]}}
        return person.ask("POST", "ports", body).status

    assert [ask(bob, **chosen), ask(bob, ip_address="10.0.0.77")] == [403, 403]
    assert [ask(bob, subnet_id=subnet), ask(ann, **chosen)] == [201, 201]


def test_who_looks_after_a_project_changes_macs_and_who_reads_sees_ports_of_its_networks(
    control: Api, ann: Person, bob: Person
) -> None:
    boss, looker = Person(control, "boss"), Person(control, "looker")
    network = ann.make("networks")["id"]
    ann.share("network", network, "bob")
    port, foreign = ann.make("ports", network_id=network), bob.make("ports", network_id=network)
    change = {"port": {"mac_address": "02:00:00:00:00:05"}}

    assert ann.ask("PUT", f"ports/{port['id']}", change).status == 403
    assert boss.ask("PUT", f"ports/{port['id']}", change).status == 200
    assert looker.ids(f"ports?network_id={network}") == {port["id"], foreign["id"]}


def test_only_operators_say_how_a_router_uses_its_gateways(ann: Person, root: Person) -> None:
    for how in ("ecmp", "bfd"):
        body = {"router": {"name": "r", f"enable_default_route_{how}": True}}
        assert ann.ask("POST", "routers", body).status == 403
        assert root.ask("POST", "routers", body).status == 201


def test_the_owner_of_a_network_sees_and_removes_the_ports_of_others(
    ann: Person, bob: Person, eve: Person
) -> None:
    network = ann.make("networks")["id"]
    ann.share("network", network, "bob")
    ann.share("network", network, "eve")
    port = bob.make("ports", network_id=network)["id"]
    assert port in ann.ids("ports")
    assert port not in eve.ids("ports")
    assert eve.ask("DELETE", f"ports/{port}").status == 404
    assert ann.ask("PUT", f"ports/{port}", {"port": {"name": "anns"}}).status == 403
    assert ann.ask("DELETE", f"ports/{port}").status == 204
    assert bob.ask("GET", f"ports/{port}").status == 404


def test_access_is_not_taken_away_while_it_is_used(ann: Person, bob: Person, eve: Person) -> None:
    network = ann.make("networks")["id"]
    policy = ann.share("network", network, "bob").json["rbac_policy"]["id"]
    port = bob.make("ports", network_id=network)["id"]
    answer = ann.ask("DELETE", f"rbac-policies/{policy}")
    assert (answer.status, answer.type) == (409, "RbacPolicyInUse")
    to_eve = {"rbac_policy": {"target_tenant": "eve"}}
    assert ann.ask("PUT", f"rbac-policies/{policy}", to_eve).status == 409
    assert bob.make("ports", network_id=network)["project_id"] == "bob"  # nothing has changed
    for each in bob.ids(f"ports?network_id={network}"):
        assert bob.ask("DELETE", f"ports/{each}").status == 204
    assert ann.ask("PUT", f"rbac-policies/{policy}", to_eve).status == 200
    assert bob.ask("GET", f"networks/{network}").status == 404
    assert bob.ask("POST", "ports", {"port": {"network_id": network}}).status == 404
    assert eve.make("ports", network_id=network)["project_id"] == "eve"
    assert ann.make("ports", network_id=network)["project_id"] == "ann"
    assert port not in ann.ids("ports")


def test_p067_who_shares_a_network_gets_no_router_to_its_gateways_address(
    ann: Person, bob: Person, root: Person
) -> None:
    network = ann.make("networks")["id"]
    subnet = ann.make("subnets", network_id=network, cidr="10.67.0.0/24", ip_version=4)["id"]
    assert ann.share("network", network, "bob").status == 201
    router, own = bob.make("routers")["id"], ann.make("routers")["id"]
    outside = {"subnet_id": subnet, "ip_address": "10.67.0.1"}
    taken = root.make("ports", network_id=network, tenant_id="bob", fixed_ips=[outside])["id"]

    def attached(who: Person, router_id: str, **what: str) -> Answer:
        return who.ask("PUT", f"routers/{router_id}/add_router_interface", what)

    for what in ({"port_id": taken}, {"subnet_id": subnet}):
        answer = attached(bob, router, **what)
        assert (answer.status, answer.type) == (400, "BadRequest")
    assert root.ask("DELETE", f"ports/{taken}").status == 204
    assert attached(bob, router, subnet_id=subnet).status == 400

    beside = bob.make("ports", network_id=network)["id"]
    assert attached(bob, router, port_id=beside).status == 200
    assert attached(ann, own, subnet_id=subnet).status == 200


def test_all_see_what_administrators_share_with_all(
    root: Person, ann: Person, bob: Person, eve: Person
) -> None:
    network = root.make("networks", shared=True)["id"]
    (policy,) = root.ask("GET", f"rbac-policies?object_id={network}").json["rbac_policies"]
    assert (policy["target_tenant"], policy["action"]) == ("*", "access_as_shared")
    for person in (ann, bob, eve):
        assert person.show(f"networks/{network}")["shared"] is True
    port = bob.make("ports", network_id=network)["id"]
    private = {"network": {"shared": False}}
    answer = root.ask("PUT", f"networks/{network}", private)
    assert (answer.status, answer.type) == (409, "InvalidSharedSetting")
    assert root.share("network", network, "bob").status == 201
    assert root.ask("PUT", f"networks/{network}", private).json["network"]["shared"] is False
    assert bob.show(f"networks/{network}")["shared"] is True
    assert eve.ask("GET", f"networks/{network}").status == 404
    assert bob.show(f"ports/{port}")["network_id"] == network
    assert root.ask("PUT", f"networks/{network}", {"network": {"shared": True}}).status == 200
    assert eve.show(f"networks/{network}")["shared"] is True


def test_only_administrators_share_with_all(ann: Person) -> None:
    network = ann.make("networks")["id"]
    assert ann.share("network", network, "*").status == 403
    assert ann.ask("PUT", f"networks/{network}", {"network": {"shared": True}}).status == 403
    assert ann.ask("POST", "networks", {"network": {"shared": True}}).status == 403
    policy = ann.share("network", network, "bob").json["rbac_policy"]["id"]
    all_ = {"rbac_policy": {"target_tenant": "*"}}
    assert ann.ask("PUT", f"rbac-policies/{policy}", all_).status == 403


def test_policies_are_seen_by_who_made_them(ann: Person, bob: Person, root: Person) -> None:
    network = ann.make("networks")["id"]
    policy = ann.share("network", network, "bob").json["rbac_policy"]
    assert ann.show(f"rbac-policies/{policy['id']}") == policy
    assert policy["id"] in ann.ids("rbac-policies") & root.ids("rbac-policies")
    assert policy["id"] not in bob.ids("rbac-policies")
    assert bob.ask("DELETE", f"rbac-policies/{policy['id']}").type == "RbacPolicyNotFound"
    assert ann.share("network", network, "bob").type == "DuplicateRbacPolicy"
    before = ann.show(f"networks/{network}")["revision_number"]
    assert ann.ask("DELETE", f"rbac-policies/{policy['id']}").status == 204
    assert ann.show(f"networks/{network}")["revision_number"] == before + 1
    assert ann.ask("GET", f"rbac-policies/{policy['id']}").status == 404


@pytest.mark.parametrize(
    ("fields", "type_"),
    [
        ({"object_type": "chair"}, "InvalidInput"),
        ({"action": "access_as_friend"}, "InvalidActionForType"),
        ({"target_tenant": ""}, "HTTPBadRequest"),
        ({"target_tenant": None}, "HTTPBadRequest"),
        ({"target_tenant": "bob "}, "HTTPBadRequest"),
        ({"target_tenant": "x" * 256}, "HTTPBadRequest"),
        ({"object_id": "none"}, "HTTPBadRequest"),
        ({"object_id": str(uuid4())}, "NetworkNotFound"),
    ],
)
def test_what_is_no_policy_is_refused(ann: Person, fields: dict[str, Any], type_: str) -> None:
    policy = {
        "object_type": "network",
        "object_id": ann.make("networks")["id"],
        "target_tenant": "bob",
        "action": "access_as_shared",
    }
    answer = ann.ask("POST", "rbac-policies", {"rbac_policy": policy | fields})
    assert (answer.status, answer.type) == (404 if "NotFound" in type_ else 400, type_)


def test_lists_of_policies_come_in_pages_whatever_they_share(ann: Person) -> None:
    for _ in range(3):
        ann.share("network", ann.make("networks")["id"], "bob")
        ann.share("security_group", ann.make("security-groups", name="p")["id"], "bob")
        ann.share("address_group", ann.make("address-groups")["id"], "bob")
    everything = sorted(ann.ids("rbac-policies"))
    found: list[str] = []
    marker = ""
    while page := ann.ask("GET", f"rbac-policies?limit=2{marker}").json["rbac_policies"]:
        assert len(page) <= 2
        found += [policy["id"] for policy in page]
        marker = f"&marker={found[-1]}"
    assert found == everything
    back = ann.ask("GET", f"rbac-policies?limit=2&page_reverse=true&marker={found[4]}")
    assert [policy["id"] for policy in back.json["rbac_policies"]] == found[2:4]
    assert len(ann.ids("rbac-policies?object_type=address_group")) >= 3
    assert ann.ids("rbac-policies?object_type=chair") == set()
    assert ann.ask("GET", f"rbac-policies?marker={uuid4()}").status == 404


def test_pages_of_networks_hold_own_and_shared_ones_in_one_order(ann: Person, bob: Person) -> None:
    for i in range(4):
        ann.share("network", ann.make("networks", name=f"order-{i}")["id"], "bob")
        bob.make("networks", name=f"order-{i}")
    everything = bob.ids("networks")
    for sort in ("", "&sort_key=name&sort_dir=desc"):
        found: list[str] = []
        marker = ""
        while page := bob.ask("GET", f"networks?limit=3{sort}{marker}").json["networks"]:
            found += [network["id"] for network in page]
            marker = f"&marker={found[-1]}"
        assert len(found) == len(everything)
        assert set(found) == everything


def test_security_groups_are_shared_with_ports_of_others(ann: Person, bob: Person) -> None:
    group = ann.make("security-groups", name="shared")["id"]
    network = bob.make("networks")["id"]
    port = {"port": {"network_id": network, "security_groups": [group]}}
    assert bob.ask("POST", "ports", port).type == "SecurityGroupNotFound"
    policy = ann.share("security_group", group, "bob").json["rbac_policy"]["id"]
    shown = bob.show(f"security-groups/{group}")
    assert (shown["shared"], len(shown["security_group_rules"])) == (True, 2)
    rename = {"security_group": {"name": "bobs"}}
    assert bob.ask("PUT", f"security-groups/{group}", rename).status == 403
    rule = {"security_group_rule": {"security_group_id": group, "direction": "ingress"}}
    assert bob.ask("POST", "security-group-rules", rule).type == "SecurityGroupNotFound"
    made = bob.make("ports", network_id=network, security_groups=[group])
    assert ann.ask("DELETE", f"rbac-policies/{policy}").type == "RbacPolicyInUse"
    assert bob.ask("PUT", f"ports/{made['id']}", {"port": {"security_groups": []}}).status == 200
    assert ann.ask("DELETE", f"rbac-policies/{policy}").status == 204
    assert bob.ask("GET", f"security-groups/{group}").status == 404
    again = bob.ask("PUT", f"ports/{made['id']}", {"port": {"security_groups": [group]}})
    assert again.type == "SecurityGroupNotFound"


def test_address_groups_are_shared_with_rules_of_others(ann: Person, bob: Person) -> None:
    addresses = ann.make("address-groups", addresses=["10.0.0.0/8"])["id"]
    group = bob.make("security-groups", name="uses")["id"]
    rule = {
        "security_group_id": group,
        "direction": "ingress",
        "remote_address_group_id": addresses,
    }
    body = {"security_group_rule": rule}
    assert bob.ask("POST", "security-group-rules", body).type == "AddressGroupNotFound"
    policy = ann.share("address_group", addresses, "bob").json["rbac_policy"]["id"]
    assert bob.show(f"address-groups/{addresses}")["shared"] is True
    change = {"address_group": {"name": "bobs"}}
    assert bob.ask("PUT", f"address-groups/{addresses}", change).status == 404
    made = bob.make("security-group-rules", **rule)["id"]
    assert ann.ask("DELETE", f"rbac-policies/{policy}").type == "RbacPolicyInUse"
    assert bob.ask("DELETE", f"security-group-rules/{made}").status == 204
    assert ann.ask("DELETE", f"rbac-policies/{policy}").status == 204
    assert bob.ask("POST", "security-group-rules", body).type == "AddressGroupNotFound"


def test_policies_make_a_network_external_and_private_again(
    root: Person, bob: Person, eve: Person
) -> None:
    network = root.make("networks")["id"]
    policy = root.share("network", network, "bob", "access_as_external").json["rbac_policy"]["id"]
    shown = bob.show(f"networks/{network}")
    assert (shown["router:external"], shown["shared"]) == (True, False)
    assert eve.ask("GET", f"networks/{network}").status == 404
    assert bob.ask("POST", "ports", {"port": {"network_id": network}}).status == 403
    assert root.ask("DELETE", f"rbac-policies/{policy}").status == 204
    assert root.show(f"networks/{network}")["router:external"] is False
    wild = root.make("networks", **{"router:external": True})["id"]
    assert eve.show(f"networks/{wild}")["router:external"] is True
    path = f"rbac-policies?object_id={wild}&action=access_as_external"
    assert len(root.ids(path)) == 1
    root.ask("PUT", f"networks/{wild}", {"network": {"router:external": False}})
    assert root.ids(path) == set()
    assert eve.ask("GET", f"networks/{wild}").status == 404


def test_no_port_is_left_on_a_network_that_its_project_lost(ann: Person, bob: Person) -> None:
    """Ports are made while access is taken away: either it stays, or there are none."""
    for _ in range(6):
        network = ann.make("networks")["id"]
        policy = ann.share("network", network, "bob").json["rbac_policy"]["id"]
        body = {"port": {"network_id": network}}
        with ThreadPoolExecutor(8) as threads:
            ports = [threads.submit(bob.ask, "POST", "ports", body) for _ in range(6)]
            revoked = threads.submit(ann.ask, "DELETE", f"rbac-policies/{policy}").result()
            made = [p.result().status for p in ports].count(201)
        assert revoked.status in (204, 409)
        assert made == len(ann.ids(f"ports?network_id={network}"))
        assert (made == 0) == (revoked.status == 204)


def test_only_routers_of_whom_a_network_is_external_to_leave_by_it(
    root: Person, ann: Person, bob: Person
) -> None:
    network = root.make("networks")["id"]
    root.make("subnets", network_id=network, cidr="203.0.113.0/24", ip_version=4)
    policy = root.share("network", network, "ann", "access_as_external").json["rbac_policy"]["id"]
    way_out = {"router": {"external_gateway_info": {"network_id": network}}}
    assert bob.ask("POST", "routers", way_out).type == "NetworkNotFound"
    floating = {"floatingip": {"floating_network_id": network}}
    assert bob.ask("POST", "floatingips", floating).type == "NetworkNotFound"
    router = ann.ask("POST", "routers", way_out)
    assert router.status == 201, router
    assert root.ask("DELETE", f"rbac-policies/{policy}").type == "RbacPolicyInUse"
    everybodys = root.share("network", network, "*", "access_as_external").json["rbac_policy"]["id"]
    assert root.ask("DELETE", f"rbac-policies/{policy}").status == 204
    private = {"network": {"router:external": False}}
    answer = root.ask("PUT", f"networks/{network}", private)
    assert (answer.status, answer.type) == (409, "ExternalNetworkInUse")
    assert ann.ask("DELETE", f"routers/{router.json['router']['id']}").status == 204
    assert root.ask("DELETE", f"rbac-policies/{everybodys}").status == 204
    assert ann.ask("POST", "routers", way_out).type == "NetworkNotFound"


def pool_body(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "prefixes": ["10.0.0.0/16"], "min_prefixlen": 24} | fields


def test_subnet_pools_are_shared_with_subnets_of_others(
    ann: Person, bob: Person, eve: Person
) -> None:
    pool = ann.make("subnetpools", **pool_body())["id"]
    subnet = {"network_id": bob.make("networks")["id"], "ip_version": 4, "subnetpool_id": pool}
    assert bob.ask("POST", "subnets", {"subnet": subnet}).type == "SubnetPoolNotFound"
    policy = ann.share("subnetpool", pool, "bob").json["rbac_policy"]["id"]
    assert bob.show(f"subnetpools/{pool}")["shared"] is True
    assert ann.show(f"subnetpools/{pool}")["shared"] is False
    assert pool in bob.ids("subnetpools?shared=true")
    assert eve.ask("GET", f"subnetpools/{pool}").status == 404
    assert bob.ask("PUT", f"subnetpools/{pool}", {"subnetpool": {"name": "bobs"}}).status == 403
    made = bob.make("subnets", **subnet)["id"]
    assert ann.ask("DELETE", f"rbac-policies/{policy}").type == "RbacPolicyInUse"
    assert bob.ask("DELETE", f"subnets/{made}").status == 204
    assert ann.ask("DELETE", f"rbac-policies/{policy}").status == 204
    assert bob.ask("GET", f"subnetpools/{pool}").status == 404


def test_address_scopes_are_shared_with_pools_of_others(
    ann: Person, bob: Person, eve: Person
) -> None:
    scope = ann.make("address-scopes", name="s", ip_version=4)["id"]
    fields = pool_body(address_scope_id=scope)
    body = {"subnetpool": fields}
    assert bob.ask("POST", "subnetpools", body).type == "AddressScopeNotFound"
    policy = ann.share("address_scope", scope, "bob").json["rbac_policy"]["id"]
    assert bob.show(f"address-scopes/{scope}")["shared"] is True
    pool = bob.make("subnetpools", **fields)["id"]
    assert ann.ask("DELETE", f"rbac-policies/{policy}").type == "RbacPolicyInUse"
    refused = bob.share("subnetpool", pool, "eve")
    assert (refused.status, refused.type) == (400, "InvalidInput")
    assert bob.share("subnetpool", pool, "ann").status == 201  # whose scope it is
    assert ann.share("address_scope", scope, "eve").status == 201
    assert bob.share("subnetpool", pool, "eve").status == 201
    assert bob.ask("DELETE", f"subnetpools/{pool}").status == 204
    assert ann.ask("DELETE", f"rbac-policies/{policy}").status == 204
    assert bob.ask("GET", f"address-scopes/{scope}").status == 404
    assert eve.show(f"address-scopes/{scope}")["id"] == scope


def test_all_see_the_pools_and_scopes_that_administrators_share_with_all(
    root: Person, ann: Person
) -> None:
    pool = root.make("subnetpools", **pool_body(shared=True))["id"]
    scope = root.make("address-scopes", name="s", ip_version=4)["id"]
    assert ann.ask("GET", f"address-scopes/{scope}").status == 404
    shared = {"address_scope": {"shared": True}}
    assert root.ask("PUT", f"address-scopes/{scope}", shared).status == 200
    for path, id_ in (("subnetpools", pool), ("address-scopes", scope)):
        assert ann.show(f"{path}/{id_}")["shared"] is True
        (policy,) = root.ask("GET", f"rbac-policies?object_id={id_}").json["rbac_policies"]
        assert (policy["target_tenant"], policy["action"]) == ("*", "access_as_shared")
        assert root.ask("DELETE", f"rbac-policies/{policy['id']}").status == 204
        assert ann.ask("GET", f"{path}/{id_}").status == 404
