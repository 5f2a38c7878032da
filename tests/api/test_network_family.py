"""Networks, subnets and ports over HTTP, as Neutron's clients and tests use them."""

from collections.abc import Callable
from typing import Any, TypeVar

from tests.api.conftest import Api

T = TypeVar("T")


def soon(read: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """What is read, once it is so: other managers hear by the log."""
    for _ in range(500):
        found = read()
        if holds(found):
            return found
    raise AssertionError(found)


def show(api: Api, kind: str, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/v2.0/{kind}s/{id_}").json[kind]
    return found


def test_a_subnets_change_raises_the_revision_of_its_network(api: Api) -> None:
    network = api.network()
    subnet = api.subnet(network["id"], "10.0.0.0/24")
    before = soon(lambda: show(api, "network", network["id"]), lambda n: bool(n["subnets"]))
    api.call("PUT", f"/v2.0/subnets/{subnet['id']}", {"subnet": {"name": "new"}})
    soon(
        lambda: show(api, "network", network["id"]),
        lambda n: n["revision_number"] > before["revision_number"],
    )


def test_a_subnet_shows_whether_its_network_is_external(api: Api) -> None:
    network = api.network(**{"router:external": True})
    subnet = api.subnet(network["id"], "10.0.0.0/24")
    assert subnet["router:external"]
    change = {"network": {"router:external": False}}
    assert api.call("PUT", f"/v2.0/networks/{network['id']}", change).status == 200
    soon(lambda: show(api, "subnet", subnet["id"]), lambda s: not s["router:external"])


def test_networks_are_found_by_how_they_travel(api: Api) -> None:
    network = api.network()
    vni = network["provider:segmentation_id"]
    assert api.listed(f"/v2.0/networks?provider:segmentation_id={vni}")
    assert not api.listed(f"/v2.0/networks?provider:network_type=vlan&id={network['id']}")
    assert not api.listed(f"/v2.0/networks?router:external=True&id={network['id']}")


def test_a_network_too_narrow_for_a_family_has_no_subnet_of_it(api: Api) -> None:
    narrow = api.network(mtu=1_279)
    api.subnet(narrow["id"], "10.0.0.0/24")
    body = {"network_id": narrow["id"], "cidr": "fd00::/64", "ip_version": 6}
    answer = api.call("POST", "/v2.0/subnets", {"subnet": body})
    assert (answer.status, answer.type) == (409, "NetworkMTUSubnetConflict")


def test_a_port_of_a_slaac_subnet_has_the_address_of_its_mac(api: Api) -> None:
    network = api.network()
    subnet = api.subnet(network["id"], "fd00::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    port = api.port(network["id"], mac_address="fa:16:3e:00:00:01")
    assert port["fixed_ips"] == [
        {"subnet_id": subnet["id"], "ip_address": "fd00::f816:3eff:fe00:1"}
    ]
    # It does not keep the subnet from going.
    assert api.call("DELETE", f"/v2.0/subnets/{subnet['id']}").status == 204
    assert show(api, "port", port["id"])["fixed_ips"] == []
