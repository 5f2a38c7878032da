"""Fences: no port refers to these, and none from now on; no such ports for ever.

A port is saved only in a transaction that finds no fence on what it refers to.
"""

from collections.abc import Callable, Sequence
from functools import partial

from alcor.contracts.peers import Counts, Done, Ids, InUse, Owners
from alcor.contracts.sharing import ANYBODY, Confine
from alcor.managers.port.needs import Store, Transaction
from alcor.resource.revisions import touched

vacated_max = 200  # ports of one transaction
ports_named_max = 10  # in a refusal


class PortFences:
    """Keeps the contracts PortPeer, GroupMemberPeer, PolicyUserPeer and ConfinePeer."""

    def __init__(
        self, store: Store, now: Callable[[], str], lifted: Callable[[Sequence[str]], None]
    ) -> None:
        self._store = store
        self._now = now
        self._lifted = lifted  # told of ids that may be referred to again

    async def fence_networks(self, request: Ids) -> InUse:
        in_use = await self._fence(request.ids, lambda tx: tx.networks_used(request.ids))
        if not in_use.ids:
            return in_use
        named = await self._store.read(lambda tx: tx.ports_on(in_use.ids, ports_named_max))
        return InUse(in_use.ids, named)

    async def fence_subnets(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.subnets_used(request.ids))

    async def fence_groups(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.groups_used(request.ids))

    async def lift_groups(self, request: Ids) -> Done:
        return await self.lift(request)

    async def fence_policies(self, request: Ids) -> InUse:
        return await self._fence(request.ids, lambda tx: tx.policies_used(request.ids))

    async def lift_policies(self, request: Ids) -> Done:
        return await self.lift(request)

    async def vacate_subnets(self, request: Ids) -> InUse:
        in_use = await self._fence(request.ids, lambda tx: tx.routed(request.ids))
        for subnet_id in request.ids:
            if subnet_id not in in_use.ids:
                while await self._store.write(partial(self._vacate, subnet_id)):
                    pass
        return in_use

    def _vacate(self, subnet_id: str, tx: Transaction) -> int:
        """Take the subnet's addresses from some ports; their leases end with the subnet."""
        ports = tx.ports_of_subnet(subnet_id, vacated_max)
        at = self._now()
        for port in ports:
            left = tuple(ip for ip in port.fixed_ips if ip.subnet_id != subnet_id)
            tx.replace(port, touched(port, {"fixed_ips": left}, at), "")
        return len(ports)

    async def lift(self, request: Ids) -> Done:
        await self._store.write(lambda tx: tx.lift(request.ids))
        self._lifted(request.ids)
        return Done()

    async def confine(self, request: Confine) -> InUse:
        allowed = {request.owner, *request.allowed}

        def work(tx: Transaction) -> list[str]:
            if ANYBODY not in allowed and tx.used_by_others(request.id, allowed):
                return [request.id]
            tx.confine(request.id, allowed)
            return []

        return InUse(await self._store.write(work))

    async def addresses_held(self, request: Ids) -> Counts:
        return Counts(await self._store.read(lambda tx: tx.addresses_held(request.ids)))

    async def bound_to(self, request: Ids) -> Counts:
        return Counts(await self._store.read(lambda tx: tx.bound_to(request.ids)))

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
