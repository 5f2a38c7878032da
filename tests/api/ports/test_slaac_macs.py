"""MAC addresses that are taken, where addresses are made of them."""

from typing import Any

import pytest


@pytest.fixture
def network(api: Any) -> str:
    """A network whose ports have an address that is made of their MAC."""
    id_ = str(api.network(name="slaac-macs")["id"])
    mode = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    api.subnet(id_, "2001:db8:77::/64", **mode)
    return id_


def after(mac: str) -> str:
    """The next one, which is likely to be chosen next."""
    number = f"{int(mac.replace(':', ''), 16) + 1:012x}"
    return ":".join(number[i : i + 2] for i in range(0, 12, 2))


def test_who_asks_for_a_mac_that_is_taken_is_told_so(api: Any, network: str) -> None:
    mac = api.port(network)["mac_address"]
    other = api.port(network)

    body = {"network_id": network, "mac_address": mac}
    made = api.call("POST", "/v2.0/ports", {"port": body})
    changed = api.call("PUT", f"/v2.0/ports/{other['id']}", {"port": {"mac_address": mac}})

    assert (made.status, made.type) == (409, "MacAddressInUse")
    assert (changed.status, changed.type) == (409, "MacAddressInUse")


def test_a_mac_that_another_was_given_is_not_chosen(api: Any, network: str) -> None:
    given = after(api.port(network)["mac_address"])
    held = [api.port(network, mac_address=given)]
    held += api.call("POST", "/v2.0/ports", {"ports": [{"network_id": network}] * 3}).json["ports"]

    assert len({port["mac_address"] for port in held}) == 4


def test_an_address_that_is_taken_itself_is_told_as_that(api: Any, network: str) -> None:
    api.subnet(network, "10.177.0.0/24")
    wanted: dict[str, Any] = {"network_id": network, "fixed_ips": [{"ip_address": "10.177.0.7"}]}
    api.port(network, fixed_ips=wanted["fixed_ips"])

    answer = api.call("POST", "/v2.0/ports", {"port": wanted})

    assert (answer.status, answer.type) == (409, "IpAddressAlreadyAllocated")
