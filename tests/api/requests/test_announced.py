"""Small extensions keep what their names say."""

from collections.abc import Iterator

import pytest
from tests.api.conftest import Api, running, tokens

from alcor.gateway.app import GatewaySettings


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("announced")
    given = tokens(folder, root="root admin member reader", ann="ann member reader")
    with running(folder / "data", GatewaySettings(), **given) as api:
        yield api.bearing("root")


@pytest.fixture
def ann(root: Api) -> Api:
    return root.bearing("ann")


@pytest.mark.parametrize(
    "alias",
    [
        *("aap-reject-multicast", "agent_sort_key", "availability_zone_filter", "ip_allocation"),
        *("metering_source_and_destination_fields", "sort-key-validation"),
        *("security-groups-name-restrictions", "security-groups-shared-filtering"),
    ],
)
def test_aliases_are_spelled_as_in_neutron(root: Api, alias: str) -> None:
    assert root.get(f"/v2.0/extensions/{alias}").status == 200


@pytest.mark.parametrize("name", [" web", "web ", "we\tb", "web\n", "\u00a0web", "w\x7feb"])
def test_names_are_printable_and_begin_and_end_with_something(ann: Api, name: str) -> None:
    for kind, path in (("security_group", "security-groups"), ("network", "networks")):
        answer = ann.call("POST", f"/v2.0/{path}", {kind: {"name": name}})
        assert (answer.status, answer.type) == (400, "HTTPBadRequest")
    good = ann.make("/v2.0/security-groups", "security_group", name="Gr\u00fc\u00dfe, web 1")
    changed = ann.call(
        "PUT", f"/v2.0/security-groups/{good['id']}", {"security_group": {"name": name}}
    )
    assert changed.status == 400


@pytest.mark.parametrize(
    "pair",
    [
        {"ip_address": "224.0.0.18"},
        {"ip_address": "ff02::12"},
        {"ip_address": "239.1.0.0/16"},
        {"ip_address": "128.0.0.0/1"},
        {"ip_address": "ff00::/8"},
        {"ip_address": "10.0.0.1", "mac_address": "01:00:5e:00:00:12"},
    ],
)
def test_no_pair_is_the_address_of_a_group(ann: Api, pair: dict[str, str]) -> None:
    network = ann.network()["id"]
    body = {"port": {"network_id": network, "allowed_address_pairs": [pair]}}
    answer = ann.call("POST", "/v2.0/ports", body)
    assert (answer.status, answer.type) == (400, "HTTPBadRequest")
    assert "multicast" in answer.message
    whole = [{"ip_address": "0.0.0.0/0"}, {"ip_address": "::/0"}]
    assert len(ann.port(network, allowed_address_pairs=whole)["allowed_address_pairs"]) == 2


def test_groups_are_found_by_whether_they_are_shared(root: Api, ann: Api) -> None:
    own = ann.make("/v2.0/security-groups", "security_group", name="own")["id"]
    given = root.make("/v2.0/security-groups", "security_group", name="given")["id"]
    target = {"object_type": "security_group", "object_id": given, "target_tenant": "ann"}
    root.make("/v2.0/rbac-policies", "rbac_policy", **target, action="access_as_shared")
    shared = [each["id"] for each in ann.listed("/v2.0/security-groups?shared=true")]
    others = [each["id"] for each in ann.listed("/v2.0/security-groups?shared=false")]
    assert shared == [given]
    assert own in others
    assert given not in others


def test_sort_keys_that_are_none_are_refused(root: Api) -> None:
    for name in ("h2", "h1"):
        root.make("/alcor/v1/nodes", "node", name=name, tunnel_ip=f"192.0.2.{name[1]}")
    hosts = [
        [each["host"] for each in root.listed(f"/v2.0/agents?sort_key=host&sort_dir={direction}")]
        for direction in ("asc", "desc")
    ]
    assert hosts == [["h1", "h2"], ["h2", "h1"]]
    for path in ("agents", "networks"):
        answer = root.get(f"/v2.0/{path}?sort_key=colour&sort_dir=asc")
        assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_zones_are_found_by_their_fields(root: Api) -> None:
    root.call("POST", "/alcor/v1/nodes", {"node": {"name": "h9", "tunnel_ip": "192.0.2.9"}})
    found = root.listed("/v2.0/availability_zones?resource=router")
    assert [each["resource"] for each in found] == ["router"]
    name = found[0]["name"]
    assert len(root.listed(f"/v2.0/availability_zones?name={name}")) == 2
    assert root.listed("/v2.0/availability_zones?name=other") == []
    state = found[0]["state"]
    assert len(root.listed(f"/v2.0/availability_zones?state={state}")) == 2
