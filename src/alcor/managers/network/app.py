"""Put the network manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from alcor.contracts.peers import NetworkPeer, SubnetShower
from alcor.contracts.qos import PolicyUserPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.segments import SegmentPeer
from alcor.contracts.sharing import AS_EXTERNAL, AS_SHARED, ReachPeer
from alcor.intent import store as told_store
from alcor.intent.relay import Relay
from alcor.managers.network.api import (
    NETWORK,
    NETWORK_IP_AVAILABILITY,
    NETWORK_SEGMENT_RANGE,
    SEGMENT,
)
from alcor.managers.network.model.network import Limits
from alcor.managers.network.model.segment_range import Span
from alcor.managers.network.needs import Peers
from alcor.managers.network.segment_store import SegmentStore
from alcor.managers.network.service.availability import AvailabilityService
from alcor.managers.network.service.networks import NetworkService
from alcor.managers.network.service.ranges import RangeService
from alcor.managers.network.service.segments import SegmentService
from alcor.managers.network.sharing import shared_kind
from alcor.managers.network.sql import TABLE, NetworkStore, living, living_segments
from alcor.managers.network.tables.ranges import RANGES
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept import kept_store
from alcor.runtime.managing.policy_references import PolicyReferences
from alcor.runtime.managing.sharing_service import Sharing
from alcor.runtime.tables.fences import PolicyColumn

VERSIONS = Path(__file__).parent / "versions"


class NetworkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the network manager."""

    mtu_max: Annotated[
        int, msgspec.Meta(ge=68, le=65_535, description="Largest MTU of a network, in bytes")
    ] = 1_450
    tunnel_type: Annotated[
        Literal["vxlan", "geneve"],
        msgspec.Meta(
            description="Of tunnels between hosts, whose agents must be told the same; not to be "
            "changed while there are networks"
        ),
    ] = "vxlan"
    vni_min: Annotated[int, msgspec.Meta(ge=1, description="First VNI given to networks")] = 1
    vni_max: Annotated[
        int, msgspec.Meta(le=(1 << 24) - 1, description="Last VNI given to networks")
    ] = (1 << 24) - 1


class NetworkApp:
    """The network manager as assembly sees it; every manager's app has these attributes.

    `resources` go to the gateway, `peers` are contracts kept for others. `relay.rebuild` and then
    `recover` run once, when peers answer; `tasks` run for ever.
    """

    name = "network"

    def __init__(self, base: Foundation, peers: Peers, settings: NetworkSettings) -> None:
        limits = Limits(settings.mtu_max, settings.vni_min, settings.vni_max, settings.tunnel_type)
        self.database = base.database(self.name, VERSIONS)
        told = told_store.living_of(living, RANGES.living, living_segments)
        self.relay = Relay(self.name, self.database, base.intent, told)
        store = NetworkStore(self.database, self.relay, limits, base.quota)
        makers = base.makers
        self.sharing = Sharing(
            self.database,
            shared_kind(makers.now),
            {AS_SHARED: peers.users, AS_EXTERNAL: peers.gateways},
            self.relay.notify,
            base.new_id,
            base.quota,
        )
        self.shared = [(TABLE.name, self.sharing, (AS_SHARED, AS_EXTERNAL))]
        self._service = NetworkService(
            store,
            peers,
            limits,
            makers,
            self.sharing,
            PolicyReferences(peers.policies, placeable=True),
        )
        self.policy_users: PolicyUserPeer = PolicyColumn(self.database, TABLE.name)
        whole = Span(limits.vni_min, limits.vni_max)
        kept = kept_store(self.database, self.relay)
        self._ranges = RangeService(kept, makers, whole, settings.tunnel_type)
        segment_store = SegmentStore(self.database, self.relay, limits)
        self._segments = SegmentService(segment_store, peers.subnets, limits, makers)
        self._base = base
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (NETWORK, self._service),
            (NETWORK_IP_AVAILABILITY, AvailabilityService(store, peers)),
            (NETWORK_SEGMENT_RANGE, self._ranges),
            (SEGMENT, self._segments),
        ]
        self.peers: Sequence[tuple[Any, object]] = [
            (NetworkPeer, self._service),
            (SegmentPeer, self._segments),
            (SubnetShower, self._service),
            (ReachPeer, self._service),
        ]

    async def recover(self) -> None:
        """Finish what a crash cut short."""
        await self._segments.recover()
        await self._service.recover()
        await self._ranges.recover()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        service = self._service
        follow = self._base.follow
        return [
            self.relay.run(),
            follow("subnet", service.replace_subnets, service.apply_subnets),
            follow("subnetpool", service.replace_pools, service.apply_pools),
            service.unfinished.run(service.recover),
            self._segments.unfinished.run(self._segments.recover),
            self.sharing.unfinished.run(self.sharing.recover),
        ]
