"""Use cases of address groups."""

from alcor.contracts.resources import (
    ActRequest,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.security_group.model.address_group import (
    AddressGroup,
    AddressGroupInUse,
    address_group,
    changed,
    with_addresses,
    without_addresses,
)
from alcor.managers.security_group.needs import Limits, Store, Transaction
from alcor.managers.security_group.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of


class AddressGroupService:
    """Keeps the contract ActingManager."""

    def __init__(self, store: Store, limits: Limits, makers: Makers) -> None:
        self._store = store
        self._addresses_max = limits.addresses_per_group_max
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        viewer, query = viewer_of(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.address_group_page(query, viewer)))

    async def create(self, request: CreateRequest) -> Written:
        now = self._makers.now()
        groups = [
            address_group(each, each.get("id") or self._makers.new_id(), now, self._addresses_max)
            for each in request.items
        ]

        def work(tx: Transaction) -> Written:
            return written(tx, tx.insert_address_groups(groups))

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.address_group(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            return written(tx, [tx.save_address_group(new)])

        return await self._store.write(work, request.caller.request_id)

    async def act(self, request: ActRequest) -> Written:
        """`add_addresses` and `remove_addresses`: all of them, or none."""
        now = self._makers.now()
        texts = request.arguments["addresses"]

        def decide(old: AddressGroup) -> AddressGroup:
            if request.action == "add_addresses":
                return with_addresses(old, texts, now, self._addresses_max)
            return without_addresses(old, texts, now)

        def work(tx: Transaction) -> Written:
            old = tx.address_group(request.id, seen_by(request.caller))
            return written(tx, [tx.save_address_group(decide(old))])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: Transaction) -> Written:
            held = tx.address_group(request.id, seen_by(request.caller))
            if tx.address_group_is_named(held.id):
                raise AddressGroupInUse(held.id)
            tx.remove_address_group(held.id)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)
