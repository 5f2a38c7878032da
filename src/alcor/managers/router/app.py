"""Put the router manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.qos import PolicyUserPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.routing import RouterPeer
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.router.api import CONNTRACK_HELPER, ROUTER
from alcor.managers.router.confining import GatewayUse
from alcor.managers.router.needs import Peers
from alcor.managers.router.service.conntrack_helpers import ConntrackHelperService
from alcor.managers.router.service.gateways import Gateways
from alcor.managers.router.service.interfaces import Interfaces
from alcor.managers.router.service.new_subnets import NewSubnets
from alcor.managers.router.service.routers import RouterService
from alcor.managers.router.service.settling import Settling
from alcor.managers.router.service.several_gateways import SeveralGateways
from alcor.managers.router.service.writes import manager
from alcor.managers.router.sql import TABLE, SqlTransaction, living
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.policy_references import PolicyReferences
from alcor.runtime.tables.fences import PolicyColumn

VERSIONS = Path(__file__).parent / "versions"


class RouterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the router manager."""

    routes_max: Annotated[
        int,
        msgspec.Meta(
            ge=0, description="Most routes of one router, where its project has no quota of its own"
        ),
    ] = 30
    settle_interval_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks for ports to finish with")
    ] = 60.0


class RouterApp:
    """The router manager as assembly sees it."""

    name = manager

    def __init__(self, base: Foundation, peers: Peers, settings: RouterSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(
            self.database, self.relay, lambda c, trace: SqlTransaction(c, trace, base.quota)
        )
        makers = base.makers
        self._settling = Settling(store, peers, makers)
        self._settings = settings
        gateways = Gateways(store, peers, self._settling, makers, PolicyReferences(peers.policies))
        service = RouterService(
            store,
            gateways,
            SeveralGateways(store, gateways, self._settling, makers),
            Interfaces(store, peers, self._settling, makers),
            self._settling,
            peers,
            makers,
            base.quota,
        )
        helpers = ConntrackHelperService(store, makers)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (ROUTER, service),
            (CONNTRACK_HELPER, helpers),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(RouterPeer, service)]
        self._subnets = NewSubnets(store, service.extend_gateway)
        self._base = base
        self.gateway_use = GatewayUse(self.database)
        self.policy_users: PolicyUserPeer = PolicyColumn(self.database, TABLE.name)

    async def recover(self) -> None:
        """What a crash cut short is finished by the first round of `tasks`: peers do it."""

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        subnets = self._subnets
        return [
            self.relay.run(),
            self._base.follow("subnet", subnets.replace, subnets.apply),
            self._settling.run(self._settings.settle_interval_s),
        ]
