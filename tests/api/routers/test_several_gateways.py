"""Several gateways of a router over HTTP: what adds, changes and removes them."""

from typing import Any

import pytest

ROUTERS = "/v2.0/routers"


@pytest.fixture
def worlds(announced: Any) -> list[str]:
    """Three external networks."""
    return [outside(announced, f"198.51.{number}") for number in (100, 101, 102)]


def outside(api: Any, net: str) -> str:
    network = api.network(**{"router:external": True})
    api.subnet(network["id"], f"{net}.0/24", gateway_ip=f"{net}.1")
    id_: str = network["id"]
    return id_


def act(api: Any, id_: str, verb: str, *gateways: dict[str, Any]) -> Any:
    body = {"router": {"external_gateways": list(gateways)}}
    return api.call("PUT", f"{ROUTERS}/{id_}/{verb}_external_gateways", body)


def to(network_id: str, **more: Any) -> dict[str, Any]:
    return {"network_id": network_id, **more}


def made(api: Any, *networks: str, **fields: Any) -> str:
    """A router with gateways to these, in order."""
    id_: str = api.make(ROUTERS, "router", **fields)["id"]
    assert act(api, id_, "add", *map(to, networks)).status == 200
    return id_


def networks_of(router: dict[str, Any]) -> list[str]:
    first = router["external_gateway_info"]
    gateways = router["external_gateways"]
    assert first == (gateways[0] if gateways else None)
    return [each["network_id"] for each in gateways]


