"""What the MAC manager's service needs: a store that numbers blocks."""

from typing import Protocol


class Store(Protocol):
    """The manager's database."""

    async def number_after(self, owner: str, after: int) -> int:
        """The number of the owner's block that follows block `after`; the same when asked again."""
        ...
