"""How many clients may be connected, and how much of what they don't read is kept for them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from http.client import HTTPConnection

from alcor.gateway.app import GatewaySettings
from alcor.gateway.http.connection import Connection, Serving, hung_up_at_once, quiet_s_min
from alcor.gateway.http.server import HttpServer, connections_now, unread_bytes
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response
from alcor.lab.waiting import wait_until
from alcor.runtime.observability.metrics import limit_reached

LARGE = 24 << 20  # bytes of an answer: more than sockets hold
ASK = b"GET /x HTTP/1.1\r\n\r\n"
BEGUN = b"GET "  # who has begun to ask is not hung up on for being quiet


class Application:
    """Answers everything with much."""

    def __init__(self, **limits: int) -> None:
        settings = GatewaySettings()
        every = Limits(**{name: getattr(settings, name) for name in Limits._fields})
        self.limits = every._replace(**limits)

    async def answer(self, request: Request) -> Response:
        return Response(200, bytes(LARGE), ())


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Client]]


def run(case: Callable[[Connect], Awaitable[None]], **limits: int) -> None:
    async def main() -> None:
        serving = HttpServer(Application(**limits), "127.0.0.1", 0, lambda: 0.0, graceful_s=0)
        running = asyncio.ensure_future(serving.run())
        writers: list[asyncio.StreamWriter] = []

        async def connect() -> Client:
            reader, writer = await asyncio.open_connection(*serving.address, limit=1 << 12)
            writers.append(writer)
            return reader, writer

        async with asyncio.timeout(20):
            await case(connect)
            for writer in writers:
                writer.transport.abort()
            serving.stop()
            await running

    asyncio.run(main())


async def size_of(reader: asyncio.StreamReader) -> int:
    """How many bytes of a body come until its end, or until the server hangs up."""
    size = 0
    try:
        await reader.readuntil(b"\r\n\r\n")
        while size < LARGE and (some := await reader.read(1 << 20)):
            size += len(some)
    except ConnectionError:
        pass
    return size


async def until(holds: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, "the server to notice", holds, 20.0)


def reached(limit: str) -> float:
    return float(limit_reached.labels(f"gateway.{limit}")._value.get())


def now(gauge: object) -> float:
    (metric,) = gauge.collect()  # type: ignore[attr-defined]
    return float(metric.samples[0].value)


def test_who_comes_when_too_many_are_connected_is_told_so() -> None:
    before = reached("connections_max")

    async def case(connect: Connect) -> None:
        (one, first), (other, second) = await connect(), await connect()
        first.write(ASK + BEGUN)
        second.write(BEGUN)
        assert await size_of(one) == LARGE
        await until(lambda: now(connections_now) == 2)

        reader, _ = await connect()
        told = await reader.read()
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"2 clients are connected already" in told

        first.transport.abort()
        await until(lambda: now(connections_now) == 1)
        later, writer = await connect()
        writer.write(ASK)
        assert await size_of(later) == LARGE
        second.write(ASK.removeprefix(BEGUN))
        assert await size_of(other) == LARGE

    run(case, connections_max=2)
    assert reached("connections_max") == before + 1


def test_who_asks_nothing_gives_its_place_to_who_comes() -> None:
    """A gateway full of connections that nobody used answered probes 503, and was restarted."""
    before = reached("connections_max")

    async def case(connect: Connect) -> None:
        (quiet, first), (begun, writer) = await connect(), await connect()
        first.write(ASK)
        assert await size_of(quiet) == LARGE
        writer.write(BEGUN)
        status = b""
        while b" 200 " not in status:  # until it has been quiet for long enough
            probe, ask = await connect()
            ask.write(ASK)
            status = await probe.readline()
            ask.transport.abort()
        assert await quiet.read() == b""
        writer.write(ASK.removeprefix(BEGUN))
        assert await size_of(begun) == LARGE

    run(case, connections_max=2)
    assert reached("connections_max") > before


class Line(asyncio.Transport):
    """Where a client is that asks nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.closing, self.written = False, b""

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True  # it is gone at the loop's next turn

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def write_eof(self) -> None:
        pass


def test_many_who_come_at_once_take_no_more_places_than_one_does() -> None:
    """Each hung up on a hundred more: those of before were counted until they had gone."""
    places = 5 * hung_up_at_once
    application = Application(connections_max=places)
    serving = Serving(application.answer, application.limits)

    def come() -> Line:
        line = Line()
        Connection(serving).connection_made(line)
        return line

    quiet = [come() for _ in range(places)]
    serving.second = quiet_s_min
    for _ in range(hung_up_at_once):
        come()

    assert sum(line.closing for line in quiet) == hung_up_at_once
    assert len(serving.connections) == places


def test_who_is_turned_away_hears_why_whatever_it_was_about_to_send() -> None:
    """Half of those who sent a body lost the connection as they sent it, and heard nothing."""
    asked, told = 30, list[int]()

    def ask(address: tuple[str, int]) -> None:
        for _ in range(asked):
            with closing(HTTPConnection(*address, timeout=20)) as client:
                client.request("POST", "/x", body=bytes(1 << 10))
                told.append(client.getresponse().status)

    async def case(connect: Connect) -> None:
        _, writer = await connect()
        writer.write(BEGUN)
        await until(lambda: now(connections_now) == 1)
        await asyncio.to_thread(ask, writer.get_extra_info("peername")[:2])

    run(case, connections_max=1)
    assert told == [503] * asked


def test_who_is_turned_away_and_stays_is_hung_up_on() -> None:
    async def case(connect: Connect) -> None:
        _, writer = await connect()
        writer.write(BEGUN)
        await until(lambda: now(connections_now) == 1)
        reader, late = await connect()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")
        with suppress(ConnectionError):
            while True:
                late.write(b"x")
                await late.drain()
                await asyncio.sleep(0.02)

    run(case, connections_max=1)


def test_who_was_turned_away_takes_no_place_while_it_hears_why() -> None:
    """Where more came in a second than there are places, one that was left was nobody's."""

    async def come_and_go() -> None:
        application = Application(connections_max=1)
        serving = Serving(application.answer, application.limits)
        first, refused, last = (Connection(serving) for _ in range(3))
        first.connection_made(Line())
        refused.connection_made(Line())
        first.connection_lost(None)
        line = Line()
        last.connection_made(line)
        assert (serving.connections, line.written) == ({last}, b"")

    asyncio.run(come_and_go())


def test_of_those_who_do_not_read_the_longest_so_gives_room() -> None:
    before = reached("unread_bytes_max")

    async def case(connect: Connect) -> None:
        clients = []
        for _ in range(3):
            clients.append(await connect())
            clients[-1][1].write(ASK)
            await until(lambda: now(unread_bytes) > LARGE // 2)
            await clients[-1][0].readuntil(b"\r\n")  # it is answered
        sizes = [await size_of(reader) for reader, _ in clients]
        assert sizes[2] == LARGE
        assert all(size < LARGE for size in sizes[:2])
        await until(lambda: now(unread_bytes) == 0)

    run(case, unread_bytes_max=LARGE)
    assert reached("unread_bytes_max") == before + 2


def test_who_is_alone_is_given_whatever_it_asked_for() -> None:
    async def case(connect: Connect) -> None:
        reader, writer = await connect()
        writer.write(ASK)
        await until(lambda: now(unread_bytes) > 1 << 20)
        assert await size_of(reader) == LARGE

    run(case, unread_bytes_max=1 << 20)
