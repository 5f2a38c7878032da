"""Floating IPs and port forwardings over HTTP, as Neutron's clients meet them."""

from typing import Any, NamedTuple
from uuid import uuid4

import pytest

FLOATING, ROUTERS, PORTS = "/v2.0/floatingips", "/v2.0/routers", "/v2.0/ports"


class Place(NamedTuple):
    """An external network, and a router between it and a subnet of machines."""

    api: Any
    public: str
    router: str
    subnet: str
    network: str

    def port(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.api.port(self.network, **fields)
        return made

    def floating(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.api.make(
            FLOATING, "floatingip", floating_network_id=self.public, **fields
        )
        return made

    def post(self, **fields: Any) -> Any:
        body = {"floating_network_id": self.public} | fields
        return self.api.call("POST", FLOATING, {"floatingip": body})

    def put(self, id_: str, **changes: Any) -> Any:
        return self.api.call("PUT", f"{FLOATING}/{id_}", {"floatingip": changes})

    def show(self, id_: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"{FLOATING}/{id_}").json["floatingip"]
        return found

    def delete(self, id_: str) -> Any:
        return self.api.call("DELETE", f"{FLOATING}/{id_}")

    def forward(self, id_: str, port: dict[str, Any], **fields: Any) -> Any:
        body = {
            "protocol": "tcp",
            "internal_port_id": port["id"],
            "internal_ip_address": port["fixed_ips"][0]["ip_address"],
        }
        path = f"{FLOATING}/{id_}/port_forwardings"
        return self.api.call("POST", path, {"port_forwarding": body | fields})


@pytest.fixture
def place(announced: Any) -> Place:
    api = announced
    public = api.network(**{"router:external": True})["id"]
    api.subnet(public, "203.0.113.0/24")
    network = api.network()["id"]
    subnet = api.subnet(network, "10.0.0.0/24")["id"]
    gateway = {"network_id": public}
    router = api.make(ROUTERS, "router", external_gateway_info=gateway)["id"]
    path = f"{ROUTERS}/{router}/add_router_interface"
    assert api.call("PUT", path, {"subnet_id": subnet}).status == 200
    return Place(api, public, router, subnet, network)


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, answer.type


def test_a_floating_ip_is_an_address_of_the_external_network(place: Place) -> None:
    made = place.floating(description="d")

    assert made["floating_ip_address"].startswith("203.0.113.")
    assert (made["port_id"], made["fixed_ip_address"], made["router_id"]) == (None, None, None)
    assert (made["status"], made["port_details"], made["port_forwardings"]) == ("DOWN", None, [])
    owner = "network:floatingip"
    (port,) = place.api.listed(f"{PORTS}?device_owner={owner}&device_id={made['id']}")
    assert port["fixed_ips"][0]["ip_address"] == made["floating_ip_address"]
    assert (port["status"], port["project_id"]) == ("N/A", "")
    assert refused(place.api.call("DELETE", f"{PORTS}/{port['id']}")) == (409, "ServicePortInUse")
    assert place.show(made["id"]) == made
    assert place.delete(made["id"]).status == 204
    assert refused(place.delete(made["id"])) == (404, "FloatingIPNotFound")
    assert place.api.get(f"{PORTS}/{port['id']}").status == 404


def test_a_floating_ip_is_given_moved_and_taken_back(place: Place) -> None:
    one, other = place.port(name="one"), place.port(name="other")

    made = place.floating(port_id=one["id"])

    address = one["fixed_ips"][0]["ip_address"]
    assert (made["port_id"], made["fixed_ip_address"]) == (one["id"], address)
    assert (made["router_id"], made["status"]) == (place.router, "ACTIVE")
    details = made["port_details"]
    names = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id")
    assert {name: details[name] for name in names} == {name: one[name] for name in names}
    moved = place.put(made["id"], port_id=other["id"]).json["floatingip"]
    assert moved["fixed_ip_address"] == other["fixed_ips"][0]["ip_address"]
    assert moved["revision_number"] == made["revision_number"] + 1
    kept = place.put(made["id"], description="d").json["floatingip"]
    assert (kept["port_id"], kept["description"]) == (other["id"], "d")
    back = place.put(made["id"], port_id=None).json["floatingip"]
    assert (back["port_id"], back["router_id"], back["status"]) == (None, None, "DOWN")
    place.put(made["id"], port_id=one["id"])
    assert place.put(made["id"]).json["floatingip"]["port_id"] is None  # an empty body


def test_a_floating_ip_has_a_name_whole_or_none(place: Place) -> None:
    made = place.floating(dns_name="DB", dns_domain="Example.org.")

    assert (made["dns_name"], made["dns_domain"]) == ("db", "example.org.")
    found = place.api.listed(f"{FLOATING}?dns_name=db&dns_domain=example.org.")
    assert [each["id"] for each in found] == [made["id"]]
    assert place.put(made["id"], dns_name="other").status == 400  # it is given once
    bad = ({"dns_name": "db"}, {"dns_domain": "example.org."})
    for half in bad:
        assert refused(place.post(**half)) == (400, "BadRequest")
    foreign = place.post(dns_name="db.elsewhere.", dns_domain="example.org.")
    assert refused(foreign) == (400, "BadRequest")
    assert place.post(dns_name="-db", dns_domain="example.org.").status == 400
    mine = place.api.listed(f"{FLOATING}?floating_network_id={place.public}")
    assert [each["id"] for each in mine] == [made["id"]]


def test_a_chosen_address_and_a_chosen_subnet_are_had(place: Place) -> None:
    second = place.api.subnet(place.public, "192.0.2.0/24")["id"]

    assert place.floating(floating_ip_address="203.0.113.99")["floating_ip_address"] == (
        "203.0.113.99"
    )
    assert place.floating(subnet_id=second)["floating_ip_address"].startswith("192.0.2.")
    again = place.post(floating_ip_address="203.0.113.99")
    assert refused(again) == (409, "IpAddressAlreadyAllocated")
    foreign = place.post(subnet_id=second, floating_ip_address="203.0.113.98")
    assert refused(foreign) == (400, "InvalidIpForSubnet")


def test_pools_are_the_ipv4_subnets_of_external_networks(place: Place) -> None:
    second = place.api.subnet(place.public, "192.0.2.0/24", name="second")
    place.api.subnet(place.public, "2001:db8::/64")

    def pools(query: str) -> list[dict[str, Any]]:
        answer = place.api.get(f"/v2.0/floatingip-pools?{query}")
        found: list[dict[str, Any]] = answer.json["floatingip_pools"]
        return found

    ours = f"network_id={place.public}"
    assert {pool["cidr"] for pool in pools(ours)} == {"203.0.113.0/24", "192.0.2.0/24"}
    (named,) = pools(f"{ours}&subnet_name=second")
    assert (named["subnet_id"], named["project_id"]) == (second["id"], second["project_id"])
    assert pools(f"network_id={place.network}") == []
    assert place.api.call("POST", "/v2.0/floatingip-pools", {}).status == 405


def test_an_external_network_without_addresses_has_no_floating_ips(place: Place) -> None:
    tiny = place.api.network(**{"router:external": True})["id"]
    api = place.api
    api.subnet(tiny, "2001:db8::/64")

    no_ipv4 = api.call("POST", FLOATING, {"floatingip": {"floating_network_id": tiny}})
    api.subnet(tiny, "192.0.2.0/30")
    api.make(FLOATING, "floatingip", floating_network_id=tiny)
    exhausted = api.call("POST", FLOATING, {"floatingip": {"floating_network_id": tiny}})

    assert refused(no_ipv4) == (400, "BadRequest")
    assert refused(exhausted) == (409, "ExternalIpAddressExhausted")


def test_what_can_not_be_given_is_refused_and_leaves_nothing(place: Place) -> None:
    isolated = place.api.network()["id"]
    place.api.subnet(isolated, "10.1.0.0/24")
    unreachable = place.api.port(isolated)
    bare = place.port(fixed_ips=[])
    double = place.port(fixed_ips=[{"subnet_id": place.subnet}] * 2)
    port = place.port()
    gateway = place.api.listed(f"{PORTS}?device_id={place.router}")[0]
    before = place.api.listed(f"{PORTS}?device_owner=network:floatingip")

    answers = [
        place.post(floating_network_id=str(uuid4())),
        place.post(floating_network_id=place.network, port_id=unreachable["id"]),
        place.post(port_id=str(uuid4())),
        place.post(port_id=unreachable["id"]),
        place.post(port_id=bare["id"]),
        place.post(port_id=double["id"]),
        place.post(port_id=port["id"], fixed_ip_address="10.0.0.250"),
        place.post(fixed_ip_address="10.0.0.250"),
        place.post(port_id=gateway["id"]),
    ]

    assert [refused(answer) for answer in answers] == [
        (404, "NetworkNotFound"),
        (400, "BadRequest"),
        (404, "PortNotFound"),
        (404, "ExternalGatewayForFloatingIPNotFound"),
        *[(400, "BadRequest")] * 5,
    ]
    assert place.api.listed(f"{PORTS}?device_owner=network:floatingip") == before
    chosen = double["fixed_ips"][1]["ip_address"]
    made = place.floating(port_id=double["id"], fixed_ip_address=chosen)
    assert made["fixed_ip_address"] == chosen


def test_ports_of_services_that_no_router_holds_have_floating_ips(place: Place) -> None:
    """Neutron refuses those of DHCP alone; load balancers' ports are `network:`, too."""
    balancer = place.port(device_owner="network:balancer")

    made = place.floating(port_id=balancer["id"])

    assert made["fixed_ip_address"] == balancer["fixed_ips"][0]["ip_address"]


def test_an_address_has_one_floating_ip_of_a_network(place: Place) -> None:
    port = place.port()
    place.floating(port_id=port["id"])
    free = place.floating()

    assert refused(place.put(free["id"], port_id=port["id"])) == (
        409,
        "FloatingIPPortAlreadyAssociated",
    )
    assert refused(place.post(port_id=port["id"])) == (409, "FloatingIPPortAlreadyAssociated")


def test_a_floating_ip_of_a_deleted_port_is_given_to_nobody(place: Place) -> None:
    port = place.port()
    made = place.floating(port_id=port["id"])

    assert place.api.call("DELETE", f"{PORTS}/{port['id']}").status == 204

    found = place.show(made["id"])
    assert (found["port_id"], found["fixed_ip_address"], found["router_id"]) == (None, None, None)
    assert found["port_details"] is None


def test_a_port_keeps_the_address_that_a_floating_ip_goes_to(place: Place) -> None:
    port = place.port(fixed_ips=[{"ip_address": "10.0.0.150"}, {"ip_address": "10.0.0.151"}])
    made = place.floating(port_id=port["id"], fixed_ip_address="10.0.0.150")

    def change(*addresses: str) -> Any:
        fixed_ips = [{"ip_address": address} for address in addresses]
        return place.api.call("PUT", f"{PORTS}/{port['id']}", {"port": {"fixed_ips": fixed_ips}})

    for others in (["10.0.0.151"], ["10.0.0.152"], []):
        assert refused(change(*others)) == (400, "BadRequest")
    assert place.show(made["id"])["port_id"] == port["id"]
    assert change("10.0.0.150", "10.0.0.152").status == 200
    # What a refused change had leased is free again, and so is what a done one gave up.
    place.port(fixed_ips=[{"ip_address": "10.0.0.151"}])
    place.put(made["id"], port_id=None)
    assert change("10.0.0.153").status == 200


def test_the_way_of_a_floating_ip_is_not_taken_from_under_it(place: Place) -> None:
    port = place.port()
    made = place.floating(port_id=port["id"])
    api, router = place.api, f"{ROUTERS}/{place.router}"
    interface = {"subnet_id": place.subnet}

    detached = api.call("PUT", f"{router}/remove_router_interface", interface)
    cleared = api.call("PUT", router, {"router": {"external_gateway_info": {}}})

    assert refused(detached) == (409, "RouterInterfaceInUseByFloatingIP")
    assert refused(cleared) == (409, "RouterExternalGatewayInUseByFloatingIp")
    place.put(made["id"], port_id=None)
    assert place.floating(port_id=port["id"])["router_id"] == place.router  # not fenced
    (found,) = api.listed(f"{FLOATING}?port_id={port['id']}")
    place.delete(found["id"])
    assert api.call("PUT", f"{router}/remove_router_interface", interface).status == 200
    assert refused(place.put(made["id"], port_id=port["id"])) == (
        404,
        "ExternalGatewayForFloatingIPNotFound",
    )
    assert api.call("PUT", f"{router}/add_router_interface", interface).status == 200
    assert place.put(made["id"], port_id=port["id"]).status == 200


def test_an_external_network_goes_with_its_floating_ips_unless_one_is_given(place: Place) -> None:
    api = place.api
    idle = place.floating()["id"]
    given = place.floating(port_id=place.port()["id"])["id"]
    path = f"/v2.0/networks/{place.public}"

    assert refused(api.call("DELETE", path)) == (409, "NetworkInUse")
    assert place.show(given)["status"] == "ACTIVE"

    place.put(given, port_id=None)
    api.call("PUT", f"{ROUTERS}/{place.router}", {"router": {"external_gateway_info": None}})
    assert api.call("DELETE", path).status == 204
    for id_ in (idle, given):
        assert api.get(f"{FLOATING}/{id_}").status == 404


def test_lists_are_filtered(place: Place) -> None:
    port = place.port()
    given, free = place.floating(port_id=port["id"]), place.floating()
    address = given["floating_ip_address"]

    def ids(query: str) -> set[str]:
        query += f"&floating_network_id={place.public}"
        return {each["id"] for each in place.api.listed(f"{FLOATING}?{query}")}

    assert ids(f"port_id={port['id']}") == {given["id"]}
    assert ids(f"fixed_ip_address={given['fixed_ip_address']}") == {given["id"]}
    assert ids(f"floating_ip_address={address}") == {given["id"]}
    assert ids(f"router_id={place.router}") == {given["id"]}
    assert ids("status=DOWN") == {free["id"]}


def test_a_port_forwarding_lives(place: Place) -> None:
    fip, port = place.floating(), place.port()
    path = f"{FLOATING}/{fip['id']}/port_forwardings"

    made = place.forward(fip["id"], port, internal_port=1111, external_port=2222)

    assert made.status == 201, made
    forwarding = made.json["port_forwarding"]
    assert (forwarding["internal_port"], forwarding["external_port"]) == (1111, 2222)
    assert forwarding["external_port_range"] == "2222:2222"
    assert place.api.get(f"{path}/{forwarding['id']}").json["port_forwarding"] == forwarding
    assert place.api.get(path).json["port_forwardings"] == [forwarding]
    assert place.api.get(f"{path}?external_port=1").json["port_forwardings"] == []
    found = place.show(fip["id"])
    (inner,) = found["port_forwardings"]
    assert (inner["internal_port"], inner["protocol"]) == (1111, "tcp")
    assert (found["router_id"], found["status"], found["port_id"]) == (
        place.router,
        "ACTIVE",
        None,
    )
    changed = place.api.call(
        "PUT", f"{path}/{forwarding['id']}", {"port_forwarding": {"internal_port": 3333}}
    )
    assert changed.json["port_forwarding"]["internal_port_range"] == "3333:3333"
    assert refused(place.delete(fip["id"])) == (409, "FipInUseByPortForwarding")
    other = place.floating()["id"]
    elsewhere = f"{FLOATING}/{other}/port_forwardings/{forwarding['id']}"
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"port_forwarding": {}})):
        answer = place.api.call(method, elsewhere, body)
        assert refused(answer) == (404, "PortForwardingNotFound"), method
    assert place.api.call("DELETE", f"{path}/{forwarding['id']}").status == 204
    assert place.show(fip["id"])["router_id"] is None
    assert place.delete(fip["id"]).status == 204
    assert refused(place.api.get(path)) == (404, "FloatingIPNotFound")


