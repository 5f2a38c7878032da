"""What the node manager needs of others: a store."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from alcor.contracts.resources import ListQuery
from alcor.managers.node.model import Node


class Saved(NamedTuple):
    """The nodes that a transaction saved, and its last sequence."""

    nodes: list[Node]
    sequence: int


class Store(Protocol):
    """The manager's database; each method is one transaction, durable when it returns."""

    async def page(self, query: ListQuery) -> list[Node]: ...

    async def all(self) -> list[Node]: ...

    async def uplinked(self) -> list[Node]:
        """Those with uplinks to physical networks. This costs no read of the database."""
        ...

    async def zones(self) -> Mapping[str, str]:
        """The availability zone of each, by id. This costs no read of the database either."""
        ...

    async def nodes(self, ids: Sequence[str]) -> list[Node]:
        """Those that are known."""
        ...

    async def by_agent(self, agent_id: str) -> Node:
        """`AgentNotFound` when there is none."""
        ...

    async def insert(self, nodes: Sequence[Node], trace: str) -> Saved:
        """All or none. Refuses names and tunnel endpoints that are taken."""
        ...

    async def change(self, id_: str, decide: Callable[[Node], Node], trace: str) -> Saved: ...

    async def settle(
        self, ids: Sequence[str], decide: Callable[[str, Node | None], Node], trace: str
    ) -> Saved:
        """What each of these becomes; None: it is not known yet. All or none, refused as `insert`
        is; the same node as before costs nothing."""
        ...

    async def remove(self, id_: str, trace: str) -> int: ...
