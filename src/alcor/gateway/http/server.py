"""The HTTP server: listens, knows the time of day, and hangs up on those who are silent.

Connections live in the event loop that everything else lives in; there is nothing between them and
the door.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from typing import Protocol

from prometheus_client import Gauge

from alcor.gateway.http.connection import Connection, Serving
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response

backlog = 2_048  # connections that wait to be accepted
silent_s_max = 75  # a client that owes us bytes, or has nothing to ask
graceful_s_max = 5.0  # for requests in progress at the end
connections_now = Gauge("alcor_api_connections_now", "Clients that are connected.")
unread_bytes = Gauge("alcor_api_unread_bytes", "Bytes of answers that clients have not read.")
first_s_max = 1.0  # at the end, for the request of who has connected and not asked yet


class Application(Protocol):
    """Who answers: the door."""

    limits: Limits

    async def answer(self, request: Request) -> Response: ...


class HttpServer:
    """Serves the door on a TCP address; `shared` with other processes, which take turns."""

    def __init__(
        self,
        door: Application,
        host: str,
        port: int,
        clock: Callable[[], float],
        *,
        shared: bool = False,
        graceful_s: float = graceful_s_max,
    ) -> None:
        self._serving = Serving(door.answer, door.limits)
        self._serving.nobody.set()
        connections_now.set_function(lambda: len(self._serving.connections))
        unread_bytes.set_function(lambda: self._serving.unread_bytes)
        self._clock = clock
        self._graceful_s = graceful_s
        self._stop = asyncio.Event()
        self._socket = _bound(host, port, shared)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port is the real one, also when 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def run(self) -> None:
        """Serve until `stop`."""
        self._tick()
        listening = await asyncio.get_running_loop().create_server(
            self._connection, sock=self._socket, backlog=backlog
        )
        try:
            while not self._serving.stopping:
                await self._second()
        finally:
            waiting = self._waiting()
            listening.close()
            for each in waiting:
                await asyncio.get_running_loop().connect_accepted_socket(self._connection, each)
            await self._finish()

    def _connection(self) -> Connection:
        return Connection(self._serving)

    def _waiting(self) -> list[socket.socket]:
        """Who has connected, and was not accepted yet: the end of listening would hang up on them,
        also where other processes listen on the address."""
        waiting: list[socket.socket] = []
        with suppress(BlockingIOError):
            while len(waiting) < backlog:
                waiting.append(self._socket.accept()[0])
        return waiting

    def stop(self) -> None:
        """Take no new requests, finish those in progress; `run` then returns."""
        self._serving.stopping = True
        self._stop.set()

    def close(self) -> None:
        """Give the address back; no error when it was given back already."""
        self._socket.close()

    async def _second(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._stop.wait()
        self._tick()

    def _tick(self) -> None:
        serving = self._serving
        serving.second += 1
        serving.date = f"date: {formatdate(self._clock(), usegmt=True)}\r\n".encode()
        for each in [c for c in serving.connections if serving.second - c.heard > silent_s_max]:
            each.silent()

    async def _finish(self) -> None:
        serving = self._serving
        for each in [c for c in serving.connections if c.idle and c.asked]:
            each.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(first_s_max, self._graceful_s)):
                await serving.nobody.wait()
        for each in [c for c in serving.connections if c.idle]:
            each.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._graceful_s):
                await serving.nobody.wait()
        for each in list(serving.connections):
            each.abort()


def _bound(host: str, port: int, shared: bool) -> socket.socket:
    """`OSError` when the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named by its protocol: only then does asyncio send answers without delay (TCP_NODELAY).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
