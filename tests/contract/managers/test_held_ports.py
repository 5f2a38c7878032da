"""What routers and floating IPs may rely on when they hold ports, and what clients can't do."""

import asyncio
from typing import Any

import msgspec

from alcor.contracts.held_ports import (
    FLOATING_IP,
    ROUTER_INTERFACE,
    AddressWish,
    Claim,
    HeldPort,
    PortAddress,
    Readdressing,
)
from alcor.contracts.peers import Ids
from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
S4 = "44444444-0000-4000-8000-000000000001"
H1 = "99999999-0000-4000-8000-000000000001"
R1 = "77777777-0000-4000-8000-000000000001"
R2 = "77777777-0000-4000-8000-000000000002"
GATEWAY = AddressWish(subnet_id=S4, ip_address="10.0.0.1")
HELD = HeldPort(
    id=H1, network_id=N1, device_owner=ROUTER_INTERFACE, device_id=R1, fixed_ips=(GATEWAY,)
)


async def one_subnet(world: Any) -> None:
    await world.add_network(N1)
    await world.add_subnet(S4, N1, "10.0.0.0/29", "10.0.0.2", "10.0.0.6", gateway="10.0.0.1")


async def refused(work: Any) -> str:
    try:
        await work
    except Refusal as refusal:
        return refusal.type
    raise AssertionError("it was not refused")


def claim(port_id: str, holder: str = R1) -> Claim:
    return Claim(port_id=port_id, device_owner=ROUTER_INTERFACE, device_id=holder)


def test_a_held_port_has_the_gateways_address_and_is_active_at_once(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)

            made = await world.held.make(HELD)

            assert made.status == "ACTIVE"
            assert [ip.ip_address for ip in made.port.fixed_ips] == ["10.0.0.1"]
            assert await world.held.make(HELD) == made  # a repeat makes nothing
            assert (await world.held.at(PortAddress(S4, "10.0.0.1"))).ports == [made]
            (shown,) = await world.listed(device_id=R1)
            assert (shown["id"], shown["device_owner"]) == (H1, ROUTER_INTERFACE)
            world.check()

    asyncio.run(main())


def test_a_repeat_takes_nothing_from_a_port_with_which_its_project_has_all_it_may(
    lives: Any,
) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            world.ports_max["p1"] = 1
            held = msgspec.structs.replace(HELD, project_id="p1")

            made, at_once = await asyncio.gather(world.held.make(held), world.held.make(held))

            assert made == at_once == await world.held.make(held)
            world.check()

    asyncio.run(main())


def test_a_repeat_leases_nothing_for_a_port_that_has_got_other_addresses(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.held.make(HELD)
            wish = AddressWish(subnet_id=S4, ip_address="10.0.0.5")
            moving = Readdressing(port_id=H1, device_id=R1, fixed_ips=(wish,))
            moved = await world.held.readdress(moving)

            assert await world.held.make(HELD) == moved
            world.check()

    asyncio.run(main())


def test_clients_cannot_delete_let_go_or_move_a_held_port(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.held.make(HELD)

            assert await refused(world.delete(H1)) == "ServicePortInUse"
            assert await refused(world.update(H1, device_id="")) == "ServicePortInUse"
            assert await refused(world.update(H1, device_owner="")) == "ServicePortInUse"
            assert await refused(world.update(H1, fixed_ips=[])) == "ServicePortInUse"
            assert (await world.update(H1, name="up", fixed_ips=[{"subnet_id": S4}]))["name"]
            world.check()

    asyncio.run(main())


def test_clients_cannot_make_a_port_part_of_a_router(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            forged = {"network_id": N1, "device_owner": ROUTER_INTERFACE, "device_id": R1}
            (port,) = await world.create({"network_id": N1})

            assert await refused(world.create(forged)) == "DeviceIDNotOwnedByTenant"
            forging = world.update(port["id"], device_owner=FLOATING_IP, device_id=R1)
            assert await refused(forging) == "DeviceIDNotOwnedByTenant"

    asyncio.run(main())


def test_a_port_is_claimed_by_one_holder_and_given_back(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            (port,) = await world.create({"network_id": N1})

            claimed = await world.held.claim(claim(port["id"]))

            assert (claimed.port.device_id, claimed.status) == (R1, "ACTIVE")
            assert await refused(world.held.claim(claim(port["id"], R2))) == "PortInUse"
            await world.held.give_back(claim(port["id"], R2))  # not its own: nothing happens
            assert (await world.listed())[0]["device_id"] == R1
            await world.held.give_back(claim(port["id"]))
            (free,) = await world.listed()
            assert (free["device_id"], free["device_owner"], free["status"]) == ("", "", "DOWN")

    asyncio.run(main())


def test_a_dropped_port_is_gone_and_one_that_never_was_never_will_be(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.held.make(HELD)

            await world.held.drop(claim(H1))
            await world.held.drop(claim(H1))

            assert await world.listed() == []
            assert await refused(world.held.make(HELD)) == "Unavailable"  # too late
            assert (await world.held.views(Ids([H1]))).ports == []
            world.check()

    asyncio.run(main())


def test_a_held_port_gets_other_addresses(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await one_subnet(world)
            await world.held.make(HELD)
            wish = AddressWish(subnet_id=S4, ip_address="10.0.0.5")

            moved = await world.held.readdress(
                Readdressing(port_id=H1, device_id=R1, fixed_ips=(wish,))
            )

            assert [ip.ip_address for ip in moved.port.fixed_ips] == ["10.0.0.5"]
            world.check()

    asyncio.run(main())
