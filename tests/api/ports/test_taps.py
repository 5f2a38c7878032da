"""Tap services and tap flows."""

from typing import Any

import pytest

SERVICES, FLOWS = "/v2.0/taas/tap_services", "/v2.0/taas/tap_flows"
UNKNOWN = "a3b1c0de-0000-4000-8000-0000000000ff"


def port(api: Any) -> str:
    return str(api.port(api.network()["id"])["id"])


def ask_service(api: Any, port_id: str, **fields: Any) -> Any:
    return api.call("POST", SERVICES, {"tap_service": {"port_id": port_id} | fields})


def ask_flow(api: Any, service: dict[str, Any], source: str, **fields: Any) -> Any:
    body = {"tap_service_id": service["id"], "source_port": source, "direction": "BOTH"}
    return api.call("POST", FLOWS, {"tap_flow": body | fields})


def service_at(api: Any, port_id: str, **fields: Any) -> dict[str, Any]:
    answer = ask_service(api, port_id, **fields)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json["tap_service"]
    return made


def flow_to(api: Any, service: dict[str, Any], source: str, **fields: Any) -> dict[str, Any]:
    answer = ask_flow(api, service, source, **fields)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json["tap_flow"]
    return made


def test_a_service_is_made_shown_renamed_and_deleted(announced: Any) -> None:
    port_id = port(announced)
    made = service_at(announced, port_id, name="probe")
    path = f"{SERVICES}/{made['id']}"

    assert made == {
        "id": made["id"], "name": "probe", "description": "", "port_id": port_id, "status": "DOWN",
        "project_id": made["project_id"], "tenant_id": made["project_id"],
    }  # fmt: skip
    changed = announced.call("PUT", path, {"tap_service": {"name": "x", "description": "y"}})
    assert changed.json["tap_service"] == made | {"name": "x", "description": "y"}
    assert announced.listed(f"{SERVICES}?port_id={port_id}") == [changed.json["tap_service"]]
    assert announced.call("DELETE", path).status == 204
    assert announced.get(path).type == "TapServiceNotFound"
    assert announced.get(f"/v2.0/ports/{port_id}").status == 200


def test_a_flow_is_made_shown_renamed_and_deleted(announced: Any) -> None:
    service, source = service_at(announced, port(announced)), port(announced)
    made = flow_to(announced, service, source, direction="IN")
    path = f"{FLOWS}/{made['id']}"

    assert made == {
        "id": made["id"], "name": "", "description": "", "tap_service_id": service["id"],
        "source_port": source, "direction": "IN", "status": "DOWN",
        "project_id": made["project_id"], "tenant_id": made["project_id"],
    }  # fmt: skip
    changed = announced.call("PUT", path, {"tap_flow": {"name": "x", "description": "y"}})
    assert changed.json["tap_flow"] == made | {"name": "x", "description": "y"}
    for wanted in (f"source_port={source}", f"tap_service_id={service['id']}"):
        assert announced.listed(f"{FLOWS}?{wanted}") == [changed.json["tap_flow"]]
    assert announced.call("DELETE", path).status == 204
    assert announced.get(path).type == "TapFlowNotFound"
    assert announced.get(f"{SERVICES}/{service['id']}").status == 200


def test_what_is_copied_and_where_to_does_not_change(announced: Any) -> None:
    service = service_at(announced, port(announced))
    flow = flow_to(announced, service, port(announced))

    for path, kind, made, fields in (
        (SERVICES, "tap_service", service, ("port_id",)),
        (FLOWS, "tap_flow", flow, ("tap_service_id", "source_port", "direction")),
    ):
        for field in (*fields, "status"):
            body = {kind: {field: made[field]}}
            answer = announced.call("PUT", f"{path}/{made['id']}", body)
            assert (answer.status, answer.type) == (400, "HTTPBadRequest"), field


@pytest.mark.parametrize(
    "fields",
    [
        {"direction": "ALL"},
        {"direction": None},
        {"source_port": "that one"},
        {"tap_service_id": "this one"},
        {"vlan_filter": "1-5"},
        {"status": "ACTIVE"},
    ],
)
def test_what_a_flow_can_not_be_is_refused(announced: Any, fields: dict[str, Any]) -> None:
    service = service_at(announced, port(announced))

    assert ask_flow(announced, service, port(announced), **fields).status == 400


