"""What the subnet pool manager needs: a store with transactions."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Raw

from alcor.contracts.resources import ListQuery
from alcor.contracts.sharing import SharingPolicy
from alcor.intent import store
from alcor.managers.subnetpool.model.allocation import Allocation
from alcor.managers.subnetpool.model.pool import SubnetPool
from alcor.managers.subnetpool.model.scope import AddressScope
from alcor.runtime.tables.sharing import Viewer


class Transaction(Protocol):
    """What can be read and saved within one transaction of the store.

    `project` limits what is there to its own; None: all is there. What may be used is wider: what
    is shared too. Whatever is saved is told to the intent log in the same transaction.
    """

    def sequence(self) -> int:
        """Of the last change saved."""
        ...

    def pool(self, id_: str, project: str | None) -> SubnetPool: ...

    def usable_pool(self, id_: str, project: str | None) -> SubnetPool: ...

    def default_pool(self, ip_version: int) -> SubnetPool | None: ...

    def pools_of_scope(self, scope_id: str) -> list[SubnetPool]: ...

    def insert_pools(
        self, pools: Sequence[SubnetPool], policies: Sequence[SharingPolicy]
    ) -> list[Raw]:
        """With the policies that `shared` means.

        Refuses ids that are taken, a second default of a family, and what exceeds the quota.
        """
        ...

    def save_pool(self, pool: SubnetPool) -> Raw: ...

    def remove_pool(self, id_: str) -> None: ...

    def pool_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...

    def scope(self, id_: str, project: str | None) -> AddressScope: ...

    def usable_scope(self, id_: str, project: str | None) -> AddressScope: ...

    def insert_scopes(
        self, scopes: Sequence[AddressScope], policies: Sequence[SharingPolicy]
    ) -> list[Raw]: ...

    def save_scope(self, scope: AddressScope) -> Raw: ...

    def remove_scope(self, id_: str) -> None: ...

    def scope_page(self, query: ListQuery, viewer: Viewer) -> list[Raw]: ...

    def share_scope(self, id_: str, policy_id: str) -> None:
        """Let everybody use it, by a policy of this id."""
        ...

    def allocations_of_pool(self, pool_id: str) -> list[Allocation]: ...

    def allocations(self, subnet_ids: Sequence[str]) -> list[Allocation]: ...

    def save_allocation(self, allocation: Allocation) -> None: ...

    def forget_allocations(self, subnet_ids: Iterable[str]) -> None: ...


Store = store.Store[Transaction]
