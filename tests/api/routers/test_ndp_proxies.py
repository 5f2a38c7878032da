"""NDP proxies over HTTP: routers that answer outside for addresses inside."""

from typing import Any, NamedTuple
from uuid import uuid4

import pytest

PROXIES, ROUTERS, PORTS = "/v2.0/ndp_proxies", "/v2.0/routers", "/v2.0/ports"


class Place(NamedTuple):
    """A router between an external network and one inside, both of one IPv6 address scope."""

    api: Any
    public: str
    router: str
    network: str
    subnet: str
    plain: str  # a network behind the router, of no scope

    def put(self, **changes: Any) -> Any:
        return self.api.call("PUT", f"{ROUTERS}/{self.router}", {"router": changes})

    def port(self, network: str = "") -> dict[str, Any]:
        made: dict[str, Any] = self.api.port(network or self.network)
        return made

    def post(self, port: dict[str, Any], **fields: Any) -> Any:
        body = {"router_id": self.router, "port_id": port["id"]} | fields
        return self.api.call("POST", PROXIES, {"ndp_proxy": body})

    def listed(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.listed(f"{PROXIES}?router_id={self.router}")
        return found

    def act(self, action: str, subnet: str) -> Any:
        return self.api.call("PUT", f"{ROUTERS}/{self.router}/{action}", {"subnet_id": subnet})


def pool_of(api: Any, prefix: str) -> str:
    scope = api.make("/v2.0/address-scopes", "address_scope", name="s", ip_version=6)["id"]
    fields = {"name": "p", "prefixes": [prefix], "address_scope_id": scope}
    made: str = api.make("/v2.0/subnetpools", "subnetpool", default_prefixlen=64, **fields)["id"]
    return made


def subnet_of(api: Any, network: str, **fields: Any) -> str:
    body = {"network_id": network, "ip_version": 6} | fields
    made: str = api.make("/v2.0/subnets", "subnet", **body)["id"]
    return made


@pytest.fixture
def place(announced: Any) -> Place:
    api = announced
    number = uuid4().hex[:4]
    pool = pool_of(api, f"2001:db8:{number}::/48")
    public = api.network(**{"router:external": True})["id"]
    subnet_of(api, public, subnetpool_id=pool)
    network, plain = api.network()["id"], api.network()["id"]
    subnet = subnet_of(api, network, subnetpool_id=pool)
    other = subnet_of(api, plain, cidr="fd77::/64")
    gateway = {"network_id": public}
    router = api.make(ROUTERS, "router", external_gateway_info=gateway)["id"]
    made = Place(api, public, router, network, subnet, plain)
    assert made.act("add_router_interface", subnet).status == 200
    assert made.act("add_router_interface", other).status == 200
    return made


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, answer.type


def test_a_proxy_is_for_an_address_of_a_port_that_the_router_reaches(place: Place) -> None:
    port = place.port()
    assert refused(place.post(port)) == (409, "RouterNDPProxyNotEnable")
    assert place.put(enable_ndp_proxy=True).json["router"]["enable_ndp_proxy"] is True

    made = place.post(port, name="n", description="d").json["ndp_proxy"]

    own = port["fixed_ips"][0]["ip_address"]
    assert {k: made[k] for k in ("name", "description", "router_id", "port_id", "ip_address")} == {
        "name": "n",
        "description": "d",
        "router_id": place.router,
        "port_id": port["id"],
        "ip_address": own,
    }
    assert "interface_port_id" not in made
    assert place.listed() == [made]
    mine = f"{PROXIES}/{made['id']}"
    changed = place.api.call("PUT", mine, {"ndp_proxy": {"name": "m"}}).json["ndp_proxy"]
    assert changed == made | {"name": "m"}
    assert place.api.call("PUT", mine, {"ndp_proxy": {"port_id": port["id"]}}).status == 400
    assert place.api.call("DELETE", mine).status == 204
    assert refused(place.api.get(mine)) == (404, "NDPProxyNotFound")
    named = place.post(port, ip_address=own)
    assert named.status == 201, named


def test_what_a_router_can_not_answer_for_is_refused_and_nothing_is_left(place: Place) -> None:
    place.put(enable_ndp_proxy=True)
    port, elsewhere = place.port(), place.api.network()["id"]
    subnet_of(place.api, elsewhere, cidr="fd78::/64")
    only4 = place.api.network()["id"]
    place.api.subnet(only4, "10.9.0.0/24")

    assert refused(place.post(place.port(elsewhere))) == (409, "PortUnreachableRouter")
    assert refused(place.post(place.port(only4))) == (400, "BadRequest")
    assert refused(place.post(place.port(place.plain))) == (409, "AddressScopeConflict")
    assert refused(place.post(port, ip_address="fd79::1")) == (400, "InvalidAddress")
    assert refused(place.post(port, ip_address="10.0.0.1")) == (400, "InvalidAddress")
    assert refused(place.post({"id": str(uuid4())})) == (404, "PortNotFound")
    assert refused(place.post(port, router_id=str(uuid4()))) == (404, "RouterNotFound")
    assert place.listed() == []


def test_a_router_answers_only_where_its_gateway_allows(place: Place) -> None:
    api = place.api
    bare = api.network(**{"router:external": True})["id"]
    subnet_of(api, bare, cidr="2001:db8:ffff::/64")  # of no scope
    wanted: dict[str, dict[str, Any]] = {"router": {"enable_ndp_proxy": True}}
    assert refused(api.call("POST", ROUTERS, wanted)) == (409, "RouterGatewayNotValid")
    wanted["router"]["external_gateway_info"] = {"network_id": bare}
    assert refused(api.call("POST", ROUTERS, wanted)) == (409, "RouterGatewayNotValid")
    both = place.put(enable_ndp_proxy=True, external_gateway_info={})
    assert refused(both) == (409, "RouterGatewayNotValid")
    moved = place.put(enable_ndp_proxy=True, external_gateway_info={"network_id": bare})
    assert refused(moved) == (409, "RouterGatewayNotValid")
    assert place.put(name="x").json["router"]["enable_ndp_proxy"] is False

    made = api.make(
        ROUTERS, "router", enable_ndp_proxy=True, external_gateway_info={"network_id": place.public}
    )
    path = f"{ROUTERS}/{made['id']}"
    assert made["enable_ndp_proxy"] is True
    cleared = api.call("PUT", path, {"router": {"external_gateway_info": {}}}).json["router"]
    assert cleared["enable_ndp_proxy"] is False
    alone = api.call("PUT", path, {"router": {"enable_ndp_proxy": True}})
    assert refused(alone) == (409, "RouterGatewayNotValid")


def test_what_a_proxy_goes_by_stays_and_the_proxy_goes_with_its_port(place: Place) -> None:
    place.put(enable_ndp_proxy=True)
    port = place.port()
    assert place.post(port).status == 201

    gone = place.put(external_gateway_info={})
    assert refused(gone) == (409, "RouterGatewayInUseByNDPProxy")
    detached = place.act("remove_router_interface", place.subnet)
    assert refused(detached) == (409, "RouterInterfaceInUseByNDPProxy")
    assert place.api.call("DELETE", f"{PORTS}/{port['id']}").status == 204
    assert place.listed() == []
    assert place.put(external_gateway_info={}).status == 200
    assert place.act("remove_router_interface", place.subnet).status == 200
