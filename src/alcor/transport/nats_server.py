"""Serve goal state over NATS: frames on each host's own subject, which NATS lets no other read.

A host has a window: so many frames may be on their way, and what comes meanwhile waits in its
session, at most one entry a key. One task sends to all hosts, so that a change for thousands of
them wakes one task. Who is silent, or of whose messages one is lost, is hung up on.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from alcor.transport import nats_envelope, wire
from alcor.transport.hearing import hear, read_hello
from alcor.transport.link import Behind, Feed, Forbidden, Report, Session, Violation
from alcor.transport.nats_connection import close, connected
from alcor.transport.nats_envelope import Envelope, Kind
from alcor.transport.outbox import Outbox
from alcor.transport.tls import TlsFiles

_log = structlog.get_logger(__name__)

window_frames = 16  # that a host is sent before it says that it has taken some
silence_s_max = 30.0  # of a host, in whole beats
said_max = 1_000  # messages of a host that wait to be taken
beat_every_s = 3.0
connect_s_max = 60.0
reconnect_every_s = 0.5
pending_bytes_max = 256 << 20  # of what waits to be sent, to all hosts


class NatsServer:
    """Hears hosts, and passes what they say to the feed."""

    def __init__(
        self,
        feed: Feed,
        delivery: int,
        servers: Sequence[str],
        credentials: Path | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        """`servers` as in nats://host:4222: of one cluster, as hosts may be at any of them."""
        self._feed = feed
        self._name = str(delivery)
        self._servers = servers
        self._credentials, self._tls = credentials, tls
        self._client: Client | None = None
        self._hosts: dict[tuple[str, int], _Host] = {}  # by where each speaks, and its connection
        self._serving: set[asyncio.Task[None]] = set()
        self._outbox = Outbox()

    async def start(self) -> None:
        """Connect and listen; `OSError` when that is impossible."""

        async def tell(problem: Exception) -> None:
            _log.info("nats.problem", why=str(problem) or repr(problem))

        async def back() -> None:
            _log.info("nats.back")
            for host in list(self._hosts.values()):
                host.hang_up()  # what was on its way to it may be lost

        try:
            async with asyncio.timeout(connect_s_max):
                self._client = client = await connected(
                    self._servers,
                    self._credentials,
                    self._tls,
                    name=f"alcor-delivery-{self._name}",
                    error_cb=tell,
                    reconnected_cb=back,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=reconnect_every_s,
                    pending_size=pending_bytes_max,
                )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            why = str(error) or "no answer"
            raise OSError(f"can't serve hosts by it: {why}") from None
        greet, hear = self._hello, self._heard
        await client.subscribe(nats_envelope.every_hello, queue=nats_envelope.hello_queue, cb=greet)
        await client.subscribe(nats_envelope.all_up(self._name), cb=hear)
        await client.flush()

    async def beat(self) -> None:
        """Say every few seconds that we live, and hang up on who has not for long; for ever."""
        assert self._client is not None, "started"
        subject = nats_envelope.beat(self._name)
        while True:
            await self._client.publish(subject, Envelope(Kind.BEAT, 0, 0).packed())
            for host in list(self._hosts.values()):
                host.silent_beats += 1
                if host.silent_beats > silence_s_max / beat_every_s:
                    host.hang_up(Violation("the host is silent"))
            await asyncio.sleep(beat_every_s)

    async def send(self) -> None:
        """Send hosts what there is for them, for ever."""
        await self._outbox.run()

    async def stop(self) -> None:
        """Hang up on every host; they keep what they have, and call again."""
        if self._client is None:
            return
        for host in list(self._hosts.values()):
            host.hang_up()
        if self._serving:
            await asyncio.wait(self._serving)
        await close(self._client)

    async def _hello(self, message: Msg) -> None:
        """Begin a connection; it is served by a task of its own."""
        assert self._client is not None, "started"
        try:
            envelope = nats_envelope.opened(message.data)
        except Violation:
            return  # not even a connection to answer to
        host = nats_envelope.host_of(message.subject)
        at = nats_envelope.up(host, self._name), envelope.connection
        if at in self._hosts or envelope.kind is not Kind.HELLO:
            return
        served = _Host(self._client, host, envelope.connection, self._outbox)
        self._hosts[at] = served
        task = asyncio.create_task(self._serve(served, envelope), name=f"nats-host-{host}")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        task.add_done_callback(lambda _: self._hosts.pop(at, None))

    async def _heard(self, message: Msg) -> None:
        try:
            envelope = nats_envelope.opened(message.data)
        except Violation:
            return
        host = self._hosts.get((message.subject, envelope.connection))
        if host is not None:
            host.take(envelope)

    async def _serve(self, host: "_Host", envelope: Envelope) -> None:
        """Serve one host until either side ends it."""
        why = ""
        try:
            hello = read_hello(envelope.content)
            if hello.host != host.name:
                raise Forbidden(f"{host.name} says that it is {hello.host}")
            session = await self._feed.open(hello)
            try:
                await host.send(Kind.WELCOME, 0, self._name.encode())
                await host.converse(session, self._feed)
            finally:
                await session.close()
        except (Violation, Forbidden, Behind, nats.errors.Error) as error:
            why = str(error)
            _log.warning("host.hung_up_on", host=host.name, reason=why)
        await host.end(why or "the control plane hung up")


