"""The agent's end of the NATS transport."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import nats.errors
from nats.aio.client import NO_RESPONDERS_STATUS, Client
from nats.aio.msg import Msg
from nats.js.api import Header

from alcor.transport import nats_envelope, wire
from alcor.transport.link import Forbidden, Frame, Got, Hello, Violation
from alcor.transport.nats_connection import close, connected
from alcor.transport.nats_envelope import Envelope, Kind
from alcor.transport.resuming import ResumingLink
from alcor.transport.standing import Chance, connect_s_max, get_s_max, hello_s_max
from alcor.transport.tls import TlsFiles

silence_s_max = 10.0  # of the delivery
bye_s_max = 1
took_every = 4  # frames; the delivery waits when too many are not known to be taken

_CONNECTIONS = 1 << 63


class NatsLink(ResumingLink):
    """One host's connection to the control plane (`transport.link.Link`), by NATS."""

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
        super().__init__(hello, chance)
        self._servers = list(servers)
        self._credentials = credentials
        self._tls = tls

    @asynccontextmanager
    async def _connection(self, hello: Hello) -> AsyncIterator["_Call"]:
        arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        problems: list[str] = []
        try:
            client = await self._connect(hello.host, arrived, problems)
            try:
                number = 1 + int(self._chance() * _CONNECTIONS)
                call = _Call(client, hello.host, number, arrived, problems)
                async with asyncio.timeout(hello_s_max):
                    await call.begin(hello)
                try:
                    yield call
                finally:
                    await call.end()
            finally:
                await close(client)
        except nats.errors.Error as error:
            raise ConnectionError(str(error) or type(error).__name__) from None

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
            self._credentials,
            self._tls,
            name=f"alcor-agent-{host}",
            allow_reconnect=False,
            connect_timeout=connect_s_max,
            closed_cb=hung_up,
            error_cb=tell,
        )


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
        """Say hello, and wait for the delivery that takes it; `Violation` when it refuses, or when
        none is there."""

        async def take(message: Msg) -> None:
            self._arrived.put_nowait(message)

        down = nats_envelope.down(self._host)
        await self._client.subscribe(down, cb=take)
        # NATS answers there at once when nobody listens to hellos.
        await self._publish("hello", Kind.HELLO, 0, wire.host_message_bytes(hello), reply=down)
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

    def hang_up(self, why: str) -> None:
        """End `frames` with this reason."""
        self._problems.append(why)
        self._arrived.put_nowait(None)

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
            if message.headers and message.headers.get(Header.STATUS) == NO_RESPONDERS_STATUS:
                raise Violation("no delivery is there")
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

    async def _publish(
        self, to: str, kind: Kind, number: int, content: bytes = b"", reply: str = ""
    ) -> None:
        envelope = Envelope(kind, self._connection, number, content)
        await self._client.publish(nats_envelope.up(self._host, to), envelope.packed(), reply)
