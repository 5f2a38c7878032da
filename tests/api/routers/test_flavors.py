"""Flavors, service profiles and service providers, and routers of a flavor."""

from typing import Any

import pytest

UNKNOWN = "a3b1c0de-0000-4000-8000-0000000000ff"
OURS = "alcor.router"


def flavor(api: Any, **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": "gold", "service_type": "L3_ROUTER_NAT"} | fields
    made: dict[str, Any] = api.make("/v2.0/flavors", "flavor", **body)
    return made


def profile(api: Any, **fields: Any) -> dict[str, Any]:
    body = fields or {"metainfo": "{}"}
    made: dict[str, Any] = api.make("/v2.0/service_profiles", "service_profile", **body)
    return made


def router(api: Any, **fields: Any) -> Any:
    return api.call("POST", "/v2.0/routers", {"router": {"name": "r"} | fields})


def test_a_flavor_is_made_changed_and_deleted(api: Any) -> None:
    made = flavor(api, description="the best")
    path = f"/v2.0/flavors/{made['id']}"

    changed = api.call("PUT", path, {"flavor": {"enabled": False}}).json["flavor"]

    assert made == {
        "id": made["id"], "name": "gold", "description": "the best", "enabled": True,
        "service_type": "L3_ROUTER_NAT", "service_profiles": [],
    }  # fmt: skip
    assert changed == made | {"enabled": False}
    assert [f["id"] for f in api.listed(f"/v2.0/flavors?id={made['id']}")] == [made["id"]]
    assert api.call("DELETE", path).status == 204
    assert api.get(path).type == "FlavorNotFound"


def test_a_flavor_is_for_a_service_that_there_is(api: Any) -> None:
    body = {"flavor": {"name": "f", "service_type": "COFFEE"}}

    answer = api.call("POST", "/v2.0/flavors", body)

    assert (answer.status, answer.type) == (400, "InvalidFlavorServiceType")


@pytest.mark.parametrize(
    ("fields", "status", "type_"),
    [
        ({"driver": "", "metainfo": ""}, 400, "ServiceProfileEmpty"),
        ({"driver": "nobody.at.all"}, 404, "ServiceProfileDriverNotFound"),
    ],
)
def test_a_profile_has_a_driver_that_there_is_or_metainfo(
    api: Any, fields: dict[str, str], status: int, type_: str
) -> None:
    answer = api.call("POST", "/v2.0/service_profiles", {"service_profile": fields})

    assert (answer.status, answer.type) == (status, type_)


def test_profiles_are_given_to_a_flavor_and_taken_from_it(api: Any) -> None:
    gold, mine = flavor(api), profile(api, driver=OURS, metainfo='{"a": 1}')
    under = f"/v2.0/flavors/{gold['id']}/service_profiles"
    body = {"service_profile": {"id": mine["id"]}}

    assert api.call("POST", under, body).json == body
    assert api.call("POST", under, body).type == "FlavorServiceProfileBindingExists"
    assert api.listed(under) == [{"id": mine["id"]}]
    assert api.get(f"/v2.0/flavors/{gold['id']}").json["flavor"]["service_profiles"] == [mine["id"]]
    provider = {"provider": "alcor", "driver": OURS, "metainfo": '{"a": 1}'}
    path = f"/v2.0/flavors/{gold['id']}/next_providers"
    assert api.get(path).json == {"next_providers": [provider]}
    held = f"/v2.0/service_profiles/{mine['id']}"
    assert api.call("DELETE", held).type == "ServiceProfileInUse"
    change = {"service_profile": {"enabled": False}}
    assert api.call("PUT", held, change).type == "ServiceProfileInUse"

    assert api.call("DELETE", f"{under}/{mine['id']}").status == 204

    assert api.call("DELETE", f"{under}/{mine['id']}").type == "FlavorServiceProfileBindingNotFound"
    assert api.listed(under) == []
    assert api.call("PUT", held, change).json["service_profile"]["enabled"] is False
    assert api.call("DELETE", held).status == 204


def test_a_flavor_takes_no_profile_that_there_is_not(api: Any) -> None:
    gold = flavor(api)
    path = f"/v2.0/flavors/{gold['id']}"

    for answer in (
        api.call("POST", f"{path}/service_profiles", {"service_profile": {"id": UNKNOWN}}),
        api.call("PUT", path, {"flavor": {"service_profiles": [UNKNOWN]}}),
    ):
        assert (answer.status, answer.type) == (404, "ServiceProfileNotFound")


def test_a_disabled_flavor_provides_nothing(api: Any) -> None:
    gold = flavor(api, enabled=False)

    path = f"/v2.0/flavors/{gold['id']}/next_providers"
    assert (api.get(path).status, api.get(path).type) == (503, "FlavorDisabled")
    assert router(api, flavor_id=gold["id"]).type == "FlavorDisabled"


def test_a_router_has_a_flavor_which_stays_while_it_does(api: Any) -> None:
    gold = flavor(api)
    path = f"/v2.0/flavors/{gold['id']}"

    made = router(api, flavor_id=gold["id"]).json["router"]

    assert made["flavor_id"] == gold["id"]
    assert api.call("DELETE", path).type == "FlavorInUse"
    assert api.call("DELETE", f"/v2.0/routers/{made['id']}").status == 204
    assert api.call("DELETE", path).status == 204


def test_a_router_has_no_flavor_of_another_service_and_none_that_there_is_not(api: Any) -> None:
    other = flavor(api, service_type="FLAVORS")
    gold = flavor(api)

    assert router(api, flavor_id=other["id"]).type == "InvalidFlavorServiceType"
    assert router(api, flavor_id=UNKNOWN).type == "FlavorNotFound"
    assert router(api, flavor_id=gold["id"], distributed=True).type == "BadRequest"


def test_one_provider_provides_routers(api: Any) -> None:
    provider = {"service_type": "L3_ROUTER_NAT", "name": "alcor", "default": True}

    assert api.listed("/v2.0/service-providers") == [provider]
    assert api.listed("/v2.0/service-providers?default=false") == []


def test_hyphens_and_underscores_lead_to_the_same(api: Any) -> None:
    mine = profile(api)

    assert mine in api.listed("/v2.0/service-profiles")
    assert api.listed("/v2.0/service_providers") == api.listed("/v2.0/service-providers")


def test_only_operators_say_what_a_flavor_is(tenants: Any) -> None:
    operator, member = tenants.bearing("operator"), tenants.bearing("member")
    gold, mine = flavor(operator), profile(operator)
    under = f"/v2.0/flavors/{gold['id']}/service_profiles"
    body = {"service_profile": {"id": mine["id"]}}

    assert member.call("POST", under, body).status == 403
    assert operator.call("POST", under, body).status == 201
    assert member.call("DELETE", f"{under}/{mine['id']}").status == 403
    assert member.listed(under) == [{"id": mine["id"]}]
