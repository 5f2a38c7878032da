"""What the trunk manager needs of others: a store with transactions, and its peers."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Raw

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import NetworkPeer
from alcor.contracts.resources import ListQuery
from alcor.contracts.trunking import TrunkPortPeer
from alcor.managers.trunk.model.trunk import Trunk

__all__ = [
    "HeldPortPeer",
    "NetworkPeer",
    "Peers",
    "Store",
    "Transaction",
    "TrunkPortPeer",
]

T = TypeVar("T")


class Peers(NamedTuple):
    """Whom the use cases call."""

    networks: NetworkPeer
    ports: HeldPortPeer
    trunk_ports: TrunkPortPeer


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is seen to one project; None sees all. The intent log is told nothing:
    hosts hear of a trunk by its ports.
    """

    def page(self, query: ListQuery, project: str | None) -> list[Raw]: ...

    def trunk(self, id_: str, project: str | None) -> Trunk:
        """`TrunkNotFound` when it is not there, or not theirs."""
        ...

    def trunks(self, after: str, limit: int) -> list[Trunk]:
        """Those after an id, in order of it."""
        ...

    def insert(self, trunks: Sequence[Trunk]) -> list[Raw]:
        """`ParentPortInUse` when a port has a trunk already."""
        ...

    def save(self, trunk: Trunk) -> Raw: ...

    def remove(self, id_: str) -> None: ...

    def note(self, trunk_id: str, port_ids: Iterable[str]) -> None:
        """Remember that something is begun with these ports."""
        ...

    def noted(self, trunk_id: str) -> list[str]:
        """The ports with which something was begun."""
        ...

    def settled(self, trunk_id: str) -> None:
        """Forget the notes on a trunk's ports."""
        ...

    def unsettled(self, after: str, limit: int) -> list[str]:
        """The trunks with notes, those after an id, in order of it."""
        ...


class Store(Protocol):
    """The manager's database."""

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` on one state of the database; it must not write."""
        ...

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one transaction, durable when this returns; undone if it raises."""
        ...
