"""One OpenFlow channel: bytes of a Unix socket to messages, and answers to those who wait.

Every wait has a limit; a switch that does not answer in time, or sends bytes that make no sense,
is disconnected, and everyone who waits is told why. Source: OpenFlow 1.4 section 6.3.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar, cast

from alcor.ovs.openflow import wire
from alcor.ovs.openflow.wire import Frames, Malformed, Message, SwitchError

refusals_kept_max = 10_000  # errors of messages that nobody has asked about yet
_XID_LAST = 0xFFFFFFFF
_T = TypeVar("_T")
_MORE = 1  # flag of a multipart reply
_TRANSACTION_TYPES = (wire.BARRIER_REPLY, wire.MULTIPART_REPLY, wire.BUNDLE_CONTROL)


class Disconnected(ConnectionError):
    """The switch is not there any more; what was asked may or may not have been done."""


class Refused(Exception):
    """The switch refused a request."""

    def __init__(self, error: SwitchError) -> None:
        super().__init__(str(error))
        self.error = error


class _Pending(NamedTuple):
    """Someone who waits for an answer."""

    answer: asyncio.Future[bytes]
    on_part: Callable[[bytes], None] | None  # takes the parts of a multipart reply


class Channel(asyncio.Protocol):
    """Messages out, answers in, matched by xid."""

    def __init__(self, on_unasked: Callable[[Message], None], timeout_s: float) -> None:
        self._on_unasked = on_unasked
        self._timeout_s = timeout_s
        self._frames = Frames()
        self._xid = 0
        self._pending: dict[int, _Pending] = {}
        self._refusals: dict[int, SwitchError] = {}
        self._answers: list[bytes] | None = None  # while reading: what goes out in one write
        self._writable = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[str] = loop.create_future()
        self.stray_errors = 0  # errors that name no request of ours

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast(asyncio.Transport, transport)
        self._writable.set()
        self.send(wire.hello(self.reserve(1)))

    def data_received(self, data: bytes) -> None:
        """Handle what is complete; send all answers in one write."""
        self._answers = []
        try:
            for message in self._frames.feed(data):
                self._take(message)
        except Malformed as error:
            self.close(f"malformed: {error}")
        answers, self._answers = self._answers, None
        if answers:
            self.send(b"".join(answers))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone who waits."""
        self.close(str(exc) if exc else "the switch closed the connection")

    def pause_writing(self) -> None:
        """The socket is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The socket has room."""
        self._writable.set()

    # What the session calls

    async def greeting(self) -> None:
        """Wait for the switch's greeting."""
        await self._within("greeting", asyncio.shield(self.greeted))

    def reserve(self, count: int) -> int:
        """The first of `count` xids in a row; 0 is never one of them."""
        if self._xid + count > _XID_LAST:
            self._xid = 0
        first, self._xid = self._xid + 1, self._xid + count
        return first

    def send(self, data: bytes) -> None:
        """Write, or add to the write that follows when we are in the middle of reading."""
        if self._answers is not None:
            self._answers.append(data)
        elif self._transport is not None and not self.closed.done():
            self._transport.write(data)

    async def drain(self) -> None:
        """Wait until the socket takes more."""
        if not self._writable.is_set():
            await self._within("room to write", self._writable.wait())
        self._raise_if_closed()

    async def request(
        self, xid: int, data: bytes, on_part: Callable[[bytes], None] | None = None
    ) -> bytes:
        """Send and wait for the answer with this xid; `Refused` when it is an error."""
        return await self.answer(self.expect(xid, on_part), data)

    def expect(
        self, xid: int, on_part: Callable[[bytes], None] | None = None
    ) -> asyncio.Future[bytes]:
        """Announce that an answer with this xid will come; give it to `answer` later."""
        self._raise_if_closed()
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._pending[xid] = _Pending(future, on_part)
        future.add_done_callback(lambda _: self._pending.pop(xid, None))
        return future

    async def answer(self, expected: asyncio.Future[bytes], data: bytes = b"") -> bytes:
        """Wait for what was announced, after sending `data`."""
        if data:
            self.send(data)
        return await self._within("answer", expected)

    def refusals(self, first: int, last: int) -> dict[int, SwitchError]:
        """Errors for messages with these xids; call after a barrier. They are then forgotten."""
        found = {xid: error for xid, error in self._refusals.items() if first <= xid <= last}
        for xid in found:
            del self._refusals[xid]
        return found

    def close(self, reason: str) -> None:
        """Close; everyone who waits gets `Disconnected` with this reason."""
        if self.closed.done():
            return
        self.closed.set_result(reason)
        self._writable.set()
        if not self.greeted.done():
            self.greeted.set_exception(Disconnected(reason))
            self.greeted.exception()
        for pending in tuple(self._pending.values()):
            if not pending.answer.done():
                pending.answer.set_exception(Disconnected(reason))
                pending.answer.exception()  # perhaps nobody waits any more: that is no fault
        if self._transport is not None:
            self._transport.abort()

    async def _within(self, what: str, wait: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await wait
        except TimeoutError:
            self.close(f"no {what} within {self._timeout_s} s")
            raise Disconnected(self.closed.result()) from None

    def _raise_if_closed(self) -> None:
        if self.closed.done():
            raise Disconnected(self.closed.result())

    # What comes in

    def _take(self, message: Message) -> None:
        if message.type == wire.ECHO_REQUEST:
            self.send(wire.message(wire.ECHO_REPLY, message.xid, message.body))
        elif message.type == wire.HELLO:
            if not self.greeted.done():
                self.greeted.set_result(None)
        elif message.type == wire.ERROR:
            self._take_error(message.xid, wire.decode_error(message.body))
        elif message.xid in self._pending and message.type in _TRANSACTION_TYPES:
            self._take_answer(self._pending[message.xid], message)
        else:
            self._on_unasked(message)

    def _take_error(self, xid: int, error: SwitchError) -> None:
        pending = self._pending.get(xid)
        if error.type == 0:
            self.close(f"the switch does not speak OpenFlow 1.4: {error}")
        elif pending is not None and not pending.answer.done():
            pending.answer.set_exception(Refused(error))
        elif 0 < xid <= self._xid and len(self._refusals) < refusals_kept_max:
            self._refusals[xid] = error
        else:
            self.stray_errors += 1

    def _take_answer(self, pending: _Pending, message: Message) -> None:
        body, more = message.body, False
        if message.type == wire.MULTIPART_REPLY:
            if len(body) < 8:
                raise Malformed("a multipart reply without its header")
            more, body = bool(body[3] & _MORE), body[8:]
        if pending.on_part is not None:
            pending.on_part(body)
        if not more and not pending.answer.done():
            pending.answer.set_result(body)
