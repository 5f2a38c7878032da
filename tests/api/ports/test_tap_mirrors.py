"""Mirrors of ports."""

from itertools import count
from typing import Any

import pytest

MIRRORS = "/v2.0/taas/tap_mirrors"
UNKNOWN = "a3b1c0de-0000-4000-8000-0000000000ff"
tunnel_ids = count(1)


def ask(api: Any, port_id: str, **fields: Any) -> Any:
    body: dict[str, Any]
    body = {"port_id": port_id, "remote_ip": "192.0.2.42", "mirror_type": "gre"}
    if "directions" not in fields:
        body["directions"] = {"IN": next(tunnel_ids)}
    return api.call("POST", MIRRORS, {"tap_mirror": body | fields})


def mirror(api: Any, port_id: str, **fields: Any) -> dict[str, Any]:
    answer = ask(api, port_id, **fields)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json["tap_mirror"]
    return made


def port(api: Any) -> str:
    return str(api.port(api.network()["id"])["id"])


def test_a_mirror_is_made_shown_renamed_and_deleted(announced: Any) -> None:
    port_id, directions = port(announced), {"IN": next(tunnel_ids), "OUT": next(tunnel_ids)}
    made = mirror(announced, port_id, directions=directions, mirror_type="erspanv1")
    path = f"{MIRRORS}/{made['id']}"

    assert made == {
        "id": made["id"], "name": "", "description": "", "port_id": port_id,
        "project_id": made["project_id"], "tenant_id": made["project_id"],
        "directions": directions, "remote_ip": "192.0.2.42", "mirror_type": "erspanv1",
    }  # fmt: skip
    changed = announced.call("PUT", path, {"tap_mirror": {"name": "x", "description": "y"}})
    assert changed.json["tap_mirror"] == made | {"name": "x", "description": "y"}
    assert announced.listed(f"{MIRRORS}?port_id={port_id}") == [changed.json["tap_mirror"]]
    assert announced.call("DELETE", path).status == 204
    assert announced.get(path).type == "TapMirrorNotFound"
    assert announced.get(f"/v2.0/ports/{port_id}").status == 200


def test_tunnel_ids_are_answered_as_they_were_written(announced: Any) -> None:
    """As Neutron does: Gophercloud, and Terraform by it, write text and read nothing else."""
    number = next(tunnel_ids)
    made = mirror(announced, port(announced), directions={"IN": str(number)})

    assert made["directions"] == {"IN": str(number)}
    assert announced.get(f"{MIRRORS}/{made['id']}").json["tap_mirror"] == made
    again = ask(announced, port(announced), directions={"OUT": number})
    assert (again.status, again.type) == (409, "TapMirrorTunnelConflict")


def test_a_tunnel_id_with_a_fraction_of_nothing_is_a_whole_number(announced: Any) -> None:
    number = next(tunnel_ids)
    made = mirror(announced, port(announced), directions={"IN": float(number)})

    assert str(made["directions"]) == str({"IN": number})
    assert announced.get(MIRRORS).status == 200
    assert announced.call("DELETE", f"{MIRRORS}/{made['id']}").status == 204


@pytest.mark.parametrize("field", ["port_id", "directions", "remote_ip", "mirror_type"])
def test_what_a_mirror_copies_and_where_to_does_not_change(announced: Any, field: str) -> None:
    made = mirror(announced, port(announced))

    answer = announced.call("PUT", f"{MIRRORS}/{made['id']}", {"tap_mirror": {field: made[field]}})

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


@pytest.mark.parametrize(
    "fields",
    [
        {"directions": {"something": 101}},
        {"directions": {"IN": -1}},
        {"directions": {"IN": 1 << 32}},
        {"directions": {"IN": "all"}},
        {"directions": {}},
        {"directions": {"IN": 8_001, "OUT": 8_001}},
        {"directions": {"IN": 8_001, "OUT": "8001"}},
        {"directions": {"BOTH": 8_001, "OUT": 8_002}},
        {"directions": {"IN": 2_000}, "mirror_type": "erspanv1"},
        {"mirror_type": "erspanv2"},
        {"remote_ip": "192.101.0.420"},
        {"remote_ip": "2001:db8::9"},
    ],
)
def test_what_no_host_can_do_is_refused(announced: Any, fields: dict[str, Any]) -> None:
    answer = ask(announced, port(announced), **fields)

    assert answer.status == 400, answer


def test_both_directions_may_share_a_tunnel_id(announced: Any) -> None:
    number = next(tunnel_ids)
    made = mirror(announced, port(announced), directions={"BOTH": number})

    assert made["directions"] == {"BOTH": number}
    for taken in ({"IN": number}, {"OUT": number}, {"BOTH": number}):
        refused = ask(announced, port(announced), directions=taken)
        assert (refused.status, refused.type) == (409, "TapMirrorTunnelConflict")


def test_a_tunnel_id_is_of_one_mirror(announced: Any) -> None:
    directions = {"IN": next(tunnel_ids)}
    port_id = port(announced)
    mirror(announced, port_id, directions=directions)
    mirror(announced, port_id, directions={"IN": next(tunnel_ids)}, remote_ip="192.0.2.43")

    for taken in (directions, {"OUT": directions["IN"]}):
        refused = ask(announced, port(announced), directions=taken, remote_ip="192.0.2.4")
        assert (refused.status, refused.type) == (409, "TapMirrorTunnelConflict")


def test_a_mirror_is_of_a_port_that_there_is_and_goes_with_it(announced: Any) -> None:
    assert ask(announced, UNKNOWN).type == "PortNotFound"
    port_id = port(announced)
    made = mirror(announced, port_id)

    assert announced.call("DELETE", f"/v2.0/ports/{port_id}").status == 204

    assert announced.get(f"{MIRRORS}/{made['id']}").status == 404


def test_members_mirror_their_own_ports(tenants: Any) -> None:
    operator, member = tenants.bearing("operator"), tenants.bearing("member")
    reader, stranger = tenants.bearing("reader"), tenants.bearing("stranger")
    port_id = port(member)
    made = mirror(member, port_id)

    assert reader.listed(f"{MIRRORS}?id={made['id']}") == [made]
    assert ask(reader, port_id).status == 403
    assert stranger.get(f"{MIRRORS}/{made['id']}").status == 404
    assert ask(stranger, port_id).type == "PortNotFound"
    assert ask(operator, port_id, project_id="blue").status == 201