def test_there_is_what_taps_are_about(announced: Any) -> None:
    service = service_at(announced, port(announced))

    assert ask_service(announced, UNKNOWN).type == "PortNotFound"
    refused = ask_flow(announced, service, UNKNOWN)
    assert (refused.status, refused.type) == (404, "InvalidSourcePort")
    refused = ask_flow(announced, {"id": UNKNOWN}, port(announced))
    assert (refused.status, refused.type) == (404, "TapServiceNotFound")


def test_a_flow_goes_with_its_service(announced: Any) -> None:
    service = service_at(announced, port(announced))
    flow, source = flow_to(announced, service, port(announced)), port(announced)
    other = flow_to(announced, service_at(announced, port(announced)), source)

    assert announced.call("DELETE", f"{SERVICES}/{service['id']}").status == 204

    assert announced.get(f"{FLOWS}/{flow['id']}").status == 404
    assert announced.get(f"{FLOWS}/{other['id']}").status == 200


def test_both_go_with_the_port_of_the_service_and_a_flow_with_its_own(announced: Any) -> None:
    tap, source = port(announced), port(announced)
    service = service_at(announced, tap)
    flow, other = (flow_to(announced, service, each) for each in (source, port(announced)))

    assert announced.call("DELETE", f"/v2.0/ports/{source}").status == 204
    assert announced.get(f"{FLOWS}/{flow['id']}").status == 404
    assert announced.get(f"{FLOWS}/{other['id']}").status == 200
    assert announced.call("DELETE", f"/v2.0/ports/{tap}").status == 204
    assert announced.call("DELETE", f"{FLOWS}/{other['id']}").status == 404
    assert announced.call("DELETE", f"{SERVICES}/{service['id']}").status == 404


def test_a_port_may_have_several_services_and_several_flows(announced: Any) -> None:
    tap, source = port(announced), port(announced)
    services = [service_at(announced, tap) for _ in range(2)]
    flows = [flow_to(announced, service, source) for service in services]

    assert len(announced.listed(f"{SERVICES}?port_id={tap}")) == 2
    assert {each["id"] for each in announced.listed(f"{FLOWS}?source_port={source}")} == {
        each["id"] for each in flows
    }


def test_several_are_made_in_one_call_or_none(announced: Any) -> None:
    tap = port(announced)
    bodies = [{"port_id": each} for each in (tap, tap)]
    made = announced.call("POST", SERVICES, {"tap_services": bodies})
    refused = announced.call("POST", SERVICES, {"tap_services": [*bodies, {"port_id": UNKNOWN}]})

    assert (made.status, refused.status) == (201, 404)
    assert len(announced.listed(f"{SERVICES}?port_id={tap}")) == 2
    flows = [
        {"tap_service_id": each["id"], "source_port": tap, "direction": "OUT"}
        for each in made.json["tap_services"]
    ]
    assert announced.call("POST", FLOWS, {"tap_flows": flows}).status == 201


def test_members_tap_their_own_ports(tenants: Any) -> None:
    operator, member = tenants.bearing("operator"), tenants.bearing("member")
    reader, stranger = tenants.bearing("reader"), tenants.bearing("stranger")
    tap, source = port(member), port(member)
    service = service_at(member, tap)
    flow = flow_to(member, service, source)

    assert member.listed(f"{FLOWS}?id={flow['id']}") == [flow]
    assert ask_service(reader, tap).status == 403
    assert reader.get(f"{SERVICES}/{service['id']}").status == 404
    assert stranger.get(f"{FLOWS}/{flow['id']}").status == 404
    assert ask_service(stranger, tap).type == "PortNotFound"
    own = service_at(stranger, port(stranger))
    assert ask_flow(stranger, own, source).type == "InvalidSourcePort"
    assert ask_flow(stranger, service, port(stranger)).type == "TapServiceNotFound"
    assert ask_flow(operator, service, source, project_id="blue").status == 201


def test_taps_are_of_the_project_of_their_port_and_service(tenants: Any) -> None:
    operator, member = tenants.bearing("operator"), tenants.bearing("member")
    tap = port(member)

    refused = ask_service(operator, tap)
    assert (refused.status, refused.type) == (403, "PortDoesNotBelongToTenant")
    service = service_at(operator, tap, project_id="blue")
    refused = ask_flow(operator, service, port(member))
    assert (refused.status, refused.type) == (403, "TapServiceNotBelongToTenant")


def test_the_extension_is_announced(announced: Any) -> None:
    aliases = {each["alias"] for each in announced.get("/v2.0/extensions").json["extensions"]}

    assert "taas" in aliases
    assert "taas-vlan-filter" not in aliases
