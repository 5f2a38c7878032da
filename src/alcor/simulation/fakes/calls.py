"""gRPC between hosts and the delivery, without sockets: one `Watch` call is two lines.

As with gRPC: who hangs up, dies or is cut off ends the call; the server's handler is cancelled, the
client's reading raises `AioRpcError`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import grpc
import structlog

from alcor.simulation.fakes.clock import Process
from alcor.simulation.fakes.weather import Line, Weather

Metadata = Sequence[tuple[str, str]]
_log = structlog.get_logger(__name__)
_Ended = tuple[grpc.StatusCode, str]


class Exchange:
    """Who listens, and which calls go on."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.servers: dict[str, CallServer] = {}  # by the address that they listen on
        self._calls: list[Call] = []

    def listener(self, process: Process) -> grpc.aio.Server:
        """What the process serves hosts with."""
        return cast(grpc.aio.Server, CallServer(self, process))

    def opener(self, process: Process) -> Callable[[str], grpc.aio.Channel]:
        """What a host's process opens its channels with."""
        return lambda target: cast(grpc.aio.Channel, Channel(self, process, target))

    def cut_process(self, process: Process) -> None:
        """All calls of a process end: it has died, or its connections were lost."""
        for call in [each for each in self._calls if process in (each.client, each.server)]:
            call.break_off()
        if process.dead:
            self.servers = {a: s for a, s in self.servers.items() if s.process is not process}

    def opened(self, call: "Call") -> None:
        self._calls.append(call)

    def over(self, call: "Call") -> None:
        if call in self._calls:
            self._calls.remove(call)


class CallServer:
    """As much of `grpc.aio.Server` as the product uses."""

    def __init__(self, exchange: Exchange, process: Process) -> None:
        self.process = process
        self._exchange = exchange
        self._handlers: list[Any] = []
        self._address = ""

    def add_generic_rpc_handlers(self, handlers: Sequence[Any]) -> None:
        self._handlers += handlers

    def add_insecure_port(self, address: str) -> int:
        self._address = address
        return int(address.rpartition(":")[2])

    async def start(self) -> None:
        self._exchange.servers[self._address] = self

    async def stop(self, grace: float | None) -> None:
        self._exchange.servers.pop(self._address, None)
        self._exchange.cut_process(self.process)

    def handler(self, method: str) -> Callable[..., Awaitable[None]]:
        details = cast(grpc.HandlerCallDetails, SimpleNamespace(method=method))
        found = [each.service(details) for each in self._handlers]
        served: Callable[..., Awaitable[None]] = found[0].stream_stream
        return served


class Channel:
    """As much of `grpc.aio.Channel` as a link uses."""

    def __init__(self, exchange: Exchange, process: Process, target: str) -> None:
        self._exchange, self._process, self._target = exchange, process, target

    async def __aenter__(self) -> "Channel":
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def stream_stream(self, method: str, *_: object) -> Callable[[None], "Call"]:
        return lambda _: Call(self._exchange, self._process, self._target, method)


