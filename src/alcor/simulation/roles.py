"""The control plane's roles, as `assembly.roles` runs them, on a simulated server and disks.

A role that fails is started again, as a supervisor would do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from msgspec.structs import replace

from alcor.assembly.config import Config
from alcor.assembly.control import Control
from alcor.assembly.role import Region
from alcor.contracts.convergence import ConvergencePeer
from alcor.contracts.progress import ProgressPeer
from alcor.delivery import app
from alcor.intent.records import MANAGERS
from alcor.keyed_log.log import KeyedLog
from alcor.runtime.calls.rpc import answers, far_peer
from alcor.runtime.clock import NewId, Seconds
from alcor.runtime.tasks import TaskFailed
from alcor.simulation.fakes.broker import Broker
from alcor.simulation.fakes.broker_client import BrokerClient
from alcor.simulation.fakes.calls import Exchange
from alcor.simulation.fakes.clock import OUTSIDE, Process
from alcor.simulation.fakes.disks import Disks
from alcor.simulation.fakes.journal import Journal

start_again_s = 0.5
Main = Callable[["Role", Region], Awaitable[None]]


@dataclass
class Surroundings:
    """What all roles of a region share."""

    broker: Broker
    exchange: Exchange
    disks: Disks
    journal: Journal
    chance: Random
    clock: Seconds
    new_id: NewId
    config: Config
    intent_log: Callable[[KeyedLog], KeyedLog]  # as managers write it


class Role:
    """A process that is started again whenever it is gone."""

    def __init__(self, name: str, around: Surroundings, main: Main) -> None:
        self.name = name
        self.around = around
        self.process: Process | None = None
        self.up = False  # whether it does its work
        self.processes: list[Process] = []  # that it ever was
        self._main = main
        self._starts = 0

    def start(self) -> None:
        """Start it, if it does not run."""
        if self.process is None:
            self._starts += 1
            self.process = process = Process(self.name)
            self.processes.append(process)
            self.around.journal.note("role.start", role=self.name)
            process.start(self._run(process), f"{self.name}-main")

    def kill(self) -> None:
        """As by SIGKILL."""
        if self.process is not None:
            self.around.journal.note("role.kill", role=self.name)
            self.process.kill()
            self.around.exchange.cut_process(self.process)
            self.around.broker.cut_process(self.process)
            self.process, self.up = None, False

    async def _run(self, process: Process) -> None:
        client = await BrokerClient(self.around.broker, process).open()
        region = Region(client, self.around.clock)
        await region.wire.open()
        region.tasks.start(self._work(region), "main")
        try:
            await region.tasks.failure()
        except TaskFailed as failed:
            self.around.journal.note("role.failed", part=failed, why=repr(failed.__cause__))
        loop = asyncio.get_running_loop()
        loop.call_soon(self._fail, process, context=OUTSIDE.copy())

    async def _work(self, region: Region) -> None:
        await self._main(self, region)
        self.up = True
        self.around.journal.note("role.up", role=self.name)
        await asyncio.get_running_loop().create_future()

    def _fail(self, process: Process) -> None:
        """It has ended by itself: start it again soon."""
        if self.process is process:
            self.kill()
            asyncio.get_running_loop().call_later(start_again_s, self.start)


def address_of(delivery: str) -> str:
    """Where a delivery listens for hosts."""
    return f"{delivery}:1"


async def managers(role: Role, region: Region) -> None:
    """Keep the databases."""
    around = role.around
    intent, reports = around.intent_log(region.log("intent")), region.log("reports")
    control = Control(around.disks, intent, reports, around.config, around.clock, around.new_id)
    await control.lead()
    await control.start(region.tasks)
    await region.wire.serve(control.calls)


async def delivery(role: Role, region: Region) -> None:
    """Plan, and serve hosts."""
    around = role.around
    assert role.process is not None
    intent, reports = region.log("intent"), region.log("reports")
    id_ = region.epoch << 16 | around.chance.getrandbits(16)  # as `clock.life_number`
    serving = await app.start(
        replace(around.config.agents, listen=address_of(role.name)),
        epoch=id_,
        intent=intent,
        reports=reports,
        managers=MANAGERS,
        peer_of=lambda other: far_peer(ProgressPeer, region.wire, str(other)),
        server=around.exchange.listener(role.process),
        clock=around.clock,
    )
    calls = answers(ConvergencePeer, serving.convergence)
    await region.wire.serve(calls | answers(ProgressPeer, serving.progress, str(id_)))
    region.tasks.start(serving.failure(), "delivery")
