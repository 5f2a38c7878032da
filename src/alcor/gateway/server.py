"""The HTTP server: uvicorn inside our own event loop, without its logs and signal handlers."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from alcor.gateway.door import Door

backlog = 2_048  # connections that wait to be accepted
graceful_s = 5  # for requests in progress at the end


class _Server(uvicorn.Server):
    """Signals are the assembly's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Gathering:
    """A transport that sends what is written within one turn of the loop by one system call.

    The server writes the head and the body of an answer one after the other; sent apart they cost
    a third more.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send soon, in order."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        """Send what was written, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._parts:
            self._transport.write(b"".join(self._parts))
            self._parts.clear()


class _Protocol(HttpToolsProtocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _Gathering(transport, self.loop)))


class HttpServer:
    """Serves the door on a TCP address; `shared` with other processes, which take turns."""

    def __init__(self, door: Door, host: str, port: int, *, shared: bool = False) -> None:
        config = uvicorn.Config(
            door,
            loop="none",
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=graceful_s,
        )
        self._server = _Server(config)
        self._socket = _bound(host, port, shared)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port is the real one, also when 0 was asked for."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    async def run(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Take no new requests, finish those in progress; `run` then returns."""
        self._server.should_exit = True

    def close(self) -> None:
        """Give the address back; no error when it was given back already."""
        self._socket.close()


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
