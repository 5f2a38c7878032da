"""Put the network ACL manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import NetworkPeer, SubnetPeer
from alcor.contracts.resources import ResourceManager
from alcor.intent.follow import Ready, follow
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.keyed_log.log import KeyedLog
from alcor.managers.network_acl.api import NETWORK_ACL, NETWORK_ACL_RULE
from alcor.managers.network_acl.service.acls import AclService
from alcor.managers.network_acl.service.parents import Parents
from alcor.managers.network_acl.service.rules import RuleService
from alcor.managers.network_acl.service.writes import manager
from alcor.managers.network_acl.sql import SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.places import Place, open_database
from alcor.runtime.writes import Makers

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
        place: Place,
        log: KeyedLog,
        rebuilt: Ready,
        networks: NetworkPeer,
        subnets: SubnetPeer,
        settings: NetworkAclSettings,
        clock: Seconds,
        new_id: NewId,
    ) -> None:
        self.database = open_database(place, self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, log, living)
        store = ToldStore(self.database, self.relay, SqlTransaction)
        makers = Makers.by(clock, new_id)
        self._parents = Parents(store, networks, subnets, makers)
        self._log = log
        self._rebuilt = rebuilt
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (NETWORK_ACL, AclService(store, networks, subnets, makers)),
            (NETWORK_ACL_RULE, RuleService(store, settings.rules_per_acl_max, makers)),
        ]
        self.peers: Sequence[tuple[Any, object]] = []

    async def recover(self) -> None:
        """Nothing can be cut short: every write is one transaction."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        log, rebuilt, p = self._log, self._rebuilt, self._parents
        return [
            self.relay.run(),
            follow(log, "network", rebuilt, p.replace_networks, p.apply_networks),
            follow(log, "subnet", rebuilt, p.replace_subnets, p.apply_subnets),
        ]
