"""The use case of the MAC manager: hand out the next block."""

from alcor.contracts.peers import Block, BlockRequest
from alcor.managers.mac.model import MacRange, checked, first_of
from alcor.managers.mac.needs import Store


class MacService:
    """Keeps the contract `MacPeer`."""

    def __init__(self, store: Store, range_: MacRange) -> None:
        self._store = store
        self._range = checked(range_)

    async def block(self, request: BlockRequest) -> Block:
        number = await self._store.number_after(request.owner, request.after)
        return Block(number, first_of(self._range, number), self._range.block_size)
