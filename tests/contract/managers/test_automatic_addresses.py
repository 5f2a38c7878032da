"""Addresses that machines make themselves: ports have them, whatever comes first."""

import asyncio
from typing import Any

import pytest

from alcor.contracts.peers import Ids
from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
S4 = "44444444-0000-4000-8000-000000000001"
S6 = "66666666-0000-4000-8000-000000000001"
MAC = "fa:16:3e:12:34:56"
MADE = "fd00::f816:3eff:fe12:3456"
OTHER_MAC = "02:00:00:00:00:01"
OTHER_MADE = "fd00::ff:fe00:1"


async def slaac(world: Any) -> None:
    await world.add_subnet(S6, N1, "fd00::/64", "fd00::2", "fd00::ffff", ipv6_address_mode="slaac")


async def one_network(world: Any) -> None:
    await world.add_network(N1)
    await world.add_subnet(S4, N1, "10.0.0.0/29", "10.0.0.2", "10.0.0.6")


def addresses(port: dict[str, Any]) -> list[str]:
    return [ip["ip_address"] for ip in port["fixed_ips"]]


async def until(world: Any, wanted: list[str]) -> list[dict[str, Any]]:
    """The ports, when the one has these addresses."""
    ports: list[dict[str, Any]] = []
    async with asyncio.timeout(60):
        while not ports or addresses(ports[0]) != wanted:
            ports = await world.listed()
    return ports


def test_a_port_has_the_address_that_its_machine_makes(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_network(world)
            await slaac(world)
            (port,) = await world.create({"network_id": N1, "mac_address": MAC})
            assert addresses(port) == ["10.0.0.2", MADE]
            # Chosen MACs are known before addresses are made of them.
            chosen = await world.create(*[{"network_id": N1}] * 3)
            assert len({addresses(p)[1] for p in chosen}) == 3
            world.check()

    asyncio.run(main())


def test_an_address_made_of_a_mac_goes_with_it(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_network(world)
            await slaac(world)
            (port,) = await world.create({"network_id": N1, "mac_address": MAC})
            port = await world.update(port["id"], mac_address=OTHER_MAC)
            assert addresses(port) == ["10.0.0.2", OTHER_MADE]
            world.check()
            # Null: the manager chooses another one.
            port = await world.update(port["id"], mac_address=None)
            assert port["mac_address"] not in (MAC, OTHER_MAC, None)
            assert addresses(port)[1] not in (MADE, OTHER_MADE)
            world.check()

    asyncio.run(main())


def test_other_addresses_may_change_but_what_a_machine_makes_stays(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_network(world)
            await slaac(world)
            (port,) = await world.create({"network_id": N1, "mac_address": MAC})
            port = await world.update(port["id"], fixed_ips=[{"ip_address": "10.0.0.5"}])
            assert addresses(port) == ["10.0.0.5", MADE]
            same = await world.update(port["id"], fixed_ips=port["fixed_ips"])
            assert same["revision_number"] == port["revision_number"]
            world.check()

    asyncio.run(main())


def test_ports_get_an_address_of_a_subnet_that_comes_later_also_over_a_crash(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_network(world)
            await world.create({"network_id": N1, "mac_address": MAC})
            await slaac(world)
            await until(world, ["10.0.0.2", MADE])
            world.check()
            await world.add_subnet(
                "66666666-0000-4000-8000-000000000002",
                N1,
                "fd01::/64",
                "fd01::2",
                "fd01::ffff",
                told=False,
                ipv6_ra_mode="slaac",
            )
        async with lives.life() as world:
            await until(world, ["10.0.0.2", MADE, MADE.replace("fd00", "fd01")])
            world.check()

    asyncio.run(main())


def test_a_subnet_with_made_addresses_can_go_but_not_under_a_router(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_network(world)
            await slaac(world)
            (port,) = await world.create({"network_id": N1, "mac_address": MAC})
            item = {
                "network_id": N1,
                "device_owner": "network:router_interface",
                "fixed_ips": [{"ip_address": "fd00::1"}],
            }
            (router,) = await world.create(item)
            assert (await world.fences.vacate_subnets(Ids([S6]))).ids == [S6]
            assert addresses((await world.listed(id=port["id"]))[0]) == ["10.0.0.2", MADE]

            await world.delete(router["id"])
            assert (await world.fences.vacate_subnets(Ids([S6]))).ids == []
            assert addresses((await world.listed(id=port["id"]))[0]) == ["10.0.0.2"]
            with pytest.raises(Refusal):
                await world.create({"network_id": N1})

            # The deletion is taken back: the address is there again.
            await world.fences.lift(Ids([S6]))
            await until(world, ["10.0.0.2", MADE])
            world.check()

    asyncio.run(main())
