"""Serve goal state over gRPC: one `Watch` stream a host, and `Get`.

A host is written one frame at a time, each when the one before is on its way, so one that reads
slowly holds one frame here and no more. With TLS a host must have a certificate of its name.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import structlog

from alcor.transport import wire
from alcor.transport.hearing import hear, read_hello
from alcor.transport.link import Behind, Feed, Forbidden, Hello, Session, Violation
from alcor.transport.outbox import Outbox
from alcor.transport.tls import TlsFiles

_log = structlog.get_logger(__name__)

hello_s_max = 10.0
message_bytes_max = 4 * 1024 * 1024  # of what a host sends

_OPTIONS = [
    ("grpc.max_receive_message_length", message_bytes_max),
    ("grpc.max_send_message_length", -1),  # frames are bounded where they are built
    ("grpc.http2.bdp_probe", 0),  # else each thing a host says is answered by a ping
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.so_reuseport", 0),  # two servers on one port is a mistake: say so
]

Context = grpc.aio.ServicerContext[bytes, bytes]
_Ended = tuple[grpc.StatusCode, str]


class GrpcServer:
    """Listens for hosts, and passes what they say to the feed."""

    def __init__(
        self,
        feed: Feed,
        listen: str,
        tls: TlsFiles | None = None,
        server: grpc.aio.Server | None = None,
    ) -> None:
        """`server` is gRPC's, unless another keeps its promises."""
        self.port = 0  # once started
        self._feed = feed
        self._listen = listen
        self._tls = tls
        self._outbox = Outbox()
        self._server = grpc.aio.server(options=_OPTIONS) if server is None else server
        handlers = {
            "Watch": grpc.stream_stream_rpc_method_handler(self._watch),
            "Get": grpc.unary_unary_rpc_method_handler(self._get),
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(wire.service, handlers),)
        )

    async def start(self) -> None:
        """Listen; `OSError` when that is impossible."""
        try:
            if self._tls is None:
                self.port = self._server.add_insecure_port(self._listen)
            else:
                credentials = self._tls.server_credentials()
                self.port = self._server.add_secure_port(self._listen, credentials)
        except RuntimeError as error:
            why = str(error).partition(";")[0]  # after it: how to see what gRPC does
            raise OSError(f"can't listen for hosts on {self._listen}: {why}") from None
        await self._server.start()

    async def send(self) -> None:
        """Send hosts what there is for them, for ever."""
        await self._outbox.run()

    async def stop(self) -> None:
        """Hang up on every host; they keep what they have, and call again."""
        await self._server.stop(grace=None)

    async def _watch(self, messages: AsyncIterator[bytes], context: Context) -> None:
        code, why = await self._serve(messages, context)
        if code is not grpc.StatusCode.OK:
            _log.warning("host.hung_up_on", peer=context.peer(), reason=why)
            await context.abort(code, why)

    async def _serve(self, messages: AsyncIterator[bytes], context: Context) -> _Ended:
        """Serve one host until either side ends it; how it ended."""
        try:
            hello = await self._hello(messages, context)
            session = await self._feed.open(hello)
        except (Violation, Forbidden, Behind) as error:
            return _status(error)
        try:
            await context.send_initial_metadata(((wire.welcome, "1"),))
            return await self._converse(session, messages, context)
        finally:
            await session.close()

    async def _converse(
        self, session: Session, messages: AsyncIterator[bytes], context: Context
    ) -> _Ended:
        """Read and write at once, until one of them ends."""
        ended: _Ended = grpc.StatusCode.OK, ""
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(session, messages))
                await _Stream(session, context, self._outbox).run()
                reading.cancel()
        except* (Violation, Forbidden, Behind) as errors:
            ended = _status(errors.exceptions[0])
        return ended

    async def _read(self, session: Session, messages: AsyncIterator[bytes]) -> None:
        async for data in messages:
            await self._outbox.idle.wait()  # what is to be sent goes before what has come
            await hear(session, data)
        session.end()

    async def _hello(self, messages: AsyncIterator[bytes], context: Context) -> Hello:
        try:
            async with asyncio.timeout(hello_s_max):
                hello = read_hello(await anext(messages))
        except (TimeoutError, StopAsyncIteration):
            raise Violation("a host says Hello first") from None
        self._identify(hello.host, context)
        return hello

    async def _get(self, request: bytes, context: Context) -> bytes:
        try:
            host, keys = wire.read_get(request)
            self._identify(host, context)
            return wire.got_bytes(await self._feed.get(host, keys))
        except (Violation, Forbidden) as error:
            code, why = _status(error)
        await context.abort(code, why)
        raise AssertionError("abort raises")

    def _identify(self, host: str, context: Context) -> None:
        """`Forbidden` unless the caller's certificate bears the host's name."""
        if self._tls is None:
            return
        shown = context.auth_context()
        names: list[Any] = [
            *shown.get("x509_common_name", ()),
            *shown.get("x509_subject_alternative_name", ()),
        ]
        if host.encode() not in names:
            raise Forbidden(f"the certificate is not of host {host}")


class _Stream:
    """What is written to one host: a frame at a time, so that who reads slowly holds up nobody."""

    def __init__(self, session: Session, context: Context, outbox: Outbox) -> None:
        self._session = session
        self._context = context
        self._outbox = outbox
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._writing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Have the host sent what there is, until the session is over; raises why it can't be."""
        self._session.call(self._tell)
        try:
            await self._over
        finally:
            if self._writing is not None:
                self._writing.cancel()

    def _tell(self) -> None:
        if self._writing is None:  # else it is asked for more when that is done
            self._outbox.add(self)

    async def send_frame(self) -> None:
        """Begin to write the next frame, if there is one and the one before has left."""
        if self._writing is not None or self._over.done():
            return
        if self._session.is_over:
            self._over.set_result(None)
            return
        try:
            frame = await self._session.frame()
        except Exception as error:  # this host's alone
            self._fail(error)
            return
        if frame is not None:
            data = self._outbox.encoder.encode(frame)
            self._writing = asyncio.create_task(self._write(data), name="grpc-write")

    async def _write(self, data: bytes) -> None:
        try:
            await self._context.write(data)
        except Exception as error:
            self._fail(error)
        self._writing = None
        if self._session.is_ready or self._session.is_over:
            self._outbox.add(self)

    def _fail(self, error: Exception) -> None:
        if not self._over.done():
            self._over.set_exception(error)


def _status(error: BaseException) -> _Ended:
    if isinstance(error, Forbidden):
        return grpc.StatusCode.PERMISSION_DENIED, str(error)
    if isinstance(error, Behind):
        return grpc.StatusCode.UNAVAILABLE, str(error)
    return grpc.StatusCode.INVALID_ARGUMENT, str(error)