class _Host:
    """One connection."""

    def __init__(self, client: Client, name: str, connection: int, outbox: Outbox) -> None:
        self.name = name
        self.silent_beats = 0  # since it was heard
        self._outbox = outbox
        self._client = client
        self._connection = connection
        self._subject = nats_envelope.down(name)
        self._session: Session | None = None
        self._said: asyncio.Queue[Envelope | None] = asyncio.Queue(said_max)
        self._problem: Violation | nats.errors.Error | None = None
        self._heard = 0
        self._waits = False  # for what it says next
        self._sent = self._taken = 0

    def take(self, envelope: Envelope) -> None:
        """The host has said something."""
        self.silent_beats = 0
        if envelope.kind is Kind.SAY and self._hear_at_once(envelope):
            return
        if envelope.kind is Kind.TOOK:
            self._taken = min(max(self._taken, envelope.number), self._sent)
            self._outbox.add(self)
        elif envelope.kind is Kind.BYE:
            self.hang_up()
        else:
            self._enqueue(envelope)

    def _hear_at_once(self, envelope: Envelope) -> bool:
        """Most of what hosts say is how far they are. That waits for nothing, so who reads is not
        woken for it, unless there is more to be read first."""
        if not self._waits or not self._said.empty() or envelope.number != self._heard + 1:
            return False
        if self._session is None or not self._outbox.idle.is_set():
            return False
        try:
            message = wire.read_host_message(envelope.content)
        except Violation:
            return False
        if not isinstance(message, Report) or not self._session.take(message):
            return False
        self._heard += 1
        return True

    def hang_up(self, problem: Violation | nats.errors.Error | None = None) -> None:
        """Serve it no more."""
        self._problem = self._problem or problem
        self._enqueue(None)

    def _enqueue(self, envelope: Envelope | None) -> None:
        if self._said.full():
            self._said.get_nowait()  # one is lost, and the gap ends it
        self._said.put_nowait(envelope)

    async def converse(self, session: Session, feed: Feed) -> None:
        """Hear the host, and have it sent what there is, until either side ends it."""
        self._session = session
        session.call(lambda: self._outbox.add(self))
        await self._read(session, feed)

    async def send_frame(self) -> None:
        """Send the next frame, if there is one and room for it."""
        session = self._session
        if session is None:
            return  # until it is let in
        if session.is_over:
            self.hang_up()
        elif self._sent - self._taken >= window_frames:
            return  # until it has taken some
        elif (frame := await session.frame()) is not None:
            self._sent += 1
            try:
                await self.send(Kind.FRAME, self._sent, self._outbox.encoder.encode(frame))
            except nats.errors.Error as error:
                self.hang_up(error)
            if session.is_ready:
                self._outbox.add(self)

    async def send(self, kind: Kind, number: int, content: bytes) -> None:
        """Send it a message."""
        envelope = Envelope(kind, self._connection, number, content)
        await self._client.publish(self._subject, envelope.packed())

    async def end(self, why: str) -> None:
        """Say that no more comes; nobody hears it when NATS is away."""
        try:
            await self.send(Kind.END, 0, why.encode())
        except nats.errors.Error as error:
            _log.info("host.not_told", host=self.name, why=str(error))

    async def _read(self, session: Session, feed: Feed) -> None:
        while (envelope := await self._next()) is not None:
            await self._outbox.idle.wait()  # what is to be sent goes before what has come
            if envelope.kind is Kind.GET:
                await self._get(feed, envelope)
            elif envelope.kind is Kind.SAY:
                self._heard += 1
                if envelope.number != self._heard:
                    raise Violation(f"message {self._heard} has not come")
                await hear(session, envelope.content)
        session.end()
        if self._problem is not None:
            raise self._problem

    async def _next(self) -> Envelope | None:
        self._waits = True
        try:
            return await self._said.get()
        finally:
            self._waits = False

    async def _get(self, feed: Feed, envelope: Envelope) -> None:
        host, keys = wire.read_get(envelope.content)
        kind = Kind.GOT
        try:
            if host != self.name:
                raise Forbidden(f"{self.name} says that it is {host}")
            content = wire.got_bytes(await feed.get(host, keys))
        except Forbidden as error:
            kind, content = Kind.FORBIDDEN, str(error).encode()
        await self.send(kind, envelope.number, content)
