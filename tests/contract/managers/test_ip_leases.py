"""What the port manager may rely on when it leases addresses."""

import asyncio
from typing import Any

import pytest

from alcor.contracts.peers import (
    Holding,
    Holdings,
    Lease,
    LeaseGroup,
    LeaseRefusal,
    LeaseRequest,
    Pool,
    Pools,
    ReleaseRequest,
    Wanted,
)
from alcor.intent.records import AddressRange
from alcor.values.errors import Refusal


def pool(
    subnet: str, first: str, last: str, cidr: str = "10.0.0.0/16", reserved: tuple[str, ...] = ()
) -> Pool:
    return Pool(
        subnet_id=subnet,
        network_id="n",
        cidr=cidr,
        ranges=(AddressRange(first, last),),
        reserved=reserved,
    )


def wish(owner: str, *subnets: str, address: str = "") -> Wanted:
    return Wanted(owners=(owner,), subnet_ids=subnets, address=address)


async def lease(world: Any, *groups: list[Wanted]) -> list[Any]:
    reply = await world.ips.lease(LeaseRequest([LeaseGroup(group) for group in groups]))
    return [
        answer.type if isinstance(answer, LeaseRefusal) else [found.address for found in answer]
        for answer in reply.groups
    ]


def test_a_repeat_gets_the_same_again(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.9")]))
            group = [wish("p1", "a"), wish("p1", "a", address="10.0.0.1"), wish("p2", "a")]

            first = await lease(world, group)
            again = await lease(world, group, group)

            assert first == [["10.0.0.2", "10.0.0.1", "10.0.0.3"]]
            assert again == first * 2
            assert world.rows("ip", "SELECT count(*) FROM lease") == [(3,)]

    asyncio.run(main())


def test_groups_are_whole_or_nothing_and_independent(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.3")]))

            answers = await lease(
                world,
                [wish("p1", "a")],
                [wish("p2", "a"), wish("p3", "a"), wish("p4", "a")],
                [wish("p5", "a"), wish("p5", "gone")],
                [wish("p6", "a", address="10.0.0.1")],
                [wish("p7", "a"), wish("p8", "a")],
            )

            assert [answer if isinstance(answer, str) else len(answer) for answer in answers] == [
                1,
                "IpAddressGenerationFailure",
                "SubnetNotFound",
                "IpAddressAlreadyAllocated",
                2,
            ]
            assert world.rows("ip", "SELECT used FROM pool") == [(3,)]

    asyncio.run(main())


def test_the_first_subnet_with_room_is_used(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            pools = [pool("a", "10.0.0.1", "10.0.0.1"), pool("b", "10.1.0.1", "10.1.0.1")]
            await world.ips.save_pools(Pools(pools))

            answers = [await lease(world, [wish(f"p{i}", "gone", "a", "b")]) for i in range(3)]

            assert answers == [[["10.0.0.1"]], [["10.1.0.1"]], ["IpAddressGenerationFailure"]]

    asyncio.run(main())


def test_a_pool_that_shrinks_keeps_its_leases_and_gives_out_no_more(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.20.0")]))
            await lease(world, [wish(f"p{i}", "a") for i in range(5_000)])

            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.4")]))
            assert await lease(world, [wish("x", "a")]) == ["IpAddressGenerationFailure"]
            await world.ips.release(ReleaseRequest([Lease("p2", "a", "10.0.0.3")]))
            assert await lease(world, [wish("x", "a")]) == [["10.0.0.3"]]
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.255.255")]))
            assert world.rows("ip", "SELECT used FROM pool") == [(5_000,)]
            assert len((await lease(world, [wish(f"q{i}", "a") for i in range(100)]))[0]) == 100

    asyncio.run(main())


def test_a_gateway_can_not_take_an_address_that_is_leased(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.4")]))
            await lease(world, [wish("p", "a")])

            moved = pool("a", "10.0.0.2", "10.0.0.4", reserved=("10.0.0.1",))
            with pytest.raises(Refusal) as caught:
                await world.ips.save_pools(Pools([moved]))

            assert caught.value.type == "IpAddressAlreadyAllocated"

    asyncio.run(main())


def test_keep_frees_what_is_not_named_and_release_only_what_its_owner_holds(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.9")]))
            await lease(world, [wish("p", "a"), wish("p", "a"), wish("q", "a")])

            kept = Holding("p", [Lease("p", "a", "10.0.0.2"), Lease("p", "a", "10.0.0.9")])
            await world.ips.keep(Holdings([kept]))
            await world.ips.release(ReleaseRequest([Lease("p", "a", "10.0.0.3")]))

            held = "SELECT owner, address FROM lease"
            assert world.rows("ip", held) == [("p", "10.0.0.2"), ("q", "10.0.0.3")]
            await world.ips.release(ReleaseRequest([Lease("q", "", "")]))
            assert world.rows("ip", held) == [("p", "10.0.0.2")]

    asyncio.run(main())


def test_an_owner_of_a_copy_that_is_old_is_told_so(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            await world.ips.save_pools(Pools([pool("a", "10.0.0.1", "10.0.0.9")]))
            groups = [
                LeaseGroup([wish("p", "a")], {"n": ("a",)}),
                LeaseGroup([wish("q", "a")], {"n": ("b",)}),
            ]

            fine, old = (await world.ips.lease(LeaseRequest(groups))).groups

            assert [found.address for found in fine] == ["10.0.0.1"]
            assert old.type == "SubnetsChanged"

    asyncio.run(main())


def test_a_large_ipv6_subnet_is_leased_from_like_any_other(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            six = pool("a", "fd00::2", "fd00::ffff:ffff:ffff:ffff", cidr="fd00::/64")
            await world.ips.save_pools(Pools([six]))

            (got,) = await lease(
                world, [wish("p", "a"), wish("p", "a", address="fd00::dead:beef:0:1")]
            )

            assert got == ["fd00::2", "fd00::dead:beef:0:1"]
            assert world.rows("ip", "SELECT count(*) FROM block") == [(2,)]

    asyncio.run(main())