class Call:
    """One call, as the client has it; the server's end is `_Context`."""

    def __init__(self, exchange: Exchange, client: Process, target: str, method: str) -> None:
        self.client = client
        self.server: Process | None = None
        self.is_over = False
        self._exchange, self._target, self._method = exchange, target, method
        self._up: Line | None = None
        self._down: Line | None = None
        self._said: deque[bytes] = deque()  # before there was a server
        self._received: deque[bytes] = deque()
        self._headers: Metadata | None = None
        self._ended: _Ended | None = None
        self._changed = asyncio.Event()
        self._context: _Context | None = None
        exchange.opened(self)
        to_server = Line(exchange.weather, client.name, client)
        to_server.send(self._arrive)

    def _arrive(self) -> None:
        """The server is reached, if there is one."""
        server, weather = self._exchange.servers.get(self._target), self._exchange.weather
        now = asyncio.get_running_loop().time()
        if self.is_over:
            return
        if server is None or weather.away_until_s(server.process.name, self.client.name) > now:
            self._end(grpc.StatusCode.UNAVAILABLE, "nobody listens")
            return
        self.server = server.process
        self._up = Line(weather, self.client.name, self.server)
        self._down = Line(weather, self.server.name, self.client)
        self._context = context = _Context(self, self._down)
        self._up.send(context.begin, server.handler(self._method))
        while self._said:
            self._up.send(context.take, self._said.popleft())

    # The client's side

    async def write(self, data: bytes) -> None:
        if self._ended is not None:
            raise _error(*self._ended)
        if self._up is None or self._context is None:
            self._said.append(data)
        else:
            self._up.send(self._context.take, data)

    async def initial_metadata(self) -> Metadata:
        while self._headers is None and self._ended is None:
            await self._change()
        return self._headers or ()

    async def read(self) -> bytes:
        async for data in self:
            return data
        raise _error(grpc.StatusCode.OK, "the call is over")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._received:
                yield self._received.popleft()
            if self._ended is not None:
                if self._ended[0] is grpc.StatusCode.OK:
                    return
                raise _error(*self._ended)
            await self._change()

    def cancel(self) -> None:
        """The client hangs up: the server hears of it later."""
        if not self.is_over:
            self._end(grpc.StatusCode.CANCELLED, "hung up")
            if self._up is not None and self._context is not None:
                self._up.send(self._context.cancel)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # What arrives at the client

    def headers(self, metadata: Metadata) -> None:
        self._headers = metadata
        self._changed.set()

    def receive(self, data: bytes) -> None:
        self._received.append(data)
        self._changed.set()

    def ended(self, code: grpc.StatusCode, details: str) -> None:
        self._end(code, details)

    def _end(self, code: grpc.StatusCode, details: str) -> None:
        if self._ended is None:
            self._ended = (code, details)
        self.is_over = True
        self._changed.set()
        self._exchange.over(self)

    def break_off(self) -> None:
        """The connection is lost: both ends find out, each in its time."""
        self._exchange.over(self)
        weather = self._exchange.weather
        for line in (self._up, self._down):
            if line is not None:
                line.cut()
        lost = (grpc.StatusCode.UNAVAILABLE, "the connection was lost")
        Line(weather, "", self.client).send(self.ended, *lost)
        if self.server is not None and self._context is not None:
            Line(weather, "", self.server).send(self._context.cancel)


class _Context:
    """The server's end: as much of `grpc.aio.ServicerContext` as the product uses."""

    def __init__(self, call: Call, down: Line) -> None:
        self._call, self._down = call, down
        self._messages: deque[bytes] = deque()
        self._filled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, handler: Callable[..., Awaitable[None]]) -> None:
        assert self._call.server is not None
        self._task = self._call.server.start(self._serve(handler), "call")

    def take(self, data: bytes) -> None:
        self._messages.append(data)
        self._filled.set()

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self, handler: Callable[..., Awaitable[None]]) -> None:
        code, why = grpc.StatusCode.OK, ""
        try:
            await handler(self._read(), self)
        except _Aborted as aborted:
            code, why = aborted.ended
        except Exception as error:  # gRPC's boundary: the client is told
            _log.exception("grpc.failed")
            code, why = grpc.StatusCode.UNKNOWN, repr(error)
        self._down.send(self._call.ended, code, why)

    async def _read(self) -> AsyncIterator[bytes]:
        while True:
            while self._messages:
                yield self._messages.popleft()
            self._filled.clear()
            await self._filled.wait()

    # What the handler calls

    async def send_initial_metadata(self, metadata: Metadata) -> None:
        self._down.send(self._call.headers, metadata)

    async def write(self, data: bytes) -> None:
        self._down.send(self._call.receive, data)

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise _Aborted(code, details)

    def peer(self) -> str:
        return self._call.client.name


class _Aborted(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.ended = (code, details)


def _error(code: grpc.StatusCode, details: str) -> grpc.aio.AioRpcError:
    nothing = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(code, nothing, nothing, details, details)
