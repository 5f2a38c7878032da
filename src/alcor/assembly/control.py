"""The managers of one process, wired to each other by peers that encode and decode every call."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from alcor.assembly.config import Config
from alcor.assembly.resources import contract_of
from alcor.contracts.flavors import FlavorPeer
from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import (
    GroupMemberPeer,
    IpPeer,
    MacPeer,
    NetworkAclPeer,
    NetworkPeer,
    NodePeer,
    PortPeer,
    SecurityGroupPeer,
    SubnetPeer,
    SubnetShower,
    UsagePeer,
)
from alcor.contracts.qos import PolicyUserPeer, QosPolicyPeer
from alcor.contracts.resources import ResourceManager
from alcor.contracts.routing import FloatingIpPeer, RouterPeer
from alcor.contracts.segments import SegmentPeer
from alcor.contracts.sharing import ConfinePeer, ReachPeer
from alcor.contracts.subnetpools import OnboardPeer, SubnetPoolPeer
from alcor.contracts.trunking import TrunkPortPeer
from alcor.intent.follow import Ready
from alcor.intent.quotas import QuotaLimits
from alcor.intent.relay import Relay
from alcor.keyed_log.log import KeyedLog
from alcor.managers.elastic_ip.app import ElasticIpApp
from alcor.managers.elastic_ip.needs import Peers as ElasticIpPeers
from alcor.managers.flavor.app import FlavorApp
from alcor.managers.ip.app import IpApp
from alcor.managers.local_ip.app import LocalIpApp
from alcor.managers.local_ip.needs import Peers as LocalIpPeers
from alcor.managers.mac.app import MacApp
from alcor.managers.metering.app import MeteringApp
from alcor.managers.monitoring.app import MonitoringApp
from alcor.managers.monitoring.needs import Peers as MonitoringPeers
from alcor.managers.network.app import NetworkApp
from alcor.managers.network.needs import Peers as NetworkPeers
from alcor.managers.network_acl.app import NetworkAclApp
from alcor.managers.node.app import NodeApp
from alcor.managers.port.app import PortApp
from alcor.managers.port.needs import Peers as PortPeers
from alcor.managers.qos.app import QosApp
from alcor.managers.quota.app import QuotaApp, default_limits
from alcor.managers.rbac.api import RBAC_POLICY
from alcor.managers.rbac.service import Owner, RbacService
from alcor.managers.router.app import RouterApp
from alcor.managers.router.needs import Peers as RouterPeers
from alcor.managers.security_group.app import SecurityGroupApp
from alcor.managers.subnet.app import SubnetApp
from alcor.managers.subnet.needs import Peers as SubnetPeers
from alcor.managers.subnetpool.app import SubnetPoolApp
from alcor.managers.topology.app import TopologyApp
from alcor.managers.topology.needs import Kind, Kinds
from alcor.managers.trunk.app import TrunkApp
from alcor.managers.trunk.needs import Peers as TrunkPeers
from alcor.resource.declaration import Resource
from alcor.runtime.calls.rpc import Exchange, answers
from alcor.runtime.calls.wire import Call
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.managing.foundation import Foundation
from alcor.runtime.observability import spans
from alcor.runtime.rounds import rounds
from alcor.runtime.sql.database import Database
from alcor.runtime.sql.places import Place
from alcor.runtime.sql.traced import TracedLog
from alcor.runtime.tables.usage import UsageReader
from alcor.runtime.tasks import Tasks
from alcor.values.errors import Unavailable

relay_pending_max = 1_000  # changes: a relay further behind is not caught up
try_write_every_s = 5.0  # while a database refuses writes
opens_s_max = 2.0  # how long a database may take to answer who asks how it is


class ManagerApp(Protocol):
    """What every manager's `app` offers."""

    name: str
    database: Database
    resources: Sequence[tuple[Resource, ResourceManager]]
    peers: Sequence[tuple[Any, object]]

    async def recover(self) -> None: ...

    def tasks(self) -> Sequence[Coroutine[Any, Any, None]]: ...


