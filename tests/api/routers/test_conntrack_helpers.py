"""Conntrack helpers over HTTP: under their routers, and shown by them."""

from typing import Any

import pytest

ROUTERS = "/v2.0/routers"
FTP = {"protocol": "tcp", "port": 21, "helper": "ftp"}
TFTP = {"protocol": "udp", "port": 69, "helper": "tftp"}


def helpers(router_id: str, id_: str = "") -> str:
    return f"{ROUTERS}/{router_id}/conntrack_helpers" + (f"/{id_}" if id_ else "")


def post(api: Any, router_id: str, **fields: Any) -> Any:
    return api.call("POST", helpers(router_id), {"conntrack_helper": fields})


@pytest.fixture
def router_id(announced: Any) -> str:
    id_: str = announced.make(ROUTERS, "router")["id"]
    return id_


def shown_by(api: Any, router_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get(f"{ROUTERS}/{router_id}").json["router"][
        "conntrack_helpers"
    ]
    return sorted(found, key=lambda each: int(each["port"]))


def test_helpers_come_change_and_go_and_their_router_shows_them(
    announced: Any, router_id: str
) -> None:
    assert shown_by(announced, router_id) == []
    ftp = announced.make(helpers(router_id), "conntrack_helper", **FTP)
    tftp = announced.make(helpers(router_id), "conntrack_helper", **TFTP)

    assert ftp == {"id": ftp["id"], **FTP}
    assert announced.get(helpers(router_id, tftp["id"])).json == {"conntrack_helper": tftp}
    assert shown_by(announced, router_id) == [FTP, TFTP]
    by_port = announced.listed(helpers(router_id) + "?port=69")
    assert by_port == [tftp]
    in_order = announced.listed(helpers(router_id) + "?sort_key=port&sort_dir=desc")
    assert in_order == [tftp, ftp]

    change = {"conntrack_helper": {"port": 6969}}
    changed = announced.call("PUT", helpers(router_id, tftp["id"]), change)
    assert changed.json["conntrack_helper"] == tftp | {"port": 6969}
    assert shown_by(announced, router_id) == [FTP, TFTP | {"port": 6969}]

    assert announced.call("DELETE", helpers(router_id, ftp["id"])).status == 204
    gone = announced.get(helpers(router_id, ftp["id"]))
    assert (gone.status, gone.type) == (404, "ConntrackHelperNotFound")
    assert shown_by(announced, router_id) == [TFTP | {"port": 6969}]


def test_a_router_is_one_revision_on_with_each_helper_that_it_shows_anew(
    announced: Any, router_id: str
) -> None:
    before = announced.get(f"{ROUTERS}/{router_id}").json["router"]["revision_number"]
    made = announced.make(helpers(router_id), "conntrack_helper", **FTP)
    announced.call("PUT", helpers(router_id, made["id"]), {"conntrack_helper": {"port": 21}})
    after = announced.get(f"{ROUTERS}/{router_id}").json["router"]["revision_number"]

    assert after == before + 1


@pytest.mark.parametrize(
    ("wanted", "type_"),
    [
        ({"protocol": "udp", "port": 5060, "helper": "sip"}, "ConntrackHelperNotAllowed"),
        ({"protocol": "udp", "port": 21, "helper": "ftp"}, "InvalidProtocolForHelper"),
        ({"protocol": "tcp", "port": 69, "helper": "tftp"}, "InvalidProtocolForHelper"),
        ({"protocol": "tcp", "port": 0, "helper": "ftp"}, "HTTPBadRequest"),
        ({"protocol": "tcp", "port": 65_536, "helper": "ftp"}, "HTTPBadRequest"),
        ({"protocol": "ospf", "port": 21, "helper": "ftp"}, "HTTPBadRequest"),
        ({"protocol": "tcp", "helper": "ftp"}, "HTTPBadRequest"),
    ],
)
def test_what_no_switch_can_read_is_refused(
    announced: Any, router_id: str, wanted: dict[str, Any], type_: str
) -> None:
    answer = post(announced, router_id, **wanted)

    assert (answer.status, answer.type) == (400, type_)
    assert announced.listed(helpers(router_id)) == []


def test_one_does_not_become_what_it_can_not_be_made(announced: Any, router_id: str) -> None:
    made = announced.make(helpers(router_id), "conntrack_helper", **FTP)
    for change, type_ in (
        ({"helper": "tftp"}, "InvalidProtocolForHelper"),
        ({"helper": "irc"}, "ConntrackHelperNotAllowed"),
    ):
        path = helpers(router_id, made["id"])
        answer = announced.call("PUT", path, {"conntrack_helper": change})
        assert (answer.status, answer.type) == (400, type_)


def test_a_helper_is_there_once_and_there_are_sixteen(announced: Any, router_id: str) -> None:
    first = announced.make(helpers(router_id), "conntrack_helper", **FTP)
    assert post(announced, router_id, **FTP).status == 400
    body = {"conntrack_helpers": [FTP | {"port": port} for port in range(2_000, 2_015)]}
    assert announced.call("POST", helpers(router_id), body).status == 201

    assert post(announced, router_id, **TFTP).status == 400
    other = announced.make(ROUTERS, "router")["id"]
    taken = post(announced, other, id=first["id"], **FTP)
    assert (taken.status, taken.type) == (409, "ConntrackHelperIdInUse")


def test_a_helper_is_under_its_own_router_only_and_goes_with_it(
    announced: Any, router_id: str
) -> None:
    other = announced.make(ROUTERS, "router")["id"]
    made = announced.make(helpers(router_id), "conntrack_helper", **FTP)

    assert announced.get(helpers(other, made["id"])).status == 404
    assert announced.call("DELETE", helpers(other, made["id"])).status == 404
    assert announced.call("DELETE", f"{ROUTERS}/{router_id}").status == 204
    assert announced.get(helpers(router_id)).status == 404
    assert post(announced, other, id=made["id"], **FTP).status == 201


def test_of_others_routers_nothing_is_seen_or_changed(tenants: Any) -> None:
    member, stranger = tenants.bearing("member"), tenants.bearing("stranger")
    router_id = member.make(ROUTERS, "router")["id"]
    made = member.make(helpers(router_id), "conntrack_helper", **FTP)

    for answer in (
        stranger.get(helpers(router_id)),
        stranger.get(helpers(router_id, made["id"])),
        post(stranger, router_id, **TFTP),
        stranger.call("DELETE", helpers(router_id, made["id"])),
    ):
        assert (answer.status, answer.type) == (404, "RouterNotFound")
    assert shown_by(member, router_id) == [FTP]
