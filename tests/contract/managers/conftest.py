"""A world of the ip, mac and port managers on real SQLite files, with peers that tests can break.

What they ask of the other managers is answered by an honest fake: a plain list of networks,
subnets and nodes. Every call between managers goes through the encode/decode loopback.
"""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psycopg
import pytest
from tests.fixtures.foundation import foundation
from tests.fixtures.policies import NoPolicies

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import (
    Done,
    GroupsRequest,
    Ids,
    IpPeer,
    MacPeer,
    NetworkPeer,
    Networks,
    NodePeer,
    Nodes,
    Pool,
    Pools,
    PortPeer,
    Projects,
    SubnetPeer,
    Subnets,
    ZoneHints,
)
from alcor.contracts.peers import Groups as GroupsFound
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListRequest,
    ResourceManager,
    UpdateRequest,
)
from alcor.contracts.routing import FixedAddresses, FloatingIpPeer
from alcor.intent import records
from alcor.intent.records import AddressRange, GroupRecord, NetworkRecord, NodeRecord, SubnetRecord
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.ip.app import IpApp, IpSettings
from alcor.managers.mac.app import MacApp, MacSettings
from alcor.managers.port.app import PortApp, PortSettings
from alcor.managers.port.needs import Peers
from alcor.resource.body import changed, created
from alcor.runtime.calls.rpc import loopback
from alcor.runtime.sql.places import Place, Servers

ADMIN = Caller(project_id="p1", admin=True, request_id="req-1")


@pytest.fixture
def empty_url(postgres: Any) -> str:
    """The URL of a PostgreSQL database of its own, without tables."""
    return str(postgres.made())


class Owners:
    """The managers of networks, subnets and nodes: what they own is in plain dicts."""

    def __init__(self) -> None:
        self.by_id: dict[str, Any] = {}
        self.asked: list[str] = []
        self.silent_hosts: set[str] = set()

    def _of(self, kind: type, ids: list[str]) -> list[Any]:
        self.asked.append(kind.__name__)
        return [r for i in ids if isinstance(r := self.by_id.get(i), kind)]

    async def networks(self, request: Ids) -> Networks:
        return Networks(self._of(NetworkRecord, request.ids))

    async def nodes(self, request: Ids) -> Nodes:
        return Nodes(self._of(NodeRecord, request.ids))

    async def silent(self, request: Ids) -> Ids:
        self.asked.append("silent")
        return Ids([host for host in request.ids if host in self.silent_hosts])

    async def check_zones(self, request: ZoneHints) -> Done:
        return Done()

    async def subnets_of(self, request: Ids) -> Subnets:
        self.asked.append("SubnetRecord")
        subnets = [r for r in self.by_id.values() if isinstance(r, SubnetRecord)]
        return Subnets([s for s in subnets if s.network_id in request.ids])

    async def subnets(self, request: Ids) -> Subnets:
        return Subnets(self._of(SubnetRecord, request.ids))

    async def drop_network(self, request: Any) -> Any:
        raise AssertionError("no port write drops networks")

    async def fence_segment(self, request: Any) -> Any:
        raise AssertionError("no port write fences segments")

    async def lift(self, request: Any) -> Any:
        raise AssertionError("no port write lifts subnets' fences")


class Groups:
    """The security group manager: each project has its default group, and no other."""

    async def groups(self, request: GroupsRequest) -> GroupsFound:
        return GroupsFound([])

    async def defaults_of(self, request: Projects) -> GroupsFound:
        defaults = [
            GroupRecord(id=f"default-{each}", project_id=each, name="default")
            for each in request.ids
        ]
        return GroupsFound(defaults)


class FloatingIps:
    """The elastic IP manager, as far as ports ask: no address is translated to."""

    async def translated_to(self, request: Ids) -> FixedAddresses:
        return FixedAddresses([])


class Crash(BaseException):
    """The process dies here. Not an Exception: nothing of ours may catch it and go on."""


class Breakable:
    """A peer that dies before or after a call, when told so."""

    def __init__(self, peer: Any) -> None:
        self._peer = peer
        self.crash_at: tuple[str, str] | None = None  # the verb, and "before" or "after"
        self.fail_at: str | None = None
        self.calls: list[str] = []

    def __getattr__(self, verb: str) -> Callable[[Any], Any]:
        async def call(request: Any) -> Any:
            self.calls.append(verb)
            if self.fail_at == verb:
                raise ConnectionError("peer is gone")
            if self.crash_at == (verb, "before"):
                raise Crash
            reply = await getattr(self._peer, verb)(request)
            if self.crash_at == (verb, "after"):
                raise Crash
            return reply

        return call


