"""Processes of one region that call each other over NATS: named calls, bytes in and out.

A call is published on the subject of its name; of the processes that serve it, one takes it. A
reply that is larger than a message comes in parts; a request that is, whoever takes the call asks
for, part by part. Nobody there: the call waits a little, since
whoever serves it may be starting again, and is then refused as `Unavailable`. Who works on a call
says so every second: silence means that it has died, and nobody knows whether it did the work.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from itertools import count

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from alcor.runtime.observability import spans
from alcor.values.errors import Kind, Refusal, Unavailable
from alcor.values.traceparent import checked

Call = Callable[[bytes], Awaitable[bytes]]

prefix = "alcor.rpc"
part_bytes_max = 512 * 1024  # a NATS server takes 1 MiB by default
request_bytes_max = 64 << 20  # beyond what a gateway takes of a client by default
silence_s_max = 5.0  # of who answers
alive_every_s = 1.0
nobody_s_max = 10.0  # how long a call waits for somebody who serves it
ask_again_s = 0.1
calls_max = 10_000  # at once, of one process

_PARTS = "alcor-parts"  # the header of a call whose request is asked for: how many there are
_MORE, _LAST, _FAILED, _ALIVE = b"+", b".", b"!", b"~"  # the first byte of a part

# What clients are told; the log has the call's name, which means nothing to them.
_nobody = "What keeps this is not there just now; try again."
_busy = "What keeps this has too much to do; try again."
_silent = "What keeps this fell silent, and may have done it or not: look before you try again."
_failed = "What keeps this could not do it; its log says why."

_log = structlog.get_logger(__name__)


class NatsWire:
    """One process's way to all others."""

    def __init__(self, client: Client) -> None:
        self._nats = client
        self._inbox = client.new_inbox()
        self._numbers = count(1)
        self._asked: dict[str, _Asked] = {}
        self._replies: list[Subscription] = []
        self._serving: list[Subscription] = []
        self._answering: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen for replies; once, before the first call."""
        self._replies = [
            await self._nats.subscribe(f"{self._inbox}.*", cb=self._reply),
            await self._nats.subscribe(f"{self._inbox}.*.*", cb=self._give_part),
        ]

    async def serve(self, calls: Mapping[str, Call]) -> None:
        """Answer these calls, until `close`."""
        for name, call in calls.items():
            subject = f"{prefix}.{name}"
            self._serving.append(
                await self._nats.subscribe(subject, queue="serving", cb=self._server(name, call))
            )
        await self._nats.flush()

    async def withdraw(self) -> None:
        """Take no more calls, and finish those that were taken."""
        serving, self._serving = self._serving, []
        await asyncio.gather(*(self._drain(each) for each in serving))
        while self._answering:
            await asyncio.wait(self._answering)

    async def _drain(self, subscription: Subscription) -> None:
        """Take what was sent to us already, and no more; nor after a server that is silent now."""
        try:
            async with asyncio.timeout(silence_s_max):
                await subscription.drain()  # type: ignore[no-untyped-call]
        except (TimeoutError, nats.errors.Error) as problem:
            _log.info("rpc.not_drained", subject=subscription.subject, why=str(problem))
            self._nats._remove_sub(subscription._id)  # else the next connection has it again

    async def call(self, name: str, request: bytes) -> bytes:
        """Have somebody do it; `Unavailable` when nobody does, or not soon enough."""
        if len(request) > request_bytes_max:
            message = f"A request of {len(request)} bytes is more than can be passed on."
            raise Refusal(message, type="RequestTooLarge", kind=Kind.TOO_LARGE)
        loop = asyncio.get_running_loop()
        give_up = loop.time() + nobody_s_max
        while True:
            try:
                return await self._ask(name, request)
            except nats.errors.NoRespondersError:
                if loop.time() > give_up:
                    raise _refusal(name, "nobody serves it", _nobody) from None
                await asyncio.sleep(ask_again_s)

    async def _ask(self, name: str, request: bytes) -> bytes:
        number = str(next(self._numbers))
        asked = self._asked[number] = _Asked()
        headers = _headers()
        if len(request) > part_bytes_max:
            asked.request, request = _in_parts(request), b""
            headers[_PARTS] = str(len(asked.request))
        try:
            await self._nats.publish(
                f"{prefix}.{name}", request, f"{self._inbox}.{number}", headers=headers or None
            )
            while not (await asyncio.wait([asked.whole], timeout=silence_s_max))[0]:
                if not asked.alive:
                    raise _refusal(name, "who serves it fell silent", _silent)
                asked.alive = False
            return asked.whole.result()
        except (nats.errors.ConnectionClosedError, nats.errors.OutboundBufferLimitError) as error:
            raise _refusal(name, str(error), _nobody) from error
        finally:
            del self._asked[number]

    async def _reply(self, message: Msg) -> None:
        asked = self._asked.get(message.subject.rpartition(".")[2])
        if asked is None or asked.whole.done():
            return  # nobody waits any more
        if message.headers and message.headers.get("Status") == "503":
            asked.whole.set_exception(nats.errors.NoRespondersError())
            return
        kind, content = message.data[:1], message.data[1:]
        if kind == _ALIVE:
            asked.alive = True
        elif kind == _FAILED:
            asked.whole.set_exception(Unavailable(content.decode()))
        else:
            asked.parts.append(content)
            asked.alive = True
            if kind == _LAST:
                asked.whole.set_result(b"".join(asked.parts))

    async def _give_part(self, message: Msg) -> None:
        """Whoever works on a call of ours asks for a part of its request."""
        number, part = message.subject.split(".")[-2:]
        asked = self._asked.get(number)
        if asked is not None:  # else nobody waits for it any more
            asked.alive = True
            await self._nats.publish(message.reply, asked.request[int(part)])

    async def _request(self, message: Msg) -> bytes:
        """All of a call's request."""
        parts = message.headers.get(_PARTS) if message.headers else None
        if parts is None:
            return message.data
        got = []
        for part in range(int(parts)):
            subject = f"{message.reply}.{part}"
            got.append((await self._nats.request(subject, timeout=silence_s_max)).data)
        return b"".join(got)

    def _server(self, name: str, call: Call) -> Callable[[Msg], Awaitable[None]]:
        async def take(message: Msg) -> None:
            if len(self._answering) >= calls_max:
                await self._nats.publish(message.reply, _FAILED + _busy.encode())
                return
            task = asyncio.get_running_loop().create_task(self._answer(name, call, message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

        return take

    async def _answer(self, name: str, call: Call, message: Msg) -> None:
        try:
            with spans.served(name, _traceparent(message)):
                reply = await self._worked(call, message)
        except Exception:  # the call's boundary: who asked is told, and we go on
            _log.exception("rpc.failed", call=name)
            await self._nats.publish(message.reply, _FAILED + _failed.encode())
            return
        *first, last = _in_parts(reply)
        for part in first:
            await self._nats.publish(message.reply, _MORE + part)
        await self._nats.publish(message.reply, _LAST + last)

    async def _worked(self, call: Call, message: Msg) -> bytes:
        """The reply, when it is there; who asked hears that we are at it."""
        working = asyncio.ensure_future(self._done(call, message))
        try:
            while not (await asyncio.wait([working], timeout=alive_every_s))[0]:
                await self._nats.publish(message.reply, _ALIVE)
        finally:
            working.cancel()
        return working.result()

    async def _done(self, call: Call, message: Msg) -> bytes:
        return await call(await self._request(message))


class _Asked:
    """A call that waits for its reply."""

    def __init__(self) -> None:
        self.alive = True
        self.request: list[bytes] = []  # its parts, where it is larger than a message
        self.parts: list[bytes] = []
        self.whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()


def _refusal(name: str, why: str, told: str) -> Unavailable:
    _log.warning("rpc.unanswered", call=name, why=why)
    return Unavailable(told)


def _in_parts(content: bytes) -> list[bytes]:
    """At least one."""
    starts = range(0, max(len(content), 1), part_bytes_max)
    return [content[start : start + part_bytes_max] for start in starts]


def _headers() -> dict[str, str]:
    """Which trace a call belongs to."""
    within = spans.within.get()
    return {spans.HEADER: within} if within else {}


def _traceparent(message: Msg) -> str:
    return checked(message.headers.get(spans.HEADER, "")) if message.headers else ""
