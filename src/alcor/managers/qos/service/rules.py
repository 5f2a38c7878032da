"""Use cases of the rules of one type, under their policies and by their ids alone.

A minimum rule comes, changes and goes only while nothing has its policy: machines were placed by
what it said.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.qos.model.policy import QosPolicy, with_rule, without_rule
from alcor.managers.qos.model.refusals import QosPolicyInUse, QosRuleIdInUse, QosRuleNotFound
from alcor.managers.qos.model.rule import Rule, changed, rule, shown
from alcor.managers.qos.needs import Store, Transaction
from alcor.managers.qos.service.writes import written
from alcor.resource.selection import select
from alcor.runtime.managing.fenced_work import FencedWork
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables.sharing import viewer_of
from alcor.values.errors import NotFound
from alcor.values.qos import PLACED, QosPolicyNotFound

PARENT = "qos_policy_id"

Decide = Callable[[QosPolicy, str, Transaction], tuple[QosPolicy, Sequence[Rule]]]


class RuleNotFound(NotFound):
    """The marker of a page names no rule."""


class RuleService:
    """Keeps the contract ResourceManager for one type."""

    def __init__(
        self, type_: str, store: Store, makers: Makers, fenced: FencedWork[Transaction]
    ) -> None:
        self._fenced = fenced
        self._type = type_
        self._store = store
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        caller = request.caller
        parents = [f.values[0] for f in request.query.filters if f.field == PARENT]
        ids = [f.values[0] for f in request.query.filters if f.field == "id"]
        policies = await self._store.read(lambda tx: _policies(tx, caller, parents, ids))
        items = [shown(each) for one in policies for each in one.rules if each.type == self._type]
        rest = tuple(each for each in request.query.filters if each.field != PARENT)
        query: ListQuery = msgspec.structs.replace(request.query, filters=rest)
        return ListReply([_raw(each) for each in select(items, query, RuleNotFound)])

    async def create(self, request: CreateRequest) -> Written:
        """All or none; all are of one policy."""
        new = [
            rule(each, self._type, each.get("id") or self._makers.new_id())
            for each in request.items
        ]
        given = [each["id"] for each in request.items if "id" in each]

        def decide(
            policy: QosPolicy, now: str, tx: Transaction
        ) -> tuple[QosPolicy, Sequence[Rule]]:
            if len(set(given)) < len(given) or any(map(tx.policy_of_rule, given)):
                raise QosRuleIdInUse
            for each in new:
                policy = with_rule(policy, each, now)
            return policy, new

        return await self._change(request.items[0][PARENT], request.caller, decide)

    async def update(self, request: UpdateRequest) -> Written:
        def decide(policy: QosPolicy, now: str, _: object) -> tuple[QosPolicy, Sequence[Rule]]:
            new = changed(policy.rule(request.id, self._type), request.changes)
            return with_rule(policy, new, now), [new]

        return await self._change(await self._parent(request.id), request.caller, decide)

    async def delete(self, request: DeleteRequest) -> Written:
        def decide(policy: QosPolicy, now: str, _: object) -> tuple[QosPolicy, Sequence[Rule]]:
            return without_rule(policy, policy.rule(request.id, self._type).id, now), []

        return await self._change(await self._parent(request.id), request.caller, decide)

    async def _change(self, policy_id: str, caller: Caller, decide: Decide) -> Written:
        project, now = seen_by(caller), self._makers.now()

        def work(tx: Transaction) -> Written:
            old = tx.policy(policy_id, project)
            new, rules = decide(old, now, tx)
            if new is not old:
                tx.save(new)
            return written(tx, [_raw(shown(each)) for each in rules])

        if self._type not in PLACED:
            return await self._store.write(work, caller.request_id)
        in_use = QosPolicyInUse(policy_id, "is in use: its minimum rules can't change")
        async with self._fenced.changing(
            policy_id, lambda tx: tx.policy(policy_id, project), in_use
        ):
            return await self._store.write(work, caller.request_id)

    async def _parent(self, rule_id: str) -> str:
        found = await self._store.read(lambda tx: tx.policy_of_rule(rule_id))
        if not found:
            raise QosRuleNotFound(rule_id, "")
        return found


def _policies(
    tx: Transaction, caller: Caller, parents: Sequence[Any], ids: Sequence[Any]
) -> list[QosPolicy]:
    """The policies that the caller sees: the parent, those of rules of these ids, or all."""
    project = seen_by(caller)
    if not parents and ids:
        parents = [tx.policy_of_rule(str(id_)) for id_ in ids]
        return tx.usable(parents, project)
    if not parents:
        return tx.visible(viewer_of(caller))
    found = tx.usable([str(each) for each in parents], project)
    if not found:
        raise QosPolicyNotFound(str(parents[0]))
    return found


def _raw(item: Mapping[str, Any]) -> Raw:
    return Raw(msgspec.json.encode(item))
