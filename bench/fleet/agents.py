"""Many agents without switches in one process: `python -m bench.fleet.agents TARGET FIRST COUNT`.

Each has a connection of its own, follows what its ports lead to, and reports as agents do. Lines of
JSON on stdin say what to look for, lines on stdout what was found; times are the monotonic clock's,
which all processes of a machine share.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import aclosing
from random import random
from time import monotonic

import msgspec
import uvloop

from alcor.goal_state.codec import decode
from alcor.goal_state.entries import Port
from alcor.goal_state.slices import group_slice, host_slice, network_slice, slice_of
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Connected, Disconnected, Frame, Hello, Link, Report
from alcor.transport.nats_client import NatsLink
from alcor.values.addresses import address

connecting_max = 200  # at once: hosts have a processor each, these share one


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


class Agent:
    """One host."""

    def __init__(self, host: str, link: Link, crowd: Crowd) -> None:
        self._own = host_slice(host)
        self._link = link
        self._crowd = crowd
        self._wanted = {self._own}
        self._synced: set[str] = set()
        self._is_settled = False

    async def run(self) -> None:
        """Follow goal state, for ever."""
        self._link.subscribe(self._own)
        async with aclosing(self._link.events()) as events:  # type: ignore[type-var]
            async with self._crowd.door:
                while not isinstance(await anext(events), Connected):
                    pass
            async for event in events:
                if isinstance(event, Disconnected):
                    self._synced.clear()
                if isinstance(event, Frame):
                    self._take(event)

    def _take(self, frame: Frame) -> None:
        self._crowd.note(self, frame)
        for item in frame.items:
            if item.value is not None and slice_of(item.key) == self._own:
                self._lead(item.key, item.value)
        self._synced |= {*frame.completes, *frame.resumes}
        for name in frame.refused:  # it is not known yet there that a port leads to it
            self._synced.discard(name)
            self._link.subscribe(name)
        if self._synced >= self._wanted:
            self._link.report(Report(frame.epoch, frame.position))
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
                self._link.subscribe(name)


async def _main(target: str, first: int, count: int) -> None:
    crowd = Crowd()
    link_of = _nats(target) if target.startswith("nats:") else _grpc(target)
    async with asyncio.TaskGroup() as tasks:
        for number in range(first, first + count):
            host = f"f{number}"
            crowd.agents.append(Agent(host, link_of(host, number), crowd))
        for agent in crowd.agents:
            tasks.create_task(agent.run())
        await _obey(crowd)
        raise SystemExit


def _grpc(target: str) -> Callable[[str, int], Link]:
    def link_of(host: str, number: int) -> Link:
        return GrpcLink([target], _hello(host, number), chance=random)

    return link_of


def _nats(target: str) -> Callable[[str, int], Link]:
    def link_of(host: str, number: int) -> Link:
        return NatsLink([target], _hello(host, number), chance=random)

    return link_of


def _hello(host: str, number: int) -> Hello:
    return Hello(host, "fleet", address(f"172.16.{number >> 8}.{number & 255}"))


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
