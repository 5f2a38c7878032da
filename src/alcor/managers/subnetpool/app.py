"""Put the subnet pool manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from alcor.contracts.resources import ResourceManager
from alcor.contracts.sharing import AS_SHARED
from alcor.contracts.subnetpools import OnboardPeer, SubnetPoolPeer
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.subnetpool.api import ADDRESS_SCOPE, SUBNETPOOL
from alcor.managers.subnetpool.service.allocations import AllocationService
from alcor.managers.subnetpool.service.pools import PoolService
from alcor.managers.subnetpool.service.scopes import ScopeService
from alcor.managers.subnetpool.service.writes import manager
from alcor.managers.subnetpool.sharing import shared_pools, shared_scopes
from alcor.managers.subnetpool.sql import SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.sharing_service import Sharing

VERSIONS = Path(__file__).parent / "versions"


class SubnetPoolApp:
    """The subnet pool manager as assembly sees it (see the network manager's)."""

    name = manager

    def __init__(self, base: Foundation, subnets: OnboardPeer) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(
            self.database, self.relay, lambda c, trace: SqlTransaction(c, trace, base.quota)
        )
        makers = base.makers
        self.shared = [
            (
                kind.table.name,
                Sharing(self.database, kind, {}, self.relay.notify, base.new_id, base.quota),
                (AS_SHARED,),
            )
            for kind in (shared_pools(makers.now), shared_scopes())
        ]
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (SUBNETPOOL, PoolService(store, makers, subnets)),
            (ADDRESS_SCOPE, ScopeService(store, makers)),
        ]
        self.peers: Sequence[tuple[Any, object]] = [
            (SubnetPoolPeer, AllocationService(store, makers))
        ]

    async def recover(self) -> None:
        """Settle what sharing left; what else a crash cut short is the subnet manager's."""
        for _, policies, _ in self.shared:
            await policies.recover()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        return [
            self.relay.run(),
            *(policies.unfinished.run(policies.recover) for _, policies, _ in self.shared),
        ]
