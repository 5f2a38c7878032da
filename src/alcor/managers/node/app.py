"""Put the node manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.peers import NodePeer, PortPeer
from alcor.contracts.resources import ResourceManager
from alcor.goal_state import reports
from alcor.intent.follow import follow_prefix
from alcor.intent.relay import Relay
from alcor.managers.node.api import AGENT, AVAILABILITY_ZONE, NODE
from alcor.managers.node.heartbeats import Heartbeats
from alcor.managers.node.listening import Listening
from alcor.managers.node.returning import Returning
from alcor.managers.node.service import AgentService, NodeService
from alcor.managers.node.sql import NodeStore, living
from alcor.managers.node.zones import ZoneService
from alcor.resource.declaration import Resource
from alcor.runtime.clock import never_back, timestamp
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.rounds import rounds

bury_interval_s = 1.0  # between two looks for hosts that are gone
register_again_s = 1.0  # between two looks whether a host that was refused can be registered
VERSIONS = Path(__file__).parent / "versions"


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the node manager."""

    auto_register: Annotated[
        bool, msgspec.Meta(description="Whether a host whose agent says hello becomes a node")
    ] = True
    silence_s_max: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            description="A host is alive this long without a stream, seconds; then nothing leaves "
            "by its uplinks",
        ),
    ] = 15.0
    binding_silence_s_max: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            description="Ports are bound to a host this long without a stream, seconds "
            "(Neutron's agent_down_time)",
        ),
    ] = 75.0
    return_s_max: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            description="A host with uplinks that was gone may catch up for this long before "
            "routers leave by it, seconds",
        ),
    ] = 30.0


class NodeApp:
    """The node manager as assembly sees it (see the network manager's)."""

    name = "node"

    def __init__(
        self,
        base: Foundation,
        ports: PortPeer,
        settings: NodeSettings,
        tunnel_type: str = "vxlan",
    ) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        self._reports = base.reports
        store = NodeStore(self.database, self.relay)
        steady = never_back(base.clock)
        self.listening = Listening(base.clock, steady)
        heartbeats = self._heartbeats = Heartbeats(
            base.clock, steady, settings.silence_s_max, timestamp, self.listening
        )
        returning = Returning(base.intent, steady, settings.return_s_max)
        self._service = NodeService(
            store,
            heartbeats,
            base.makers.now,
            settings.auto_register,
            settings.binding_silence_s_max,
            returning,
            ports,
        )
        agents = AgentService(store, heartbeats, self._service, tunnel_type)
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (NODE, self._service),
            (AGENT, agents),
            (AVAILABILITY_ZONE, ZoneService(store, heartbeats)),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(NodePeer, self._service)]

    async def recover(self) -> None:
        """Nothing of a node can be cut short; but who waited to lead listens only from now on."""
        self._heartbeats.begin()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        hear, synced = self._service.hear, self._heartbeats.hear_synced
        beaten = self.listening.hear
        return [
            self.relay.run(),
            follow_prefix(self._reports, reports.host_key(""), hear, hear),
            follow_prefix(self._reports, reports.placement_key(""), synced, synced),
            follow_prefix(self._reports, reports.delivery_prefix, beaten, beaten),
            rounds(self._service.bury, bury_interval_s),
            rounds(self._service.register_again, register_again_s),
        ]
