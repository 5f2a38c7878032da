"""Use cases of the templates of rules. They are no project's: who writes them says policy alone."""

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.security_group.model.template import PARENT, check_new, template
from alcor.managers.security_group.model.traffic import Traffic, traffic
from alcor.managers.security_group.needs import Store, Transaction
from alcor.managers.security_group.service.writes import written
from alcor.runtime.managing.writes import Makers
from alcor.values.errors import HTTPBadRequest


class TemplateService:
    """Keeps the contract ResourceManager."""

    def __init__(self, store: Store, makers: Makers) -> None:
        self._store = store
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        query = request.query
        return ListReply(await self._store.read(lambda tx: tx.template_page(query)))

    async def create(self, request: CreateRequest) -> Written:
        wanted = [
            template(traffic(each), each, each.get("id") or self._makers.new_id())
            for each in request.items
        ]

        def work(tx: Transaction) -> Written:
            for each in wanted:
                _check_remotes(tx, each)
            check_new(wanted, tx.templates())
            return written(tx, tx.insert_templates(wanted))

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        raise HTTPBadRequest("Default security group rules are not updatable")

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: Transaction) -> Written:
            tx.remove_template(request.id)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)


def _check_remotes(tx: Transaction, wanted: Traffic) -> None:
    """Refuse a remote that is not there: every new group would get a rule that means nothing."""
    if wanted.remote_group_id not in (None, PARENT):
        tx.group(str(wanted.remote_group_id), None)
    if wanted.remote_address_group_id is not None:
        tx.address_group(wanted.remote_address_group_id, None)
