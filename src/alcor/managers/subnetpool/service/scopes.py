"""Use cases of address scopes."""

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.subnetpool.model.scope import AddressScopeInUse, changed, scope
from alcor.managers.subnetpool.needs import Store, Transaction
from alcor.managers.subnetpool.service.writes import wildcards, written
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of


class ScopeService:
    """Keeps the contract ResourceManager."""

    def __init__(self, store: Store, makers: Makers) -> None:
        self._store = store
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        viewer, query = viewer_of(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.scope_page(query, viewer)))

    async def create(self, request: CreateRequest) -> Written:
        scopes = [scope(each, each.get("id") or self._makers.new_id()) for each in request.items]
        policies = wildcards("address_scope", scopes, self._makers)
        return await self._store.write(
            lambda tx: written(tx, tx.insert_scopes(scopes, policies)), request.caller.request_id
        )

    async def update(self, request: UpdateRequest) -> Written:
        policy_id = self._makers.new_id()

        def work(tx: Transaction) -> Written:
            old = tx.scope(request.id, seen_by(request.caller))
            new = changed(old, request.changes)
            if new.shared and not old.shared:
                tx.share_scope(new.id, policy_id)
            return written(tx, [tx.save_scope(new)])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: Transaction) -> Written:
            held = tx.scope(request.id, seen_by(request.caller))
            if tx.pools_of_scope(held.id):
                raise AddressScopeInUse(held.id)
            tx.remove_scope(held.id)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)
