"""The agent's end of the gRPC transport: connect, again and again, and resume.

Chance (for the delays between attempts) is given, so that whoever tests decides it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import grpc

from alcor.transport import wire
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
from alcor.transport.standing import Chance, Standing, backoff_s, connect_s_max, get_s_max
from alcor.transport.tls import TlsFiles

frame_bytes_max = 64 * 1024 * 1024

_OPTIONS = [
    ("grpc.max_receive_message_length", frame_bytes_max),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),  # each attempt is ours: gRPC's own delays don't count
    ("grpc.enable_http_proxy", 0),
]

Call = grpc.aio.StreamStreamCall[bytes, bytes]


class GrpcLink:
    """One host's connection to the control plane (`transport.link.Link`)."""

    def __init__(
        self,
        targets: Sequence[str],
        hello: Hello,
        *,
        chance: Chance,
        tls: TlsFiles | None = None,
        open_channel: Callable[[str], grpc.aio.Channel] | None = None,
    ) -> None:
        """`targets` are deliveries, as HOST:PORT: any will do, and one after the other is tried.

        Channels are gRPC's own, unless `open_channel` gives others."""
        self._targets = targets
        self._turn = min(int(chance() * len(targets)), len(targets) - 1)
        self._standing = Standing(hello)
        self._chance = chance
        self._tls = tls
        self._open = open_channel or self._open_channel
        self._channel: grpc.aio.Channel | None = None

    async def events(self) -> AsyncGenerator[Frame | Connected | Disconnected, None]:
        """What comes, for ever."""
        attempt = 0
        while True:
            reason = "the control plane hung up"
            try:
                async with self._connection() as call:
                    attempt = 0
                    yield Connected()
                    async for data in call:
                        frame = wire.read_frame(data)
                        self._standing.note(frame)
                        yield frame
            except grpc.aio.AioRpcError as error:
                reason = f"{error.code().name}: {error.details()}"
            except (Violation, OSError) as error:
                reason = str(error) or type(error).__name__
            yield Disconnected(reason)
            self._turn = (self._turn + 1) % len(self._targets)
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
        if self._channel is None:
            raise ConnectionError("not connected to the control plane")
        call = self._channel.unary_unary(wire.get_method, None, None)
        try:
            reply = await call(wire.get_bytes(self._standing.hello.host, keys), timeout=get_s_max)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                raise Forbidden(error.details()) from None
            raise ConnectionError(f"{error.code().name}: {error.details()}") from None
        return wire.read_got(reply)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Call]:
        """A stream on which Hello was said and heard, and somebody who says what is to be said."""
        async with self._open(self._targets[self._turn]) as channel:
            call = channel.stream_stream(wire.watch_method, None, None)(None)
            async with asyncio.timeout(connect_s_max):
                await call.write(wire.host_message_bytes(self._standing.hello))
                await _welcome(call)
            self._channel = channel
            self._standing.resume()
            speaking = asyncio.create_task(self._speak(call), name="grpc-link-speak")
            try:
                yield call
            finally:
                self._channel = None
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
                call.cancel()

    def _open_channel(self, target: str) -> grpc.aio.Channel:
        if self._tls is None:
            return grpc.aio.insecure_channel(target, options=_OPTIONS)
        credentials = self._tls.client_credentials()  # read anew: they are renewed now and then
        return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)

    async def _speak(self, call: Call) -> None:
        """Say what is to be said, as soon as there is something; else that we are here."""
        while True:
            for message in await self._standing.to_say():
                await call.write(wire.host_message_bytes(message))


async def _welcome(call: Call) -> None:
    """Wait until the host is let in; `AioRpcError` says why it is not."""
    said = [key for key, _ in await call.initial_metadata() or ()]
    if wire.welcome not in said:
        await call.read()
        raise Violation("the other side is not a control plane")