def test_ranges_are_forwarded_to_a_port_or_to_as_many(place: Place) -> None:
    fip, port = place.floating(), place.port()

    made = place.forward(
        fip["id"], port, internal_port_range="80:90", external_port_range="1080:1090"
    )
    single = place.forward(
        fip["id"], port, protocol="udp", internal_port=80, external_port_range="1:9"
    )

    assert made.json["port_forwarding"]["external_port"] is None
    assert single.json["port_forwarding"]["external_port_range"] == "1:9"
    answers = [
        place.forward(fip["id"], port, internal_port=1, external_port=1085),
        place.forward(fip["id"], port, internal_port=85, external_port=7),
        place.forward(fip["id"], port, internal_port_range="1:3", external_port_range="5:9"),
        place.forward(fip["id"], port, internal_port=1),
        place.forward(fip["id"], port, protocol="icmp", internal_port=1, external_port=1),
        place.forward(fip["id"], port, internal_port=1, external_port=2, external_port_range="3"),
        place.forward(fip["id"], port | {"fixed_ips": [{"ip_address": "10.0.0.99"}]}),
    ]
    assert [refused(answer) for answer in answers] == [(400, "BadRequest")] * len(answers)
    for wrong in ({"external_port": 0}, {"external_port": 70_000}, {"internal_port_range": "9:8"}):
        answer = place.forward(fip["id"], port, **wrong)
        assert refused(answer) == (400, "HTTPBadRequest"), wrong


