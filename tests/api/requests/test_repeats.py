"""`Idempotency-Key`: a create that is sent again makes nothing twice."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

REPLAYED = "idempotency-replayed"


@pytest.fixture
def net(api: Any) -> str:
    net = str(api.network(name="repeats")["id"])
    api.subnet(net, "10.60.0.0/24")
    return net


def key() -> dict[str, str]:
    return {"Idempotency-Key": f"call {uuid4()}"}


def test_ports_asked_for_twice_are_made_once(api: Any, net: str) -> None:
    body = {"ports": [{"network_id": net, "name": f"p{n}"} for n in range(20)]}
    once = key()

    first = api.call("POST", "/v2.0/ports", body, once)
    again = api.call("POST", "/v2.0/ports", body, once)

    assert (first.status, again.status) == (201, 201), again
    assert again.json == first.json
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert len(api.listed(f"/v2.0/ports?network_id={net}")) == 20


def test_one_that_is_refused_for_another_reason_the_second_time_is_found_too(
    api: Any, net: str
) -> None:
    # The range overlaps with the first's: the refusal says nothing of ids.
    body = {"subnet": {"network_id": net, "cidr": "10.61.0.0/24", "ip_version": 4}}
    once = key()

    first = api.call("POST", "/v2.0/subnets", body, once)
    again = api.call("POST", "/v2.0/subnets", body, once)

    assert again.status == 201, again
    assert again.json["subnet"]["id"] == first.json["subnet"]["id"]


@pytest.mark.parametrize(
    ("path", "name", "fields"),
    [
        ("/v2.0/networks", "network", {"name": "n"}),
        ("/v2.0/routers", "router", {"name": "r"}),
        ("/v2.0/security-groups", "security_group", {"name": "g"}),
        ("/v2.0/qos/policies", "policy", {"name": "q"}),
        ("/v2.0/subnetpools", "subnetpool", {"name": "s", "prefixes": ["10.9.0.0/16"]}),
    ],
)
def test_any_kind_is_made_once(api: Any, path: str, name: str, fields: dict[str, Any]) -> None:
    once = key()

    answers = [api.call("POST", path, {name: fields}, once) for _ in range(2)]

    assert [each.status for each in answers] == [201, 201], answers
    assert answers[0].json[name]["id"] == answers[1].json[name]["id"]


def test_the_same_request_from_many_at_once_makes_one(api: Any, net: str) -> None:
    once, body = key(), {"port": {"network_id": net, "name": "one"}}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.call("POST", "/v2.0/ports", body, once), range(8)))

    assert {each.status for each in answers} == {201}, answers
    assert len({each.json["port"]["id"] for each in answers}) == 1
    (port,) = api.listed(f"/v2.0/ports?network_id={net}")
    assert [each["ip_address"] for each in port["fixed_ips"]] == [
        each["ip_address"] for each in answers[0].json["port"]["fixed_ips"]
    ]


def test_another_key_or_another_kind_is_another_request(api: Any) -> None:
    once = key()

    first, other = (api.call("POST", "/v2.0/networks", {"network": {}}, k) for k in (once, key()))
    router = api.call("POST", "/v2.0/routers", {"router": {}}, once)

    ids = {first.json["network"]["id"], other.json["network"]["id"], router.json["router"]["id"]}
    assert len(ids) == 3


def test_a_refused_request_may_be_mended_and_sent_again(api: Any, net: str) -> None:
    once = key()

    refused = api.call("POST", "/v2.0/ports", {"port": {"network_id": str(uuid4())}}, once)
    made = api.call("POST", "/v2.0/ports", {"port": {"network_id": net}}, once)

    assert (refused.status, made.status) == (404, 201)


def test_part_of_what_a_key_made_is_not_an_answer(api: Any, net: str) -> None:
    body = {"ports": [{"network_id": net}, {"network_id": net}]}
    once = key()
    made = api.call("POST", "/v2.0/ports", body, once).json["ports"]
    api.call("DELETE", f"/v2.0/ports/{made[0]['id']}")

    again = api.call("POST", "/v2.0/ports", body, once)

    assert again.status == 409
    assert [port["id"] for port in api.listed(f"/v2.0/ports?network_id={net}")] == [made[1]["id"]]


@pytest.mark.parametrize("bad", ["k" * 256, "\xe9", "a\tb"])
def test_a_key_that_is_none_is_refused(api: Any, bad: str) -> None:
    answer = api.call("POST", "/v2.0/networks", {"network": {}}, {"Idempotency-Key": bad})

    assert answer.status == 400
    assert "Idempotency-Key" in answer.message
