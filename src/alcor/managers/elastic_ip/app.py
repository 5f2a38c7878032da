"""Put the elastic IP manager together: what assembly opens, starts and closes."""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from alcor.contracts.qos import PolicyUserPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.routing import FloatingIpPeer
from alcor.intent.relay import Relay
from alcor.intent.store import ToldStore
from alcor.managers.elastic_ip.api import (
    FLOATING_IP,
    FLOATING_IP_POOL,
    NDP_PROXY,
    PORT_FORWARDING,
)
from alcor.managers.elastic_ip.needs import Peers
from alcor.managers.elastic_ip.service.associating import Associating
from alcor.managers.elastic_ip.service.floating_ips import FloatingIpService
from alcor.managers.elastic_ip.service.internal_ports import InternalPorts
from alcor.managers.elastic_ip.service.ndp_proxies import NdpProxyService
from alcor.managers.elastic_ip.service.pools import PoolService
from alcor.managers.elastic_ip.service.port_forwardings import PortForwardingService
from alcor.managers.elastic_ip.service.settling import Settling
from alcor.managers.elastic_ip.service.writes import manager
from alcor.managers.elastic_ip.sql.living import living
from alcor.managers.elastic_ip.sql.tables import FLOATING_IPS
from alcor.managers.elastic_ip.sql.transaction import SqlTransaction
from alcor.resource.declaration import Resource
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.managing.kept import kept_store
from alcor.runtime.managing.policy_references import PolicyReferences
from alcor.runtime.tables.fences import PolicyColumn

VERSIONS = Path(__file__).parent / "versions"


class ElasticIpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the elastic IP manager."""

    settle_interval_s: Annotated[
        float, msgspec.Meta(gt=0, description="Seconds between looks for ports to delete")
    ] = 60.0


class ElasticIpApp:
    """The elastic IP manager as assembly sees it."""

    name = manager

    def __init__(self, base: Foundation, peers: Peers, settings: ElasticIpSettings) -> None:
        self.database = base.database(self.name, VERSIONS)
        self.relay = Relay(self.name, self.database, base.intent, living)
        store = ToldStore(
            self.database, self.relay, lambda c, trace: SqlTransaction(c, trace, base.quota)
        )
        makers = base.makers
        self._settling = Settling(store, peers.ports)
        self._internal_ports = InternalPorts(store, peers.ports, makers)
        self._settings = settings
        self._base = base
        associating = Associating(peers)
        service = FloatingIpService(
            store,
            peers,
            associating,
            self._internal_ports,
            self._settling,
            makers,
            PolicyReferences(peers.policies),
        )
        self.policy_users: PolicyUserPeer = PolicyColumn(self.database, FLOATING_IPS.name)
        forwardings = PortForwardingService(store, associating, self._internal_ports, makers)
        proxies = NdpProxyService(
            kept_store(self.database, self.relay),
            peers,
            associating,
            self._internal_ports,
            makers,
        )
        self.resources: Sequence[tuple[Resource, ResourceManager]] = [
            (FLOATING_IP, service),
            (PORT_FORWARDING, forwardings),
            (FLOATING_IP_POOL, PoolService(peers)),
            (NDP_PROXY, proxies),
        ]
        self.peers: Sequence[tuple[Any, object]] = [(FloatingIpPeer, service)]

    async def recover(self) -> None:
        """Know what to watch. What a crash cut short is finished by the first round of `tasks`."""
        await self._internal_ports.load()

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]:
        """What runs for as long as the manager does."""
        ports = self._internal_ports
        return [
            self.relay.run(),
            self._base.follow("port", ports.replace, ports.apply),
            self._settling.run(self._settings.settle_interval_s),
        ]
