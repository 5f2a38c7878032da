"""Use cases of the rules of security groups. A group's revision grows with its rules."""

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
from alcor.managers.security_group.intent import rule_kind
from alcor.managers.security_group.model.group import Group, SecurityGroupNotFound
from alcor.managers.security_group.model.refusals import (
    SecurityGroupRuleExists,
    SecurityGroupRuleLimitExceeded,
)
from alcor.managers.security_group.model.rule import (
    Rule,
    Wanted,
    changed,
    check_together,
    rule,
)
from alcor.managers.security_group.model.traffic import traffic
from alcor.managers.security_group.needs import Limits, Store, Transaction
from alcor.managers.security_group.service.defaults import ensure_at_first_use
from alcor.managers.security_group.service.writes import written
from alcor.resource.revisions import check_revision, touched
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.observability.metrics import limit_reached


class RuleService:
    """Keeps the contract ResourceManager."""

    def __init__(self, store: Store, limits: Limits, makers: Makers) -> None:
        self._store = store
        self._limits = limits
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        """Rules are seen by the owners of their groups. Also the first use of a project."""
        await ensure_at_first_use(self._store, request, self._makers)
        project, query = seen_by(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.rule_page(query, project)))

    async def create(self, request: CreateRequest) -> Written:
        wanted = [self._wanted(each) for each in request.items]
        check_together(wanted)
        project, now = seen_by(request.caller), self._makers.now()

        def work(tx: Transaction) -> Written:
            group = self._group_of(tx, wanted, project)
            rules = [rule(w.traffic, group, w.id, w.project_id, w.description, now) for w in wanted]
            documents = tx.insert_rules(rules, group.project_id)
            tx.check_quota(rule_kind, {rule.project_id for rule in rules})
            tx.show_group(touched(group, {}, now))
            return written(tx, documents)

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.rule(request.id, seen_by(request.caller))
            check_revision(request.if_revision, old.revision_number)
            new = changed(old, request.changes, now)
            group = tx.group(old.security_group_id, None)
            document = tx.save_rule(new, group.project_id)
            if new is not old:
                tx.show_group(touched(group, {}, now))
            return written(tx, [document])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        now = self._makers.now()

        def work(tx: Transaction) -> Written:
            held: Rule = tx.rule(request.id, seen_by(request.caller))
            tx.remove_rule(held.id)
            tx.show_group(touched(tx.group(held.security_group_id, None), {}, now))
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)

    def _wanted(self, values: Mapping[str, Any]) -> Wanted:
        return Wanted(
            id=values.get("id") or self._makers.new_id(),
            project_id=values["project_id"],
            group_id=values["security_group_id"],
            description=values["description"],
            traffic=traffic(values),
        )

    def _group_of(self, tx: Transaction, wanted: Sequence[Wanted], project: str | None) -> Group:
        """The group of the new rules, when they and what they name can be had."""
        for each in wanted:
            check_remotes(tx, each, project)
        group = _usable(tx, wanted[0].group_id, project)
        if project not in (None, group.project_id):  # shared with them, but not theirs to change
            raise SecurityGroupNotFound(group.id)
        if held := tx.rule_ids(group.id, [each.traffic.key for each in wanted]):
            raise SecurityGroupRuleExists(held[0])
        rules_max = self._limits.rules_per_group_max
        if tx.rule_count(group.id) + len(wanted) > rules_max:
            limit_reached.labels("security_group.rules_per_group_max").inc()
            raise SecurityGroupRuleLimitExceeded(group.id, rules_max)
        return group


def check_remotes(tx: Transaction, wanted: Wanted, project: str | None) -> None:
    """Refuse a remote that is not there, or not theirs."""
    if wanted.traffic.remote_group_id is not None:
        _usable(tx, wanted.traffic.remote_group_id, project)
    if wanted.traffic.remote_address_group_id is not None:
        tx.usable_address_group(wanted.traffic.remote_address_group_id, project)


def _usable(tx: Transaction, id_: str, project: str | None) -> Group:
    """A group that is not going away."""
    found = tx.groups([id_], project)
    if not found:
        raise SecurityGroupNotFound(id_)
    return found[0]
