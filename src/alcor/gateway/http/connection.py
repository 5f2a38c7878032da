"""One client's connection: HTTP/1.1 in, requests to whoever answers them, answers out in order.

The parser is httptools'. An answer leaves as one piece; who does not read it gets no other, and is
hung up on when answers that nobody reads are too many bytes. Of what is sent ahead of an answer no
more is read than comes at once.

Source: RFC 9110, RFC 9112.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import cast
from urllib.parse import unquote

import httptools

from alcor.gateway.errors import error_response
from alcor.gateway.http.arriving import Arriving
from alcor.gateway.requests import Limits, Request
from alcor.gateway.responses import Response
from alcor.runtime.observability.metrics import limit_reached

turned_away_s_max = 1.0  # until who is turned away is hung up on
quiet_s_min = 2  # since a client asked, before its place may be another's
hung_up_at_once = 100  # of quiet clients, when too many are connected
head_bytes_max = 1 << 20  # of a request; much less is refused politely, when its head is here

_BAD = "HTTPBadRequest"
_STATUS = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


@dataclass(slots=True)
class Serving:
    """What the connections of a server share."""

    answer: Callable[[Request], Awaitable[Response]]
    limits: Limits
    connections: "set[Connection]" = field(default_factory=set)
    nobody: asyncio.Event = field(default_factory=asyncio.Event)  # is connected
    stopping: bool = False  # nothing more is answered than what is being answered
    second: int = 0  # since the start
    date: bytes = b""  # the header of every answer in this second
    unread: "dict[Connection, int]" = field(default_factory=dict)  # bytes; the longest so is first
    unread_bytes: int = 0  # of all of them

    def keep_unread(self, connection: "Connection", size: int) -> None:
        """A client does not read; room for what it was answered is taken from others, if need be,
        but not for the only one."""
        self.unread[connection] = size
        self.unread_bytes += size
        while self.unread_bytes > self.limits.unread_bytes_max and len(self.unread) > 1:
            longest = next(iter(self.unread))
            limit_reached.labels("gateway.unread_bytes_max").inc()
            self.was_read(longest)
            longest.abort()

    def make_room(self) -> bool:
        """Hang up on those who have asked nothing for the longest; whether there were any. All are
        looked through, so several go at once."""
        quiet = (each for each in self.connections if each.quiet)
        found = heapq.nsmallest(hung_up_at_once, quiet, key=lambda each: each.heard)
        for each in found:
            each.close()
            self.connections.discard(each)  # its place is free for who comes at the same time
        return bool(found)

    def was_read(self, connection: "Connection") -> None:
        """It has read, or is gone."""
        self.unread_bytes -= self.unread.pop(connection, 0)


class Connection(asyncio.Protocol):
    """From the first byte to the last."""

    def __init__(self, serving: Serving) -> None:
        self.heard = serving.second  # when something was last heard, or answered
        self.asked = False  # it has sent the head of a request
        self._serving = serving
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, Arriving, bool]] = deque()
        self._answering: asyncio.Task[None] | None = None
        self._arriving: Arriving | None = None  # the body that is coming in
        self._holding: set[object] = set()  # who wants nothing to be read now
        self._unread = -1  # bytes that the client had not read when we last looked
        self._full = False  # it does not read what it was answered
        self._last = False  # the last answer has been given
        self._deaf = False  # what comes in can't be understood
        self.on_message_begin()
        self._in_head = False  # a head has begun that has not ended

    @property
    def idle(self) -> bool:
        """Whether nothing is being answered."""
        return self._answering is None

    @property
    def quiet(self) -> bool:
        """Whether nothing is being answered, and nothing of a request has come for a while: that a
        server may hang up on."""
        began = self._in_head or self._arriving is not None or self._full
        ended = self._last or self._transport.is_closing()
        quiet_s = self._serving.second - self.heard
        return self.idle and not began and not ended and quiet_s >= quiet_s_min

    def close(self) -> None:
        """Hang up, after what was written."""
        self._transport.close()

    def abort(self) -> None:
        """Hang up at once."""
        self._transport.abort()

    def silent(self) -> None:
        """Nothing was heard for long: hang up, if that is the client's doing."""
        if self._full:
            unread = self._transport.get_write_buffer_size()
            if unread == self._unread:
                self.abort()
            self._unread, self.heard = unread, self._serving.second
        elif self.idle:
            self.close()
        elif self._arriving is not None and not self._holding:
            self._end()

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        serving = self._serving
        serving.connections.add(self)
        serving.nobody.clear()
        if len(serving.connections) > serving.limits.connections_max:
            limit_reached.labels("gateway.connections_max").inc()
            if serving.make_room():
                return
            most = f"{serving.limits.connections_max} clients are connected already"
            self._turn_away(error_response(503, "HTTPServiceUnavailable", most))

    def connection_lost(self, exc: Exception | None) -> None:
        self._serving.connections.discard(self)
        self._serving.was_read(self)
        if not self._serving.connections:
            self._serving.nobody.set()
        self._waiting.clear()
        self._end()
        del self._parser  # which knows us: a circle

    def data_received(self, data: bytes) -> None:
        if not self._in_head:  # it is to be whole so soon after its first bytes
            self.heard = self._serving.second
        if self._deaf:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True
        except httptools.HttpParserError:
            self._refuse(400, _BAD, "The request is not in the form of HTTP/1.1.")
        else:
            if self._in_head:
                self._head_bytes += len(data)
                if self._head_bytes > head_bytes_max:
                    self._refuse(400, _BAD, "The head of the request does not end.")

    def pause_writing(self) -> None:
        self._full = True
        self._serving.keep_unread(self, self._transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        self._full = False
        self._serving.was_read(self)
        self._go_on()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._head_bytes = 0  # while it has not ended
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        self._headers.setdefault(name.lower(), value)

    def on_headers_complete(self) -> None:
        parser = self._parser
        self.asked = True
        self._in_head = False
        path, query = _target(self._url)
        self._arriving = arriving = Arriving(self)
        request = Request(
            parser.get_method().decode("ascii"),
            path,
            query,
            self._headers,
            arriving,
            self._serving.limits,
            url_bytes=len(self._url),
            header_bytes=self._header_bytes,
        )
        kept = parser.should_keep_alive() and parser.get_http_version() == "1.1"
        if not self._last:
            self._waiting.append((request, arriving, kept))
            self._go_on()

    def on_body(self, data: bytes) -> None:
        assert self._arriving is not None
        self._arriving.add(data)

    def on_message_complete(self) -> None:
        assert self._arriving is not None
        self._arriving.end()
        self._arriving = None
        if self._last:
            self.close()

    # What the body calls

    def hold_back(self, who: object) -> None:
        """Read nothing until all who said this let go."""
        if not self._holding:
            self._transport.pause_reading()
        self._holding.add(who)

    def let_go(self, who: object) -> None:
        """Read on, if nobody else is against it."""
        if who in self._holding:
            self._holding.remove(who)
            if not self._holding and not self._transport.is_closing():
                self._transport.resume_reading()

    def expected(self) -> None:
        """Let the client send the body, if it waits for that."""
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    # Answers

    def _go_on(self) -> None:
        """Have the next request answered, if it is its turn, and read on when none waits."""
        if self._waiting and self.idle and not self._full:
            answering = self._answer(*self._waiting.popleft())
            self._answering = asyncio.get_running_loop().create_task(answering)
        if self._waiting:
            self.hold_back(self)
        elif self._holding:
            self.let_go(self)

    async def _answer(self, request: Request, arriving: Arriving, kept: bool) -> None:
        response = await self._serving.answer(request)
        self._answering = None
        if self._transport.is_closing():
            return
        self.heard = self._serving.second
        kept = kept and arriving.ended and not self._deaf and not self._serving.stopping
        self._write(response, kept, bodiless=request.method == "HEAD")
        if kept:
            self._go_on()
            return
        self._last = True
        if arriving.ended:
            self.close()
        else:
            arriving.drop()

    def _turn_away(self, response: Response) -> None:
        """Say so, and let the client send what it has begun to: hung up on meanwhile it would hear
        nothing."""
        self._last = True
        self._serving.connections.discard(self)  # it has none of the places
        self._end()
        self._write(response, kept=False)
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(turned_away_s_max, self.close)

    def _refuse(self, status: int, type_: str, message: str) -> None:
        """What comes in is no request that is answered: say so, unless there is something to be
        said before."""
        alone = self.idle and not self._waiting and not self._last
        self._end()
        if alone:
            self._write(error_response(status, type_, message), kept=False)
            self.close()

    def _end(self) -> None:
        """Nothing that can be understood comes any more."""
        self._deaf = True
        if self._arriving is not None:
            self._arriving.lose()
            self._arriving = None

    def _write(self, response: Response, kept: bool, *, bodiless: bool = False) -> None:
        status, body, headers, _ = response
        parts = [_STATUS[status], self._serving.date]
        parts += [b"%b: %b\r\n" % header for header in headers]
        if status != HTTPStatus.NO_CONTENT:
            parts.append(b"content-length: %d\r\n" % len(body))
        if not kept:
            parts.append(b"connection: close\r\n")
        parts += (b"\r\n", b"" if bodiless else body)
        self._transport.write(b"".join(parts))


def _target(url: bytes) -> tuple[str, bytes]:
    """Path and query of a request's target."""
    if url.startswith(b"/"):
        raw, _, query = url.partition(b"#")[0].partition(b"?")
    else:
        parsed = httptools.parse_url(url)
        raw, query = parsed.path or b"/", parsed.query or b""
    path = raw.decode("ascii")
    return unquote(path) if "%" in path else path, query