def test_a_floating_ip_is_given_or_forwarded_but_not_both(place: Place) -> None:
    given_to, forwarded_to = place.port(), place.port()
    given, free = place.floating(port_id=given_to["id"]), place.floating()
    ports = {"internal_port": 80, "external_port": 80}

    assert refused(place.forward(given["id"], forwarded_to, **ports)) == (
        409,
        "FloatingIPPortAlreadyAssociated",
    )
    assert refused(place.forward(free["id"], given_to, **ports)) == (
        409,
        "PortHasBindingFloatingIP",
    )
    assert place.forward(free["id"], forwarded_to, **ports).status == 201
    assert refused(place.put(free["id"], port_id=forwarded_to["id"])) == (
        409,
        "FipInUseByPortForwarding",
    )
    assert refused(place.post(port_id=forwarded_to["id"])) == (409, "PortHasPortForwarding")


def test_the_port_forwardings_of_a_deleted_port_go(place: Place) -> None:
    fip, port = place.floating(), place.port()
    place.forward(fip["id"], port, internal_port=1, external_port=2)
    path = f"{ROUTERS}/{place.router}/remove_router_interface"
    used = place.api.call("PUT", path, {"subnet_id": place.subnet})
    assert refused(used) == (409, "RouterInterfaceInUseByFloatingIP")

    assert place.api.call("DELETE", f"{PORTS}/{port['id']}").status == 204

    assert place.api.get(f"{FLOATING}/{fip['id']}/port_forwardings").json == {
        "port_forwardings": []
    }
    found = place.show(fip["id"])
    assert (found["port_forwardings"], found["router_id"]) == ([], None)


