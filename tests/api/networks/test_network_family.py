"""Networks, subnets and ports over HTTP, as Neutron's clients and tests use them."""

from typing import Any

import pytest
from tests.api.conftest import Api, soon


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


def test_networks_tell_how_many_addresses_they_have_and_how_many_are_held(api: Api) -> None:
    network = api.network(name="counted")["id"]
    path = f"/v2.0/network-ip-availabilities/{network}"

    def counted(query: str = "") -> tuple[int, int]:
        answer = api.get("/v2.0/network-ip-availabilities?network_id=" + network + query)
        (found,) = answer.json["network_ip_availabilities"]
        return found["total_ips"], found["used_ips"]

    assert counted() == (0, 0)
    subnet = api.subnet(network, "10.0.0.0/24")
    for cidr in ("fd00::/64", "fd01::/64", "fd02::/64"):
        api.subnet(network, cidr)
    ports = [api.port(network) for _ in range(2)]
    assert counted("&ip_version=4") == (253, 2)
    assert counted() == (253 + 3 * (2**64 - 2), 4)
    api.call("DELETE", f"/v2.0/ports/{ports[0]['id']}")
    shown = api.get(path).json["network_ip_availability"]
    assert (shown["network_name"], shown["used_ips"]) == ("counted", 2)
    parts = {part["subnet_id"]: part for part in shown["subnet_ip_availability"]}
    assert parts[subnet["id"]]["used_ips"] == 1
    missing = api.get("/v2.0/network-ip-availabilities/33333333-3333-4333-8333-333333333333")
    assert (missing.status, missing.type) == (404, "NetworkNotFound")
    assert api.call("POST", "/v2.0/network-ip-availabilities", {}).status == 405


def test_networks_tell_how_many_addresses_of_their_pools_are_used(api: Api) -> None:
    network = api.network()["id"]
    pool = {"start": "10.0.0.10", "end": "10.0.0.19"}
    four = api.subnet(network, "10.0.0.0/24", allocation_pools=[pool])["id"]
    six = api.subnet(network, "fd00::/64")["id"]
    api.port(network)
    api.port(network, fixed_ips=[{"ip_address": "10.0.0.200"}])

    found = api.get(f"/v2.0/network-ip-availabilities/{network}").json["network_ip_availability"]

    parts = {each["subnet_id"]: each for each in found["subnet_ip_availability"]}
    counted = {id_: tuple(each["ip_availability_details"].values()) for id_, each in parts.items()}
    assert counted == {four: (254, 10, 2, 1), six: (2**64, 2**64 - 2, 1, 1)}
    every = zip(*counted.values(), strict=True)
    assert tuple(found["ip_availability_details"].values()) == tuple(map(sum, every))


def test_a_region_is_one_zone_and_a_network_may_ask_for_it(api: Api) -> None:
    api.call("POST", "/alcor/v1/nodes", {"node": {"name": "zoned", "tunnel_ip": "192.0.2.99"}})
    zones = api.listed("/v2.0/availability_zones?resource=network")
    assert zones == [{"name": "nova", "resource": "network", "state": "unavailable"}]
    assert api.network(availability_zone_hints=["nova"])["availability_zone_hints"] == ["nova"]
    body = {"network": {"availability_zone_hints": ["elsewhere"]}}
    answer = api.call("POST", "/v2.0/networks", body)
    assert (answer.status, answer.type) == (404, "AvailabilityZoneNotFound")


def test_networks_are_found_by_how_they_travel(api: Api) -> None:
    network = api.network()
    vni = network["provider:segmentation_id"]
    assert api.listed(f"/v2.0/networks?provider:segmentation_id={vni}")
    assert not api.listed(f"/v2.0/networks?provider:network_type=vlan&id={network['id']}")
    assert not api.listed(f"/v2.0/networks?router:external=True&id={network['id']}")


def test_how_a_network_travels_may_be_said_again_and_not_be_changed(api: Api) -> None:
    wire = {"provider:network_type": "vlan", "provider:physical_network": "said-again"}
    made = [api.network(), api.network(**wire, **{"provider:segmentation_id": 12})]
    for network in made:
        path = f"/v2.0/networks/{network['id']}"
        same = {name: value for name, value in network.items() if name.startswith("provider:")}
        answer = api.call("PUT", path, {"network": same | {"name": "again"}})
        assert (answer.status, answer.json["network"]["name"]) == (200, "again")
        for name, other in (
            ("provider:network_type", "flat"),
            ("provider:network_type", None),
            ("provider:physical_network", "elsewhere"),
            ("provider:segmentation_id", None),
        ):
            answer = api.call("PUT", path, {"network": same | {name: other}})
            assert (answer.status, answer.type) == (400, "InvalidInput")
            assert answer.message.endswith(f"attributes: {name}.")
        kept = api.get(path).json["network"]
        assert {name: kept[name] for name in same} == same
    answer = api.call("PUT", path_of(made[0]), {"network": {"provider:segmentation_id": 13}})
    assert (answer.status, answer.type) == (400, "InvalidInput")


def path_of(network: dict[str, Any]) -> str:
    return f"/v2.0/networks/{network['id']}"


