"""Use cases of conntrack helpers; each lives under its router, which is told with them."""

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.router.model.conntrack_helper import (
    HeldHelper,
    changed,
    check_beside,
    conntrack_helper,
)
from alcor.managers.router.needs import Store, Transaction
from alcor.managers.router.service.writes import written
from alcor.resource.revisions import touched
from alcor.runtime.managing.writes import Makers, seen_by

_PARENT = "router_id"


class ConntrackHelperService:
    """Keeps the contract ResourceManager."""

    def __init__(self, store: Store, makers: Makers) -> None:
        self._store = store
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        query, project = request.query, seen_by(request.caller)
        (parent,) = [f.values[0] for f in query.filters if f.field == _PARENT]

        def work(tx: Transaction) -> ListReply:
            tx.router(str(parent), project)
            return ListReply(tx.helper_page(query))

        return await self._store.read(work)

    async def create(self, request: CreateRequest) -> Written:
        """All or none; all are of one router."""
        project, now = seen_by(request.caller), self._makers.now()
        router_id = request.items[0][_PARENT]
        new = [conntrack_helper(v, v.get("id") or self._makers.new_id()) for v in request.items]

        def work(tx: Transaction) -> Written:
            router = tx.router(router_id, project)
            documents = []
            for each in new:
                check_beside(each, tx.helpers_of(router_id))
                held = HeldHelper(each, router_id, router.project_id)
                documents.append(tx.insert_helper(held))
            _tell(tx, router_id, now)
            return written(tx, documents)

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            held = tx.helper(request.id, seen_by(request.caller))
            new = changed(held.helper, request.changes)
            others = (e for e in tx.helpers_of(held.router_id) if e.id != new.id)
            check_beside(new, others)
            document = tx.save_helper(held._replace(helper=new))
            _tell(tx, held.router_id, now)
            return written(tx, [document])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            held = tx.helper(request.id, seen_by(request.caller))
            tx.remove_helper(request.id)
            _tell(tx, held.router_id, now)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)


def _tell(tx: Transaction, router_id: str, now: str) -> None:
    """The router shows the helpers that it has now, unless it did so before."""
    router = tx.router(router_id, None)
    shown = tuple(each.shown for each in tx.helpers_of(router_id))
    if shown != router.conntrack_helpers:
        tx.save(touched(router, {"conntrack_helpers": shown}, now))
