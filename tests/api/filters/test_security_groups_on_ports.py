"""Security groups on ports over HTTP: the default, the given, what is refused, what stays.

Cases of the pains: P019 bulk and single create are alike; P043 a group in use stays.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

GROUPS, PORTS = "/v2.0/security-groups", "/v2.0/ports"


@pytest.fixture
def network(announced: Any) -> str:
    return str(announced.network(name="n")["id"])


@pytest.fixture
def project() -> str:
    return uuid4().hex


def group(api: Any, **fields: Any) -> str:
    return str(api.make(GROUPS, "security_group", name="web", **fields)["id"])


def groups_named_default(api: Any, project: str) -> list[dict[str, Any]]:
    answer = api.get(f"{GROUPS}?name=default&project_id={project}")
    found: list[dict[str, Any]] = answer.json["security_groups"]
    return found


def change(api: Any, port: str, **fields: Any) -> Any:
    return api.call("PUT", f"{PORTS}/{port}", {"port": fields})


def test_a_port_that_names_no_groups_is_in_its_projects_default_one(
    announced: Any, network: str, project: str
) -> None:
    port = announced.port(network, project_id=project)

    (default,) = groups_named_default(announced, project)
    assert port["security_groups"] == [default["id"]]


def test_bulk_and_single_creates_are_alike(announced: Any, network: str, project: str) -> None:
    """P019."""
    named = group(announced, project_id=project)
    where = {"network_id": network, "project_id": project}
    some, none, null = (where | {"security_groups": each} for each in ([named], [], None))
    bodies = [some, none, where, null]

    bulk = announced.call("POST", PORTS, {"ports": bodies}).json["ports"]
    single = [announced.call("POST", PORTS, {"port": body}).json["port"] for body in bodies]

    (default,) = groups_named_default(announced, project)
    wanted = [[named], [], [default["id"]], []]
    assert [port["security_groups"] for port in bulk] == wanted
    assert [port["security_groups"] for port in single] == wanted


@pytest.mark.parametrize(
    "fields", [{"port_security_enabled": False}, {"device_owner": "network:dhcp"}]
)
def test_a_port_that_is_not_filtered_has_no_groups(
    announced: Any, network: str, fields: dict[str, Any]
) -> None:
    assert announced.port(network, **fields)["security_groups"] == []


def test_groups_that_are_not_there_are_refused_and_nothing_changes(
    announced: Any, network: str
) -> None:
    port = announced.port(network)
    named = group(announced)

    for groups in ([str(uuid4())], [named, str(uuid4())]):
        answer = change(announced, port["id"], security_groups=groups)
        assert (answer.status, answer.type) == (404, "SecurityGroupNotFound")
        body = {"port": {"network_id": network, "security_groups": groups}}
        assert announced.call("POST", PORTS, body).type == "SecurityGroupNotFound"
    shown = announced.get(f"{PORTS}/{port['id']}").json["port"]
    assert shown == port


@pytest.mark.parametrize("bad", ["x", [5], {}, ["nonsense"], [None], 5])
def test_what_is_no_list_of_ids_is_refused(announced: Any, network: str, bad: object) -> None:
    body = {"port": {"network_id": network, "security_groups": bad}}

    answer = announced.call("POST", PORTS, body)

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_a_group_twice_is_refused(announced: Any, network: str) -> None:
    named = group(announced)

    answer = change(announced, announced.port(network)["id"], security_groups=[named, named])

    assert answer.status == 400


def test_groups_with_and_without_connections_don_t_mix(announced: Any, network: str) -> None:
    both = [group(announced), group(announced, stateful=False)]
    port = announced.port(network, security_groups=both[:1])

    for answer in (
        change(announced, port["id"], security_groups=both),
        announced.call("POST", PORTS, {"port": {"network_id": network, "security_groups": both}}),
    ):
        assert (answer.status, answer.type) == (409, "SecurityGroupConflict")


def test_groups_go_before_port_security_does(announced: Any, network: str) -> None:
    named = group(announced)
    port = announced.port(network)["id"]

    kept = change(announced, port, port_security_enabled=False)
    off = change(announced, port, port_security_enabled=False, security_groups=[])
    unfiltered = change(announced, port, security_groups=[named])
    on = change(announced, port, port_security_enabled=True, security_groups=[named])

    assert (kept.status, kept.type) == (409, "PortSecurityPortHasSecurityGroup")
    assert off.json["port"]["security_groups"] == []
    assert unfiltered.type == "PortSecurityAndIPRequiredForSecurityGroups"
    assert on.json["port"]["security_groups"] == [named]
    body = {"network_id": network, "port_security_enabled": False, "security_groups": [named]}
    made = announced.call("POST", PORTS, {"port": body})
    assert (made.status, made.type) == (400, "PortSecurityAndIPRequiredForSecurityGroups")


def test_a_change_of_something_else_leaves_the_groups(announced: Any, network: str) -> None:
    named = group(announced)
    port = announced.port(network, security_groups=[named])["id"]

    assert change(announced, port, name="x").json["port"]["security_groups"] == [named]


def test_ports_are_found_by_their_groups(announced: Any, network: str) -> None:
    one, other = group(announced), group(announced)
    first = announced.port(network, security_groups=[one, other])["id"]
    second = announced.port(network, security_groups=[other])["id"]

    def found(query: str) -> set[str]:
        return {port["id"] for port in announced.get(f"{PORTS}?{query}").json["ports"]}

    assert found(f"security_groups={one}") == {first}
    assert found(f"security_groups={other}") == {first, second}
    change(announced, first, security_groups=[])
    assert found(f"security_groups={other}") == {second}


def test_a_group_stays_while_a_port_is_in_it(announced: Any, network: str) -> None:
    """P043."""
    named = group(announced)
    port = announced.port(network, security_groups=[named])["id"]
    path = f"{GROUPS}/{named}"

    in_use = announced.call("DELETE", path)
    meaning = announced.call("PUT", path, {"security_group": {"stateful": False}})
    renamed = announced.call("PUT", path, {"security_group": {"stateful": True, "name": "n"}})

    assert (in_use.status, in_use.type) == (409, "SecurityGroupInUse")
    assert (meaning.status, meaning.type) == (409, "SecurityGroupInUse")
    assert renamed.status == 200
    assert announced.call("DELETE", f"{PORTS}/{port}").status == 204
    assert announced.call("DELETE", path).status == 204
    body = {"port": {"network_id": network, "security_groups": [named]}}
    assert announced.call("POST", PORTS, body).type == "SecurityGroupNotFound"


def test_a_group_is_never_deleted_under_a_port_that_got_it(announced: Any, network: str) -> None:
    named = [group(announced) for _ in range(12)]

    def put(id_: str) -> int:
        body = {"port": {"network_id": network, "security_groups": [id_]}}
        return int(announced.call("POST", PORTS, body).status)

    def delete(id_: str) -> int:
        return int(announced.call("DELETE", f"{GROUPS}/{id_}").status)

    with ThreadPoolExecutor(24) as pool:
        puts, deletions = pool.map(put, named), pool.map(delete, named)
        outcomes = set(zip(puts, deletions, strict=True))

    assert outcomes <= {(201, 409), (404, 204)}


def test_a_project_whose_default_group_was_deleted_gets_another(
    announced: Any, network: str, project: str
) -> None:
    announced.call("DELETE", f"{PORTS}/{announced.port(network, project_id=project)['id']}")
    (old,) = groups_named_default(announced, project)
    assert announced.call("DELETE", f"{GROUPS}/{old['id']}").status == 204

    (new,) = groups_named_default(announced, project)

    assert new["id"] != old["id"]
    assert len(new["security_group_rules"]) == 4
