"""Put the network ACL manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import NetworkAclPeer, NetworkPeer, SubnetPeer
from alcor.contracts.resources import ResourceManager
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.network_acl.api import NETWORK_ACL, NETWORK_ACL_RULE
from alcor.managers.network_acl.service.acls import AclService
from alcor.managers.network_acl.service.parents import Parents
from alcor.managers.network_acl.service.rules import RuleService
from alcor.managers.network_acl.service.writes import manager
from alcor.managers.network_acl.sql import SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation

VERSIONS = Path(__file__).parent / "versions"


class NetworkAclSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the network ACL manager."""

    rules_per_acl_max: Annotated[
        int, msgspec.Meta(ge=1, description="Most rules of one network ACL, of both directions")
    ] = 1_000


class NetworkAclApp:
    """The network ACL manager as assembly sees it."""

    name = manager

    def __init__(
        self,
        base: Foundation,
        networks: NetworkPeer,
        subnets: SubnetPeer,
        settings: NetworkAclSettings,
    ) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(self.database, self.relay, SqlTransaction)
        makers = base.makers
        self._parents = Parents(store, networks, subnets, makers)
        self._base = base
        acls = AclService(store, networks, subnets, makers)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (NETWORK_ACL, acls),
            (NETWORK_ACL_RULE, RuleService(store, settings.rules_per_acl_max, makers)),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(NetworkAclPeer, acls)]

    async def recover(self) -> None:
        """Nothing can be cut short: every write is one transaction."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        follow, p = self._base.follow, self._parents
        return [
            self.relay.run(),
            follow("network", p.replace_networks, p.apply_networks),
            follow("subnet", p.replace_subnets, p.apply_subnets),
        ]