def shown(api: Any, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{ROUTERS}/{id_}").json["router"]
    return found


def ports_of(api: Any, id_: str) -> set[str]:
    owner = "device_owner=network:router_gateway"
    return {port["network_id"] for port in api.listed(f"/v2.0/ports?device_id={id_}&{owner}")}


def test_gateways_are_added_in_order_and_the_first_is_whom_older_clients_see(
    announced: Any, worlds: list[str]
) -> None:
    one, two, three = worlds
    id_ = announced.make(ROUTERS, "router", external_gateway_info=to(one))["id"]
    assert networks_of(shown(announced, id_)) == [one]

    answer = act(announced, id_, "add", to(three, enable_snat=False), to(two))

    assert answer.status == 200
    assert networks_of(answer.json["router"]) == [one, three, two]
    assert answer.json["router"] == shown(announced, id_)
    assert [each["enable_snat"] for each in shown(announced, id_)["external_gateways"]] == [
        True, False, True,
    ]  # fmt: skip
    assert ports_of(announced, id_) == set(worlds)


def test_of_a_router_without_one_the_first_that_is_added_is_the_first(
    announced: Any, worlds: list[str]
) -> None:
    id_ = made(announced, *worlds[:2])

    assert networks_of(shown(announced, id_)) == worlds[:2]


def test_when_the_first_goes_the_next_one_is_the_first(announced: Any, worlds: list[str]) -> None:
    id_ = made(announced, *worlds)

    answer = act(announced, id_, "remove", to(worlds[0]))

    assert networks_of(answer.json["router"]) == worlds[1:]
    cleared = announced.call("PUT", f"{ROUTERS}/{id_}", {"router": {"external_gateway_info": {}}})
    assert networks_of(cleared.json["router"]) == worlds[2:]
    assert ports_of(announced, id_) == set(worlds[2:])
    assert networks_of(act(announced, id_, "remove", to(worlds[2])).json["router"]) == []
    assert announced.call("DELETE", f"{ROUTERS}/{id_}").status == 204


def test_the_first_is_changed_beside_the_others(announced: Any, worlds: list[str]) -> None:
    one, two, three = worlds
    id_ = made(announced, one, two)
    path = f"{ROUTERS}/{id_}"

    changed = announced.call("PUT", path, {"router": {"external_gateway_info": to(three)}})
    again = announced.call("PUT", path, {"router": {"external_gateway_info": to(two)}})

    assert networks_of(changed.json["router"]) == [three, two]
    assert (again.status, networks_of(again.json["router"])) == (200, [two, two])
    assert ports_of(announced, id_) == {two}


def test_a_gateways_addresses_and_its_translation_are_changed(
    announced: Any, worlds: list[str]
) -> None:
    one, two, _ = worlds
    id_ = made(announced, one, two)
    wanted = [{"ip_address": "198.51.101.77"}]

    moved = to(two, external_fixed_ips=wanted, enable_snat=False)
    answer = act(announced, id_, "update", to(one), moved)

    first, second = answer.json["router"]["external_gateways"]
    assert [ip["ip_address"] for ip in second["external_fixed_ips"]] == ["198.51.101.77"]
    assert (first["enable_snat"], second["enable_snat"]) == (True, False)
    kept = act(announced, id_, "update", to(one), to(two, external_fixed_ips=wanted))
    assert kept.json["router"]["external_gateways"][1] == second


def test_an_update_says_all_gateways_in_their_order(announced: Any, worlds: list[str]) -> None:
    one, two, three = worlds
    id_ = announced.make(ROUTERS, "router")["id"]

    for wanted in ([one], [two], [two, one], [one, two], [three, one], [two, three], [one]):
        answer = act(announced, id_, "update", *map(to, wanted))
        assert (answer.status, networks_of(answer.json["router"])) == (200, wanted)
        assert answer.json["router"] == shown(announced, id_)
        assert ports_of(announced, id_) == set(wanted)

    assert networks_of(act(announced, id_, "update").json["router"]) == []
    assert ports_of(announced, id_) == set()


def test_openstackclient_sets_and_unsets_a_gateway_by_these_calls(
    announced: Any, worlds: list[str]
) -> None:
    """`router create --external-gateway`, `router set --external-gateway`, `router unset` of
    openstackclient 10.5 where this extension is announced."""
    one, two, _ = worlds
    path = f"{ROUTERS}/{announced.make(ROUTERS, 'router')['id']}"

    for network in (one, two):
        body = {"router": {"external_gateways": [to(network)]}}
        set_ = announced.call("PUT", f"{path}/update_external_gateways", body)
        assert networks_of(set_.json["router"]) == [network]

    nothing: dict[str, Any] = {"router": {"external_gateways": {}}}
    asked = announced.call("PUT", f"{path}/remove_external_gateways", nothing)
    assert (asked.status, networks_of(asked.json["router"])) == (200, [two])
    unset = announced.call("PUT", path, {"router": {"external_gateway_info": {}}})
    assert networks_of(unset.json["router"]) == []


def test_the_policy_is_the_first_gateways_also_when_another_becomes_the_first(
    announced: Any, worlds: list[str]
) -> None:
    one, two, _ = worlds
    id_ = made(announced, one, two)
    policy = announced.make("/v2.0/qos/policies", "policy", name="slow")["id"]

    def update(*gateways: dict[str, Any]) -> Any:
        answer = act(announced, id_, "update", *gateways)
        policies = [each["qos_policy_id"] for each in shown(announced, id_)["external_gateways"]]
        return answer.status, policies

    assert update(to(one, qos_policy_id=policy), to(two)) == (200, [policy, None])
    assert update(to(two), to(one)) == (200, [None, None])
    assert update(to(two), to(one, qos_policy_id=policy)) == (400, [None, None])
    assert update(to(two, qos_policy_id=id_), to(one)) == (404, [None, None])
    assert announced.call("DELETE", f"/v2.0/qos/policies/{policy}").status == 204


def test_a_gateway_that_there_is_not_is_matched_by_nothing(
    announced: Any, worlds: list[str]
) -> None:
    id_ = made(announced, worlds[0])

    answer = act(announced, id_, "remove", to(worlds[1]))

    assert (answer.status, answer.type) == (400, "UnableToMatchGateways")


def test_gateways_are_to_external_networks_only_and_eight(
    announced: Any, worlds: list[str]
) -> None:
    one, two, _ = worlds
    id_ = made(announced, one)
    inside = announced.network()["id"]

    for wanted in ([to(two), to(inside)], [to(two)] * 8):
        assert act(announced, id_, "add", *wanted).status == 400

    assert networks_of(shown(announced, id_)) == [one]
    assert ports_of(announced, id_) == {one}


def addresses_of(router: dict[str, Any]) -> list[str]:
    every = [each["external_fixed_ips"] for each in router["external_gateways"]]
    return [ip["ip_address"] for (ip,) in every]


def test_several_gateways_to_one_network_have_addresses_of_their_own(
    announced: Any, worlds: list[str]
) -> None:
    one, two, _ = worlds
    id_ = made(announced, one, one, two)
    assert act(announced, id_, "add", to(one)).status == 200
    router = shown(announced, id_)
    assert networks_of(router) == [one, one, two, one]
    owner = "device_owner=network:router_gateway"
    ports = announced.listed(f"/v2.0/ports?device_id={id_}&{owner}")
    assert sorted(ip["ip_address"] for port in ports for ip in port["fixed_ips"]) == sorted(
        set(addresses_of(router))
    )

    first, second, third, fourth = router["external_gateways"]
    gone = act(announced, id_, "remove", second).json["router"]
    assert gone["external_gateways"] == [first, third, fourth]
    assert act(announced, id_, "remove", second).type == "UnableToMatchGateways"
    kept = act(announced, id_, "update", fourth, first).json["router"]
    assert kept["external_gateways"] == [fourth, first]
    moved = act(announced, id_, "update", first, second).json["router"]
    assert moved["external_gateways"] == [first, second]
    assert act(announced, id_, "remove", to(one)).json["router"]["external_gateways"] == [second]
    assert announced.call("DELETE", f"{ROUTERS}/{id_}").status == 204


def test_a_gateway_that_floating_ips_need_stays(announced: Any, worlds: list[str]) -> None:
    one, two, _ = worlds
    id_ = made(announced, one, two)
    network = announced.network()["id"]
    subnet = announced.subnet(network, "10.7.0.0/24")["id"]
    attach = f"{ROUTERS}/{id_}/add_router_interface"
    assert announced.call("PUT", attach, {"subnet_id": subnet}).status == 200
    port = announced.port(network)["id"]
    wanted = {"floating_network_id": two, "port_id": port}
    floating = announced.make("/v2.0/floatingips", "floatingip", **wanted)
    assert floating["router_id"] == id_

    refused = act(announced, id_, "remove", to(one), to(two))

    assert (refused.status, refused.type) == (409, "RouterExternalGatewayInUseByFloatingIp")
    assert networks_of(shown(announced, id_)) == [one, two]
    assert act(announced, id_, "remove", to(one)).status == 200


@pytest.mark.parametrize("flag", ["enable_default_route_ecmp", "enable_default_route_bfd"])
def test_how_gateways_are_used_is_asked_for_and_shown(announced: Any, flag: str) -> None:
    id_ = announced.make(ROUTERS, "router", **{flag: True})["id"]
    assert shown(announced, id_)[flag] is True

    changed = announced.call("PUT", f"{ROUTERS}/{id_}", {"router": {flag: False}})

    assert changed.json["router"][flag] is False
    plain = announced.make(ROUTERS, "router")
    assert plain[flag] is False
    refused = announced.call("PUT", f"{ROUTERS}/{id_}", {"router": {flag: "perhaps"}})
    assert refused.status == 400


def test_what_only_administrators_may_say_of_a_gateway_others_may_not(tenants: Any) -> None:
    operator, member = tenants.bearing("operator"), tenants.bearing("member")
    one, two = outside(operator, "198.51.100"), outside(operator, "198.51.101")
    id_ = made(member, one)

    for more in ({"enable_snat": False}, {"external_fixed_ips": [{"ip_address": "1.2.3.4"}]}):
        for verb, network in (("add", two), ("update", one)):
            answer = act(member, id_, verb, to(network, **more))
            assert (answer.status, answer.type) == (403, "PolicyNotAuthorized")
    assert act(member, id_, "add", to(two)).status == 200
    assert act(operator, id_, "update", to(two, enable_snat=False)).status == 200
