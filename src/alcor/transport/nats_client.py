"""The agent's end of the NATS transport: one connection, made again and again, and resumed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from alcor.transport import nats_envelope, wire
from alcor.transport.link import (
    Connected,
    Disconnected,
    Forbidden,
    Frame,
    Got,
    Hello,
    Report,
    Violation,
)
from alcor.transport.nats_envelope import Envelope, Kind
from alcor.transport.nats_options import connected, options
from alcor.transport.standing import Chance, Standing, backoff_s, connect_s_max, get_s_max
from alcor.transport.tls import TlsFiles

silence_s_max = 10.0  # of the delivery
bye_s_max = 1
hello_s_max = 30.0  # for a delivery to let the host in: many may come at once
took_every = 4  # frames; the delivery waits when too many are not known to be taken

_CONNECTIONS = 1 << 63


class NatsLink:
    """One host's connection to the control plane (`transport.link.Link`)."""

    def __init__(
        self,
        servers: Sequence[str],
        hello: Hello,
        *,
        chance: Chance,
        credentials: Path | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        """`servers` as in nats://host:4222; `credentials` is a file of NATS credentials."""
        self._servers = list(servers)
        self._chance = chance
        self._credentials = credentials
        self._tls = tls
        self._standing = Standing(hello)
        self._call: _Call | None = None

    async def events(self) -> AsyncGenerator[Frame | Connected | Disconnected, None]:
        """What comes, for ever."""
        attempt = 0
        while True:
            try:
                async with self._connection() as call:
                    attempt = 0
                    yield Connected()
                    async for frame in call.frames():
                        self._standing.note(frame)
                        yield frame
                reason = "the control plane hung up"
            except (Violation, OSError, nats.errors.Error, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            yield Disconnected(reason)
            await asyncio.sleep(backoff_s(attempt, self._chance()))
            attempt += 1

    def subscribe(self, name: str, epoch: int = 0, position: int = 0) -> None:
        """Want a slice, of which everything up to (epoch, position) is held already."""
        self._standing.subscribe(name, epoch, position)

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        self._standing.unsubscribe(name)

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._standing.report(report)

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key, now."""
        if self._call is None:
            raise ConnectionError("not connected to the control plane")
        return await self._call.get(keys)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["_Call"]:
        """A connection on which Hello was said and heard, and somebody who says what is to be
        said."""
        hello = self._standing.hello
        arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        problems: list[str] = []
        client = await self._connect(hello.host, arrived, problems)
        try:
            number = 1 + int(self._chance() * _CONNECTIONS)
            call = _Call(client, hello.host, number, arrived, problems)
            async with asyncio.timeout(hello_s_max):
                await call.begin(hello)
            self._call = call
            self._standing.resume()
            speaking = asyncio.create_task(self._speak(call), name="nats-link-speak")
            try:
                yield call
            finally:
                self._call = None
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
                await call.end()
        finally:
            await client.close()

    async def _connect(
        self, host: str, arrived: "asyncio.Queue[Msg | None]", problems: list[str]
    ) -> Client:
        async def hung_up() -> None:
            arrived.put_nowait(None)

        async def tell(problem: Exception) -> None:
            problems.append(str(problem) or type(problem).__name__)
            arrived.put_nowait(None)  # something is lost, or was not allowed: begin again

        return await connected(
            self._servers,
            name=f"alcor-agent-{host}",
            allow_reconnect=False,
            connect_timeout=connect_s_max,
            closed_cb=hung_up,
            error_cb=tell,
            **options(self._credentials, self._tls),
        )

    async def _speak(self, call: "_Call") -> None:
        while True:
            for message in await self._standing.to_say():
                await call.say(message)


class _Call:
    """One connection after its subscriptions stand."""

    def __init__(
        self,
        client: Client,
        host: str,
        connection: int,
        arrived: "asyncio.Queue[Msg | None]",
        problems: list[str],
    ) -> None:
        self._client = client
        self._host = host
        self._connection = connection
        self._arrived = arrived  # None: the connection is lost
        self._problems = problems  # what NATS said
        self._delivery = ""
        self._said = 0
        self._frames = 0
        self._asked: dict[int, asyncio.Future[Got]] = {}
        self._requests = 0

    async def begin(self, hello: Hello) -> None:
        """Say hello until a delivery answers; `Violation` when it refuses."""

        async def take(message: Msg) -> None:
            self._arrived.put_nowait(message)

        await self._client.subscribe(nats_envelope.down(self._host), cb=take)
        await self._publish("hello", Kind.HELLO, 0, wire.host_message_bytes(hello))
        while True:
            envelope = await self._next()
            if envelope.kind is Kind.WELCOME:
                self._delivery = envelope.content.decode()
                break
        await self._client.subscribe(nats_envelope.beat(self._delivery), cb=take)

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames as they come, until the connection ends."""
        while True:
            envelope = await self._next()
            if envelope.kind is Kind.FRAME:
                self._frames += 1
                if envelope.number != self._frames:
                    raise Violation(f"frame {self._frames} has not come")
                if self._frames % took_every == 0:
                    await self._publish(self._delivery, Kind.TOOK, self._frames)
                yield wire.read_frame(envelope.content)
            elif envelope.kind in (Kind.GOT, Kind.FORBIDDEN):
                self._answer(envelope)

    async def say(self, message: wire.HostMessage) -> None:
        """Say the next thing."""
        self._said += 1
        content = wire.host_message_bytes(message)
        await self._publish(self._delivery, Kind.SAY, self._said, content)

    async def end(self) -> None:
        """Say that no more is said, if that can be said."""
        with suppress(nats.errors.Error):
            await self._publish(self._delivery, Kind.BYE, 0)
            await self._client.flush(bye_s_max)

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key."""
        self._requests += 1
        number = self._requests
        answer: asyncio.Future[Got] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            content = wire.get_bytes(self._host, keys)
            await self._publish(self._delivery, Kind.GET, number, content)
            async with asyncio.timeout(get_s_max):
                return await answer
        except (TimeoutError, nats.errors.Error) as error:
            raise ConnectionError(str(error) or "no answer") from None
        finally:
            del self._asked[number]

    async def _next(self) -> Envelope:
        """The next message of this connection; `Violation` when there are no more."""
        while True:
            try:
                async with asyncio.timeout(silence_s_max):
                    message = await self._arrived.get()
            except TimeoutError:
                raise Violation("the control plane is silent") from None
            if message is None:
                raise Violation("; ".join(self._problems) or "the connection is lost")
            envelope = nats_envelope.opened(message.data)
            if envelope.connection != self._connection:
                continue  # a beat, or meant for an earlier connection
            if envelope.kind is Kind.END:
                raise Violation(envelope.content.decode(errors="replace"))
            return envelope

    def _answer(self, envelope: Envelope) -> None:
        asked = self._asked.get(envelope.number)
        if asked is None or asked.done():
            return  # nobody waits any more
        if envelope.kind is Kind.GOT:
            asked.set_result(wire.read_got(envelope.content))
        else:
            asked.set_exception(Forbidden(envelope.content.decode(errors="replace")))

    async def _publish(self, to: str, kind: Kind, number: int, content: bytes = b"") -> None:
        envelope = Envelope(kind, self._connection, number, content)
        await self._client.publish(nats_envelope.up(self._host, to), envelope.packed())