class Later:
    """A peer that is known only once everybody is built."""

    peer: Any = None

    def __getattr__(self, verb: str) -> Any:
        return lambda request: getattr(self.peer, verb)(request)


def numbered(prefix: str) -> Callable[[], str]:
    counter = itertools.count(1)
    return lambda: f"{prefix}-0000-7000-8000-{next(counter):012x}"


class World:
    """One life of the three managers on the files of a folder."""

    def __init__(
        self, place: Place, owners: Owners, clock: list[float], life: int, block_size: int = 16
    ) -> None:
        self.place = place
        self.owners = owners
        self.clock = clock
        self.intent = MemoryLog(life)
        self.reports = MemoryLog(life)
        self.ports_max: dict[str, int] = {}  # by project
        base = foundation(
            place,
            self.intent,
            self.reports,
            clock=lambda: clock[0],
            new_id=numbered(f"{life:08x}"),
            quota=lambda kind, project: self.ports_max.get(project, -1),
        )
        self.mac = MacApp(base, MacSettings(block_size=block_size))
        later = Later()
        self.ip = IpApp(base, loopback(PortPeer, later), IpSettings())
        self.ips = Breakable(loopback(IpPeer, self.ip.peers[0][1]))
        self.macs = Breakable(loopback(MacPeer, self.mac.peers[0][1]))
        peers = Peers(
            loopback(NetworkPeer, owners),
            loopback(SubnetPeer, owners),
            loopback(NodePeer, owners),
            self.ips,
            self.macs,
            Groups(),
            NoPolicies(),
            cast(FloatingIpPeer, FloatingIps()),
        )
        self.port = PortApp(base, peers, PortSettings())
        later.peer = self.port.peers[0][1]
        self.fences = loopback(PortPeer, self.port.peers[0][1])
        self.held = loopback(HeldPortPeer, self.port.peers[3][1])
        self.resource, service = self.port.resources[0]
        self.service = loopback(ResourceManager, service)

    # What a client does.

    async def create(self, *items: dict[str, Any], caller: Caller = ADMIN) -> list[dict[str, Any]]:
        body = records_json({"ports": list(items)})
        checked = created(self.resource, body, 10_000).items
        written = await self.service.create(CreateRequest(caller, checked))
        return [decoded(raw) for raw in written.items]

    async def update(
        self, id_: str, *, caller: Caller = ADMIN, if_revision: int | None = None, **changes: Any
    ) -> dict[str, Any]:
        body = {name.replace("binding_host", "binding:host_id"): v for name, v in changes.items()}
        checked = changed(self.resource, records_json({"port": body}))
        written = await self.service.update(UpdateRequest(caller, id_, checked, if_revision))
        return decoded(written.items[0])

    async def delete(self, id_: str, caller: Caller = ADMIN) -> str:
        return (await self.service.delete(DeleteRequest(caller, id_))).revision

    async def listed(self, caller: Caller = ADMIN, **filters: Any) -> list[dict[str, Any]]:
        wanted = tuple(Filter(name.replace("__", "."), (value,)) for name, value in filters.items())
        reply = await self.service.list_page(ListRequest(caller, ListQuery(filters=wanted)))
        return [decoded(raw) for raw in reply.items]

    # What other managers do.

    async def add_network(self, id_: str, *, told: bool = True, project: str = "p1") -> str:
        await self._own(
            NetworkRecord(id=id_, project_id=project, vni=len(self.owners.by_id) + 1, mtu=1450),
            "network",
            told,
        )
        return id_

    async def add_node(self, id_: str, *networks: str, told: bool = True, **more: Any) -> str:
        node = NodeRecord(id=id_, tunnel_ip="192.0.2.1", physical_networks=networks, **more)
        await self._own(node, "node", told)
        return id_

    async def add_subnet(
        self,
        id_: str,
        network: str,
        cidr: str,
        first: str,
        last: str,
        *,
        gateway: str = "",
        told: bool = True,
        **more: Any,
    ) -> str:
        ranges = (AddressRange(first, last),)
        reserved = (gateway,) if gateway else ()
        pool = Pool(subnet_id=id_, network_id=network, cidr=cidr, ranges=ranges, reserved=reserved)
        await self.ips.save_pools(Pools([pool]))
        version = 6 if ":" in cidr else 4
        record = SubnetRecord(
            id=id_, network_id=network, project_id="p1", ip_version=version, cidr=cidr, **more
        )
        await self._own(record, "subnet", told)
        return id_

    async def drop_subnet(self, id_: str, *, told: bool) -> None:
        record = self.owners.by_id.pop(id_)
        await self.ips.drop_pools(Ids([id_]))
        if told:
            key = records.key("subnet", record.id)
            await self.intent.put([Change(key, None, self.intent.position + 1)])

    async def _own(self, record: Any, kind: str, told: bool) -> None:
        self.owners.by_id[record.id] = record
        if told:
            change = Change(
                records.key(kind, record.id), records.encode(record), self.intent.position + 1
            )
            await self.intent.put([change])
            await settle_tasks()

    # What is on the disk.

    def rows(self, manager: str, query: str) -> list[Any]:
        if isinstance(self.place, Servers):
            with closing(psycopg.connect(self.place.of(manager), autocommit=True)) as server:
                return server.execute(cast(Any, query)).fetchall()
        assert isinstance(self.place, Path)
        with closing(sqlite3.connect(self.place / f"{manager}.sqlite")) as connection:
            return connection.execute(query).fetchall()

    def check(self) -> None:
        """The invariants: what ports hold is leased, and nothing else; counters are exact."""
        leased = self.rows("ip", "SELECT owner, subnet_id, address FROM lease ORDER BY 1, 2, 3")
        held = self.rows(
            "port", "SELECT port_id, subnet_id, address FROM port_address ORDER BY 1, 2, 3"
        )
        assert leased == held
        shown = [
            (port["id"], ip["subnet_id"], ip["ip_address"])
            for (doc,) in self.rows("port", "SELECT doc FROM port")
            for port in [decoded(doc)]
            for ip in port["fixed_ips"]
        ]
        assert sorted(shown) == held
        counted = "SELECT project_id, count(*) FROM port GROUP BY project_id ORDER BY 1"
        usage = "SELECT project_id, count FROM used WHERE count <> 0 ORDER BY 1"
        assert self.rows("port", counted) == self.rows("port", usage)
        bits = sum(
            int.from_bytes(bits, "little").bit_count()
            for (bits,) in self.rows("ip", "SELECT bits FROM block")
        )
        assert bits == len(leased)