def test_a_network_of_a_vlan_moves_to_another_that_is_free(api: Api) -> None:
    wire = {"provider:network_type": "vlan", "provider:physical_network": "retagged"}
    one, other = (api.network(**wire, **{"provider:segmentation_id": vlan}) for vlan in (21, 22))

    def retagged(vlan: int) -> Any:
        return api.call("PUT", path_of(one), {"network": {"provider:segmentation_id": vlan}})

    taken, wrong, moved = retagged(22), retagged(4_095), retagged(23)

    assert (taken.status, taken.type) == (409, "VlanIdInUse")
    assert (wrong.status, wrong.type) == (400, "InvalidInput")
    assert (moved.status, moved.json["network"]["provider:segmentation_id"]) == (200, 23)
    assert moved.json["network"]["alcor:vni"] == one["alcor:vni"]
    assert api.listed(f"/v2.0/networks?id={one['id']}&provider:segmentation_id=23")
    (segment,) = api.listed(f"/v2.0/segments?network_id={one['id']}")
    assert segment["segmentation_id"] == 23
    assert api.network(**wire, **{"provider:segmentation_id": 21})  # it is free again
    assert api.get(path_of(other)).json["network"]["provider:segmentation_id"] == 22


def test_a_network_too_narrow_for_a_family_has_no_subnet_of_it(api: Api) -> None:
    narrow = api.network(mtu=1_279)
    api.subnet(narrow["id"], "10.0.0.0/24")
    body = {"network_id": narrow["id"], "cidr": "fd00::/64", "ip_version": 6}
    answer = api.call("POST", "/v2.0/subnets", {"subnet": body})
    assert (answer.status, answer.type) == (409, "NetworkMTUSubnetConflict")


def test_ports_have_port_security_as_their_network_unless_they_say(api: Api) -> None:
    network = api.network(port_security_enabled=False)
    assert not api.port(network["id"])["port_security_enabled"]
    assert api.port(network["id"], port_security_enabled=True)["port_security_enabled"]


def test_address_pairs_are_kept_as_written_with_the_ports_mac(api: Api) -> None:
    pairs = [{"ip_address": "10.9.0.0/16"}, {"ip_address": "fd00::9", "mac_address": PAIR_MAC}]
    port = api.port(api.network()["id"], allowed_address_pairs=pairs)
    whole = [pairs[0] | {"mac_address": port["mac_address"]}, pairs[1]]
    assert port["allowed_address_pairs"] == whole
    assert changed(api, port, allowed_address_pairs=None)["allowed_address_pairs"] == []


PAIR_MAC = "00:00:5e:00:01:01"


@pytest.mark.parametrize(
    ("fields", "status", "type_"),
    [
        ([{"ip_address": "10.0.0.1"}] * 2, 400, "DuplicateAddressPairInRequest"),
        ([{"ip_address": f"10.0.0.{i}"} for i in range(11)], 400, "AllowedAddressPairExhausted"),
        ([{"mac_address": PAIR_MAC}], 400, "AllowedAddressPairsMissingIP"),
        ([{"ip_address": "10.0.0"}], 400, "HTTPBadRequest"),
        ([{"ip_address": "10.0.0.1/33"}], 400, "HTTPBadRequest"),
        ([{"ip_address": "10.0.0.1", "x": 1}], 400, "HTTPBadRequest"),
        ([7], 400, "HTTPBadRequest"),
        (7, 400, "HTTPBadRequest"),
    ],
)
def test_wrong_address_pairs_are_refused(api: Api, fields: Any, status: int, type_: str) -> None:
    port = api.port(api.network()["id"])
    body = {"port": {"allowed_address_pairs": fields}}
    answer = api.call("PUT", f"/v2.0/ports/{port['id']}", body)
    assert (answer.status, answer.type) == (status, type_)


def test_address_pairs_and_no_port_security_exclude_each_other(api: Api) -> None:
    pairs = [{"ip_address": "10.0.0.1"}]
    port = api.port(api.network()["id"], allowed_address_pairs=pairs, security_groups=[])
    path = f"/v2.0/ports/{port['id']}"
    answer = api.call("PUT", path, {"port": {"port_security_enabled": False}})
    assert (answer.status, answer.type) == (409, "AddressPairAndPortSecurityRequired")
    changed(api, port, allowed_address_pairs=[], port_security_enabled=False, security_groups=[])


