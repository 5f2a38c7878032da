"""The load generator: keep-alive HTTP/1.1 connections that each ask again when answered.

Lean on purpose, and a process of its own (`python -m bench.api.load`), so that it is not what is
measured: it composes every request beforehand and reads of an answer the status and the length.
Jobs come as JSON, a line each; so do outcomes go.
"""

import asyncio
import gc
import subprocess
import sys
from collections.abc import Sequence
from time import perf_counter
from typing import Self

import msgspec
import uvloop

from bench.servers import Unexpected

job_timeout_s = 600.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Ask `count` times over `connections` connections, taking the targets in turn; with `bodies`,
    of which there is one for each target, instead of `body`."""

    port: int  # of 127.0.0.1
    targets: list[str]  # path and query
    method: str = "GET"
    body: str = ""
    bodies: list[str] = []
    headers: dict[str, str] = {}
    connections: int = 1
    count: int = 100


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a job."""

    seconds: float  # from the first request to the last answer
    latencies_s: list[float]  # of each request, in order of size
    statuses: dict[int, int]
    sample: str  # the body of the first answer


def checked(outcome: Outcome, *statuses: int, what: str = "") -> Outcome:
    """The outcome, if all answers have one of these statuses; else `Unexpected`."""
    if not outcome.statuses.keys() <= set(statuses):
        raise Unexpected(f"{what}: {outcome.statuses} {outcome.sample[:300]}")
    return outcome


class Failed(Exception):
    """A server closed the connection, or answered in a way that this client does not read."""


def compose(job: Job) -> list[bytes]:
    """The bytes of each different request of a job."""
    bodies = job.bodies or [job.body] * len(job.targets)
    return [_composed(job, t, body.encode()) for t, body in zip(job.targets, bodies, strict=True)]


def _composed(job: Job, target: str, body: bytes) -> bytes:
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **job.headers}
    if body:
        headers["Content-Type"] = "application/json"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{job.method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


class _Run:
    """One job under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.latencies: list[float] = []
        self.statuses: dict[int, int] = {}
        self.sample: bytes | None = None
        self.started_at = 0.0
        self.finished = asyncio.get_running_loop().create_future()
        self._requests = compose(job)
        self._taken = 0

    def begin(self, connections: Sequence["_Connection"]) -> None:
        """All connections stand: start the clock and ask."""
        self.started_at = perf_counter()
        for connection in connections:
            connection.ask()

    def take(self) -> bytes | None:
        """The next request, if one is left."""
        if self._taken == self.job.count:
            return None
        self._taken += 1
        return self._requests[self._taken % len(self._requests)]

    def answered(self, status: int, took_s: float) -> None:
        """Note an answer; the last one ends the run."""
        self.latencies.append(took_s)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if len(self.latencies) == self.job.count:
            self.finished.set_result(perf_counter() - self.started_at)

    def failed(self, why: str) -> None:
        """End the run in failure, unless it has ended."""
        if not self.finished.done():
            self.finished.set_exception(Failed(why))


class _Connection(asyncio.Protocol):
    """One connection: at most one request under way. A server that closes it is called again."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = bytearray()
        self._length = -1  # of the whole answer; negative until its head is here
        self._status = 0
        self._asked_at = 0.0
        self._waiting = False  # for an answer
        self._kept = True  # by the server, after the answer
        self._again: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(
            lambda: self, "127.0.0.1", self._run.job.port
        )

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._run.failed(f"the server closed a connection: {exc or 'no reason given'}")

    def ask(self) -> None:
        """Send the next request, if one is left."""
        request = self._run.take()
        if request is None:
            return
        self._asked_at = perf_counter()
        if self._kept:
            self._send(request)
        else:
            self._again = asyncio.create_task(self._open_and_ask(request))

    async def _open_and_ask(self, request: bytes) -> None:
        self._transport.close()
        try:
            await self.open()
        except OSError as problem:
            self._run.failed(f"the server takes no connection any more: {problem}")
            return
        self._send(request)

    def _send(self, request: bytes) -> None:
        self._waiting = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._length < 0:
            self._read_head()
        if 0 <= self._length <= len(self._received):
            self._answer_is_here()

    def _read_head(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        self._status = int(head[9:12])
        self._kept = b"\r\nconnection: close" not in head
        at = head.find(b"\r\ncontent-length:")
        if at < 0 and self._status != 204:
            self._run.failed("an answer came without its length")
            return
        length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        self._length = end + 4 + length

    def _answer_is_here(self) -> None:
        took_s = perf_counter() - self._asked_at
        self._waiting = False
        if self._run.sample is None:
            self._run.sample = bytes(self._received[self._received.find(b"\r\n\r\n") + 4 :])
        self._received.clear()
        self._length = -1
        self._run.answered(self._status, took_s)
        self.ask()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


async def carry_out(job: Job) -> Outcome:
    """Do a job; `Failed` when a connection is lost, `TimeoutError` after ten minutes."""
    run = _Run(job)
    connections = [_Connection(run) for _ in range(job.connections)]
    for connection in connections:
        await connection.open()
    try:
        run.begin(connections)
        seconds = await asyncio.wait_for(run.finished, job_timeout_s)
    finally:
        for connection in connections:
            connection.close()
    return Outcome(
        seconds=seconds,
        latencies_s=sorted(run.latencies),
        statuses=run.statuses,
        sample=(run.sample or b"").decode(),
    )


def main() -> None:
    """Carry out the jobs that come by standard input, until it ends."""
    gc.disable()  # a job is short, and a collection would count as the server's time
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin.buffer:
            outcome = runner.run(carry_out(msgspec.json.decode(line, type=Job)))
            sys.stdout.buffer.write(msgspec.json.encode(outcome) + b"\n")
            sys.stdout.buffer.flush()


class LoadGenerator:
    """A running load generator; use it as a context."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.api.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def run(self, job: Job) -> Outcome:
        """Do a job; `Failed` when the generator died of it (it said why on standard error)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(job) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise Failed("the load generator has died")
        return msgspec.json.decode(line, type=Outcome)

    def __exit__(self, *problem: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


if __name__ == "__main__":
    main()
