"""The floor: how long NATS needs to bring the same bytes to as many connections on this machine.

`python -m bench.fleet.floor PORT CONNECTIONS` is a process of subscribers that speak NATS's
protocol as barely as possible; for each line on stdin it tells on stdout when all have a message.
"""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from time import monotonic, sleep
from typing import cast

import nats
import uvloop
from nats.aio.client import Client

from bench.fleet.crowd import agents_per_process_max
from bench.servers import Unexpected, free_port

_ready_s_max = 60.0


class _Subscriber(asyncio.Protocol):
    """One connection with one subscription."""

    def __init__(self, crowd: "_Crowd") -> None:
        self._crowd = crowd
        self._seen = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._transport.write(
            b'CONNECT {"verbose":false,"lang":"floor"}\r\nSUB fleet 1\r\nPING\r\n'
        )

    def data_received(self, data: bytes) -> None:
        *lines, self._seen = (self._seen + data).split(b"\r\n")
        for line in lines:
            if line.endswith(b"end"):
                self._crowd.got()
            elif line == b"PONG":
                self._crowd.ready()
            elif line == b"PING":
                assert self._transport is not None, "connected"
                self._transport.write(b"PONG\r\n")


class _Crowd:
    """The connections of this process."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._ready = self._got = 0
        self.all_ready, self.all_got = asyncio.Event(), asyncio.Event()

    def ready(self) -> None:
        self._ready += 1
        if self._ready == self.count:
            self.all_ready.set()

    def got(self) -> None:
        self._got += 1
        if self._got == self.count:
            self._got = 0
            self.all_got.set()


async def _subscribe(port: int, count: int) -> None:
    crowd, loop = _Crowd(count), asyncio.get_running_loop()
    for _ in range(count):
        await loop.create_connection(lambda: _Subscriber(crowd), "127.0.0.1", port)
    await crowd.all_ready.wait()
    _tell("ready")
    while True:
        await crowd.all_got.wait()
        crowd.all_got.clear()
        _tell(f"{monotonic()}")


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def nats_server(folder: Path, *, jetstream: bool = False) -> Iterator[tuple[int, int]]:
    """The port and the process id of a NATS server that lives as long as the context."""
    port = free_port()
    program = Path(sys.executable).with_name("nats-server")
    with (folder / "nats.log").open("ab") as log:
        argv: list[str | Path] = [program, "-a", "127.0.0.1", "-p", str(port)]
        argv += ["-js", "-sd", folder / "jetstream"] if jetstream else []
        server = subprocess.Popen(argv, stderr=log)
    try:
        _wait_for(port)
        yield port, server.pid
    finally:
        server.kill()
        server.wait()


@contextmanager
def fan_out(folder: Path, connections: int) -> Iterator[Callable[[int], float]]:
    """Seconds from the publish of a message until all have it, by its size in bytes."""
    shares = [
        min(agents_per_process_max, connections - first)
        for first in range(0, connections, agents_per_process_max)
    ]
    subscribers: list[subprocess.Popen[str]] = []
    with nats_server(folder) as (port, _), asyncio.Runner() as runner:
        try:
            for share in shares:
                argv = [sys.executable, "-m", "bench.fleet.floor", str(port), str(share)]
                subscribers.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
            for each in subscribers:
                _line(each)
            client = runner.run(nats.connect(f"nats://127.0.0.1:{port}"))
            yield lambda size: runner.run(_publish(client, size, subscribers))
            runner.run(client.close())
        finally:
            for process in subscribers:
                process.kill()
                process.wait()


async def _publish(
    client: Client, size: int, subscribers: Sequence["subprocess.Popen[str]"]
) -> float:
    began = monotonic()
    await client.publish("fleet", b"." * max(0, size - 3) + b"end")
    await client.flush(timeout=60)
    return max(float(_line(each)) for each in subscribers) - began


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Unexpected("a process of subscribers ended")
    return line


def _wait_for(port: int) -> None:
    end = monotonic() + _ready_s_max
    while True:
        try:
            return create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if monotonic() > end:
                raise
            sleep(0.05)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_subscribe(int(sys.argv[1]), int(sys.argv[2])))
