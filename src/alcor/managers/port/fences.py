"""Fences: no port of these networks or subnets, and none from now on; no such ports for ever.

A port is saved only in a transaction that finds no fence on what it refers to.
"""

from collections.abc import Callable, Sequence

from alcor.contracts.peers import Done, Ids, InUse, Owners
from alcor.managers.port.needs import Store, Transaction


class PortFences:
    """Keeps the contracts PortPeer and GroupMemberPeer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def fence_networks(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.networks_used(request.ids))

    async def fence_subnets(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.subnets_used(request.ids))

    async def fence_groups(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.groups_used(request.ids))

    async def lift_groups(self, request: Ids) -> Done:
        return await self.lift(request)

    async def lift(self, request: Ids) -> Done:
        await self._store.write(lambda tx: tx.lift(request.ids))
        return Done()

    async def fence_owners(self, request: Owners) -> Owners:
        ids = request.ids

        def work(tx: Transaction) -> list[str]:
            living = tx.existing(ids)
            gone = [id_ for id_ in ids if id_ not in living]
            tx.fence(gone)
            return gone

        return Owners(await self._store.write(work))

    async def _fence(self, ids: Sequence[str], used: Callable[[Transaction], set[str]]) -> InUse:
        def work(tx: Transaction) -> list[str]:
            in_use = used(tx)
            tx.fence(id_ for id_ in ids if id_ not in in_use)
            return sorted(in_use)

        return InUse(await self._store.write(work))
