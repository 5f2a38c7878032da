"""Use cases of subnet pools."""

from collections.abc import Sequence

import msgspec

from alcor.contracts.resources import (
    ActRequest,
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.sharing import ANYBODY
from alcor.contracts.subnetpools import OnboardPeer, OnboardRequest
from alcor.managers.subnetpool.api import ONBOARD
from alcor.managers.subnetpool.model.pool import (
    SubnetPool,
    changed,
    check_scope,
    pool,
    with_prefixes,
    without_prefixes,
)
from alcor.managers.subnetpool.model.refusals import ScopeNotShared, SubnetPoolDeleteError
from alcor.managers.subnetpool.model.scope import AddressScope
from alcor.managers.subnetpool.needs import Store, Transaction
from alcor.managers.subnetpool.service.writes import check_owner, wildcards, written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of


class PoolService:
    """Keeps the contract ActingManager."""

    def __init__(self, store: Store, makers: Makers, subnets: OnboardPeer) -> None:
        self._store = store
        self._makers = makers
        self._subnets = subnets

    async def list_page(self, request: ListRequest) -> ListReply:
        viewer, query = viewer_of(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.pool_page(query, viewer)))

    async def create(self, request: CreateRequest) -> Written:
        now = self._makers.now()
        pools = [pool(each, each.get("id") or self._makers.new_id(), now) for each in request.items]

        policies = wildcards("subnetpool", pools, self._makers)

        def work(tx: Transaction) -> Written:
            for each in pools:
                _check_scope(tx, each, request.caller, pools)
                if each.shared and each.address_scope_id is not None:
                    _check_shared(each, tx.usable_scope(each.address_scope_id, None))
            return written(tx, tx.insert_pools(pools, policies))

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now, caller = self._makers.now(), request.caller

        def work(tx: Transaction) -> Written:
            old = tx.pool(request.id, seen_by(caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            if new.address_scope_id != old.address_scope_id:
                _check_scope(tx, new, caller, ())
            return self._saved(tx, old, new, caller)

        return await self._store.write(work, caller.request_id)

    async def act(self, request: ActRequest) -> Written:
        """`add_prefixes`, `remove_prefixes`, `onboard_network_subnets`: all of them, or none."""
        if request.action == ONBOARD:
            return await self._onboard(request)
        now, caller = self._makers.now(), request.caller
        texts: list[str] = request.arguments["prefixes"]

        def work(tx: Transaction) -> Written:
            old = tx.pool(request.id, seen_by(caller))
            if request.action == "add_prefixes":
                new = with_prefixes(old, texts, now)
            else:
                allocated = [each.prefix for each in tx.allocations_of_pool(old.id)]
                new = without_prefixes(old, texts, allocated, now)
            saved = self._saved(tx, old, new, caller)
            answer = msgspec.json.encode({"prefixes": new.prefixes})
            return Written([msgspec.Raw(answer)], saved.revision)

        return await self._store.write(work, caller.request_id)

    async def _onboard(self, request: ActRequest) -> Written:
        """A network's subnets of the pool's family become the pool's, with what they have."""
        caller = request.caller
        pool = await self._store.read(lambda tx: tx.pool(request.id, seen_by(caller)))
        wanted = OnboardRequest(
            network_id=request.arguments["network_id"],
            pool_id=pool.id,
            ip_version=pool.ip_version,
            viewer=seen_by(caller),
            trace=caller.request_id,
        )
        done = await self._subnets.onboard(wanted)
        shown = [{"id": each.subnet_id, "cidr": each.cidr} for each in done.subnets]
        return Written([msgspec.Raw(msgspec.json.encode(shown))], done.revision)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: Transaction) -> Written:
            held = tx.pool(request.id, seen_by(request.caller))
            if tx.allocations_of_pool(held.id):
                raise SubnetPoolDeleteError
            tx.remove_pool(held.id)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)

    def _saved(self, tx: Transaction, old: SubnetPool, new: SubnetPool, caller: Caller) -> Written:
        if new.prefixes != old.prefixes:
            check_owner(tx, new, seen_by(caller))
        return written(tx, [tx.save_pool(new)])


def _check_shared(new: SubnetPool, scope: AddressScope) -> None:
    if not scope.shared:
        raise ScopeNotShared(new.id, ANYBODY, scope.id)


def _check_scope(
    tx: Transaction, new: SubnetPool, caller: Caller, together: Sequence[SubnetPool]
) -> None:
    """That the pool may be in its scope, if it is in one, beside those made `together`."""
    if new.address_scope_id is None:
        return
    scope = tx.usable_scope(new.address_scope_id, seen_by(caller))
    beside = [each for each in together if each.address_scope_id == scope.id]
    check_scope(new, scope, [*tx.pools_of_scope(scope.id), *beside])
