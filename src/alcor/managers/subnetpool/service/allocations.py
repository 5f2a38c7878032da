"""Prefixes for subnets, as the subnet manager asks for them."""

from alcor.contracts.peers import Done, Ids
from alcor.contracts.subnetpools import PrefixGrant, PrefixGrants, PrefixRequest, PrefixWish
from alcor.managers.subnetpool.model.allocation import Allocation, cut
from alcor.managers.subnetpool.model.pool import SubnetPool
from alcor.managers.subnetpool.needs import Store, Transaction
from alcor.values.errors import BadRequest


class AllocationService:
    """Keeps the contract SubnetPoolPeer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def allocate(self, request: PrefixRequest) -> PrefixGrants:
        def work(tx: Transaction) -> PrefixGrants:
            found = [_allocated(tx, wish, request.viewer) for wish in request.wishes]
            return PrefixGrants([PrefixGrant(each.pool_id, each.cidr) for each in found])

        return await self._store.write(work)

    async def release(self, request: Ids) -> Done:
        if await self._store.read(lambda tx: tx.allocations(request.ids)):
            await self._store.write(lambda tx: tx.forget_allocations(request.ids))
        return Done()


def _allocated(tx: Transaction, wish: PrefixWish, viewer: str | None) -> Allocation:
    for held in tx.allocations([wish.subnet_id]):
        return held
    pool = _pool(tx, wish, viewer)
    found = cut(pool, wish, tx.allocations_of_pool(pool.id))
    tx.save_allocation(found)
    return found


def _pool(tx: Transaction, wish: PrefixWish, viewer: str | None) -> SubnetPool:
    if wish.pool_id:
        return tx.usable_pool(wish.pool_id, viewer)
    pool = tx.default_pool(wish.ip_version)
    if pool is None:
        raise BadRequest(
            f"Bad subnets request: No default subnetpool found for IPv{wish.ip_version}."
        )
    return pool
