"""Use cases of the rules of network ACLs. An ACL's revision grows with its rules."""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.network_acl.model.acl import NetworkAcl
from alcor.managers.network_acl.model.rule import (
    AclRule,
    NetworkAclDefaultRuleInUse,
    NetworkAclRuleLimitExceeded,
    changed,
    rule,
)
from alcor.managers.network_acl.needs import Store, Transaction
from alcor.managers.network_acl.service.writes import written
from alcor.resource.revisions import check_revision, touched
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.observability.metrics import limit_reached


class RuleService:
    """Keeps the contract ResourceManager."""

    def __init__(self, store: Store, rules_per_acl_max: int, makers: Makers) -> None:
        self._store = store
        self._rules_max = rules_per_acl_max
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.rule_page(query, project)))

    async def create(self, request: CreateRequest) -> Written:
        project, now = seen_by(request.caller), self._makers.now()

        def work(tx: Transaction) -> Written:
            ids = dict.fromkeys(item["network_acl_id"] for item in request.items)
            acl_by_id = {id_: tx.acl(id_, project) for id_ in ids}
            documents = tx.insert_rules(self._new(request.items, acl_by_id, now))
            for acl in acl_by_id.values():
                self._check_count(tx, acl)
                tx.show_acl(touched(acl, {}, now))
            return written(tx, documents)

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.rule(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            document = tx.save_rule(new)
            if new is not old:
                tx.show_acl(touched(tx.acl(old.network_acl_id, None), {}, now))
            return written(tx, [document])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            held = tx.rule(request.id, seen_by(request.caller))
            if held.is_default:
                raise NetworkAclDefaultRuleInUse
            tx.remove_rule(held.id)
            tx.show_acl(touched(tx.acl(held.network_acl_id, None), {}, now))
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)

    def _new(
        self,
        items: Sequence[Mapping[str, Any]],
        acl_by_id: Mapping[str, NetworkAcl],
        now: str,
    ) -> list[AclRule]:
        return [
            rule(item, acl_by_id[item["network_acl_id"]], self._id_of(item), now) for item in items
        ]

    def _id_of(self, item: Mapping[str, Any]) -> str:
        return item.get("id") or self._makers.new_id()

    def _check_count(self, tx: Transaction, acl: NetworkAcl) -> None:
        if tx.rule_count(acl.id) > self._rules_max:
            limit_reached.labels("network_acl.rules_per_acl_max").inc()
            raise NetworkAclRuleLimitExceeded(acl.id, self._rules_max)
