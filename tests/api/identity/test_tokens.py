"""Whose token is it: answers to what Keystone says, and to its silence."""

from typing import Any

PORTS = "/v2.0/ports"
gateways_asked = 30  # calls, each of any gateway: enough for all to know a token


def test_without_a_token_one_is_told_where_to_get_one(asking: Any, keystone: Any) -> None:
    answer = asking.get(PORTS)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == f'Keystone uri="{keystone.url}"'
    assert answer.json["error"]["code"] == 401


def test_without_a_token_one_does_not_learn_what_there_is(asking: Any) -> None:
    assert asking.get("/v2.0/v2.0/networks").status == 401
    assert asking.get("/nothing").status == 401


def test_what_is_no_token_is_refused(asking: Any) -> None:
    for text in ("x", "gAAAAA" + "x" * 200, "a b", "é"):
        assert asking.bearing(text).get(PORTS).status == 401


def test_a_token_of_no_project_opens_nothing(asking: Any, keystone: Any, people: Any) -> None:
    token = keystone.token(people.member, scope="none")

    answer = asking.bearing(token).get(PORTS)

    assert (answer.status, answer.type) == (403, "PolicyNotAuthorized")


def test_an_administrator_of_the_system_sees_all(
    asking: Any, keystone: Any, people: Any, api_as: Any
) -> None:
    keystone.grant_system(keystone.admin, "admin")
    made = api_as(people.member).network(name="seen-by-system")

    system = asking.bearing(keystone.token(keystone.admin, scope="system"))

    assert system.get(f"/v2.0/networks/{made['id']}").status == 200


def test_versions_and_health_need_no_token(asking: Any) -> None:
    for path in ("/", "/healthz", "/readyz", "/metrics"):
        assert asking.get(path).status == 200


def test_a_revoked_token_opens_nothing_any_more(asking: Any, keystone: Any, people: Any) -> None:
    token = keystone.token(people.member)
    assert asking.bearing(token).get(PORTS).status == 200

    keystone.revoke(token)

    assert asking.bearing(token).get(PORTS).status == 401


def test_while_keystone_is_down_known_tokens_go_on_and_unknown_ones_wait(
    asking: Any, keystone: Any, people: Any
) -> None:
    known, unknown = keystone.token(people.member), keystone.token(people.stranger)
    for _ in range(gateways_asked):
        assert asking.bearing(known).get(PORTS).status == 200
    keystone.stop()
    try:
        while_down = asking.bearing(known).get(PORTS)
        refused = asking.bearing(unknown).get(PORTS)
    finally:
        keystone.start()

    assert while_down.status == 200
    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert asking.bearing(unknown).get(PORTS).status == 200


def test_a_service_token_that_is_none_opens_nothing(
    asking: Any, keystone: Any, people: Any
) -> None:
    token = keystone.token(people.member)

    assert asking.bearing(token, X_Service_Token="x").get(PORTS).status == 401


def test_keystone_is_asked_about_tokens_that_may_have_expired_in_its_own_way(
    asking: Any, keystone: Any, people: Any
) -> None:
    """Here of one that was revoked: to vouch for that no service token helps."""
    service, token = keystone.token(people.nova), keystone.token(people.member)
    assert asking.bearing(token, X_Service_Token=service).get(PORTS).status == 200
    keystone.revoke(token)

    assert asking.bearing(token, X_Service_Token=service).get(PORTS).status == 401
