"""The agent's end of the gRPC transport."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import grpc

from alcor.transport import wire
from alcor.transport.link import Forbidden, Frame, Got, Hello, Violation
from alcor.transport.resuming import ResumingLink
from alcor.transport.standing import Chance, connect_s_max, get_s_max, hello_s_max
from alcor.transport.tls import TlsFiles

frame_bytes_max = 64 * 1024 * 1024
underway_bytes = 4 * 1024 * 1024  # that may be sent before the host has said that some has come

_OPTIONS = [
    ("grpc.max_receive_message_length", frame_bytes_max),
    # Else each frame is answered by a ping, which asks how much may be on its way at once.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", underway_bytes),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),  # each attempt is ours: gRPC's own delays don't count
    ("grpc.enable_http_proxy", 0),
]

_SILENT = re.compile(r"Socket closed|security handshaker")

Stream = grpc.aio.StreamStreamCall[bytes, bytes]


class GrpcLink(ResumingLink):
    """One host's connection to the control plane (`transport.link.Link`), by gRPC."""

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
        super().__init__(hello, chance)
        self._targets = targets
        self._turn = min(int(chance() * len(targets)), len(targets) - 1)
        self._tls = tls
        self._open = open_channel or self._open_channel

    @asynccontextmanager
    async def _connection(self, hello: Hello) -> AsyncIterator["_Call"]:
        target = self._targets[self._turn]
        self._turn = (self._turn + 1) % len(self._targets)
        try:
            async with self._open(target) as channel:
                stream = channel.stream_stream(wire.watch_method, None, None)(None)
                call = _Call(channel, stream, hello.host)
                async with asyncio.timeout(connect_s_max):
                    await call.say(hello)  # which returns when there is a connection
                async with asyncio.timeout(hello_s_max):
                    await call.let_in()
                try:
                    yield call
                finally:
                    stream.cancel()
        except grpc.aio.AioRpcError as error:
            raise _lost(error, self._hint(str(error.details()))) from None

    def _hint(self, why: str) -> str:
        """What may be meant when the other side, or gRPC, ends a handshake without a word."""
        if "failed to connect" not in why or not _SILENT.search(why):
            return ""
        if self._tls is None:
            return " (does it take only TLS? tls_ca, tls_certificate and tls_key are not set)"
        return " (look at the host's certificate and its files: alcor doctor says what is wrong)"

    def _open_channel(self, target: str) -> grpc.aio.Channel:
        if self._tls is None:
            return grpc.aio.insecure_channel(target, options=_OPTIONS)
        credentials = self._tls.client_credentials()  # read anew: they are renewed now and then
        return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


class _Call:
    """One stream, on which the host says what it wants and frames come."""

    def __init__(self, channel: grpc.aio.Channel, stream: Stream, host: str) -> None:
        self._channel = channel
        self._stream = stream
        self._host = host
        self._over = ""  # why we have ended it

    async def let_in(self) -> None:
        """Wait until the host is let in; `AioRpcError` says why it is not."""
        said = [key for key, _ in await self._stream.initial_metadata() or ()]
        if wire.welcome not in said:
            await self._stream.read()
            raise Violation("the other side is not a control plane")

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Frames as they come."""
        try:
            async for data in self._stream:
                yield wire.read_frame(data)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._over or (task is not None and task.cancelling()):
                raise
            raise Violation(self._over) from None

    def hang_up(self, why: str) -> None:
        """End `frames` with this reason."""
        self._over = why
        self._stream.cancel()

    async def say(self, message: wire.HostMessage) -> None:
        """Say the next thing."""
        await self._stream.write(wire.host_message_bytes(message))

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key."""
        ask = self._channel.unary_unary(wire.get_method, None, None)
        try:
            reply = await ask(wire.get_bytes(self._host, keys), timeout=get_s_max)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                raise Forbidden(error.details()) from None
            raise _lost(error) from None
        return wire.read_got(reply)


def _lost(error: grpc.aio.AioRpcError, hint: str = "") -> ConnectionError:
    return ConnectionError(f"{error.code().name}: {error.details()}{hint}")
