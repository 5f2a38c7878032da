"""One seed's world: a region, its clients and its misfortunes, from its beginning to the checks."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import structlog

from alcor.agent.desired.desired import Desired
from alcor.assembly.config import Config
from alcor.assembly.control import Control
from alcor.contracts.convergence import ConvergenceRequest
from alcor.delivery.config import DeliveryConfig
from alcor.keyed_log.log import Entry, KeyedLog
from alcor.keyed_log.memory import MemoryLog
from alcor.managers.elastic_ip.app import ElasticIpSettings
from alcor.managers.ip.app import IpSettings
from alcor.managers.port.app import PortSettings
from alcor.managers.quota.app import QuotaSettings
from alcor.managers.router.app import RouterSettings
from alcor.runtime.calls.nats_wire import NatsWire
from alcor.runtime.ids import IdMaker
from alcor.simulation import roles
from alcor.simulation.clients.api import KINDS, KINDS_TOO, Api, furnish
from alcor.simulation.clients.book import Book
from alcor.simulation.clients.clients import PROJECTS, Client
from alcor.simulation.fakes.broker import Broker
from alcor.simulation.fakes.broker_client import BrokerClient
from alcor.simulation.fakes.calls import Exchange
from alcor.simulation.fakes.clock import Process, Stalled, VirtualLoop
from alcor.simulation.fakes.disks import Disks
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.fakes.told import INTENT, Told
from alcor.simulation.fakes.weather import Weather
from alcor.simulation.faults import Faults
from alcor.simulation.host import Host
from alcor.simulation.laws import laws, recompute
from alcor.simulation.laws.laws import Laws
from alcor.simulation.roles import Role, Surroundings
from alcor.values.errors import Refusal

began_s = 1_700_000_000.0  # since the epoch: when worlds begin
hosts_count, clients_count, deeds_count, pause_s = 3, 4, 16, 1.2
endings_max = 20  # of tasks that begin others as they end
up_s_max, rest_s, converged_s_max = 90.0, 45.0, 120.0
still_s = 5.0  # the end of the rest, in which machines want nothing new

DELIVERIES = ("delivery1", "delivery2")
CONFIG = Config(
    quota=QuotaSettings(network=7, subnet=9, port=30, router=4, security_group=6, floatingip=6),
    ip=IpSettings(sweep_interval_s=4.0, sweep_age_s=4.0),
    port=PortSettings(settle_interval_s=4.0),
    router=RouterSettings(settle_interval_s=4.0),
    elastic_ip=ElasticIpSettings(settle_interval_s=4.0),
    agents=DeliveryConfig(lazy_above=3),
)


@dataclass(frozen=True)
class Parts:
    """What a world is made of where tests put something else: faults planted on purpose."""

    desired: Callable[[str], Desired] = Desired
    spoiled: Mapping[str, Sequence[str]] = field(default_factory=dict)  # see `disks.Disks`
    intent_log: Callable[[KeyedLog], KeyedLog] = lambda log: log  # as managers write it
    faults: bool = True


@dataclass(frozen=True)
class Outcome:
    """What became of one seed."""

    seed: int
    violations: Sequence[str]
    events: Sequence[str]
    digest: str  # of all that happened
    virtual_s: float
    answers: int  # acknowledged writes
    counts: Mapping[str, int]  # of events by kind


def run(seed: int, parts: Parts = Parts()) -> Outcome:
    """Live through the world of a seed. The same seed and code give the same history."""
    with _quiet() as loop:
        world = World(seed, parts, loop)
        try:
            loop.run_until_complete(world.live())
        except Stalled as stalled:
            world.journal.violation("something happens", why=stalled)
        finally:
            world.end()
        journal = world.journal
        return Outcome(
            seed,
            tuple(journal.violations),
            tuple(journal.events),
            journal.digest,
            loop.time(),
            world.book.answers,
            dict(journal.counts),
        )


class World:
    """A region of one seed."""

    def __init__(self, seed: int, parts: Parts, loop: VirtualLoop) -> None:
        self._loop = loop
        chance = Random(seed)

        def another() -> Random:
            return Random(chance.getrandbits(64))

        clock: Callable[[], float] = lambda: began_s + loop.time()  # noqa: E731
        self.journal = Journal(loop.time)
        self.journal.take_logs()
        self.book = Book()
        self.weather = Weather(another())
        self.broker = Broker(self.weather, another(), self.journal)
        self._told = Told(self.journal)
        self.broker.watch_put = self._told.put
        self.exchange = Exchange(self.weather)
        self.disks = Disks(another(), self.journal, parts.spoiled)
        self._new_id = IdMaker(clock, another().getrandbits)
        self._clock, self._audit_chance = clock, another()
        around = Surroundings(
            self.broker,
            self.exchange,
            self.disks,
            self.journal,
            another(),
            clock,
            self._new_id,
            CONFIG,
            parts.intent_log,
        )
        self.managers = Role("managers", around, roles.managers)
        self.deliveries: Sequence[Role] = [
            Role(name, around, roles.delivery) for name in DELIVERIES
        ]
        self._roles = [self.managers, *self.deliveries]
        targets = [roles.address_of(name) for name in DELIVERIES]
        self.hosts: Sequence[Host] = [
            Host(n, another(), self.journal, self.exchange, targets, parts.desired)
            for n in range(1, hosts_count + 1)
        ]
        self._gateway = Process("gateway")
        self._faults = Faults(self, another()) if parts.faults else None
        self._clients_chance = another()

    def processes(self) -> Iterator[Process]:
        """Those that live."""
        yield self._gateway
        roles_and_hosts: list[Role | Host] = [*self._roles, *self.hosts]
        for each in roles_and_hosts:
            if each.process is not None:
                yield each.process

    async def live(self) -> None:
        """From nothing to rest, and the checks."""
        for role in self._roles:
            role.start()
        for host in self.hosts:
            host.start()
        work = self._gateway.start(self._work(), "clients")
        await work

    async def _work(self) -> None:
        client = BrokerClient(self.broker, self._gateway)
        wire = NatsWire(await client.open())
        await wire.open()
        api = Api(wire)
        if not await self._up():
            return
        await furnish(api, self.book)
        misfortune = asyncio.ensure_future(self._faults.run()) if self._faults else None
        clients = [
            Client(
                f"c{n}",
                PROJECTS[n % len(PROJECTS)],
                api,
                self.book,
                self.hosts,
                Random(self._clients_chance.getrandbits(64)),
                self.journal,
            )
            for n in range(clients_count)
        ]
        await asyncio.gather(*(each.run(deeds_count, pause_s) for each in clients))
        if misfortune is not None:
            misfortune.cancel()
        await self._rest()
        if await self._up():
            await self._check(api)

    async def _up(self) -> bool:
        """Wait until every role does its work."""
        give_up = self._loop.time() + up_s_max
        while not all(role.up for role in self._roles):
            if self._loop.time() > give_up:
                self.journal.violation("roles come up again by themselves")
                return False
            await asyncio.sleep(0.25)
        return True

    async def _rest(self) -> None:
        """Let everything end that was begun, with nothing in its way."""
        self.journal.note("rest")
        if self._faults is not None:
            self._faults.end()
        for each in self._roles:
            each.start()
        for host in self.hosts:
            if host.process is None:
                host.start()
        await asyncio.sleep(rest_s - still_s)
        for host in self.hosts:
            host.machines_want = False  # what they want just before a look has not come yet
        await asyncio.sleep(still_s)

    async def _check(self, api: Api) -> None:
        self.journal.note("checks")
        await self._converged(api)
        documents = {
            kind: {each["id"]: each for each in await api.list_all(kind)}
            for kind in (*KINDS, *KINDS_TOO)
        }
        intent = await self._intent()
        held = Laws(self.journal, intent)
        held.nothing_twice()
        held.no_orphan()
        held.none_leaked(self.disks)
        held.usage_exact(self.disks)
        held.as_acknowledged(self.book, documents)
        held.ports_told(documents, self.hosts)
        laws.same_intent(self.journal, intent, self._told_intent())
        goal = recompute.goal_of(intent, CONFIG.agents, self._audit_chance)
        for host in self.hosts:
            laws.same_flows(self.journal, host, recompute.flows_of(host, goal))

    async def _converged(self, api: Api) -> None:
        """Whoever waits for the last acknowledged writes is told that hosts have them."""
        for manager, sequence in sorted(self.book.last_by_manager.items()):
            revision = f"{manager}:{sequence}"
            request = ConvergenceRequest(revision=revision, timeout_s=converged_s_max)
            try:
                reply = await api.convergence.wait(request)
            except Refusal as refusal:
                self.journal.violation("writes converge", revision=revision, why=refusal)
                continue
            if not reply.converged:
                lagging = [each.host for each in reply.hosts]
                self.journal.violation("writes converge", revision=revision, lagging=lagging)

    async def _intent(self) -> dict[str, Entry]:
        """What the managers have saved, read anew."""
        log = MemoryLog(1)
        control = Control(self.disks, log, MemoryLog(1), CONFIG, self._clock, self._new_id)
        return await recompute.intent_of(control.relays, log)

    def _told_intent(self) -> dict[str, Entry]:
        """What the intent log holds."""
        return self._told.records(self.broker.streams[INTENT])

    def end(self) -> None:
        """Clear everything away, so that nothing of this world is left for the next."""
        everybody = [
            *(process for role in self._roles for process in role.processes),
            *(process for host in self.hosts for process in host.processes),
            self._gateway,
        ]
        self.journal.is_closed = True
        self._loop.run_until_complete(_clear(everybody))
        self.disks.close()


async def _clear(everybody: Sequence[Process]) -> None:
    """End every task, also of those that were killed."""
    for process in everybody:
        process.bury()
    for _ in range(endings_max):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)


@contextmanager
def _quiet() -> Iterator[VirtualLoop]:
    """A loop of virtual time, without the garbage collector: it comes when it likes."""
    loop = VirtualLoop()
    loop.set_exception_handler(lambda *_: None)  # of tasks that nobody waits for; they log
    asyncio.set_event_loop(loop)
    before = structlog.get_config()
    was_enabled = gc.isenabled()
    gc.disable()
    gc.collect()  # the world before; its last names went after its own end
    gc.freeze()  # what was there before is not looked through afterwards
    try:
        yield loop
    finally:
        structlog.configure(**before)
        asyncio.set_event_loop(None)
        loop.close()
        if was_enabled:
            gc.enable()
        gc.unfreeze()
