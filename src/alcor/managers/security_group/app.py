"""Put the security group manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import GroupMemberPeer, SecurityGroupPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.sharing import AS_SHARED, ConfinePeer
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.security_group.api import (
    ADDRESS_GROUP,
    DEFAULT_SECURITY_GROUP_RULE,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
)
from alcor.managers.security_group.needs import Limits
from alcor.managers.security_group.service.address_groups import AddressGroupService
from alcor.managers.security_group.service.groups import GroupService
from alcor.managers.security_group.service.rules import RuleService
from alcor.managers.security_group.service.templates import TemplateService
from alcor.managers.security_group.service.writes import manager
from alcor.managers.security_group.sharing import shared_address_groups, shared_groups
from alcor.managers.security_group.sql.transaction import SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.sharing_service import Sharing

VERSIONS = Path(__file__).parent / "versions"


class SecurityGroupSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the security group manager."""

    rules_per_group_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most rules of one security group")
    ] = 1_000
    addresses_per_group_max: Annotated[
        int, msgspec.Meta(ge=1, le=10_000, description="Most addresses of one address group")
    ] = 1_000


class SecurityGroupApp:
    """The security group manager as assembly sees it."""

    name = manager

    def __init__(
        self,
        base: Foundation,
        ports: GroupMemberPeer,
        users: ConfinePeer,
        settings: SecurityGroupSettings,
    ) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(
            self.database, self.relay, lambda c, trace: SqlTransaction(c, trace, base.quota)
        )
        limits = Limits(settings.rules_per_group_max, settings.addresses_per_group_max)
        makers = base.makers
        notify, new_id, quota = self.relay.notify, base.new_id, base.quota
        self.shared = [
            (
                kind.table.name,
                Sharing(self.database, kind, users_of_kind, notify, new_id, quota),
                (AS_SHARED,),
            )
            for kind, users_of_kind in (
                (shared_groups(makers.now), {AS_SHARED: users}),
                (shared_address_groups(makers.now), {}),
            )
        ]
        self._groups = GroupService(store, ports, makers, self.shared[0][1])
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (SECURITY_GROUP, self._groups),
            (SECURITY_GROUP_RULE, RuleService(store, limits, makers)),
            (DEFAULT_SECURITY_GROUP_RULE, TemplateService(store, makers)),
            (ADDRESS_GROUP, AddressGroupService(store, limits, makers)),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(SecurityGroupPeer, self._groups)]

    async def recover(self) -> None:
        """Finish what a crash cut short."""
        await self._groups.recover()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [
            self.relay.run(),
            self._groups.fenced.run(self._groups.recover),
            *(sharing.unfinished.run(sharing.recover) for _, sharing, _ in self.shared),
        ]
