"""Put the port manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import (
    GroupMemberPeer,
    PortPeer,
)
from alcor.contracts.qos import PolicyUserPeer
from alcor.contracts.resources import ResourceManager, Written
from alcor.contracts.sharing import ConfinePeer
from alcor.contracts.trunking import TrunkPortPeer
from alcor.intent.follow import follow
from alcor.intent.relay import Relay
from alcor.managers.port.api import BINDING, PORT
from alcor.managers.port.fences import PortFences
from alcor.managers.port.macs import MacSource
from alcor.managers.port.model.addressing import SubnetView
from alcor.managers.port.model.jobs import Job, Settle, keys_of
from alcor.managers.port.needs import Peers
from alcor.managers.port.service.automatic import AutomaticAddresses
from alcor.managers.port.service.bindings import BindingService
from alcor.managers.port.service.groups import PortGroups
from alcor.managers.port.service.held import HeldPorts
from alcor.managers.port.service.ports import PortService
from alcor.managers.port.service.references import References
from alcor.managers.port.service.reports import StatusKeeper
from alcor.managers.port.service.trunk_ports import TrunkPorts
from alcor.managers.port.service.writer import Writer
from alcor.managers.port.sql import TABLE, SqlStore, living
from alcor.resource.declaration import Resource
from alcor.runtime.coalesce import Coalescer
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.policy_references import PolicyReferences
from alcor.runtime.rounds import rounds
from alcor.runtime.tables.scattered_index import Moving

VERSIONS = Path(__file__).parent / "versions"
settle_page = 1_000  # ports that one settling looks at
all_of_them = 1_000_000_000

log = structlog.get_logger(__name__)


class PortSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the port manager."""

    fixed_ips_max: Annotated[
        int, msgspec.Meta(ge=1, le=100, description="Addresses that one port may have")
    ] = 5
    batch_max: Annotated[
        int, msgspec.Meta(ge=1, description="Ports written in one transaction")
    ] = 1_000
    queue_max: Annotated[
        int, msgspec.Meta(ge=1, description="Ports that may wait to be written")
    ] = 10_000
    settle_interval_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks for addresses to give back")
    ] = 60.0


class PortApp:
    """The port manager as assembly sees it; every manager's app has these attributes.

    `resources` go to the gateway, `peers` are contracts kept for others. `relay.rebuild` and then
    `recover` run once, when peers answer; `tasks` run for ever. `zone` is the region's domain.
    """

    name = "port"

    def __init__(
        self,
        base: Foundation,
        peers: Peers,
        settings: PortSettings,
        zone: str = "openstacklocal.",
    ) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        self._moving = Moving(self.database, TABLE.name, TABLE.scattered)
        self._store = SqlStore(self.database, self.relay, self._moving, base.quota)
        self._references = References(
            peers.networks, peers.subnets, peers.nodes, self._take_subnets
        )
        self._macs = MacSource(peers.macs, self.name)
        new_id, now = base.makers
        self._groups = PortGroups(peers.groups)
        self._writer = Writer(
            self._store,
            self._references,
            peers.ips,
            self._macs,
            self._groups,
            PolicyReferences(peers.policies, placeable=True),
            peers.floating_ips,
            now,
            zone,
        )
        self.queue: Coalescer[Job, Written] = Coalescer(
            self._writer.do,
            name="port_writes",
            batch_weight_max=settings.batch_max,
            queue_weight_max=settings.queue_max,
            keys_of=keys_of,
        )
        self._automatic = AutomaticAddresses(self._store, self.queue)
        self._keeper = StatusKeeper(self._store, now, self._references.host)
        self._settings = settings
        self._base = base
        service = PortService(
            self._store,
            self.queue,
            new_id,
            settings.fixed_ips_max,
            self._references,
            zone,
            peers.policies,
        )
        bindings = BindingService(self._store, self.queue, self._references, now)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (PORT, service),
            (BINDING, bindings),
        ]
        fences = PortFences(self._store, now, self._lifted)
        self.policy_users: PolicyUserPeer = fences
        self.peers: Sequence[tuple[Any, object]] = [
            (PortPeer, fences),
            (GroupMemberPeer, fences),
            (ConfinePeer, fences),
            (HeldPortPeer, HeldPorts(self._store, self.queue, PORT.defaults)),
            (TrunkPortPeer, TrunkPorts(self.queue, now)),
        ]

    async def recover(self) -> None:
        """Finish what a crash cut short: give back the addresses that ports hold no more."""
        self._macs.place = await self._store.place()
        await self._writer.settle(all_of_them)

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        take = self._keeper.take
        base = self._base
        return [
            self._groups.run(base.intent, base.rebuilt),
            self.relay.run(),
            self.queue.run(),
            self._references.run(base.intent, base.rebuilt),
            follow(base.reports, "port", _at_once, take, take),
            self._automatic.run(),
            self._moving.run(),
            rounds(self._settle, self._settings.settle_interval_s),
        ]

    def _take_subnets(self, subnets: Sequence[SubnetView]) -> None:
        self._automatic.take(subnets)

    def _lifted(self, ids: Sequence[str]) -> None:
        self._automatic.take(self._references.known_subnets(ids))

    async def _settle(self) -> None:
        await self.queue.ask(Settle(settle_page))


async def _at_once() -> None:
    """Reports are taken as they are: what is missing says nothing."""
