"""Prefixes for subnets, as the subnet manager asks for them."""

from collections.abc import Sequence

from alcor.contracts.peers import Done, Ids
from alcor.contracts.subnetpools import (
    Adopted,
    AdoptRequest,
    PoolOfSubnet,
    PoolScopes,
    PoolsOfSubnets,
    PrefixGrant,
    PrefixGrants,
    PrefixRequest,
    PrefixWish,
)
from alcor.managers.subnetpool.model.allocation import Allocation, cut
from alcor.managers.subnetpool.model.pool import SubnetPool, with_prefixes
from alcor.managers.subnetpool.model.refusals import IllegalSubnetPoolUpdate, SubnetPoolNotFound
from alcor.managers.subnetpool.needs import Store, Transaction
from alcor.managers.subnetpool.service.writes import check_owner
from alcor.runtime.managing.writes import Makers
from alcor.values.addresses import prefix
from alcor.values.errors import BadRequest


class AllocationService:
    """Keeps the contract SubnetPoolPeer."""

    def __init__(self, store: Store, makers: Makers) -> None:
        self._store = store
        self._makers = makers

    async def allocate(self, request: PrefixRequest) -> PrefixGrants:
        def work(tx: Transaction) -> PrefixGrants:
            found = [_allocated(tx, wish, request.viewer) for wish in request.wishes]
            return PrefixGrants([PrefixGrant(each.pool_id, each.cidr) for each in found])

        return await self._store.write(work)

    async def release(self, request: Ids) -> Done:
        if await self._store.read(lambda tx: tx.allocations(request.ids)):
            await self._store.write(lambda tx: tx.forget_allocations(request.ids))
        return Done()

    async def adopt(self, request: AdoptRequest) -> Done:
        now = self._makers.now()

        def work(tx: Transaction) -> None:
            old = tx.pool(request.pool_id, request.viewer)
            _check_apart(tx, old, request.subnets)
            new = with_prefixes(old, [each.cidr for each in request.subnets], now)
            if new is not old:
                check_owner(tx, new, request.viewer)
                tx.save_pool(new)
            tx.forget_allocations([each.subnet_id for each in request.subnets])
            for each in request.subnets:
                held = Allocation(each.subnet_id, old.id, each.project_id, each.cidr)
                tx.save_allocation(held)

        await self._store.write(work)
        return Done()

    async def holdings(self, request: Ids) -> PoolsOfSubnets:
        held = await self._store.read(lambda tx: tx.allocations(request.ids))
        return PoolsOfSubnets([PoolOfSubnet(each.subnet_id, each.pool_id) for each in held])

    async def scopes(self, request: Ids) -> PoolScopes:
        return PoolScopes(await self._store.read(lambda tx: _scopes(tx, request.ids)))


def _check_apart(tx: Transaction, pool: SubnetPool, coming: list[Adopted]) -> None:
    """That nobody has anything yet of what is to come."""
    allocated = [each.prefix for each in tx.allocations_of_pool(pool.id)]
    for each in coming:
        if any(prefix(each.cidr).overlaps(other) for other in allocated):
            raise IllegalSubnetPoolUpdate(
                f"Onboarding subnet {each.subnet_id}: {each.cidr} conflicts with allocated "
                f"prefixes in subnet pool {pool.id}"
            )


def _scopes(tx: Transaction, ids: Sequence[str]) -> dict[str, str]:
    scopes = {}
    for id_ in ids:
        try:
            scope = tx.pool(id_, None).address_scope_id
        except SubnetPoolNotFound:
            continue
        if scope:
            scopes[id_] = scope
    return scopes


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
