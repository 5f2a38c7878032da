"""Laws of handing out MAC addresses from blocks."""

import asyncio

from alcor.contracts.peers import Block, BlockRequest
from alcor.managers.port.macs import MacSource, Place


class Blocks:
    """A MAC manager with blocks of four."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def block(self, request: BlockRequest) -> Block:
        self.asked.append(request.after)
        number = request.after + 1
        return Block(number, 0x020000000000 + 4 * (number - 1), 4)


def test_a_block_is_asked_for_only_when_the_last_is_used_up() -> None:
    blocks = Blocks()
    source = MacSource(blocks, "port")

    async def main() -> list[str]:
        return [*await source.take(3), *await source.take(1), *await source.take(6)]

    macs = asyncio.run(main())

    assert [int(mac[-2:], 16) for mac in macs] == list(range(10))
    assert blocks.asked == [0, 1, 2]
    assert source.place == Place(3, 0x020000000008, 4, 2)


def test_it_goes_on_from_the_place_that_was_saved() -> None:
    source = MacSource(Blocks(), "port")
    source.place = Place(7, 0x020000000000, 4, 3)

    assert asyncio.run(source.take(1)) == ["02:00:00:00:00:03"]