@pytest.fixture
def behind(place: Place) -> dict[str, Any]:
    """A port whose subnet no router with a gateway is on."""
    network = place.api.network()["id"]
    subnet = place.api.subnet(network, "10.9.0.0/24")["id"]
    inner = place.api.make(ROUTERS, "router")["id"]
    path = f"{ROUTERS}/{inner}/add_router_interface"
    assert place.api.call("PUT", path, {"subnet_id": subnet}).status == 200
    port: dict[str, Any] = place.api.port(network)
    return port


def test_a_router_that_others_lead_to_translates_when_it_is_asked_for(
    place: Place, behind: dict[str, Any]
) -> None:
    asked = {"port_id": behind["id"], "router_id": place.router}
    assert refused(place.post(port_id=behind["id"])) == (
        404,
        "ExternalGatewayForFloatingIPNotFound",
    )

    made = place.floating(**asked)
    assert (made["router_id"], made["port_id"]) == (place.router, behind["id"])

    later = place.floating()["id"]
    place.put(made["id"], port_id=None)
    assert place.put(later, **asked).json["floatingip"]["router_id"] == place.router
    away = {"router": {"external_gateway_info": None}}
    answer = place.api.call("PUT", f"{ROUTERS}/{place.router}", away)
    assert refused(answer) == (409, "RouterExternalGatewayInUseByFloatingIp")


