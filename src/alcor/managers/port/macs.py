"""Hand out MAC addresses from a leased block: no I/O but for the next block.

The place in the block is saved in the transaction that saves the ports; after a crash the manager
goes on from there, since what was handed out later was never saved.
"""

from typing import NamedTuple

from alcor.contracts.peers import BlockRequest, MacPeer
from alcor.values.addresses import mac_text


class Place(NamedTuple):
    """Where in which block the manager is; block 0 is none."""

    number: int
    first: int
    size: int
    next: int  # how many of the block are handed out

    def take(self, count: int) -> tuple[range, "Place"]:
        """The next addresses of the block, at most `count`."""
        until = min(self.next + count, self.size)
        return range(self.first + self.next, self.first + until), self._replace(next=until)


class MacSource:
    """MAC addresses without end, each once until the range has come round."""

    def __init__(self, macs: MacPeer, owner: str) -> None:
        self._macs = macs
        self._owner = owner
        self.place = Place(0, 0, 0, 0)  # as saved; whoever starts the manager sets it

    async def take(self, count: int) -> list[str]:
        """The next `count` addresses, as text."""
        taken: list[str] = []
        while len(taken) < count:
            some, self.place = self.place.take(count - len(taken))
            taken += map(mac_text, some)
            if len(taken) < count:
                block = await self._macs.block(BlockRequest(self._owner, self.place.number))
                self.place = Place(block.number, block.first, block.count, 0)
        return taken
