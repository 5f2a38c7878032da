"""The body of a request while it comes in.

Little is read ahead until somebody wants the body. When nobody wants it any more, the rest is read
and thrown away, so that a client that is still sending gets to read the answer.
"""

import asyncio
from typing import Protocol

from alcor.values.errors import HTTPBadRequest

ahead_bytes_max = 64 << 10  # read before somebody wants the body
drained_bytes_max = 64 << 20  # of a body that nobody wants; then the connection is cut


class Source(Protocol):
    """Where it comes from; reading goes on when nobody holds it back any more."""

    def hold_back(self, who: object) -> None: ...

    def let_go(self, who: object) -> None: ...

    def expected(self) -> None:
        """The body is waited for, and nothing of it has come."""
        ...

    def abort(self) -> None: ...


class Arriving:
    """One body."""

    __slots__ = ("_most", "_parts", "_size", "_source", "_waiter", "ended")

    def __init__(self, source: Source) -> None:
        self.ended = False  # all of it is here, or no more will come
        self._source = source
        self._parts: list[bytes] | None = []  # None: nobody wants it, or it was not whole
        self._size = 0
        self._most = ahead_bytes_max
        self._waiter: asyncio.Future[None] | None = None

    async def whole(self, most: int) -> bytes | None:
        """All of it, once; None as soon as it is larger than `most` bytes."""
        self._most = most
        if not self.ended and self._size <= most:
            if not self._size:
                self._source.expected()
            self._source.let_go(self)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._size > most:
            return None
        if self._parts is None:
            raise HTTPBadRequest("The body ended too soon")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def drop(self) -> None:
        """Nobody wants it: throw away what came and what comes."""
        self._parts = None
        self._source.let_go(self)

    # What the connection tells

    def add(self, data: bytes) -> None:
        """More of it has come."""
        self._size += len(data)
        if self._parts is None:
            if self._size > drained_bytes_max:
                self._source.abort()
            return
        self._parts.append(data)
        if self._size > self._most:
            self._source.hold_back(self)
            self._wake()

    def end(self) -> None:
        """That was all."""
        self.ended = True
        self._source.let_go(self)
        self._wake()

    def lose(self) -> None:
        """No more will come, though more was to."""
        self._parts = None
        self.end()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