def test_of_routers_on_its_subnet_the_one_that_is_asked_for_translates(place: Place) -> None:
    gateway = {"network_id": place.public}
    other = place.api.make(ROUTERS, "router", external_gateway_info=gateway)["id"]
    port = place.port()
    face = place.port()["id"]
    path = f"{ROUTERS}/{other}/add_router_interface"
    assert place.api.call("PUT", path, {"port_id": face}).status == 200

    made = place.floating(port_id=port["id"], router_id=other)

    assert made["router_id"] == other
    remove = f"{ROUTERS}/{other}/remove_router_interface"
    answer = place.api.call("PUT", remove, {"port_id": face})
    assert refused(answer) == (409, "RouterInterfaceInUseByFloatingIP")
    changed = place.put(made["id"], router_id=place.router)
    assert changed.json["floatingip"]["router_id"] == place.router
    assert place.api.call("PUT", remove, {"port_id": face}).status == 200


def test_another_router_translates_for_the_same_address(place: Place) -> None:
    gateway = {"network_id": place.public}
    other = place.api.make(ROUTERS, "router", external_gateway_info=gateway)["id"]
    double = place.port(fixed_ips=[{"ip_address": "10.0.0.70"}, {"ip_address": "10.0.0.71"}])
    made = place.floating(port_id=double["id"], fixed_ip_address="10.0.0.71")

    answer = place.put(made["id"], router_id=other)

    assert answer.status == 200, answer
    changed = answer.json["floatingip"]
    assert (changed["router_id"], changed["fixed_ip_address"]) == (other, "10.0.0.71")


