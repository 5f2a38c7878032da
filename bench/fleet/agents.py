"""Many agents without switches in one process: `python -m bench.fleet.agents TARGET FIRST COUNT`.

Each has a connection of its own, follows what its ports lead to, and reports as agents do: by gRPC
through the agent's own link, by NATS as barely as that goes (`bare.py`). Lines of JSON on stdin say
what to look for, lines on stdout what was found; times are the monotonic clock's, which all
processes of a machine share.
"""

import asyncio
import sys
from collections.abc import Iterable
from contextlib import aclosing
from random import random
from time import monotonic
from typing import Protocol

import msgspec
import uvloop

from alcor.goal_state.codec import decode
from alcor.goal_state.entries import Port
from alcor.goal_state.slices import group_slice, host_slice, network_slice, slice_of
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Connected, Disconnected, Frame, Hello, Report
from alcor.values.addresses import address
from bench.fleet.bare import BareHost

connecting_max = 200  # at once: hosts have a processor each, these share one
connections = 1 << 63  # numbers to choose from


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Tell when every agent is settled with a port; or, with `within`, when each has been sent
    `count` new entries whose keys have that in them."""

    within: str = ""
    count: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """It is so since `at`; what came to all agents since the order was given."""

    at: float
    frames: int
    items: int
    content_bytes: int  # of keys and values


class Crowd:
    """What the agents of this process have been sent, together."""

    def __init__(self) -> None:
        self.agents: list[Agent] = []
        self.door = asyncio.Semaphore(connecting_max)
        self.order = Order()
        self.settled = 0
        self.frames = self.items = self.content_bytes = 0
        self._missing: dict[Agent, int] = {}
        self._done = asyncio.Event()

    async def follow(self, order: Order) -> Found:
        """Wait until it is as the order says."""
        self.order = order
        self.frames = self.items = self.content_bytes = 0
        self._missing = dict.fromkeys(self.agents, order.count) if order.within else {}
        self._done.clear()
        self.look()
        await self._done.wait()
        return Found(
            at=monotonic(),
            frames=self.frames,
            items=self.items,
            content_bytes=self.content_bytes,
        )

    def note(self, agent: "Agent", frame: Frame) -> None:
        """A frame has come to an agent."""
        self.frames += 1
        self.items += len(frame.items)
        for item in frame.items:
            self.content_bytes += len(item.key) + len(item.value or b"")
            if agent in self._missing and self.order.within in item.key:
                self._missing[agent] -= 1
                if not self._missing[agent]:
                    del self._missing[agent]
                    self.look()

    def look(self) -> None:
        """Whether it is as the order says."""
        is_done = not self._missing if self.order.within else self.settled == len(self.agents)
        if is_done:
            self._done.set()


class Way(Protocol):
    """How an agent speaks to the control plane."""

    def subscribe(self, name: str) -> None: ...

    def report(self, report: Report) -> None: ...


class Agent:
    """One host."""

    def __init__(self, hello: Hello, way: Way, crowd: Crowd) -> None:
        self._way = way
        self._own = host_slice(hello.host)
        self._crowd = crowd
        self._wanted = {self._own}
        self._synced: set[str] = set()
        self._is_settled = False
        way.subscribe(self._own)

    def forget(self) -> None:
        """The connection is lost: nothing is up to date."""
        self._synced.clear()

    def take(self, frame: Frame) -> None:
        """A frame has come."""
        self._crowd.note(self, frame)
        for item in frame.items:
            if item.value is not None and slice_of(item.key) == self._own:
                self._lead(item.key, item.value)
        self._synced |= {*frame.completes, *frame.resumes}
        for name in frame.refused:  # it is not known yet there that a port leads to it
            self._synced.discard(name)
            self._way.subscribe(name)
        if self._synced >= self._wanted:
            self._way.report(Report(frame.epoch, frame.position))
        is_settled = len(self._wanted) > 1 and self._synced >= self._wanted
        if is_settled != self._is_settled:
            self._is_settled = is_settled
            self._crowd.settled += 1 if is_settled else -1
            self._crowd.look()

    def _lead(self, key: str, value: bytes) -> None:
        entry = decode(key, value)
        if isinstance(entry, Port):
            names = [network_slice(entry.network_id), *map(group_slice, entry.security_groups)]
            for name in names:
                self._wanted.add(name)
                self._way.subscribe(name)


async def _main(target: str, first: int, count: int) -> None:
    crowd = Crowd()
    hosts = [_hello(number) for number in range(first, first + count)]
    async with asyncio.TaskGroup() as tasks:
        if target.startswith("nats://"):
            tasks.create_task(_connect(crowd, hosts, target.removeprefix("nats://")))
        else:
            for hello in hosts:
                link = GrpcLink([target], hello, chance=random)
                crowd.agents.append(agent := Agent(hello, link, crowd))
                tasks.create_task(_follow(agent, link, crowd.door))
        await _obey(crowd)
        raise SystemExit


def _hello(number: int) -> Hello:
    return Hello(f"f{number}", "fleet", address(f"172.16.{number >> 8}.{number & 255}"))


async def _follow(agent: Agent, link: GrpcLink, door: asyncio.Semaphore) -> None:
    """Have the agent take what comes by gRPC, for ever."""
    async with aclosing(link.events()) as events:
        async with door:
            while not isinstance(await anext(events), Connected):
                pass
        async for event in events:
            if isinstance(event, Disconnected):
                agent.forget()
            if isinstance(event, Frame):
                agent.take(event)


async def _connect(crowd: Crowd, hosts: Iterable[Hello], target: str) -> None:
    """Connect agents to NATS."""
    address_, _, port = target.partition(":")
    ways = [BareHost(hello, 1 + int(random() * connections)) for hello in hosts]
    for way in ways:
        crowd.agents.append(agent := Agent(way.hello, way, crowd))
        way.take = agent.take
    async with asyncio.TaskGroup() as tasks:
        for way in ways:
            tasks.create_task(_open(way, address_, int(port), crowd.door))


async def _open(way: BareHost, address_: str, port: int, door: asyncio.Semaphore) -> None:
    async with door:
        await asyncio.get_running_loop().create_connection(lambda: way, address_, port)
        await way.let_in.wait()


async def _obey(crowd: Crowd) -> None:
    """Follow one order after the other, until there are no more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        found = await crowd.follow(msgspec.json.decode(line, type=Order))
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
