"""Many clients at once over small pools: nothing is doubled, lost or miscounted."""

import asyncio
import random
from typing import Any

import pytest

from alcor.contracts.resources import Caller
from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
N2 = "11111111-0000-4000-8000-000000000002"
S4 = "44444444-0000-4000-8000-000000000001"
S6 = "66666666-0000-4000-8000-000000000001"
IDS = [f"99999999-0000-4000-8000-{n:012x}" for n in range(1, 9)]
MACS = [f"02:00:00:00:00:{n:02x}" for n in range(1, 9)]
expected = {
    "IpAddressGenerationFailure",
    "IpAddressAlreadyAllocated",
    "MacAddressInUse",
    "PortIdInUse",
    "PortNotFound",
    "InvalidInput",  # an update of a port on the network without these subnets
    "InvalidIpForNetwork",
}
clients, steps = 32, 25


def some_fixed_ips(chance: random.Random) -> Any:
    return chance.choice(
        [
            [],
            [{"subnet_id": S4}],
            [{"subnet_id": S4}, {"subnet_id": S6}],
            [{"ip_address": f"10.0.0.{chance.randint(2, 20)}"}],
            [{"subnet_id": S4}, {"ip_address": f"10.0.0.{chance.randint(2, 20)}"}],
        ]
    )


def some_port(chance: random.Random) -> dict[str, Any]:
    item: dict[str, Any] = {"network_id": chance.choice([N1, N1, N2])}
    if item["network_id"] == N1 and chance.random() < 0.6:
        item["fixed_ips"] = some_fixed_ips(chance)
    if chance.random() < 0.2:
        item["id"] = chance.choice(IDS)
    if chance.random() < 0.2:
        item["mac_address"] = chance.choice(MACS)
    return item


async def act(world: Any, chance: random.Random, known: list[str]) -> None:
    caller = Caller(project_id=chance.choice(["p1", "p2"]), admin=True)
    deed = chance.random()
    if deed < 0.55 or not known:
        items = [some_port(chance) for _ in range(chance.choice([1, 1, 1, 2, 4]))]
        known += [port["id"] for port in await world.create(*items, caller=caller)]
    elif deed < 0.75:
        changes = {"fixed_ips": some_fixed_ips(chance), "name": str(chance.random())}
        await world.update(chance.choice(known), caller=caller, **changes)
    elif deed < 0.8:
        await world.update(chance.choice(known), mac_address=chance.choice(MACS))
    else:
        await world.delete(known.pop(chance.randrange(len(known))), caller)


async def client(world: Any, chance: random.Random, known: list[str], seen: set[str]) -> None:
    for _ in range(steps):
        try:
            await act(world, chance, known)
        except Refusal as refusal:
            seen.add(refusal.type)


@pytest.mark.parametrize("seed", range(3))
def test_concurrent_clients_never_break_an_invariant(lives: Any, seed: int) -> None:
    async def main() -> None:
        async with lives.life() as world:
            for network in (N1, N2):
                await world.add_network(network)
            await world.add_subnet(S4, N1, "10.0.0.0/27", "10.0.0.2", "10.0.0.30")
            await world.add_subnet(S6, N1, "fd00::/64", "fd00::2", "fd00::1:0")
            known: list[str] = []
            seen: set[str] = set()
            async with asyncio.TaskGroup() as tasks:
                for number in range(clients):
                    chance = random.Random(f"{seed} {number}")
                    tasks.create_task(client(world, chance, known, seen))

            world.check()
            assert seen <= expected
            ports = await world.listed()
            for port in ports:
                await world.delete(port["id"])
            world.check()
            assert world.rows("ip", "SELECT * FROM lease") == []
        async with lives.life() as world:  # nothing was left to settle or sweep
            world.check()

    asyncio.run(main())
