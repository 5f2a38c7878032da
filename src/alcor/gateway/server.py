"""The HTTP server: uvicorn inside our own event loop, without its logs and signal handlers."""

import contextlib
import socket
from collections.abc import Generator

import uvicorn

from alcor.gateway.door import Door

backlog = 2_048  # connections that wait to be accepted
graceful_s = 5  # for requests in progress at the end


class _Server(uvicorn.Server):
    """Signals are the assembly's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class HttpServer:
    """Serves the door on a TCP address."""

    def __init__(self, door: Door, host: str, port: int) -> None:
        config = uvicorn.Config(
            door,
            loop="none",
            http="httptools",
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
        self._socket = _bound(host, port)

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


def _bound(host: str, port: int) -> socket.socket:
    """`OSError` when the address can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named by its protocol: only then does asyncio send answers without delay (TCP_NODELAY).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
