"""A delivery with real gRPC on the loopback, and hosts that hold what they are sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from random import random
from typing import Any, Self

import pytest

from alcor.contracts.progress import ProgressPeer
from alcor.delivery.app import Delivery, start
from alcor.delivery.config import DeliveryConfig
from alcor.goal_state.slices import host_slice, network_slice, slice_of
from alcor.intent import records
from alcor.intent.records import FixedIp, NetworkRecord, NodeRecord, PortRecord, Record
from alcor.keyed_log.log import Change
from alcor.keyed_log.memory import MemoryLog
from alcor.runtime.calls.rpc import Exchange
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Connected, Disconnected, Frame, Hello, Report
from alcor.transport.nats_client import NatsLink
from alcor.transport.nats_urls import urls_of
from alcor.transport.resuming import ResumingLink
from alcor.transport.tls import TlsFiles
from alcor.values.addresses import address

deadline_s = 30


def port(number: int, host: str, network: str = "n1") -> PortRecord:
    return PortRecord(
        id=f"p{number}",
        network_id=network,
        project_id="demo",
        mac_address=f"fa:16:3e:00:{number >> 8:02x}:{number & 255:02x}",
        fixed_ips=(FixedIp("s1", f"10.0.{number >> 8}.{number & 255}"),),
        host=host,
    )


def node(host: str) -> NodeRecord:
    return NodeRecord(id=host, tunnel_ip=f"192.0.2.{int(host[1:])}")


def network(id_: str = "n1") -> NetworkRecord:
    return NetworkRecord(id=id_, project_id="demo", vni=7, mtu=1450)


MANAGERS = ("network", "subnet", "port", "node")


class ControlPlane:
    """Managers reduced to what they tell, and the delivery behind them."""

    def __init__(self, nats_url: str = "") -> None:
        self._nats = nats_url
        self.intent = MemoryLog(1)
        self.reports = MemoryLog(1)
        self.sequence_by_kind: dict[str, int] = {}
        self.delivery: Delivery
        self._exchange = Exchange()
        self.others: list[Delivery] = []
        self._config = DeliveryConfig(listen="127.0.0.1:0", nats=nats_url)

    async def tell(self, *told: Record | tuple[str, None], trace: str = "") -> str:
        """Put records (or the keys of those that are gone); return the revision of the last."""
        changes = []
        for each in told:
            if isinstance(each, tuple):
                key, value = each
            else:
                kind = type(each).__name__.removesuffix("Record").lower()
                key, value = records.key(kind, each.id), records.encode(each)
            kind = key.partition("/")[0]
            sequence = self.sequence_by_kind[kind] = self.sequence_by_kind.get(kind, 0) + 1
            changes.append(Change(key, value, sequence, trace))
        await self.intent.put(changes)
        return f"{kind}:{sequence}"

    async def begin(self, *, epoch: int = 1, rebuilt: bool = True, **config: Any) -> None:
        if rebuilt:
            await self.complete()
        self._config = DeliveryConfig(**{"listen": "127.0.0.1:0", "nats": self._nats} | config)
        self.delivery = await start(
            self._config,
            epoch=epoch,
            intent=self.intent,
            reports=self.reports,
            managers=MANAGERS,
            peer_of=self.peer,
        )
        self._serve(self.delivery, epoch)

    def peer(self, delivery: int) -> ProgressPeer:
        """How deliveries ask each other."""
        return self._exchange.peer(ProgressPeer, str(delivery))

    def _serve(self, delivery: Delivery, epoch: int) -> None:
        self._exchange.serve(ProgressPeer, delivery.progress, str(epoch))

    async def another(self, *, epoch: int, intent: MemoryLog | None = None) -> Delivery:
        """One more delivery of the same region; `intent`: what it knows of what tenants want."""
        more = await start(
            DeliveryConfig(listen="127.0.0.1:0", nats=self._nats),
            epoch=epoch,
            intent=intent or self.intent,
            reports=self.reports,
            managers=MANAGERS,
            peer_of=self.peer,
        )
        self._serve(more, epoch)
        self.others.append(more)
        return more

    async def restart(self, *, epoch: int) -> None:
        """Lose the goal log and begin again, on the same port."""
        port = self.delivery.port
        await self.delivery.stop()
        await self.begin(epoch=epoch, listen=f"127.0.0.1:{port}")

    async def complete(self) -> None:
        """Every manager has told all it has."""
        for manager in MANAGERS:
            await self.intent.complete(manager, self.sequence_by_kind.get(manager, 0))

    def goal(self, *names: str) -> dict[str, bytes]:
        """What the slices hold now."""
        return self.goal_of(self.delivery, *names)

    @staticmethod
    def goal_of(delivery: Delivery, *names: str) -> dict[str, bytes]:
        """What the slices hold in one delivery's plan."""
        goal = delivery._pump.planner.goal
        return {key: value for key, value in goal.items() if slice_of(key) in names}


