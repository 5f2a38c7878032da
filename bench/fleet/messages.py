"""What NATS bears: rate, memory, processor time by number of subjects, connections and consumers.

Raw protocol on plain sockets, so that it is the server that is measured.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import nats
import uvloop
from nats.js.api import AckPolicy, ConsumerConfig, StorageType, StreamConfig

from bench.fleet import floor
from bench.run import Bench
from bench.servers import cpu_s, memory_bytes
from bench.tables import Row, Section, rate

_messages = 50_000
_streamed = 5_000
_body = b"." * 200
_consumer_s_max = 600.0
_burst = 500  # messages written at once


class _Found(NamedTuple):
    """What a number of something cost the server."""

    what: str
    rate: float  # messages delivered a second
    cpu_us: float  # a message
    memory: int  # bytes, beyond an idle server's


def messages(bench: Bench) -> list[Section]:
    """Subjects, connections, consumers: each with numbers that grow."""
    subjects = (100, 10_000) if bench.quick else (100, 10_000, 100_000, 1_000_000)
    connections = (10, 100) if bench.quick else (10, 1_000, 10_000)
    consumers = (1, 10) if bench.quick else (1, 100, 1_000)
    found = [
        *(_measured(bench, f"{n:,} subjects, 1 connection", _subjects, n) for n in subjects),
        *(_measured(bench, f"{n:,} connections", _connections, n) for n in connections),
        *(_measured(bench, f"{n:,} consumers of a stream", _consumers, n) for n in consumers),
    ]
    about = (
        f"One NATS server, messages of {len(_body)} bytes, each to one subscriber: subjects all "
        "subscribed by one connection, or by one connection each; and a JetStream stream in "
        "memory, of which every consumer wants its own subject. Rates are those of one publisher "
        "and one reader in Python on the same two processors. Memory is what the server grew by; "
        "it and the processor time are with what setting up took."
    )
    columns = ["number", "delivered", "server's CPU a message", "memory"]
    rows = [
        Row(
            cells=[f.what, rate(f.rate), f"{f.cpu_us:.1f} us", f"{f.memory / 2**20:.0f} MiB"],
            values={"rate": f.rate, "cpu_us": f.cpu_us, "memory": float(f.memory)},
        )
        for f in found
    ]
    title = "What NATS bears"
    return [Section(title=title, about=about, columns=columns, rows=rows)]


_Work = Callable[["_Server", int], Awaitable[tuple[int, float]]]


class _Server(NamedTuple):
    """The server under measurement."""

    port: int
    pid: int


def _measured(bench: Bench, what: str, work: _Work, number: int) -> _Found:
    bench.tell(what)
    folder = Path(bench.folder / what.replace(" ", "-").replace(",", ""))
    folder.mkdir()
    with floor.nats_server(folder, jetstream=True) as (port, pid):
        before = memory_bytes(pid)

        async def main() -> _Found:
            cpu = cpu_s(pid)
            count, took = await work(_Server(port, pid), number)
            used = cpu_s(pid) - cpu
            memory = memory_bytes(pid) - before
            return _Found(what, count / took, used / count * 1e6, memory)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(main())


class _Raw:
    """A connection that speaks NATS's protocol, barely."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "_Raw":
        """Connect."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        await reader.readline()  # INFO
        writer.write(b'CONNECT {"verbose":false}\r\n')
        return cls(reader, writer)

    async def settled(self) -> None:
        """Wait until the server has taken what was written."""
        self.writer.write(b"PING\r\n")
        await self.writer.drain()
        while await self.reader.readline() != b"PONG\r\n":
            pass

    async def count(self, messages: int) -> None:
        """Read until so many messages have come."""
        while messages:
            data = await self.reader.read(1 << 20)
            if not data:
                raise ConnectionError("the server hung up")
            messages -= data.count(b"MSG ")


async def _subjects(server: _Server, number: int) -> tuple[int, float]:
    reader, writer = await _Raw.open(server.port), await _Raw.open(server.port)
    for start in range(0, number, 10_000):
        numbers = range(start, min(number, start + 10_000))
        reader.writer.write(b"".join(b"SUB s.%d %d\r\n" % (n, n) for n in numbers))
        await reader.settled()
    return await _flow(writer, number, reader.count(_messages))


async def _connections(server: _Server, number: int) -> tuple[int, float]:
    writer = await _Raw.open(server.port)
    readers = []
    for n in range(number):
        raw = await _Raw.open(server.port)
        raw.writer.write(b"SUB s.%d 1\r\n" % n)
        await raw.settled()
        readers.append(raw)
    shares = [_messages // number + (n < _messages % number) for n in range(number)]
    counts = (raw.count(share) for raw, share in zip(readers, shares, strict=True))
    return await _flow(writer, number, asyncio.gather(*counts))


async def _flow(writer: _Raw, number: int, counted: Awaitable[object]) -> tuple[int, float]:
    """Publish to the subjects in turn until all has come; how many, in how many seconds."""
    counting, began = asyncio.ensure_future(counted), monotonic()
    for start in range(0, _messages, _burst):
        numbers = (n % number for n in range(start, min(_messages, start + _burst)))
        parts = [b"PUB s.%d %d\r\n%b\r\n" % (n, len(_body), _body) for n in numbers]
        writer.writer.write(b"".join(parts))
        await writer.writer.drain()
    await counting
    return _messages, monotonic() - began


async def _consumers(server: _Server, number: int) -> tuple[int, float]:
    client = await nats.connect(f"nats://127.0.0.1:{server.port}")
    jetstream = client.jetstream(timeout=60)
    config = StreamConfig(name="fleet", subjects=["s.>"], storage=StorageType.MEMORY)
    await jetstream.add_stream(config)
    came, arrived = asyncio.Event(), 0

    async def take(_: object) -> None:
        nonlocal arrived
        arrived += 1
        if arrived == _streamed:
            came.set()

    for n in range(number):
        await client.subscribe(f"came.{n}", cb=take)
        wanted = ConsumerConfig(
            deliver_subject=f"came.{n}",
            filter_subject=f"s.{n}",
            ack_policy=AckPolicy.NONE,
            inactive_threshold=_consumer_s_max,
            mem_storage=True,
        )
        await jetstream.add_consumer("fleet", wanted)
    began = monotonic()
    for n in range(_streamed):
        await client.publish(f"s.{n % number}", _body)
        if n % _burst == 0:
            await client.flush(timeout=60)
    await came.wait()
    took = monotonic() - began
    await client.close()
    return _streamed, took
