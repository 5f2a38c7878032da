"""Gateway and pools of a CIDR."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.managers.subnet.model import Subnet, changed, subnet
from alcor.managers.subnet.plan import check_cidr, checked_gateway, checked_pools, usable
from alcor.values.addresses import Address, Prefix, address, prefix
from alcor.values.errors import Refusal

DEFAULTS: dict[str, Any] = {
    "name": "",
    "project_id": "p",
    "network_id": "n",
    "enable_dhcp": True,
    "dns_nameservers": [],
    "host_routes": [],
    "ipv6_ra_mode": None,
    "ipv6_address_mode": None,
    "description": "",
    "service_types": [],
}


def made(cidr: str, **values: Any) -> Subnet:
    version = prefix(cidr).version
    values = DEFAULTS | {"cidr": cidr, "ip_version": version} | values
    return subnet(values, "s", "now")


def pools(of: Subnet) -> list[tuple[str, str]]:
    return [(pool.start, pool.end) for pool in of.allocation_pools]


def refused(cidr: str, values: dict[str, Any]) -> str:
    whole = {"cidr": cidr, "ip_version": prefix(cidr).version}
    with pytest.raises(Refusal) as caught:
        subnet(DEFAULTS | whole | values, "s", "now")
    return caught.value.type


@pytest.mark.parametrize(
    ("cidr", "gateway", "wanted"),
    [
        ("10.0.0.0/24", "10.0.0.1", [("10.0.0.2", "10.0.0.254")]),
        ("10.0.0.0/30", "10.0.0.1", [("10.0.0.2", "10.0.0.2")]),
        ("10.0.0.0/31", "10.0.0.0", [("10.0.0.1", "10.0.0.1")]),
        ("10.0.0.7/32", None, [("10.0.0.7", "10.0.0.7")]),
        ("2001:db8::/64", "2001:db8::1", [("2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff")]),
        ("2001:db8::/127", "2001:db8::", [("2001:db8::1", "2001:db8::1")]),
        ("2001:db8::7/128", None, [("2001:db8::7", "2001:db8::7")]),
    ],
)
def test_without_a_word_the_gateway_is_first_and_the_pool_the_rest(
    cidr: str, gateway: str | None, wanted: list[tuple[str, str]]
) -> None:
    assert made(cidr).gateway_ip == gateway
    assert pools(made(cidr)) == wanted


def test_a_gateway_in_the_middle_splits_the_pool_and_none_leaves_it_whole() -> None:
    middle = made("10.0.0.0/29", gateway_ip="10.0.0.3")
    assert pools(middle) == [("10.0.0.1", "10.0.0.2"), ("10.0.0.4", "10.0.0.6")]
    assert pools(made("10.0.0.0/29", gateway_ip=None)) == [("10.0.0.1", "10.0.0.6")]


def test_the_subnet_router_anycast_address_may_be_the_gateway_as_neutrons_default_is() -> None:
    subnet = made("2001:db8::/64", gateway_ip="2001:db8::")

    assert subnet.gateway_ip == "2001:db8::"
    assert pools(subnet) == [("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff")]


def test_a_link_local_gateway_is_reachable_on_ipv6() -> None:
    assert made("2001:db8::/64", gateway_ip="fe80::1").gateway_ip == "fe80::1"


def test_a_gateway_outside_the_subnet_is_on_its_link_and_leaves_it_whole() -> None:
    subnet = made("192.0.2.0/29", gateway_ip="100.64.0.1")
    assert subnet.gateway_ip == "100.64.0.1"
    assert pools(subnet) == [("192.0.2.1", "192.0.2.6")]
    assert changed(subnet, {"gateway_ip": "100.64.0.2"}, "later").gateway_ip == "100.64.0.2"


@pytest.mark.parametrize(
    ("cidr", "values", "type_"),
    [
        ("10.0.0.0/24", {"ip_version": 6}, "InvalidInput"),
        ("0.0.0.0/0", {}, "InvalidInput"),
        ("224.0.0.0/24", {}, "InvalidInput"),
        ("127.0.0.0/8", {}, "InvalidInput"),
        ("ff02::/64", {}, "InvalidInput"),
        ("10.0.0.0/24", {"gateway_ip": "224.0.0.1"}, "InvalidInput"),
        ("10.0.0.0/24", {"gateway_ip": "0.0.0.0"}, "InvalidInput"),
        ("10.0.0.0/24", {"gateway_ip": "10.0.0.255"}, "InvalidInput"),
        ("10.0.0.0/24", {"gateway_ip": "2001:db8::1"}, "InvalidInput"),
        ("10.0.0.0/24", {"dns_nameservers": ["2001:db8::1"]}, "InvalidInput"),
        (
            "10.0.0.0/24",
            {"host_routes": [{"destination": "2001:db8::/64", "nexthop": "10.0.0.9"}]},
            "InvalidInput",
        ),
        ("10.0.0.0/24", {"ipv6_ra_mode": "slaac"}, "InvalidInput"),
        ("2001:db8::/64", {"ipv6_ra_mode": "slaac", "enable_dhcp": False}, "InvalidInput"),
        (
            "2001:db8::/64",
            {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"},
            "InvalidInput",
        ),
        ("2001:db8::/65", {"ipv6_address_mode": "slaac"}, "InvalidInput"),
        ("2001:db8::/63", {"ipv6_ra_mode": "dhcpv6-stateless"}, "InvalidInput"),
    ],
)
def test_what_can_not_be_a_subnet_is_refused(cidr: str, values: dict[str, Any], type_: str) -> None:
    assert refused(cidr, values) == type_


def a_pool(start: str, end: str) -> dict[str, str]:
    return {"start": start, "end": end}


@pytest.mark.parametrize(
    ("given_pools", "type_"),
    [
        ([a_pool("10.0.0.1", "10.0.0.9")], "GatewayConflictWithAllocationPools"),
        ([a_pool("10.0.0.5", "10.0.1.9")], "OutOfBoundsAllocationPool"),
        ([a_pool("10.0.0.5", "10.0.0.255")], "OutOfBoundsAllocationPool"),
        ([a_pool("10.0.0.9", "10.0.0.5")], "InvalidAllocationPool"),
        ([a_pool("2001:db8::1", "2001:db8::2")], "InvalidAllocationPool"),
        (
            [a_pool("10.0.0.5", "10.0.0.9"), a_pool("10.0.0.9", "10.0.0.12")],
            "OverlappingAllocationPools",
        ),
    ],
)
def test_pools_are_disjoint_ranges_of_the_subnet_without_the_gateway(
    given_pools: list[dict[str, str]], type_: str
) -> None:
    assert refused("10.0.0.0/24", {"allocation_pools": given_pools}) == type_


def test_a_new_gateway_may_not_be_in_a_pool() -> None:
    old = made("10.0.0.0/24")
    with pytest.raises(Refusal) as caught:
        changed(old, {"gateway_ip": "10.0.0.9"}, "later")
    assert caught.value.type == "GatewayConflictWithAllocationPools"
    both = {"gateway_ip": "10.0.0.9", "allocation_pools": [a_pool("10.0.0.10", "10.0.0.20")]}
    assert changed(old, both, "later").gateway_ip == "10.0.0.9"
    assert changed(old, {"gateway_ip": "10.0.0.1", "name": ""}, "later") is old


prefixes = st.builds(
    lambda v, n, length: prefix(f"{Address(v, n % (1 << (32 if v == 4 else 128)))}/{length}"),
    st.sampled_from([4]),
    st.integers(1 << 24, (100 << 24)),
    st.integers(8, 32),
) | st.builds(
    lambda n, length: prefix(f"{Address(6, n)}/{length}"),
    st.integers(0x2001 << 112, 0x2002 << 112),
    st.integers(16, 128),
)


@given(prefixes, st.data())
def test_default_pools_hold_every_usable_address_but_the_gateway(
    whole: Prefix, data: st.DataObject
) -> None:
    check_cidr(whole)
    first, last = usable(whole)
    gateway = Address(whole.version, data.draw(st.integers(first, last)))
    ranges = checked_pools(whole, checked_gateway(whole, gateway, None), None)
    assert sum(high - low + 1 for low, high in ranges) == last - first
    assert not any(low <= gateway.number <= high for low, high in ranges)
    texts = [(Address(whole.version, a), Address(whole.version, b)) for a, b in ranges]
    assert checked_pools(whole, gateway, texts) == ranges
    assert address(str(gateway)) == gateway
