"""A gateway whose next hop dies gets no share of what leaves, until it lives again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.upstream import speaking
from tests.system.routers.test_gateways_apart import (
    Site,
    site,
    timeout_s,
)
from tests.system.routers.test_gateways_apart import (
    worlds as worlds4,
)
from tests.system.routers.test_north_south import ROUTER
from tests.system.routers.test_several_gateways import seen_as

from alcor.client.api import PORT, SUBNET
from alcor.lab import namespaces, outside
from alcor.lab.commands import ip_batch
from alcor.lab.lab import Lab
from alcor.lab.waiting import wait_until

__all__ = ["site", "worlds4"]  # pytest finds them here

lab_name = "sysdead"
lab_hosts = 3
lab_uplinks = 1  # the second has one to another network, the third has none

DEVICES = ("br0", "two")  # of the world outside, by which each gateway is reached

cidr6, gateway6 = "2001:db8:fe::/64", "2001:db8:fe::1"  # of the second network outside


@pytest.fixture(scope="module")
def worlds(lab: Lab, worlds4: tuple[str, str]) -> tuple[str, str]:
    """The external networks, of both families."""
    for network, where, first in zip(
        worlds4, (outside.cidr6, cidr6), (outside.gateway6, gateway6), strict=True
    ):
        body = {"network_id": network, "ip_version": 6, "cidr": where, "gateway_ip": first}
        lab.api.create(SUBNET, [body | {"enable_dhcp": False}])
    out = lab.layout.outside_namespace
    ip_batch([f"addr add {gateway6}/64 dev {DEVICES[1]} nodad"], out)
    with namespaces.inside(out):
        for device in DEVICES:
            Path(f"/proc/sys/net/ipv6/conf/{device}/keep_addr_on_down").write_text("1")
    return worlds4


class Gateways:
    """A router's gateways, as the API shows them."""

    def __init__(self, lab: Lab, site: Site) -> None:
        self._lab, self._site = lab, site

    @property
    def ports(self) -> list[dict[str, Any]]:
        """In the order of their networks."""
        wanted = [("device_id", self._site.router_id), ("device_owner", "network:router_gateway")]
        port_by_network = {e["network_id"]: e for e in self._lab.api.list_page(PORT, wanted)}
        return [port_by_network[network] for network in self._site.worlds]

    def addresses(self, version: int) -> list[str]:
        """The router's own, of a family."""
        sign = ":" if version == 6 else "."
        every = [[ip["ip_address"] for ip in port["fixed_ips"]] for port in self.ports]
        return [next(each for each in addresses if sign in each) for addresses in every]

    def become(self, *next_hops: str | None) -> None:
        """Wait until the API says so of their next hops, and all hosts know it."""

        def is_so() -> bool:
            return [port.get("alcor:next_hop") for port in self.ports] == list(next_hops)

        wait_until(f"next hops to be {next_hops}", is_so, timeout_s)
        assert [port["status"] for port in self.ports] == [
            "DOWN" if each == "down" else "ACTIVE" for each in next_hops
        ]
        later = self._lab.api.update(PORT, self._site.machines[0].port_id, {"name": str(next_hops)})
        assert self._lab.api.wait(later[1], timeout_s).converged

    def used_by_all(self) -> set[str]:
        """As whom the machines of all hosts are seen outside: the same of each."""
        seen = [seen_as(self._lab, machine) for machine in self._site.machines]
        assert seen[1:] == seen[:-1]
        return seen[0]


@pytest.fixture
def gateways(lab: Lab, site: Site) -> Iterator[Gateways]:
    lab.api.update(ROUTER, site.router_id, {"enable_default_route_bfd": True})
    yield Gateways(lab, site)
    for device in DEVICES:
        ip_batch([f"link set {device} up"], lab.layout.outside_namespace)
    lab.api.update(ROUTER, site.router_id, {"enable_default_route_bfd": False})


@pytest.mark.proves("Gateways whose next hops die", "IPv4", "same across")
@pytest.mark.parametrize(("ecmp", "families"), [(True, (4, 6)), (False, (6,))])
def test_a_dead_gateway_loses_its_share_on_all_hosts_and_gets_it_again(
    lab: Lab, site: Site, gateways: Gateways, tmp_path: Path, ecmp: bool, families: tuple[int, ...]
) -> None:
    lab.api.update(ROUTER, site.router_id, {"enable_default_route_ecmp": ecmp})
    out = lab.layout.outside_namespace
    first, second = gateways.addresses(4)
    normal = {first, second} if ecmp else {first}
    neighbours = {
        each: device
        for version in families
        for each, device in zip(gateways.addresses(version), DEVICES, strict=True)
    }
    with speaking(out, tmp_path, neighbours):
        gateways.become("up", "up")
        assert gateways.used_by_all() == normal

        ip_batch([f"link set {DEVICES[0]} down"], out)
        gateways.become("down", "up")
        assert gateways.used_by_all() == {second}

        ip_batch([f"link set {DEVICES[0]} up"], out)
        gateways.become("up", "up")
        assert gateways.used_by_all() == normal

    gateways.become("down", "down")  # who spoke BFD speaks it no more, by neither
    assert gateways.used_by_all() == normal

    lab.api.update(ROUTER, site.router_id, {"enable_default_route_bfd": False})
    gateways.become(None, None)
