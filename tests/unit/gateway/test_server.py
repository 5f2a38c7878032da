"""The server: what it tells everybody, and how it ends."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from alcor.gateway.app import GatewaySettings
from alcor.gateway.http.server import HttpServer
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response

moment = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
ASK = b"GET /%d HTTP/1.1\r\n\r\n"


class Slow:
    """Answers when told."""

    limits = Limits(**{name: getattr(GatewaySettings(), name) for name in Limits._fields})

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        self.begun.set()
        await self.go.wait()
        return Response(200, b"done", ())


class Client:
    """One connection to a server that answers slowly."""

    def __init__(self, slow: Slow, serving: HttpServer, running: "asyncio.Future[None]") -> None:
        self.slow = slow
        self.serving = serving
        self.running = running
        self._address = serving.address

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(*self._address)

    async def ask(self, number: int) -> None:
        self.slow.begun.clear()
        self.writer.write(ASK % number)
        await self.slow.begun.wait()


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


def run(case: Callable[[Client], Awaitable[None]], graceful_s: float = 10) -> None:
    async def main() -> None:
        slow = Slow()
        serving = HttpServer(slow, "127.0.0.1", 0, lambda: moment, graceful_s=graceful_s)
        client = Client(slow, serving, asyncio.ensure_future(serving.run()))
        async with asyncio.timeout(20):
            await client.connect()
            await case(client)
            await closed(client.writer)
            serving.stop()
            await client.running

    asyncio.run(main())


def test_every_answer_has_the_time_of_day() -> None:
    async def case(client: Client) -> None:
        client.slow.go.set()
        await client.ask(1)
        head, _, _ = (await client.reader.readuntil(b"done")).partition(b"\r\n\r\n")
        assert head.split(b"\r\n") == [
            b"HTTP/1.1 200 OK",
            b"date: Tue, 14 Nov 2023 22:13:20 GMT",
            b"content-length: 4",
        ]

    run(case)


def test_a_server_that_stops_finishes_what_it_has_begun() -> None:
    async def case(client: Client) -> None:
        await client.ask(1)
        client.serving.stop()
        client.slow.go.set()
        whole = await client.reader.read()
        assert whole.endswith(b"connection: close\r\n\r\ndone")
        await client.running
        with pytest.raises(ConnectionRefusedError):
            await client.connect()

    run(case)


def test_a_server_that_stops_hangs_up_on_the_idle_and_does_not_wait_for_ever() -> None:
    async def case(client: Client) -> None:
        idle, writer = await asyncio.open_connection(*client.serving.address)
        await client.ask(1)
        client.serving.stop()
        assert await idle.read() == b""
        await closed(writer)
        await client.running
        assert await client.reader.read() == b""
        client.slow.go.set()

    run(case, graceful_s=0)


def test_who_has_connected_and_waits_to_be_accepted_is_answered_at_the_end() -> None:
    async def main() -> None:
        slow = Slow()
        slow.go.set()
        serving = HttpServer(slow, "127.0.0.1", 0, lambda: moment, shared=True)
        running = asyncio.ensure_future(serving.run())
        first = await asyncio.open_connection(*serving.address)
        # The loop does not turn meanwhile, so the kernel keeps them.
        waiting = [socket.create_connection(serving.address) for _ in range(20)]
        for number, each in enumerate(waiting[:-1]):
            each.sendall(ASK % number)
        serving.stop()
        async with asyncio.timeout(20):
            await running  # the last of them never asks

        for each in waiting[:-1]:
            with each:
                assert each.recv(1_000).startswith(b"HTTP/1.1 200 OK")
        with waiting[-1] as silent:
            assert silent.recv(1_000) == b""
        await closed(first[1])

    asyncio.run(main())
