"""The agent's end of the gRPC transport: connect, again and again, and resume.

Nothing queues without bound here: subscriptions are a map, and reports that wait are one report.
Chance (for the delays between attempts) is given, so that whoever tests decides it.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from alcor.transport import wire
from alcor.transport.link import (
    Connected,
    Disconnected,
    Forbidden,
    Frame,
    Got,
    Hello,
    PortState,
    Report,
    Violation,
)
from alcor.transport.tls import TlsFiles

heartbeat_s = 10.0  # a host that has nothing to say repeats how far it is
connect_s_max = 10.0
get_s_max = 5.0
backoff_first_s = 0.1
backoff_max_s = 10.0
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

Chance = Callable[[], float]  # a random number from 0 to 1
Call = grpc.aio.StreamStreamCall[bytes, bytes]


@dataclass(slots=True)
class _Slice:
    """A slice that is wanted; what was held of it before this connection, while not `current`."""

    epoch: int
    position: int
    current: bool = False  # this connection has brought it up to date


class GrpcLink:
    """One host's connection to the control plane (`transport.link.Link`)."""

    def __init__(
        self,
        targets: Sequence[str],
        hello: Hello,
        *,
        chance: Chance,
        tls: TlsFiles | None = None,
    ) -> None:
        """`targets` are deliveries, as HOST:PORT: any will do, and one after the other is tried."""
        self._targets = targets
        self._turn = min(int(chance() * len(targets)), len(targets) - 1)
        self._hello = hello
        self._chance = chance
        self._tls = tls
        self._channel: grpc.aio.Channel | None = None
        self._slices: dict[str, _Slice] = {}
        self._changed: dict[str, None] = {}  # slices whose (un)subscription was not said yet
        self._report: Report | None = None  # not said yet
        self._said = Report(0, 0)
        self._epoch = 0
        self._position = 0
        self._wake = asyncio.Event()

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
                        self._note(frame)
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
        if name not in self._slices:
            self._slices[name] = _Slice(epoch, position)
            self._say(name)

    def unsubscribe(self, name: str) -> None:
        """Want it no more."""
        if self._slices.pop(name, None) is not None:
            self._say(name)

    def report(self, report: Report) -> None:
        """Tell how far the host is."""
        self._report = merged(self._report, report)
        self._wake.set()

    async def get(self, keys: Sequence[str]) -> Got:
        """Entries by key, now."""
        if self._channel is None:
            raise ConnectionError("not connected to the control plane")
        call = self._channel.unary_unary(wire.get_method, None, None)
        try:
            reply = await call(wire.get_bytes(self._hello.host, keys), timeout=get_s_max)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.PERMISSION_DENIED:
                raise Forbidden(error.details()) from None
            raise ConnectionError(f"{error.code().name}: {error.details()}") from None
        return wire.read_got(reply)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Call]:
        """A stream on which Hello was said and heard, and somebody who says what is to be said."""
        async with self._open_channel() as channel:
            call = channel.stream_stream(wire.watch_method, None, None)(None)
            async with asyncio.timeout(connect_s_max):
                await call.write(wire.host_message_bytes(self._hello))
                await _welcome(call)
            self._channel = channel
            self._resume()
            speaking = asyncio.create_task(self._speak(call), name="grpc-link-speak")
            try:
                yield call
            finally:
                self._channel = None
                speaking.cancel()
                await asyncio.gather(speaking, return_exceptions=True)
                call.cancel()

    def _open_channel(self) -> grpc.aio.Channel:
        target = self._targets[self._turn]
        if self._tls is None:
            return grpc.aio.insecure_channel(target, options=_OPTIONS)
        credentials = self._tls.client_credentials()  # read anew: they are renewed now and then
        return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)

    def _resume(self) -> None:
        """What the last connection brought up to date is held up to its last frame."""
        for slice_ in self._slices.values():
            if slice_.current:
                slice_.epoch, slice_.position = self._epoch, self._position
                slice_.current = False
        self._changed = dict.fromkeys(self._slices)
        self._wake.set()

    def _note(self, frame: Frame) -> None:
        self._epoch, self._position = frame.epoch, frame.position
        self._hello = self._hello._replace(reached=frame.reached)
        for name in frame.begins:
            if name in self._slices:
                self._slices[name] = _Slice(0, 0)
        for name in (*frame.completes, *frame.resumes):
            if name in self._slices:
                self._slices[name].current = True
        for name in frame.refused:
            self._slices.pop(name, None)

    def _say(self, name: str) -> None:
        self._changed[name] = None
        self._wake.set()

    async def _speak(self, call: Call) -> None:
        """Say what is to be said, as soon as there is something; else that we are here."""
        while True:
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._wake.wait()
            except TimeoutError:
                await call.write(wire.host_message_bytes(self._said._replace(ports=())))
                continue
            self._wake.clear()
            while self._changed:
                name = next(iter(self._changed))
                del self._changed[name]
                await call.write(wire.host_message_bytes(self._subscription(name)))
            if self._report is not None:
                self._said, self._report = self._report, None
                await call.write(wire.host_message_bytes(self._said))

    def _subscription(self, name: str) -> wire.HostMessage:
        wanted = self._slices.get(name)
        if wanted is None:
            return wire.Unsubscribe(name)
        return wire.Subscribe(name, wanted.epoch, wanted.position)


async def _welcome(call: Call) -> None:
    """Wait until the host is let in; `AioRpcError` says why it is not."""
    said = [key for key, _ in await call.initial_metadata() or ()]
    if wire.welcome not in said:
        await call.read()
        raise Violation("the other side is not a control plane")


def backoff_s(attempt: int, chance: float) -> float:
    """How long to wait after an attempt that failed: doubled each time, half of it by chance."""
    longest = min(backoff_max_s, backoff_first_s * 2.0 ** min(attempt, 20))
    return longest * (0.5 + 0.5 * chance)


def merged(earlier: Report | None, later: Report) -> Report:
    """One report that says both: the later position, the last state of every port."""
    if earlier is None:
        return later
    ports: dict[str, PortState] = {port.port_id: port for port in (*earlier.ports, *later.ports)}
    return later._replace(ports=tuple(ports.values()))
