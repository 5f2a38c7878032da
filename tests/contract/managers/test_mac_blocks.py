"""What whoever hands out MAC addresses may rely on."""

import asyncio
from typing import Any

from alcor.contracts.peers import Block, BlockRequest


async def block(world: Any, owner: str, after: int) -> Block:
    found = await world.macs.block(BlockRequest(owner, after))
    assert isinstance(found, Block)
    return found


def test_a_block_is_its_owners_alone_and_asking_again_gives_the_same(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            a1 = await block(world, "a", 0)
            b1 = await block(world, "b", 0)
            a2 = await block(world, "a", a1.number)
        async with lives.life() as world:  # also after a restart
            assert await block(world, "a", a1.number) == a2
            assert await block(world, "b", 0) == b1

        ranges = [set(range(each.first, each.first + each.count)) for each in (a1, b1, a2)]
        assert len(set.union(*ranges)) == sum(map(len, ranges))

    asyncio.run(main())


def test_blocks_that_can_not_be_asked_for_any_more_are_forgotten(lives: Any) -> None:
    async def main() -> None:
        async with lives.life() as world:
            number = 0
            for _ in range(20):
                number = (await block(world, "a", number)).number

            assert world.rows("mac", "SELECT count(*) FROM block") == [(1,)]

    asyncio.run(main())
