"""What the quota manager needs of others: a store, and who counts what is used."""

from collections.abc import Callable
from typing import Protocol

from alcor.contracts.peers import UsagePeer
from alcor.contracts.resources import ListQuery
from alcor.managers.quota.model import Quota

__all__ = ["Store", "UsagePeer"]


class Store(Protocol):
    """The manager's database; each method is one transaction, durable when it returns."""

    async def page(self, query: ListQuery) -> list[Quota]:
        """Of the projects that have limits of their own, in order of project."""
        ...

    async def quota(self, project: str) -> Quota | None: ...

    async def change(self, project: str, decide: Callable[[Quota], Quota], trace: str) -> int:
        """Change a project's limits, none at first; return the sequence."""
        ...

    async def remove(self, project: str, trace: str) -> int: ...

    async def told(self, sequence: int) -> None:
        """Wait until the intent log has been told of this change."""
        ...
