"""Two processes of one machine that call each other over a socket: named calls, bytes in and out.

Both ends may ask; what an end has asked can be cancelled. Each call is a task of its own, so a slow
one holds up nobody. The other end is trusted: it is a part of ourselves, whatever it sends.
When it is gone, calls that wait fail with `Gone`, and so does every later one. While it does not
read, calls and replies wait here, and not in a buffer that grows.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Mapping
from enum import IntEnum
from typing import cast

import structlog

_log = structlog.get_logger(__name__)

Call = Callable[[bytes], Awaitable[bytes]]

_HEAD = struct.Struct(">IBI")  # bytes after the head, kind, number of the call
_read_bytes_max = 4 << 20  # a buffer that grew beyond it is given back when it is empty


class Gone(Exception):
    """The other process has hung up, or failed at a call."""


class Kind(IntEnum):
    """Kinds of frames."""

    CALL = 0
    REPLY = 1
    FAILED = 2  # the call raised something that it should not
    CANCEL = 3


class Wire(asyncio.Protocol):
    """One end."""

    def __init__(self, calls: Mapping[str, Call]) -> None:
        self.calls = dict(calls)
        self._received = bytearray()
        self._number = 0
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._answering: dict[int, asyncio.Task[None]] = {}
        self._transport: asyncio.Transport | None = None
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._read = asyncio.Event()  # the other end reads, or is gone
        self._read.set()

    async def call(self, name: str, request: bytes) -> bytes:
        """Have the other end do it; `Gone` when it can't."""
        transport = await self._ready()
        if transport is None:
            raise Gone("the other process has hung up")
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        called = name.encode()
        self._send(transport, Kind.CALL, number, bytes((len(called),)) + called + request)
        try:
            return await answer
        finally:
            del self._asked[number]
            if answer.cancelled() and self._transport is not None:
                self._send(transport, Kind.CANCEL, number, b"")

    async def gone(self) -> None:
        """Wait until the other end has hung up."""
        await asyncio.shield(self._gone)

    def close(self) -> None:
        """Hang up, after what was sent."""
        if self._transport is not None:
            self._transport.close()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._read.set()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(Gone("the other process has hung up"))
        for task in self._answering.values():
            task.cancel()
        if not self._gone.done():
            self._gone.set_result(None)

    def pause_writing(self) -> None:
        self._read.clear()

    def resume_writing(self) -> None:
        self._read.set()

    def data_received(self, data: bytes) -> None:
        received = self._received
        received += data
        start, end = 0, len(received)
        with memoryview(received) as view:
            while end - start >= _HEAD.size:
                size, kind, number = _HEAD.unpack_from(received, start)
                if end - start < _HEAD.size + size:
                    break
                start += _HEAD.size
                self._take(kind, number, bytes(view[start : start + size]))
                start += size
        if start == end > _read_bytes_max:
            self._received = bytearray()
        else:
            del received[:start]

    def _take(self, kind: int, number: int, content: bytes) -> None:
        if kind == Kind.CALL:
            at = 1 + content[0]
            answering = self._answer(number, content[1:at].decode(), content[at:])
            self._answering[number] = asyncio.get_running_loop().create_task(answering)
            return
        if kind == Kind.CANCEL:
            if task := self._answering.get(number):
                task.cancel()
            return
        answer = self._asked.get(number)
        if answer is None or answer.done():
            return  # nobody waits any more
        if kind == Kind.REPLY:
            answer.set_result(content)
        else:
            answer.set_exception(Gone(content.decode()))

    async def _answer(self, number: int, name: str, request: bytes) -> None:
        try:
            kind, content = Kind.REPLY, await self.calls[name](request)
        except Exception as error:  # the call's boundary: the other end is told, and goes on
            _log.exception("call failed", call=name)
            kind, content = Kind.FAILED, f"{name}: {type(error).__name__}".encode()
        finally:
            del self._answering[number]
        transport = await self._ready()
        if transport is not None:
            self._send(transport, kind, number, content)

    async def _ready(self) -> asyncio.Transport | None:
        """Where to write, once there is room; None: the other end has hung up."""
        while not self._read.is_set():  # who was woken before may have filled it again
            await self._read.wait()
        return self._transport

    @staticmethod
    def _send(transport: asyncio.Transport, kind: Kind, number: int, content: bytes) -> None:
        transport.write(_HEAD.pack(len(content), kind, number) + content)