def test_another_address_of_the_port_keeps_the_router_that_was_named(
    place: Place, behind: dict[str, Any]
) -> None:
    gateway = {"network_id": place.public}
    other = place.api.make(ROUTERS, "router", external_gateway_info=gateway)["id"]
    face = {"port_id": place.port()["id"]}
    place.api.call("PUT", f"{ROUTERS}/{other}/add_router_interface", face)
    double = place.port(fixed_ips=[{"ip_address": "10.0.0.70"}, {"ip_address": "10.0.0.71"}])
    beside = place.floating(port_id=double["id"], fixed_ip_address="10.0.0.70", router_id=other)
    more = [*behind["fixed_ips"], {"subnet_id": behind["fixed_ips"][0]["subnet_id"]}]
    body = {"port": {"fixed_ips": more}}
    ips = place.api.call("PUT", f"{PORTS}/{behind['id']}", body).json["port"]["fixed_ips"]
    first, second = (each["ip_address"] for each in ips)
    far = place.floating(port_id=behind["id"], fixed_ip_address=first, router_id=other)

    for id_, address in ((beside["id"], "10.0.0.71"), (far["id"], second)):
        answer = place.put(id_, fixed_ip_address=address)

        assert answer.status == 200, answer
        changed = answer.json["floatingip"]
        assert (changed["router_id"], changed["fixed_ip_address"]) == (other, address)
        assert place.put(id_, qos_policy_id=None).json["floatingip"]["router_id"] == other
    chosen = place.put(beside["id"], router_id=None).json["floatingip"]
    assert chosen["router_id"] == place.router


def test_a_router_that_can_not_translate_is_refused(place: Place, behind: dict[str, Any]) -> None:
    without = place.api.make(ROUTERS, "router")["id"]

    answers = [
        place.post(port_id=behind["id"], router_id=without),
        place.post(port_id=behind["id"], router_id=str(uuid4())),
        place.post(router_id=place.router),
        place.put(place.floating()["id"], router_id=place.router),
    ]

    assert [refused(each) for each in answers] == [
        (409, "RouterWithoutGatewayForFloatingIP"),
        (404, "RouterNotFound"),
        (400, "BadRequest"),
        (400, "BadRequest"),
    ]
