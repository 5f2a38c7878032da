"""Many agents without switches in one process: `python -m bench.fleet.agents TARGET FIRST COUNT
SHARE`.

Each has a connection of its own, or `SHARE` of them have one to NATS together (`bare_nats.py`). It
follows what its ports lead to, and reports as agents
do: a moment later, as these have to wait for their switches. Lines of JSON on stdin say what to
look for, lines on stdout what was found; times are the monotonic clock's, which all processes of a
machine share.
"""

import asyncio
import sys
from collections.abc import Sequence
from random import random
from time import monotonic
from typing import NamedTuple

import msgspec
import uvloop

from alcor.goal_state.codec import decode
from alcor.goal_state.entries import Port
from alcor.goal_state.slices import group_slice, host_slice, network_slice, slice_of
from alcor.transport.link import Frame, Hello, Report
from alcor.values.addresses import address
from bench.fleet.bare import BareHost
from bench.fleet.bare_grpc import GrpcHost
from bench.fleet.bare_nats import NatsConnection, NatsHost
from bench.fleet.region import host_name, tunnel_ip

connecting_max = 200  # at once: hosts have a processor each, these share one
connections_max = 1 << 63  # numbers to choose from
switch_s = 0.005  # until a switch has taken what came, and its host says so


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Tell when every agent is settled with a port; or, with `within`, when each has been sent
    `count` new entries whose keys have that in them; or, with `at_once`, now, and then it is what
    came since the order before."""

    within: str = ""
    count: int = 0
    at_once: bool = False
    repeats: bool = True  # from now on agents say again, now and then, how far they are


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
        self.order = Order()
        self.settled = 0
        self.frames = self.items = self.content_bytes = 0
        self._missing: dict[Agent, int] = {}
        self._done = asyncio.Event()
        self._taken: dict[Agent, Report] = {}  # not said yet

    async def follow(self, order: Order) -> Found:
        """Wait until it is as the order says."""
        self.order = order
        BareHost.repeat(repeats=order.repeats)
        if not order.at_once:
            self._count_anew()
            self._missing = dict.fromkeys(self.agents, order.count) if order.within else {}
            self._done.clear()
            self.look()
            await self._done.wait()
        found = Found(
            at=monotonic(),
            frames=self.frames,
            items=self.items,
            content_bytes=self.content_bytes,
        )
        self._count_anew()
        return found

    def _count_anew(self) -> None:
        self.frames = self.items = self.content_bytes = 0

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

    def have_said(self, agent: "Agent", report: Report) -> None:
        """Have an agent say how far it is, with all that come to this at about the same time."""
        if not self._taken:
            asyncio.get_running_loop().call_later(switch_s, self._say)
        self._taken[agent] = report

    def _say(self) -> None:
        taken, self._taken = self._taken, {}
        for agent, report in taken.items():
            agent.way.report(report)

    def look(self) -> None:
        """Whether it is as the order says."""
        is_done = not self._missing if self.order.within else self.settled == len(self.agents)
        if is_done:
            self._done.set()


class Agent:
    """One host."""

    def __init__(self, way: BareHost, crowd: Crowd) -> None:
        self.way = way
        self._own = host_slice(way.hello.host)
        self._crowd = crowd
        self._wanted = {self._own}
        self._synced: set[str] = set()
        self._is_settled = False
        way.subscribe(self._own)

    def take(self, frame: Frame) -> None:
        """A frame has come."""
        self._crowd.note(self, frame)
        if len(self._wanted) == 1:  # all ports of a host lead to the same slices
            self._lead(frame)
        self._synced |= {*frame.completes, *frame.resumes}
        for name in frame.refused:  # it is not known yet there that a port leads to it
            self._synced.discard(name)
            self.way.subscribe(name)
        if self._synced >= self._wanted:
            self._crowd.have_said(self, Report(frame.epoch, frame.position))
        is_settled = len(self._wanted) > 1 and self._synced >= self._wanted
        if is_settled != self._is_settled:
            self._is_settled = is_settled
            self._crowd.settled += 1 if is_settled else -1
            self._crowd.look()

    def _lead(self, frame: Frame) -> None:
        for item in frame.items:
            if item.value is None or slice_of(item.key) != self._own:
                continue
            entry = decode(item.key, item.value)
            if isinstance(entry, Port):
                names = [network_slice(entry.network_id), *map(group_slice, entry.security_groups)]
                for name in names:
                    self._wanted.add(name)
                    self.way.subscribe(name)
                return


async def _main(target: str, first: int, count: int, share: int) -> None:
    crowd = Crowd()
    connections = [
        _connection(target, [_hello(n) for n in range(start, min(start + share, first + count))])
        for start in range(first, first + count, share)
    ]
    for way in (way for connection in connections for way in connection.ways):
        crowd.agents.append(agent := Agent(way, crowd))
        way.take = agent.take
    host, _, port = target.rpartition("//")[2].partition(":")
    door = asyncio.Semaphore(max(1, connecting_max // share))
    async with asyncio.TaskGroup() as tasks:
        for connection in connections:
            tasks.create_task(_connect(connection, host, int(port), door))
        await _obey(crowd)
        raise SystemExit


class _Connection(NamedTuple):
    """What speaks on it, and the hosts that do."""

    protocol: asyncio.Protocol
    ways: Sequence[BareHost]


def _connection(target: str, hellos: Sequence[Hello]) -> _Connection:
    if target.startswith("nats://"):
        hosts = [NatsHost(hello, 1 + int(random() * connections_max)) for hello in hellos]
        return _Connection(NatsConnection(hosts), hosts)
    (hello,) = hellos
    host = GrpcHost(hello)
    return _Connection(host, [host])


def _hello(number: int) -> Hello:
    return Hello(host_name(number), "fleet", address(tunnel_ip(number)), lazy=True)


async def _connect(connection: _Connection, host: str, port: int, door: asyncio.Semaphore) -> None:
    async with door:
        await asyncio.get_running_loop().create_connection(lambda: connection.protocol, host, port)
        for way in connection.ways:
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
        runner.run(_main(sys.argv[1], *map(int, sys.argv[2:])))
