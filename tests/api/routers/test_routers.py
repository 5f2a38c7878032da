"""Routers over HTTP, as Neutron's clients meet them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from tests.api.conftest import soon

ROUTERS = "/v2.0/routers"
Call = Callable[..., Any]


@pytest.fixture
def router(announced: Any) -> dict[str, Any]:
    made: dict[str, Any] = announced.make(ROUTERS, "router", name="edge")
    return made


@pytest.fixture
def public(announced: Any) -> dict[str, Any]:
    network: dict[str, Any] = announced.network(name="public", **{"router:external": True})
    announced.subnet(network["id"], "198.51.100.0/24", gateway_ip="198.51.100.1")
    return network


def subnet(api: Any, cidr: str, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.subnet(api.network()["id"], cidr, **fields)
    return made


def act(api: Any, router: dict[str, Any], verb: str, /, **arguments: Any) -> Any:
    return api.call("PUT", f"{ROUTERS}/{router['id']}/{verb}", arguments)


def attach(api: Any, router: dict[str, Any], **what: Any) -> dict[str, Any]:
    answer = act(api, router, "add_router_interface", **what)
    assert answer.status == 200, answer
    info: dict[str, Any] = answer.json
    return info


def test_a_router_has_the_subnet_router_anycast_address_where_it_is_the_gateway(
    announced: Any, router: dict[str, Any]
) -> None:
    inner = subnet(announced, "2001:db8:9::/64", gateway_ip="2001:db8:9::")

    attached = attach(announced, router, subnet_id=inner["id"])

    port = announced.get(f"/v2.0/ports/{attached['port_id']}").json["port"]
    assert [each["ip_address"] for each in port["fixed_ips"]] == ["2001:db8:9::"]


def detach(api: Any, router: dict[str, Any], **what: Any) -> Any:
    return act(api, router, "remove_router_interface", **what)


def put(api: Any, router: dict[str, Any], **changes: Any) -> Any:
    return api.call("PUT", f"{ROUTERS}/{router['id']}", {"router": changes})


def shown(api: Any, router: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{ROUTERS}/{router['id']}").json["router"]
    return found


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, answer.type


def test_a_router_is_made_shown_changed_and_deleted(announced: Any) -> None:
    made = announced.make(ROUTERS, "router", name="r", description="d", admin_state_up=False)

    assert made["status"] == "ACTIVE"
    assert (made["external_gateway_info"], made["routes"]) == (None, [])
    assert (made["ha"], made["distributed"], made["flavor_id"]) == (True, True, None)
    assert made["tenant_id"] == made["project_id"]
    changed = put(announced, made, name="s", admin_state_up=True).json["router"]
    assert (changed["name"], changed["admin_state_up"], changed["revision_number"]) == (
        "s",
        True,
        2,
    )
    assert changed == shown(announced, made)
    assert changed in announced.listed(f"{ROUTERS}?name=s")
    assert announced.call("DELETE", f"{ROUTERS}/{made['id']}").status == 204
    missing = announced.get(f"{ROUTERS}/{made['id']}")
    assert refused(missing) == (404, "RouterNotFound")


@pytest.mark.parametrize("field", ["ha", "distributed"])
def test_a_router_that_is_not_of_our_kind_is_refused(announced: Any, field: str) -> None:
    answer = announced.call("POST", ROUTERS, {"router": {field: False}})

    assert refused(answer) == (400, "HTTPBadRequest")


def test_an_interface_by_subnet_is_a_port_with_the_gateways_address(
    announced: Any, router: dict[str, Any]
) -> None:
    inner = subnet(announced, "10.1.0.0/24")

    info = attach(announced, router, subnet_id=inner["id"])

    assert (info["id"], info["subnet_id"]) == (router["id"], inner["id"])
    assert (info["subnet_ids"], info["network_id"]) == ([inner["id"]], inner["network_id"])
    port = announced.get(f"/v2.0/ports/{info['port_id']}").json["port"]
    assert (port["device_id"], port["device_owner"]) == (router["id"], "network:router_interface")
    assert port["fixed_ips"] == [{"subnet_id": inner["id"], "ip_address": "10.1.0.1"}]
    assert (port["status"], port["project_id"]) == ("ACTIVE", router["project_id"])
    assert shown(announced, router)["revision_number"] == router["revision_number"] + 1
    again = detach(announced, router, subnet_id=inner["id"])
    assert again.json == info
    assert announced.get(f"/v2.0/ports/{info['port_id']}").status == 404
    gone = detach(announced, router, subnet_id=inner["id"])
    assert refused(gone) == (404, "RouterInterfaceNotFoundForSubnet")


def test_an_interface_by_port_takes_a_port_that_nobody_uses(
    announced: Any, router: dict[str, Any]
) -> None:
    inner = subnet(announced, "10.2.0.0/24")
    port = announced.port(inner["network_id"])

    info = attach(announced, router, port_id=port["id"])

    assert (info["port_id"], info["subnet_ids"]) == (port["id"], [inner["id"]])
    again = act(announced, router, "add_router_interface", port_id=port["id"])
    assert refused(again) == (409, "PortInUse")
    other = announced.make(ROUTERS, "router")
    assert refused(detach(announced, other, port_id=port["id"])) == (
        404,
        "RouterInterfaceNotFound",
    )
    wrong = detach(announced, router, port_id=port["id"], subnet_id=str(uuid4()))
    assert refused(wrong) == (409, "SubnetMismatchForPort")
    assert detach(announced, router, port_id=port["id"], subnet_id=inner["id"]).status == 200
    assert announced.get(f"/v2.0/ports/{port['id']}").status == 404


def test_a_router_is_on_no_two_subnets_that_overlap(announced: Any, router: dict[str, Any]) -> None:
    one, other = subnet(announced, "10.3.0.0/24"), subnet(announced, "10.3.0.0/16")
    attach(announced, router, subnet_id=one["id"])

    twice = act(announced, router, "add_router_interface", subnet_id=one["id"])
    overlap = act(announced, router, "add_router_interface", subnet_id=other["id"])
    port = announced.port(other["network_id"])
    by_port = act(announced, router, "add_router_interface", port_id=port["id"])

    assert twice.message == f"Bad router request: Router already has a port on subnet {one['id']}."
    assert "overlaps with cidr 10.3.0.0/24" in overlap.message
    assert [refused(each) for each in (twice, overlap, by_port)] == [(400, "BadRequest")] * 3
    assert announced.get(f"/v2.0/ports/{port['id']}").json["port"]["device_id"] == ""
    assert len(announced.listed(f"/v2.0/ports?device_id={router['id']}")) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "type_"),
    [
        ({}, 400, "BadRequest"),
        ({"subnet_id": str(uuid4()), "port_id": str(uuid4())}, 400, "BadRequest"),
        ({"subnet_id": str(uuid4())}, 404, "SubnetNotFound"),
        ({"port_id": str(uuid4())}, 404, "PortNotFound"),
        ({"port_id": "no-id"}, 400, "HTTPBadRequest"),
        ({"network_id": str(uuid4())}, 400, "HTTPBadRequest"),
    ],
)
def test_an_interface_to_nothing_is_refused(
    announced: Any, router: dict[str, Any], arguments: Any, status: int, type_: str
) -> None:
    answer = act(announced, router, "add_router_interface", **arguments)

    assert refused(answer) == (status, type_)


def test_a_subnet_without_gateway_or_whose_gateway_is_taken_is_refused(
    announced: Any, router: dict[str, Any]
) -> None:
    without = subnet(announced, "10.4.0.0/24", gateway_ip=None)
    taken = subnet(announced, "10.5.0.0/24")
    announced.port(taken["network_id"], fixed_ips=[{"ip_address": "10.5.0.1"}])

    no_gateway = act(announced, router, "add_router_interface", subnet_id=without["id"])
    no_address = act(announced, router, "add_router_interface", subnet_id=taken["id"])

    assert "must have a gateway IP" in no_gateway.message
    assert refused(no_address) == (409, "IpAddressAlreadyAllocated")
    assert announced.listed(f"/v2.0/ports?device_id={router['id']}") == []


def test_one_port_has_all_ipv6_subnets_of_a_network(announced: Any, router: dict[str, Any]) -> None:
    network = announced.network()
    one = announced.subnet(network["id"], "2001:db8:1::/64")
    two = announced.subnet(network["id"], "2001:db8:2::/64")

    first = attach(announced, router, subnet_id=one["id"])
    second = attach(announced, router, subnet_id=two["id"])

    assert first["port_id"] == second["port_id"]
    assert second["subnet_id"] == two["id"]
    assert detach(announced, router, subnet_id=one["id"]).status == 200
    port = announced.get(f"/v2.0/ports/{first['port_id']}").json["port"]
    assert [ip["subnet_id"] for ip in port["fixed_ips"]] == [two["id"]]
    assert detach(announced, router, subnet_id=two["id"]).status == 200
    assert announced.get(f"/v2.0/ports/{first['port_id']}").status == 404


def test_p080_a_subnet_that_another_router_advertises_is_refused_by_subnet_and_by_port(
    announced: Any, router: dict[str, Any]
) -> None:
    network = announced.network()
    theirs = announced.subnet(network["id"], "2001:db8:3::/64", ipv6_address_mode="slaac")
    port = announced.port(network["id"], fixed_ips=[{"subnet_id": theirs["id"]}])

    for what in ({"subnet_id": theirs["id"]}, {"port_id": port["id"]}):
        answer = announced.call("PUT", f"/v2.0/routers/{router['id']}/add_router_interface", what)
        assert (answer.status, answer.type) == (400, "BadRequest")
    assert announced.get(f"/v2.0/ports/{port['id']}").json["port"]["device_id"] == ""


def test_what_a_router_needs_is_not_taken_from_under_it(
    announced: Any, router: dict[str, Any]
) -> None:
    inner = subnet(announced, "10.6.0.0/24")
    info = attach(announced, router, subnet_id=inner["id"])

    answers = [
        announced.call("DELETE", f"{ROUTERS}/{router['id']}"),
        announced.call("DELETE", f"/v2.0/ports/{info['port_id']}"),
        announced.call("DELETE", f"/v2.0/subnets/{inner['id']}"),
        announced.call("DELETE", f"/v2.0/networks/{inner['network_id']}"),
    ]

    assert answers[3].message.endswith(f"still in use on the network: {info['port_id']}.")
    assert answers[0].message.endswith(f"has ports still attached: {info['port_id']}")
    assert [refused(answer) for answer in answers] == [
        (409, "RouterInUse"),
        (409, "ServicePortInUse"),
        (409, "SubnetInUse"),
        (409, "NetworkInUse"),
    ]


def test_routes_lead_to_what_is_connected(announced: Any, router: dict[str, Any]) -> None:
    inner = subnet(announced, "10.7.0.0/24")
    attach(announced, router, subnet_id=inner["id"])
    route = {"destination": "10.200.0.0/16", "nexthop": "10.7.0.9"}

    assert put(announced, router, routes=[route]).json["router"]["routes"] == [route]
    for nexthop in ("10.8.0.1", "10.7.0.1", "2001:db8::1"):
        wrong = put(announced, router, routes=[route | {"nexthop": nexthop}])
        assert refused(wrong) == (400, "InvalidRoutes"), nexthop
    assert refused(detach(announced, router, subnet_id=inner["id"])) == (
        409,
        "RouterInterfaceInUseByRoute",
    )
    assert put(announced, router, routes=None).json["router"]["routes"] == []
    assert detach(announced, router, subnet_id=inner["id"]).status == 200


def test_routes_are_added_and_removed_without_naming_the_others(
    announced: Any, router: dict[str, Any]
) -> None:
    attach(announced, router, subnet_id=subnet(announced, "10.9.0.0/24")["id"])
    a, b, c = ({"destination": f"10.20{i}.0.0/16", "nexthop": f"10.9.0.{i}"} for i in (2, 3, 4))

    def routes(verb: str, *some: dict[str, str]) -> list[dict[str, str]]:
        answer = act(announced, router, verb, router={"routes": list(some)})
        assert answer.status == 200, answer
        found: list[dict[str, str]] = answer.json["router"]["routes"]
        return found

    assert routes("add_extraroutes", a, b) == [a, b]
    assert routes("add_extraroutes", b, c) == [a, b, c]
    assert routes("remove_extraroutes", b, b | {"nexthop": "10.9.0.77"}) == [a, c]


def test_a_gateway_is_set_changed_and_cleared(
    announced: Any, router: dict[str, Any], public: dict[str, Any]
) -> None:
    info = {"network_id": public["id"]}

    made = put(announced, router, external_gateway_info=info).json["router"]

    gateway = made["external_gateway_info"]
    assert (gateway["network_id"], gateway["enable_snat"]) == (public["id"], True)
    (port,) = announced.listed(f"/v2.0/ports?device_id={router['id']}")
    assert (port["device_owner"], port["project_id"]) == ("network:router_gateway", "")
    assert port["fixed_ips"] == gateway["external_fixed_ips"]
    plain = put(announced, router, external_gateway_info=info | {"enable_snat": False})
    assert plain.json["router"]["external_gateway_info"] == gateway | {"enable_snat": False}
    wanted = [{"ip_address": "198.51.100.77"}]
    moved = put(announced, router, external_gateway_info=info | {"external_fixed_ips": wanted})
    (ip,) = moved.json["router"]["external_gateway_info"]["external_fixed_ips"]
    assert ip["ip_address"] == "198.51.100.77"
    (port,) = announced.listed(f"/v2.0/ports?device_id={router['id']}")
    assert port["fixed_ips"] == [ip]
    assert announced.call("DELETE", f"/v2.0/ports/{port['id']}").status == 409
    cleared = put(announced, router, external_gateway_info={}).json["router"]
    assert cleared["external_gateway_info"] is None
    assert announced.listed(f"/v2.0/ports?device_id={router['id']}") == []


def test_a_router_is_made_with_its_gateway_and_takes_it_along(
    announced: Any, public: dict[str, Any]
) -> None:
    fixed = [{"ip_address": "198.51.100.50"}]
    info = {"network_id": public["id"], "enable_snat": False, "external_fixed_ips": fixed}

    made = announced.make(ROUTERS, "router", external_gateway_info=info)

    assert made["external_gateway_info"]["external_fixed_ips"][0]["ip_address"] == "198.51.100.50"
    assert announced.call("DELETE", f"{ROUTERS}/{made['id']}").status == 204
    assert announced.listed(f"/v2.0/ports?device_id={made['id']}") == []
    again = announced.make(ROUTERS, "router", external_gateway_info=info)
    assert again["external_gateway_info"]["external_fixed_ips"][0]["ip_address"] == "198.51.100.50"


def test_a_gateway_gets_addresses_when_its_network_gets_subnets(
    announced: Any, router: dict[str, Any]
) -> None:
    public = announced.network(**{"router:external": True})["id"]

    def addresses(made: dict[str, Any]) -> list[str]:
        ips = made["external_gateway_info"]["external_fixed_ips"]
        return [ip["ip_address"] for ip in ips]

    made = put(announced, router, external_gateway_info={"network_id": public})

    assert addresses(made.json["router"]) == []

    def has(count: int) -> None:
        soon(lambda: addresses(shown(announced, router)), lambda ips: len(ips) == count)

    for cidr, count in (("192.0.2.0/24", 1), ("2001:db8:9::/64", 2), ("192.0.3.0/24", 2)):
        announced.subnet(public, cidr)
        has(count)
    assert all(":" in ip or ip.startswith("192.0.2.") for ip in addresses(shown(announced, router)))
    (port,) = announced.listed(f"/v2.0/ports?device_id={router['id']}")
    assert [ip["ip_address"] for ip in port["fixed_ips"]] == addresses(shown(announced, router))


def test_a_network_stays_external_while_a_gateway_is_on_it(
    announced: Any, router: dict[str, Any], public: dict[str, Any]
) -> None:
    put(announced, router, external_gateway_info={"network_id": public["id"]})
    path = f"/v2.0/networks/{public['id']}"
    private = {"network": {"router:external": False}}

    assert refused(announced.call("PUT", path, private)) == (409, "ExternalNetworkInUse")

    put(announced, router, external_gateway_info=None)
    assert announced.call("PUT", path, private).status == 200


def test_a_gateway_that_can_not_be_had_leaves_nothing(
    announced: Any, router: dict[str, Any], public: dict[str, Any]
) -> None:
    private = subnet(announced, "10.10.0.0/24")
    gateway_ip = [{"ip_address": "198.51.100.1"}]
    refusals = [
        put(announced, router, external_gateway_info={"network_id": str(uuid4())}),
        put(announced, router, external_gateway_info={"network_id": private["network_id"]}),
        put(
            announced,
            router,
            external_gateway_info={"network_id": public["id"], "external_fixed_ips": gateway_ip},
        ),
        put(announced, router, external_gateway_info={"enable_snat": True}),
        announced.call(
            "POST",
            ROUTERS,
            {
                "routers": [
                    {"external_gateway_info": {"network_id": public["id"]}},
                    {"external_gateway_info": {"network_id": private["network_id"]}},
                ]
            },
        ),
    ]

    assert [refused(each) for each in refusals] == [
        (404, "NetworkNotFound"),
        (400, "BadRequest"),
        (400, "BadRequest"),
        (400, "HTTPBadRequest"),
        (400, "BadRequest"),
    ]
    assert shown(announced, router)["external_gateway_info"] is None
    assert announced.listed(f"/v2.0/ports?network_id={public['id']}") == []
    assert announced.call("DELETE", f"/v2.0/networks/{public['id']}").status == 204


def test_a_router_is_in_the_zone_that_it_was_asked_for_in_and_that_must_be_there(
    announced: Any,
) -> None:
    made = announced.make(ROUTERS, "router", availability_zone_hints=["nova"])
    assert (made["availability_zone_hints"], made["availability_zones"]) == (["nova"], ["nova"])

    body = {"router": {"availability_zone_hints": ["elsewhere"]}}
    answer = announced.call("POST", ROUTERS, body)

    assert refused(answer) == (404, "AvailabilityZoneNotFound")
    change = announced.call(
        "PUT", f"{ROUTERS}/{made['id']}", {"router": {"availability_zone_hints": []}}
    )
    assert change.status == 400


@pytest.mark.parametrize("flag", ["ha", "distributed"])
def test_every_router_is_distributed_and_outlives_a_host_and_no_other_is_to_be_had(
    announced: Any, flag: str
) -> None:
    assert announced.make(ROUTERS, "router", **{flag: True})[flag] is True

    answer = announced.call("POST", ROUTERS, {"router": {flag: False}})

    assert answer.status == 400