def decoded(raw: Any) -> dict[str, Any]:
    import msgspec

    found = msgspec.json.decode(bytes(raw) if not isinstance(raw, str) else raw)
    assert isinstance(found, dict)
    return found


def records_json(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


async def settle_tasks() -> None:
    """Let tasks that have something to do in memory do it."""
    for _ in range(10):
        await asyncio.sleep(0)


class Lives:
    """Start, stop and crash worlds on the databases of one place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.owners = Owners()
        self.clock = [1_800_000_000.0]
        self._life = 0

    @asynccontextmanager
    async def life(self) -> AsyncIterator[World]:
        """One start of the process; left by a `Crash`, it just ends."""
        self._life += 1
        self.clock[0] += 1.0
        world = World(self.place, self.owners, self.clock, self._life)
        for record in self.owners.by_id.values():
            kind = type(record).__name__.removesuffix("Record").lower()
            change = Change(
                records.key(kind, record.id), records.encode(record), world.intent.position + 1
            )
            await world.intent.put([change])
        await world.port.relay.rebuild()
        for app in (world.mac, world.ip, world.port):
            await app.recover()
        running = [*world.ip.tasks(), *world.mac.tasks(), *world.port.tasks()]
        tasks = [asyncio.ensure_future(task) for task in running]
        try:
            await settle_tasks()
            yield world
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            for app in (world.mac, world.ip, world.port):
                await app.database.close()
        for end in ends:
            if isinstance(end, Exception):
                raise end


@pytest.fixture(params=["sqlite", "postgres"])
def lives(tmp_path: Path, request: pytest.FixtureRequest) -> Lives:
    if request.param == "sqlite":
        return Lives(tmp_path)
    server = request.getfixturevalue("postgres")
    return Lives(Servers(server.url(f"{uuid4().hex}_{{manager}}")))
