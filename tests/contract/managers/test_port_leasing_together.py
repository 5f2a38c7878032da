"""Ports that come together and want alike are leased for as one; none suffers for another."""

import asyncio
from typing import Any

from alcor.contracts.peers import LeaseGroup, Wanted
from alcor.managers.port.service.leasing import joined
from alcor.values.errors import Refusal

N1 = "11111111-0000-4000-8000-000000000001"
N2 = "11111111-0000-4000-8000-000000000002"
S1 = "44444444-0000-4000-8000-000000000001"
S2 = "44444444-0000-4000-8000-000000000002"


def group(owner: str, *subnets: str, address: str = "", network: str = N1) -> LeaseGroup:
    wish = Wanted(owners=(owner,), subnet_ids=subnets, address=address)
    return LeaseGroup([wish], {network: subnets})


def test_groups_that_want_alike_become_one() -> None:
    alike = [group("a", S1), group("b", S2, network=N2), group("c", S1)]

    (places, one), (others, other) = joined(alike)

    assert (places, one) == (
        [0, 2],
        LeaseGroup([Wanted(owners=("a", "c"), subnet_ids=(S1,))], {N1: (S1,)}),
    )
    assert (others, other) == ([1], alike[1])


def test_a_named_address_is_asked_for_by_itself() -> None:
    named = [group("a", S1, address="10.0.0.5"), group("b", S1, address="10.0.0.5")]

    assert joined(named) == [([0], named[0]), ([1], named[1])]


def test_what_is_known_of_another_network_is_not_mixed_up() -> None:
    apart = [group("a", S1), group("b", S1, network=N2)]

    assert [places for places, _ in joined(apart)] == [[0], [1]]


async def creates(world: Any, *items: dict[str, Any]) -> list[Any]:
    """Of each single create, made at the same time: its address, or the type of its refusal."""
    made = await asyncio.gather(*(world.create(i) for i in items), return_exceptions=True)
    return [_outcome(each) for each in made]


def _outcome(made: Any) -> str:
    if isinstance(made, Refusal):
        return made.type
    if isinstance(made, BaseException):
        raise made
    return str(made[0]["fixed_ips"][0]["ip_address"])


def test_singles_that_come_together_cost_one_call_and_one_group(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            await world.add_subnet(S1, N1, "10.0.0.0/24", "10.0.0.2", "10.0.0.200")
            world.ips.calls.clear()

            found = await creates(world, *({"network_id": N1} for _ in range(20)))

            assert sorted(found) == sorted(f"10.0.0.{n}" for n in range(2, 22))
            assert world.ips.calls.count("lease") < 5
        world.check()

    asyncio.run(main())


def test_when_not_all_can_have_an_address_as_many_as_can_do(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            for network, subnet, last in ((N1, S1, "10.0.0.4"), (N2, S2, "10.0.1.200")):
                await world.add_network(network)
                first = last.rpartition(".")[0] + ".2"
                await world.add_subnet(subnet, network, first[:-1] + "0/24", first, last)

            found = await creates(world, *({"network_id": n} for n in (N1, N2, N1, N1, N2, N1, N1)))

            on_small = [found[i] for i in (0, 2, 3, 5, 6)]
            assert sorted(on_small) == [
                *("10.0.0.2", "10.0.0.3", "10.0.0.4"),
                *["IpAddressGenerationFailure"] * 2,
            ]
            assert {found[1], found[4]} == {"10.0.1.2", "10.0.1.3"}
        world.check()

    asyncio.run(main())


def test_singles_of_a_subnet_that_is_not_known_yet_have_their_addresses(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.add_network(N1)
            await world.add_subnet(S1, N1, "10.0.0.0/24", "10.0.0.2", "10.0.0.200")
            six = "66666666-0000-4000-8000-000000000001"
            await world.add_subnet(six, N1, "fd00::/64", "fd00::2", "fd00::99", told=False)

            made = await asyncio.gather(*(world.create({"network_id": N1}) for _ in range(3)))

            assert [len(port["fixed_ips"]) for (port,) in made] == [2, 2, 2]
        world.check()

    asyncio.run(main())
