"""What the IP manager's service needs: a store with transactions, a clock, the owners' manager."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeVar

from alcor.managers.ip.ledger import Held
from alcor.managers.ip.model import AddressPool, Space
from alcor.values.addresses import Address

T = TypeVar("T")


class Suspect(NamedTuple):
    """A lease whose owner has not been seen alive yet, as it was when it was read."""

    lease: Held
    renewed: int  # how often its owner has asked for it again


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store."""

    def spaces(self, subnet_ids: Iterable[str]) -> dict[str, Space]:
        """By subnet; those that exist."""
        ...

    def subnets_of(self, network_ids: Iterable[str]) -> dict[str, set[str]]:
        """The subnets that can be leased from, by network."""
        ...

    def held(self, owners: Iterable[str]) -> list[Held]:
        """All that the owners hold."""
        ...

    def holder(self, subnet_id: str, address: Address) -> str | None:
        """Who holds an address."""
        ...

    def save_pool(self, pool: AddressPool) -> None:
        """Create or replace a pool; its leases stay."""
        ...

    def drop_pool(self, subnet_id: str) -> None:
        """Forget a pool and its leases."""
        ...

    def save_leases(
        self, new: Sequence[Held], repeated: Sequence[Held], spaces: Iterable[Space], at: int
    ) -> None:
        """Save leases made, or asked for again, at `at` (ms), and the spaces as they are now."""
        ...

    def delete_leases(self, leases: Iterable[Held]) -> None:
        """Forget those of the leases that are held, and make their addresses free."""
        ...

    def suspects(self, before: int, limit: int) -> list[Suspect]:
        """Leases made before then (ms), the oldest first, whose owner was not seen alive."""
        ...

    def unchanged(self, suspects: Iterable[Suspect]) -> list[Held]:
        """Those that nobody has asked for again, or given back, since they were read."""
        ...

    def trust(self, leases: Iterable[Held]) -> None:
        """Their owners live: whoever deletes an owner gives its leases back."""
        ...


class Store(Protocol):
    """The manager's database."""

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in one durable transaction; undone if it raises."""
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T: ...


Clock = Callable[[], int]  # milliseconds since 1970