class Control:
    """All managers."""

    def __init__(
        self,
        place: Place,
        intent: KeyedLog,
        reports: KeyedLog,
        config: Config,
        clock: Seconds,
        new_id: NewId,
    ) -> None:
        self._calls: dict[str, Call] = {}
        self._waits = False  # for who leads the databases
        self._told = False  # whether the intent log has been told all there is
        self._exchange = Exchange()
        peer = self._exchange.peer
        networks, subnets, ports = peer(NetworkPeer), peer(SubnetPeer), peer(PortPeer)
        tenants, routes_max = config.auth != "local", config.router.routes_max
        limits = default_limits(config.quota, tenants=tenants, routes_max=routes_max)
        self._quotas = QuotaLimits(limits)
        self._intent = intent = intent if spans.recorder is None else TracedLog(intent, "intent")
        base = Foundation(place, intent, reports, self._ready, clock, new_id, self._quotas)
        network = self._network(base, config)
        subnet = self._subnet(base, config)
        pool = SubnetPoolApp(base, peer(OnboardPeer))
        node = NodeApp(base, ports, config.node, config.network.tunnel_type)
        port = self._port(base, config)
        group = SecurityGroupApp(
            base, peer(GroupMemberPeer), peer(ConfinePeer), config.security_group
        )
        acl = NetworkAclApp(base, networks, subnets, config.network_acl)
        users = [peer(PolicyUserPeer, each.name) for each in (network, port)]
        users += [peer(PolicyUserPeer, name) for name in (RouterApp.name, ElasticIpApp.name)]
        qos = QosApp(base, users)
        router, elastic_ip = self._routing(base, config)
        for each in (network, port, router, elastic_ip):
            self._exchange.serve(PolicyUserPeer, each.policy_users, each.name)
        self._exchange.serve(ConfinePeer, router.gateway_use, router.name)
        trunk = self._trunk(base, config)
        counting_too = (network, subnet, pool, port, group, qos, router, elastic_ip, trunk)
        counted = self._counted(*counting_too)
        flavor = FlavorApp(base, peer(RouterPeer))
        metering = MeteringApp(base)
        local_ip = LocalIpApp(base, LocalIpPeers(peer(HeldPortPeer), networks))
        watched = MonitoringPeers(peer(HeldPortPeer), peer(SecurityGroupPeer), peer(NetworkAclPeer))
        monitoring = MonitoringApp(base, watched)
        kinds = Kinds(*(self._kind(app) for app in (network, subnet, router, pool, port)))
        topology = TopologyApp(base, kinds)
        quota = QuotaApp(base, counted, limits)
        ip, mac = IpApp(base, ports, config.ip), MacApp(base, config.mac)
        telling = (
            *(network, pool, subnet, node, port, group, acl, qos, router, elastic_ip),
            *(flavor, metering, local_ip, monitoring, topology, quota),
        )
        self._relays: Sequence[Relay] = [each.relay for each in telling]
        self.apps: list[ManagerApp] = [mac, ip, trunk, *telling]
        self.resources = [self._serve(*each) for app in self.apps for each in app.resources]
        owners = self._owners([*network.shared, *group.shared, *pool.shared, *qos.shared])
        self.resources.append(self._serve(RBAC_POLICY, RbacService(owners, counted, self._quotas)))
        for app in self.apps:
            for contract, implementation in app.peers:
                self._exchange.serve(contract, implementation)

    def _network(self, base: Foundation, config: Config) -> NetworkApp:
        """Networks, which ask whoever uses them before they go."""
        peer = self._exchange.peer
        peers = NetworkPeers(
            peer(PortPeer),
            peer(SubnetPeer),
            peer(FloatingIpPeer),
            peer(ConfinePeer),
            peer(ConfinePeer, RouterApp.name),
            peer(NodePeer),
            peer(IpPeer),
            peer(QosPolicyPeer),
        )
        return NetworkApp(base, peers, config.network)

    def _subnet(self, base: Foundation, config: Config) -> SubnetApp:
        """Subnets, whose addresses and prefixes are others' to give."""
        peer = self._exchange.peer
        peers = SubnetPeers(
            peer(NetworkPeer),
            peer(SegmentPeer),
            peer(PortPeer),
            peer(IpPeer),
            peer(HeldPortPeer),
            peer(SubnetPoolPeer),
            peer(ReachPeer),
            peer(SubnetShower),
        )
        return SubnetApp(base, peers, config.subnet)

    def _port(self, base: Foundation, config: Config) -> PortApp:
        """Ports, which need all that they refer to."""
        peer = self._exchange.peer
        peers = PortPeers(
            peer(NetworkPeer),
            peer(SubnetPeer),
            peer(NodePeer),
            peer(IpPeer),
            peer(MacPeer),
            peer(SecurityGroupPeer),
            peer(QosPolicyPeer),
            peer(FloatingIpPeer),
        )
        return PortApp(base, peers, config.port, config.agents.dns_domain)

    def _routing(self, base: Foundation, config: Config) -> tuple[RouterApp, ElasticIpApp]:
        """Routers and floating IPs, which ask each other."""
        peer = self._exchange.peer
        networks, subnets, held = peer(NetworkPeer), peer(SubnetPeer), peer(HeldPortPeer)
        reach, pools, policies = peer(ReachPeer), peer(SubnetPoolPeer), peer(QosPolicyPeer)
        of_routers = RouterPeers(
            networks,
            reach,
            subnets,
            held,
            peer(FloatingIpPeer),
            peer(FlavorPeer),
            pools,
            peer(NodePeer),
            policies,
        )
        of_addresses = ElasticIpPeers(
            networks, reach, subnets, held, peer(RouterPeer), pools, policies
        )
        return (
            RouterApp(base, of_routers, config.router),
            ElasticIpApp(base, of_addresses, config.elastic_ip),
        )

    def _trunk(self, base: Foundation, config: Config) -> TrunkApp:
        """Trunks, which are made of ports."""
        peer = self._exchange.peer
        peers = TrunkPeers(peer(NetworkPeer), peer(HeldPortPeer), peer(TrunkPortPeer))
        return TrunkApp(base, peers, config.trunk)

    def add(self, make: Callable[[Ready], ManagerApp]) -> None:
        """One more that has no API and no peers, but follows the intent log; before `start`."""
        self.apps.append(make(self._ready))

    def _counted(self, *apps: ManagerApp) -> list[UsagePeer]:
        """Who tells how much of their kinds projects use."""
        for app in apps:
            self._exchange.serve(UsagePeer, UsageReader(app.database), app.name)
        return [self._exchange.peer(UsagePeer, app.name) for app in apps]

    def _owners(
        self, shared: Sequence[tuple[str, ResourceManager, Sequence[str]]]
    ) -> dict[str, Owner]:
        """Who keeps the sharing policies of each kind of object."""
        for type_, policies, _ in shared:
            self._exchange.serve(ResourceManager, policies, f"rbac/{type_}")
        return {
            type_: Owner(self._exchange.peer(ResourceManager, f"rbac/{type_}"), actions)
            for type_, _, actions in shared
        }

    def _kind(self, app: ManagerApp) -> Kind:
        """The first of a manager's kinds, for who makes one as a client does."""
        resource = app.resources[0][0]
        return Kind(resource, self._exchange.peer(contract_of(resource), resource.name))

    def _serve(
        self, resource: Resource, manager: ResourceManager
    ) -> tuple[Resource, ResourceManager]:
        """The resource with a peer to its manager, for the gateway."""
        contract = contract_of(resource)
        self._calls |= answers(contract, manager, resource.name)
        self._exchange.serve(contract, manager, resource.name)
        return resource, self._exchange.peer(contract, resource.name)

    async def lead(self) -> None:
        """Wait until no other process leads the databases, and lead them."""
        self._waits = True
        for app in self.apps:
            await app.database.lead()
        self._waits = False

    @property
    def calls(self) -> Mapping[str, Call]:
        """What gateways in other processes ask of the managers."""
        return self._calls

    async def start(self, tasks: Tasks) -> None:
        """Tell the intent log all there is, finish what a crash cut short, run what runs."""
        await asyncio.gather(*(relay.rebuild() for relay in self._relays))
        self._told = True
        for relay in self._relays:
            tasks.start(relay.refill(), f"{relay.manager}-refill")
        for app in self.apps:
            await app.recover()
        for app in self.apps:
            tasks.start(app.database.deposed(), f"{app.name}-leads")
        tasks.start(rounds(self._try_writes, try_write_every_s), "tried-writes")
        tasks.start(self._quotas.run(self._intent, self._ready), "quotas")
        for app in self.apps:
            for i, work in enumerate(app.tasks()):
                tasks.start(work, f"{app.name}-{i}")

    @property
    def relays(self) -> Sequence[Relay]:
        """From the managers that tell the intent log something."""
        return self._relays

    @property
    def telling(self) -> list[str]:
        """The managers that tell the intent log something."""
        return [relay.manager for relay in self._relays]

    async def checks(self) -> dict[str, bool]:
        """What must be so for the managers to do their work, or to take it over from who leads."""
        opened = await asyncio.gather(*(opens(app.database) for app in self.apps))
        names = (f"{app.name}.database" for app in self.apps)
        answers = dict(zip(names, opened, strict=True))
        answers |= {f"{app.name}.writes": not app.database.refuses_writes for app in self.apps}
        answers |= {f"{r.manager}.relay": r.pending <= relay_pending_max for r in self._relays}
        return answers if self._waits else answers | {"intent.rebuilt": self._told}

    async def close(self) -> None:
        """Close the databases; call it when no task runs any more."""
        for app in self.apps:
            await app.database.close()

    async def _try_writes(self) -> None:
        """Where writes are refused nobody may ask for another, and so find that they are taken."""
        for app in self.apps:
            if app.database.refuses_writes:
                with suppress(Unavailable):
                    await app.database.try_write()

    async def _ready(self) -> None:
        await self._intent.completed(self.telling)


async def opens(database: Database) -> bool:
    """Whether it answers now; who asks how we are doesn't wait for it as long as work does."""
    try:
        async with asyncio.timeout(opens_s_max):
            await database.read(lambda connection: connection.execute("SELECT 1").fetchone())
    except (sqlite3.Error, Unavailable, TimeoutError):
        return False
    return True