class Host:
    """An agent reduced to what it holds: frames in, entries by key out."""

    def __init__(self, link: ResumingLink) -> None:
        self.link = link
        self.held: dict[str, tuple[int, bytes | None]] = {}  # revision and value
        self.staged: dict[str, set[str]] = {}  # keys sent of a snapshot that is not complete
        self.complete: set[str] = set()
        self.events: list[Frame | Connected | Disconnected] = []
        self.epoch = self.position = 0
        self.acknowledges = True
        self.doubles = False  # takes every frame twice
        self.reads = asyncio.Event()  # while not set, nothing is taken from the connection
        self.reads.set()
        self.changed = asyncio.Condition()

    @property
    def frames(self) -> list[Frame]:
        return [event for event in self.events if isinstance(event, Frame)]

    def living(self) -> dict[str, bytes]:
        return {key: value for key, (_, value) in self.held.items() if value is not None}

    async def run(self) -> None:
        async with aclosing(self.link.events()) as events:
            async for event in events:
                await self.take(event)

    async def take(self, event: Frame | Connected | Disconnected) -> None:
        await self.reads.wait()
        self.events.append(event)
        if isinstance(event, Disconnected):
            self.staged.clear()
            self.complete.clear()
        if isinstance(event, Frame):
            for _ in range(1 + self.doubles):
                self.apply(event)
            if self.acknowledges and not self.staged:
                self.link.report(Report(event.epoch, event.position))
        async with self.changed:
            self.changed.notify_all()

    def apply(self, frame: Frame) -> None:
        if frame.epoch != self.epoch:  # revisions of different epochs are not compared
            self.held = {key: (0, value) for key, (_, value) in self.held.items()}
        self.epoch, self.position = frame.epoch, frame.position
        for name in frame.begins:
            self.staged[name] = set()
        for item in frame.items:
            self.staged.get(slice_of(item.key), set()).add(item.key)
            if item.revision > self.held.get(item.key, (0, None))[0]:
                self.held[item.key] = item.revision, item.value
        for name in frame.completes:
            sent = self.staged.pop(name, None)
            if sent is None:
                continue
            self.held = {
                key: value
                for key, value in self.held.items()
                if slice_of(key) != name or key in sent
            }
        self.complete |= {*frame.completes, *frame.resumes}

    @property
    def cuts(self) -> int:
        return sum(isinstance(event, Disconnected) for event in self.events)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(deadline_s), self.changed:
            await self.changed.wait_for(holds)


class Proxy:
    """A wire that can be cut: it passes bytes, and at most so many towards the hosts."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.passes_max: int | None = None  # bytes towards hosts of one connection, then it is cut
        self._target = target
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._writers |= {writer, up_writer}
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(reader, up_writer, None))
                pumps.create_task(self._pump(up_reader, writer, self.passes_max))
        finally:
            self._writers -= {writer, up_writer}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None
    ) -> None:
        with suppress(ConnectionError):
            while (limit is None or limit > 0) and (data := await reader.read(16_384)):
                writer.write(data)
                await writer.drain()
                limit = None if limit is None else limit - len(data)
        self.cut()


class World:
    """A control plane and its hosts; everything ends with it."""

    def __init__(self, nats_url: str = "") -> None:
        """With `nats_url`, hosts connect by NATS."""
        self.control = ControlPlane(nats_url)
        self._nats_url = nats_url

    def proxy(self) -> Proxy:
        by_nats = self._nats_url.rpartition(":")[2]
        return Proxy(int(by_nats) if by_nats else self.control.delivery.port)

    @asynccontextmanager
    async def host(
        self,
        name: str,
        *slices: str,
        port: int = 0,
        tls: TlsFiles | None = None,
        target: str = "127.0.0.1",
        others: Sequence[int] = (),
    ) -> AsyncIterator[Host]:
        hello = Hello(name, "test", address("192.0.2.9"))
        link: ResumingLink
        if self._nats_url:
            url = f"nats://127.0.0.1:{port}" if port else self._nats_url
            link = NatsLink([url], hello, chance=random)
        else:
            ports = (port or self.control.delivery.port, *others)
            to = [f"{target}:{each}" for each in ports]
            link = GrpcLink(to, hello, chance=lambda: 0.0, tls=tls)
        async with self._running(Host(link), slices or (host_slice(name),)) as host:
            yield host

    @asynccontextmanager
    async def by_nats(
        self,
        name: str,
        url: str,
        credentials: Path | None,
        *slices: str,
        tls: TlsFiles | None = None,
    ) -> AsyncIterator[Host]:
        """A host that connects by NATS with these credentials, or this certificate; `url` is as in
        settings."""
        hello = Hello(name, "test", address("192.0.2.9"))
        link = NatsLink(urls_of(url), hello, chance=random, credentials=credentials, tls=tls)
        async with self._running(Host(link), slices or (host_slice(name),)) as host:
            yield host

    @asynccontextmanager
    async def _running(self, host: Host, slices: Sequence[str]) -> AsyncIterator[Host]:
        for each in slices:
            host.link.subscribe(each)
        running = asyncio.create_task(host.run())
        try:
            yield host
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


Scenario = Callable[[World], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Scenario], None]:
    """Play a scenario in a world of its own, within the deadline."""

    return _player(World)


@pytest.fixture(params=["grpc", "nats"])
def play_by_all(request: pytest.FixtureRequest) -> Callable[[Scenario], None]:
    """The same, once over every transport."""
    if request.param == "grpc":
        return _player(World)
    url = request.getfixturevalue("nats_server").url
    return _player(lambda: World(url))


@pytest.fixture
def play_by_nats(nats_server: Any) -> Callable[[Scenario], None]:
    """Play a scenario with hosts that connect by NATS."""
    return _player(lambda: World(nats_server.url))


def _player(make: Callable[[], World]) -> Callable[[Scenario], None]:
    async def main(scenario: Scenario) -> None:
        world = make()
        try:
            async with asyncio.timeout(deadline_s):
                await scenario(world)
        finally:
            for other in world.control.others:
                await other.stop()
            if hasattr(world.control, "delivery"):
                await world.control.delivery.stop()

    return lambda scenario: asyncio.run(main(scenario))


@pytest.fixture
def record() -> Any:
    """How to make records: network, node and port."""

    class Records:
        pass

    made = Records()
    made.network, made.node, made.port = network, node, port  # type: ignore[attr-defined]
    made.slices = (host_slice, network_slice)  # type: ignore[attr-defined]
    return made
