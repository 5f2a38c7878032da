"""Subnet pools and address scopes over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_network
from operator import eq
from typing import Any

from tests.api.conftest import Answer, Api, soon


def pool(api: Api, **fields: Any) -> dict[str, Any]:
    fields = {"name": "p", "prefixes": ["10.0.0.0/16"], "min_prefixlen": 20} | fields
    return api.make("/v2.0/subnetpools", "subnetpool", **fields)


def from_pool(api: Api, network: str, pool_id: str, **fields: Any) -> Answer:
    body = {"network_id": network, "ip_version": 4, "subnetpool_id": pool_id} | fields
    return api.call("POST", "/v2.0/subnets", {"subnet": body})


def act(api: Api, pool_id: str, action: str, *prefixes: str) -> Answer:
    return api.call("PUT", f"/v2.0/subnetpools/{pool_id}/{action}", {"prefixes": prefixes})


def test_a_pool_is_shown_as_neutron_shows_it(api: Api) -> None:
    made = pool(api, prefixes=["10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25"])
    assert made["prefixes"] == ["10.0.0.0/23"]
    lengths = [made[f"{which}_prefixlen"] for which in ("min", "default", "max")]
    assert lengths == ["20", "20", "32"]
    assert (made["ip_version"], made["default_quota"]) == (4, None)
    assert api.listed(f"/v2.0/subnetpools?id={made['id']}&min_prefixlen=20&shared=False") == [made]


def test_subnets_that_come_at_once_share_nothing_of_a_pool(api: Api) -> None:
    made = pool(api, prefixes=["10.0.0.0/24"], min_prefixlen=28)
    networks = [api.network()["id"] for _ in range(20)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: from_pool(api, n, made["id"]), networks))
    given = [ip_network(a.json["subnet"]["cidr"]) for a in answers if a.status == 201]
    assert len(set(given)) == len(given) == 16
    assert {a.type for a in answers if a.status != 201} == {"SubnetAllocationError"}


def test_a_prefix_can_be_had_again_when_its_subnet_is_gone(api: Api) -> None:
    made = pool(api, prefixes=["10.0.0.0/24"], min_prefixlen=24)
    network = api.network()["id"]
    subnet = from_pool(api, network, made["id"]).json["subnet"]
    assert from_pool(api, api.network()["id"], made["id"]).type == "SubnetAllocationError"
    refused = api.call("DELETE", f"/v2.0/subnetpools/{made['id']}")
    assert (refused.status, refused.type) == (400, "SubnetPoolDeleteError")
    # With the network goes the subnet, and with it its prefix.
    assert api.call("DELETE", f"/v2.0/networks/{network}").status == 204
    again = from_pool(api, api.network()["id"], made["id"]).json["subnet"]
    assert again["cidr"] == subnet["cidr"]


def test_one_pool_of_a_family_is_the_default(api: Api) -> None:
    body = {"network_id": api.network()["id"], "ip_version": 6, "use_default_subnetpool": True}
    answer = api.call("POST", "/v2.0/subnets", {"subnet": body})
    assert (answer.status, answer.type) == (400, "BadRequest")
    made = pool(api, prefixes=["fd00::/48"], min_prefixlen=64, is_default=True)
    answer = api.call("POST", "/v2.0/subnets", {"subnet": body})
    assert answer.json["subnet"]["subnetpool_id"] == made["id"]
    again = {"name": "q", "prefixes": ["fd01::/48"], "is_default": True}
    assert api.call("POST", "/v2.0/subnetpools", {"subnetpool": again}).status == 400
    change = {"subnetpool": {"is_default": False}}
    assert api.call("PUT", f"/v2.0/subnetpools/{made['id']}", change).status == 200


def test_prefixes_come_and_go_but_not_from_under_subnets(api: Api) -> None:
    made = pool(api, prefixes=["10.0.0.0/24"], min_prefixlen=25)
    assert act(api, made["id"], "add_prefixes", "10.0.1.0/24").json == {"prefixes": ["10.0.0.0/23"]}
    from_pool(api, api.network()["id"], made["id"], cidr="10.0.0.0/25")
    answer = act(api, made["id"], "remove_prefixes", "10.0.0.0/24")
    assert (answer.status, answer.type) == (400, "IllegalSubnetPoolPrefixUpdate")
    assert act(api, made["id"], "remove_prefixes", "10.0.1.0/24").status == 200
    shrunk = {"subnetpool": {"prefixes": ["10.0.0.0/26"]}}
    answer = api.call("PUT", f"/v2.0/subnetpools/{made['id']}", shrunk)
    assert (answer.status, answer.type) == (400, "IllegalSubnetPoolPrefixUpdate")


def test_pools_of_a_scope_have_no_address_in_common(api: Api) -> None:
    scope = api.make("/v2.0/address-scopes", "address_scope", name="s", ip_version=4)
    first = pool(api, address_scope_id=scope["id"])
    body = {"name": "q", "prefixes": ["10.0.9.0/24"], "address_scope_id": scope["id"]}
    answer = api.call("POST", "/v2.0/subnetpools", {"subnetpool": body})
    assert (answer.status, answer.type) == (409, "AddressScopePrefixConflict")
    second = pool(api, prefixes=["10.7.0.0/16"], address_scope_id=scope["id"])
    answer = act(api, second["id"], "add_prefixes", "10.0.0.0/24")
    assert (answer.status, answer.type) == (409, "AddressScopePrefixConflict")
    answer = api.call("DELETE", f"/v2.0/address-scopes/{scope['id']}")
    assert (answer.status, answer.type) == (409, "AddressScopeInUse")
    for each in (first, second):
        assert api.call("DELETE", f"/v2.0/subnetpools/{each['id']}").status == 204
    assert api.call("DELETE", f"/v2.0/address-scopes/{scope['id']}").status == 204


def test_who_may_use_a_pool_may_use_its_scope(api: Api) -> None:
    scope = api.make("/v2.0/address-scopes", "address_scope", name="s", ip_version=4)
    path = f"/v2.0/address-scopes/{scope['id']}"
    body = {"name": "q", "prefixes": ["10.41.0.0/16"], "address_scope_id": scope["id"]}
    shared = {"subnetpool": body | {"shared": True}}

    refused = api.call("POST", "/v2.0/subnetpools", shared)
    assert (refused.status, refused.type) == (400, "InvalidInput")
    assert api.call("PUT", path, {"address_scope": {"shared": True}}).status == 200
    assert api.call("POST", "/v2.0/subnetpools", shared).status == 201


def test_a_network_shows_the_address_scopes_of_its_subnets(api: Api) -> None:
    one, other = (
        api.make("/v2.0/address-scopes", "address_scope", name=name, ip_version=4)["id"]
        for name in ("one", "other")
    )
    made = pool(api, prefixes=["10.31.0.0/16"], address_scope_id=one)
    network = api.network()["id"]
    subnet = from_pool(api, network, made["id"]).json["subnet"]["id"]

    def scopes() -> tuple[str | None, str | None]:
        shown = api.get(f"/v2.0/networks/{network}").json["network"]
        return shown["ipv4_address_scope"], shown["ipv6_address_scope"]

    soon(scopes, lambda found: found == (one, None))
    path = f"/v2.0/subnetpools/{made['id']}"
    for scope in (other, None):
        api.call("PUT", path, {"subnetpool": {"address_scope_id": scope}})
        soon(scopes, partial(eq, (scope, None)))
    api.call("PUT", path, {"subnetpool": {"address_scope_id": one}})
    soon(scopes, lambda found: found == (one, None))
    api.call("DELETE", f"/v2.0/subnets/{subnet}")
    soon(scopes, lambda found: found == (None, None))


def onboard(api: Api, pool_id: str, network_id: str) -> Answer:
    body = {"network_id": network_id}
    return api.call("PUT", f"/v2.0/subnetpools/{pool_id}/onboard_network_subnets", body)


def test_subnets_of_a_network_come_into_a_pool_with_what_they_have(api: Api) -> None:
    network = api.network()["id"]
    first, second = (api.subnet(network, cidr) for cidr in ("172.20.0.0/24", "172.20.7.0/24"))
    other = api.subnet(network, "fd20::/64")
    made = pool(api, prefixes=["10.0.0.0/24"])

    answer = onboard(api, made["id"], network)

    assert answer.status == 200, answer
    came = sorted((each["id"], each["cidr"]) for each in answer.json)
    assert came == sorted((each["id"], each["cidr"]) for each in (first, second))
    shown = {each["id"]: each for each in api.listed(f"/v2.0/subnets?network_id={network}")}
    assert [shown[each["id"]]["subnetpool_id"] for each in (first, second, other)] == [
        made["id"],
        made["id"],
        None,
    ]
    (held,) = api.listed(f"/v2.0/subnetpools?id={made['id']}")
    assert held["prefixes"] == ["10.0.0.0/24", "172.20.0.0/24", "172.20.7.0/24"]
    # They have it as if the pool had given it: it is there until they go.
    answer = act(api, made["id"], "remove_prefixes", "172.20.0.0/24")
    assert (answer.status, answer.type) == (400, "IllegalSubnetPoolPrefixUpdate")
    taken = from_pool(api, api.network()["id"], made["id"], cidr="172.20.0.0/25")
    assert taken.type == "SubnetAllocationError"
    assert api.call("DELETE", f"/v2.0/networks/{network}").status == 204
    assert api.call("DELETE", f"/v2.0/subnetpools/{made['id']}").status == 204


def test_subnets_go_from_pool_to_pool(api: Api) -> None:
    one, two = pool(api, min_prefixlen=24), pool(api, prefixes=["172.20.0.0/24"])
    network = api.network()["id"]
    subnet = from_pool(api, network, one["id"]).json["subnet"]

    assert onboard(api, two["id"], network).json == [{"id": subnet["id"], "cidr": subnet["cidr"]}]

    assert api.call("DELETE", f"/v2.0/subnetpools/{one['id']}").status == 204
    refused = api.call("DELETE", f"/v2.0/subnetpools/{two['id']}")
    assert refused.type == "SubnetPoolDeleteError"


def test_what_a_pool_has_given_already_does_not_come_into_it_again(api: Api) -> None:
    made = pool(api, min_prefixlen=24)
    inside = from_pool(api, api.network()["id"], made["id"]).json["subnet"]
    network = api.network()["id"]
    outside = api.subnet(network, inside["cidr"])

    for asked in (network, inside["network_id"]):
        answer = onboard(api, made["id"], asked)
        assert (answer.status, answer.type) == (400, "IllegalSubnetPoolUpdate")

    (shown,) = api.listed(f"/v2.0/subnets?id={outside['id']}")
    assert shown["subnetpool_id"] is None
    assert onboard(api, made["id"], made["id"]).status == 404
    assert onboard(api, network, network).status == 404
    path = f"/v2.0/subnetpools/{made['id']}/onboard_network_subnets"
    assert api.call("PUT", path, {}).status == 400
