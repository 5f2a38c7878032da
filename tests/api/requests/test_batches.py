"""Many in one call: one answer an item, or all or nothing; and tables of nodes."""

from typing import Any

import pytest

UNKNOWN = "a3b1c0de-0000-4000-8000-00000000000f"
PORTS = "/alcor/v1/batch/ports"


@pytest.fixture(scope="module")
def net(api: Any) -> str:
    net = str(api.network(name="batches")["id"])
    api.subnet(net, "10.30.0.0/24")
    return net


def results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json["results"]
    return found


def test_each_item_is_answered_as_it_would_be_alone(api: Any, net: str) -> None:
    items = [{"network_id": net, "name": "a"}, {"network_id": UNKNOWN}, {"network_id": net}, {}]

    found = results(api.call("POST", PORTS, {"create": items}))

    assert [each["status"] for each in found] == [201, 404, 201, 400]
    assert found[0]["body"]["port"]["name"] == "a"
    assert found[1]["body"]["NeutronError"]["type"] == "NetworkNotFound"
    assert found[0]["revision"].startswith("port:")


def test_all_or_nothing_makes_nothing_when_one_is_wrong(api: Any, net: str) -> None:
    before = api.listed("/v2.0/ports")
    items = [{"network_id": net}, {"network_id": UNKNOWN}]

    answer = api.call("POST", PORTS, {"create": items, "all_or_nothing": True})

    assert (answer.status, answer.type) == (404, "NetworkNotFound")
    assert api.listed("/v2.0/ports") == before


def test_many_are_changed_each_on_its_own_condition(api: Any, net: str) -> None:
    ports = [api.port(net) for _ in range(3)]
    items = [{"id": p["id"], "name": "changed"} for p in ports]
    items[1]["revision_number"] = 9_000
    items.append({"id": UNKNOWN, "name": "x"})

    found = results(api.call("POST", PORTS, {"update": items}))

    assert [each["status"] for each in found] == [200, 412, 200, 404]
    assert [api.get(f"/v2.0/ports/{p['id']}").json["port"]["name"] for p in ports] == [
        "changed", "", "changed"]  # fmt: skip


def test_many_are_deleted_and_waited_for_by_one_revision(api: Any, net: str) -> None:
    ids = [api.port(net)["id"] for _ in range(20)]

    answer = api.call("POST", PORTS, {"delete": [{"id": id_} for id_ in [*ids, ids[0], UNKNOWN]]})

    statuses = [each["status"] for each in results(answer)]
    assert statuses.count(204) == 20
    assert statuses.count(404) == 2
    newest = max(int(r["revision"].partition(":")[2]) for r in results(answer) if r["revision"])
    assert answer.headers["x-alcor-revision"] == f"port:{newest}"
    assert not [p for p in api.listed("/v2.0/ports") if p["id"] in ids]


@pytest.mark.parametrize("collection", ["networks", "subnets", "nodes"])
def test_every_kind_has_batches(api: Any, collection: str) -> None:
    body = {"delete": [{"id": UNKNOWN}]}

    found = results(api.call("POST", f"/alcor/v1/batch/{collection}", body))

    assert [each["status"] for each in found] == [404]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"create": [], "delete": []},
        {"create": []},
        {"create": [1]},
        {"create": {}},
        {"explode": [{}]},
        {"create": [{}], "all_or_nothing": 1},
        {"delete": [{"id": UNKNOWN}], "all_or_nothing": True},
        {"delete": [{}]},
        {"delete": [{"id": "a/b"}]},
        {"delete": [{"id": UNKNOWN, "name": "x"}]},
        {"update": [{"id": UNKNOWN, "revision_number": "1"}]},
    ],
)
def test_what_is_no_batch_is_refused(api: Any, body: dict[str, Any]) -> None:
    answer = api.call("POST", PORTS, body)

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")


def test_what_is_no_batch_changes_nothing(api: Any, net: str) -> None:
    kept = api.port(net)["id"]

    answer = api.call("POST", PORTS, {"delete": [{"id": kept}, {"id": "a/b"}]})

    api.port(net)  # comes after whatever was begun before
    assert (answer.status, answer.type) == (400, "HTTPBadRequest")
    assert api.get(f"/v2.0/ports/{kept}").status == 200


def test_a_batch_has_a_limit_and_a_place(api: Any) -> None:
    assert api.call("POST", PORTS, {"delete": [{"id": UNKNOWN}] * 601}).status == 413
    assert api.call("POST", "/alcor/v1/batch/nothing", {}).status == 404
    assert api.call("GET", PORTS).status == 405


CSV = {"Content-Type": "text/csv"}


def test_a_table_of_nodes_is_taken(api: Any) -> None:
    table = 'name,tunnel_ip,description\r\nrack-1,192.0.2.101,"left, above"\nrack-2,192.0.2.102,\n'

    answer = api.call("POST", "/alcor/v1/nodes", table.encode(), CSV)

    assert answer.status == 201, answer
    assert [(n["id"], n["description"]) for n in answer.json["nodes"]] == [
        ("rack-1", "left, above"), ("rack-2", "")]  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"\xff\xfe",
        b"name,tunnel_ip",
        b"name,name\na,b",
        b"name,,tunnel_ip\na,b,c",
        b"name,tunnel_ip\nrack-9",
        b"name,tunnel_ip\nrack-9,192.0.2.9,more",
        b'name,tunnel_ip\n"rack-9,192.0.2.9',
        b"name,colour\nrack-9,red",
        b"name,tunnel_ip\nrack-8,192.0.2.8\nrack-9,nonsense",
    ],
)
def test_a_table_that_is_wrong_makes_no_node(api: Any, table: bytes) -> None:
    answer = api.call("POST", "/alcor/v1/nodes", table, CSV)

    assert (answer.status, answer.type) == (400, "HTTPBadRequest")
    assert not [n for n in api.listed("/alcor/v1/nodes") if n["id"] in ("rack-8", "rack-9")]