def test_a_dhcp_option_is_replaced_by_name_and_removed_by_null(api: Api) -> None:
    options = [{"opt_name": "domain-search", "opt_value": "a.example"}]
    port = api.port(api.network()["id"], extra_dhcp_opts=options)
    assert port["extra_dhcp_opts"] == [options[0] | {"ip_version": 4}]
    more = [
        {"opt_name": "domain-search", "opt_value": "b.example"},
        {"opt_name": "domain-search", "opt_value": "c.example", "ip_version": 6},
        {"opt_name": "mtu", "opt_value": "1400"},
    ]
    port = changed(api, port, extra_dhcp_opts=more)
    assert [o["opt_value"] for o in port["extra_dhcp_opts"]] == ["b.example", "c.example", "1400"]
    port = changed(api, port, extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": None}])
    assert [o["opt_value"] for o in port["extra_dhcp_opts"]] == ["b.example", "c.example"]


def test_a_vnic_that_hosts_can_not_plug_is_not_bound(api: Api) -> None:
    node = {"name": "host-family", "tunnel_ip": "192.0.2.77"}
    api.call("POST", "/alcor/v1/nodes", {"node": node})
    port = api.port(
        api.network()["id"],
        **{"binding:vnic_type": "direct", "binding:profile": {"pci": "1"}},
    )
    bound = changed(api, port, **{"binding:host_id": "host-family"})
    assert (bound["binding:vif_type"], bound["binding:profile"]) == ("binding_failed", {"pci": "1"})
    normal: dict[str, Any] = {"binding:vnic_type": "normal", "binding:profile": None}
    for more in ({}, {"binding:host_id": ""}):
        answer = api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": normal | more})
        assert (answer.status, answer.type) == (409, "PortInUse")
    bound = changed(api, changed(api, bound, **{"binding:host_id": ""}), **normal)
    again = changed(api, bound, **{"binding:host_id": "host-family"})
    assert (again["binding:vif_type"], again["binding:profile"]) == ("ovs", {})
    answer = api.call(
        "PUT", f"/v2.0/ports/{port['id']}", {"port": {"numa_affinity_policy": "required"}}
    )
    assert (answer.status, answer.type) == (409, "PortBoundNUMAAffinityPolicy")


@pytest.mark.parametrize("trusted", [True, False])
def test_whether_a_port_is_trusted_is_told_in_its_profile(api: Api, *, trusted: bool) -> None:
    network = api.network()
    given = api.port(network["id"], trusted=trusted, **{"binding:profile": {"a": 1}})
    later = changed(api, api.port(network["id"]), trusted=trusted)
    plugged = changed(api, given, **{"binding:profile": {"b": 2}})
    refused = api.call("PUT", f"/v2.0/ports/{given['id']}", {"port": {"trusted": "perhaps"}})

    assert api.port(network["id"])["trusted"] is None
    forgotten = changed(api, plugged, trusted=None)
    assert (forgotten["trusted"], forgotten["binding:profile"]) == (None, {"b": 2})
    for port, profile in ((given, {"a": 1}), (later, {}), (plugged, {"b": 2})):
        assert port["trusted"] is trusted
        assert port["binding:profile"] == profile | {"trusted": trusted}
    assert refused.status == 400


def test_ports_are_found_by_a_part_of_their_address(api: Api) -> None:
    network = api.network()
    api.subnet(network["id"], "10.83.0.0/16")
    one = api.port(network["id"], fixed_ips=[{"ip_address": "10.83.44.1"}])
    two = api.port(network["id"], fixed_ips=[{"ip_address": "10.83.55.1"}])

    def found(*parts: str) -> set[str]:
        query = "&".join(f"fixed_ips=ip_address_substr%3D{part}" for part in parts)
        return {p["id"] for p in api.listed(f"/v2.0/ports?network_id={network['id']}&{query}")}

    assert found(".44.") == {one["id"]}
    assert found(".44.", "83.5") == found("10.83") == {one["id"], two["id"]}
    assert found("%25") == found("x") == set()


def changed(api: Api, port: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": fields})
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json["port"]
    return found


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


def test_a_network_shows_its_subnets_as_soon_as_their_write_is_answered(api: Any) -> None:
    network = api.network()
    path, seen = f"/v2.0/networks/{network['id']}", network["revision_number"]

    for number in range(30):
        subnet = api.subnet(network["id"], f"10.0.{number}.0/24")
        shown = api.get(path).json["network"]
        assert shown["subnets"] == [subnet["id"]]
        assert shown["revision_number"] > seen

        assert api.call("DELETE", f"/v2.0/subnets/{subnet['id']}").status == 204
        shown, seen = api.get(path).json["network"], shown["revision_number"]
        assert shown["subnets"] == []
        assert shown["revision_number"] > seen
        seen = shown["revision_number"]


@pytest.mark.parametrize(
    ("field", "values", "type_"),
    [
        ("dns_nameservers", [f"192.0.2.{n}" for n in range(1, 7)], "DNSNameServersExhausted"),
        (
            "host_routes",
            [{"destination": f"10.{n}.0.0/16", "nexthop": "10.99.0.9"} for n in range(21)],
            "HostRoutesExhausted",
        ),
    ],
)
def test_a_subnet_with_too_many_of_a_kind_is_refused_as_by_neutron(
    api: Any, field: str, values: list[Any], type_: str
) -> None:
    subnet = api.subnet(api.network()["id"], "10.99.0.0/24")
    path = f"/v2.0/subnets/{subnet['id']}"

    answer = api.call("PUT", path, {"subnet": {field: values}})
    most = api.call("PUT", path, {"subnet": {field: values[:-1]}})

    assert (answer.status, answer.type) == (400, type_)
    assert (most.status, most.json["subnet"][field]) == (200, values[:-1])
