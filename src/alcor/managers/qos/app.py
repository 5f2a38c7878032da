"""Put the QoS manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.contracts.qos import QosPolicyPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.sharing import AS_SHARED
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.qos.api import ALIASED, POLICY, RULE_TYPE, alias_of, rules_of
from alcor.managers.qos.model.refusals import QosPolicyInUse
from alcor.managers.qos.model.rule import TYPES
from alcor.managers.qos.needs import PolicyUserPeer, Transaction
from alcor.managers.qos.service.policies import PolicyService, remove
from alcor.managers.qos.service.rule_types import RuleTypeService
from alcor.managers.qos.service.rules import RuleService
from alcor.managers.qos.service.users import Users
from alcor.managers.qos.service.writes import manager
from alcor.managers.qos.sharing import shared_policies
from alcor.managers.qos.sql import SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.fenced_work import FencedWork
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.sharing_service import Sharing

VERSIONS = Path(__file__).parent / "versions"


class QosApp:
    """The QoS manager as assembly sees it (see the network manager's).

    `users` are those whose resources have policies.
    """

    name = manager

    def __init__(self, base: Foundation, users: Sequence[PolicyUserPeer]) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(self.database, self.relay, SqlTransaction)
        makers = base.makers
        together = Users(users)
        kind = shared_policies(makers.now)
        sharing = Sharing(
            self.database, kind, {AS_SHARED: together}, self.relay.notify, base.new_id, base.quota
        )
        self.shared = [(kind.table.name, sharing, (AS_SHARED,))]
        self._fenced: FencedWork[Transaction] = FencedWork(store, together, remove, QosPolicyInUse)
        self._policies = PolicyService(store, together, makers, sharing, self._fenced)
        rules = {each: RuleService(each, store, makers, self._fenced) for each in TYPES}
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (POLICY, self._policies),
            *((rules_of(each), service) for each, service in rules.items()),
            *((alias_of(each), rules[each]) for each in ALIASED),
            (RULE_TYPE, RuleTypeService()),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(QosPolicyPeer, self._policies)]

    async def recover(self) -> None:
        """Finish what a crash cut short."""
        await self._policies.recover()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [
            self.relay.run(),
            self._fenced.run(self._policies.recover),
            *(sharing.unfinished.run(sharing.recover) for _, sharing, _ in self.shared),
        ]
