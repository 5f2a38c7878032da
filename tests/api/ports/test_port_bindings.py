"""The bindings of a port while its machine is moved, as Nova asks for them."""

from typing import Any

import pytest
from tests.api.conftest import Answer, Api


@pytest.fixture(scope="module")
def hosts(api: Api) -> tuple[str, str, str]:
    names = ("move-a", "move-b", "move-c")
    for i, name in enumerate(names):
        api.call(
            "POST", "/alcor/v1/nodes", {"node": {"name": name, "tunnel_ip": f"192.0.2.{90 + i}"}}
        )
    return names


def bound(api: Api, host: str) -> dict[str, Any]:
    fields = {"binding:host_id": host, "device_owner": "compute:nova", "device_id": "m"}
    return api.port(api.network()["id"], **fields)


def bind(api: Api, port: dict[str, Any], host: str, **fields: Any) -> Answer:
    path = f"/v2.0/ports/{port['id']}/bindings"
    return api.call("POST", path, {"binding": {"host": host} | fields})


def at(api: Api, port: dict[str, Any]) -> dict[str, str]:
    """The status of each binding, by host."""
    held = api.get(f"/v2.0/ports/{port['id']}/bindings").json["bindings"]
    return {each["host"]: each["status"] for each in held}


def test_a_port_goes_to_the_host_whose_binding_is_activated(
    api: Api, hosts: tuple[str, str, str]
) -> None:
    a, b, _ = hosts
    port = bound(api, a)
    made = bind(api, port, b, profile={"migrating_to": b})
    assert (made.status, made.json["binding"]["status"]) == (201, "INACTIVE")
    assert made.json["binding"]["vif_type"] == "ovs"
    assert at(api, port) == {a: "ACTIVE", b: "INACTIVE"}
    path = f"/v2.0/ports/{port['id']}/bindings"
    assert api.get(f"{path}/{b}").json["binding"]["profile"] == {"migrating_to": b}

    answer = api.call("PUT", f"{path}/{b}/activate")
    assert (answer.status, answer.json["status"]) == (200, "ACTIVE")
    moved = api.get(f"/v2.0/ports/{port['id']}").json["port"]
    assert (moved["binding:host_id"], moved["status"]) == (b, "DOWN")
    assert moved["binding:profile"] == {"migrating_to": b}
    assert at(api, port) == {b: "ACTIVE", a: "INACTIVE"}
    again = api.call("PUT", f"{path}/{b}/activate")
    assert (again.status, again.type) == (409, "PortBindingAlreadyActive")

    assert api.call("DELETE", f"{path}/{a}").status == 204
    assert at(api, port) == {b: "ACTIVE"}
    answer = api.get(f"{path}/{a}")
    assert (answer.status, answer.type) == (404, "PortBindingNotFound")


def test_a_move_that_fails_leaves_the_port_where_it_is(
    api: Api, hosts: tuple[str, str, str]
) -> None:
    a, b, _ = hosts
    port = bound(api, a)
    assert bind(api, port, b).status == 201
    assert api.call("DELETE", f"/v2.0/ports/{port['id']}/bindings/{b}").status == 204
    assert at(api, port) == {a: "ACTIVE"}
    assert api.get(f"/v2.0/ports/{port['id']}").json["port"] == port


def test_without_its_active_binding_a_port_is_bound_nowhere(
    api: Api, hosts: tuple[str, str, str]
) -> None:
    a, b, _ = hosts
    port = bound(api, a)
    assert api.call("DELETE", f"/v2.0/ports/{port['id']}/bindings/{a}").status == 204
    assert api.get(f"/v2.0/ports/{port['id']}").json["port"]["binding:vif_type"] == "unbound"
    assert bind(api, port, b).json["binding"]["status"] == "ACTIVE"
    assert at(api, port) == {b: "ACTIVE"}


def test_a_port_that_is_put_on_a_host_does_not_wait_to_go_there(
    api: Api, hosts: tuple[str, str, str]
) -> None:
    a, b, c = hosts
    port = bound(api, a)
    for host in (b, c):
        bind(api, port, host)
    api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": {"binding:host_id": b}})
    assert at(api, port) == {b: "ACTIVE", c: "INACTIVE"}


def test_what_can_not_be_bound_is_refused(api: Api, hosts: tuple[str, str, str]) -> None:
    a, b, _ = hosts
    port = bound(api, a)
    cases = [
        (bind(api, port, a), 409, "PortBindingAlreadyExists"),
        (bind(api, port, "nobody-knows"), 400, "PortBindingError"),
        (bind(api, port, b, vnic_type="direct"), 400, "PortBindingError"),
        (bind(api, port, b, x=1), 400, "HTTPBadRequest"),
        (bind(api, {"id": "33333333-3333-4333-8333-333333333333"}, b), 404, "PortNotFound"),
        (
            api.call("PUT", f"/v2.0/ports/{port['id']}/bindings/{b}/activate"),
            404,
            "PortBindingNotFound",
        ),
        (
            api.call("PUT", f"/v2.0/ports/{port['id']}/bindings/{b}", {"binding": {}}),
            404,
            "PortBindingNotFound",
        ),
    ]
    for answer, status, type_ in cases:
        assert (answer.status, answer.type) == (status, type_)
    assert at(api, port) == {a: "ACTIVE"}


def test_a_binding_that_waits_can_be_changed(api: Api, hosts: tuple[str, str, str]) -> None:
    a, b, _ = hosts
    port = bound(api, a)
    bind(api, port, b)
    path = f"/v2.0/ports/{port['id']}/bindings/{b}"
    changed = api.call("PUT", path, {"binding": {"profile": {"x": 1}}})
    assert (changed.status, changed.json["binding"]["profile"]) == (200, {"x": 1})
    assert api.get(path).json["binding"]["status"] == "INACTIVE"


def test_a_host_stays_while_ports_are_bound_to_it_or_wait_to_be(api: Api) -> None:
    names = ("leave-a", "leave-b")
    for i, name in enumerate(names):
        node = {"name": name, "tunnel_ip": f"192.0.2.{190 + i}"}
        assert api.call("POST", "/alcor/v1/nodes", {"node": node}).status == 201
    a, b = (f"/alcor/v1/nodes/{name}" for name in names)
    port = bound(api, "leave-a")
    assert bind(api, port, "leave-b").status == 201

    for path in (a, b):
        refused = api.call("DELETE", path)
        assert (refused.status, refused.type) == (409, "NodeInUse")
        assert "1 ports are bound to it" in refused.message

    assert api.call("DELETE", f"/v2.0/ports/{port['id']}").status == 204
    assert [api.call("DELETE", node).status for node in (a, b)] == [204, 204]
