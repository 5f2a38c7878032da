"""HTTP/1.1 for machines, on a connection of `streams.py`: requests in, their answers out in order.

The parser is llhttp's, strict: what could be read in two ways (two lengths, a length and chunks) is
refused. Bounded: bytes of a head and of a body, and requests that wait on one connection.
"""

from collections import deque
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import NamedTuple

import httptools

from alcor.agent.services.streams import Line

head_bytes_max, body_bytes_max = 16_384, 65_536
requests_waiting_max = 8  # of one connection
methods = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS"))

Headers = tuple[tuple[bytes, bytes], ...]


class HttpRequest(NamedTuple):
    """A whole request; `target` is path and query."""

    method: bytes
    target: bytes
    headers: Headers
    body: bytes
    keep_alive: bool


class HttpResponse(NamedTuple):
    """A whole answer, without the headers that are of a connection."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    length: int | None = None  # of the body that HEAD does not send


Reply = Callable[[HttpResponse], None]
Ask = Callable[[HttpRequest, Line, Reply], None]


class TooLarge(Exception):
    """More bytes than a request may have."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def plain(status: int) -> HttpResponse:
    """An answer that says its status in words."""
    text = f"{status} {HTTPStatus(status).phrase}\n".encode()
    return HttpResponse(status, ((b"Content-Type", b"text/plain"),), text)


def response_bytes(response: HttpResponse, method: bytes, keep_alive: bool) -> bytes:
    """The answer to a request, on the wire."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = ""
    length = len(response.body) if response.length is None else response.length
    lines = [f"HTTP/1.1 {response.status} {phrase}".encode()]
    lines += [name + b": " + value for name, value in response.headers]
    if response.status >= 200 and response.status not in (204, 304):
        lines.append(b"Content-Length: %d" % length)
    lines.append(b"Connection: " + (b"keep-alive" if keep_alive else b"close"))
    body = b"" if method == b"HEAD" else response.body
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class HttpSession:
    """One machine's requests on one connection. What httptools calls are the `on_` methods."""

    def __init__(self, line: Line, ask: Ask) -> None:
        self._line, self._ask = line, ask
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[HttpRequest] = deque()
        self._busy = False
        self._closing = False
        self._ended = False
        self._begin()

    def received(self, data: bytes) -> None:
        """Parse; ask what is whole."""
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            self._refuse(cause.status if isinstance(cause, TooLarge) else 400)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400)
        else:
            if not self._in_body and self._head_bytes > head_bytes_max:
                self._refuse(431)

    def ended(self) -> None:
        """Finish once all is answered."""
        self._ended = True
        if not self._busy:
            self._line.finish()

    def _begin(self) -> None:
        self._url, self._body = bytearray(), bytearray()
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes, self._in_body = 0, False

    def _refuse(self, status: int) -> None:
        """Say what is wrong and hang up: nobody knows where the next request begins."""
        self._closing = True
        self._waiting.clear()
        if not self._busy:
            self._line.write(response_bytes(plain(status), b"GET", keep_alive=False))
        self._line.finish()

    # What the parser calls

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))
        self._count(len(name) + len(value) + 4)

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > body_bytes_max:
            raise TooLarge(413)

    def on_message_complete(self) -> None:
        if len(self._waiting) >= requests_waiting_max:
            raise TooLarge(429)
        request = HttpRequest(
            self._parser.get_method(),
            bytes(self._url),
            tuple(self._headers),
            bytes(self._body),
            self._parser.should_keep_alive(),
        )
        self._waiting.append(request)
        self._next()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > head_bytes_max:
            raise TooLarge(431)

    def _next(self) -> None:
        while self._waiting and not self._busy:
            request = self._waiting.popleft()
            self._busy = True
            self._ask(request, self._line, lambda said, asked=request: self._answer(asked, said))  # type: ignore[misc]

    def _answer(self, request: HttpRequest, response: HttpResponse) -> None:
        self._busy = False
        keep_alive = request.keep_alive and not self._closing
        self._line.write(response_bytes(response, request.method, keep_alive))
        if not keep_alive or (self._ended and not self._waiting):
            self._closing = True
            self._line.finish()
        else:
            self._next()


def target_of(url: bytes) -> bytes | None:
    """Path and query of a request's URL, whatever host it names; None when it is none."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return None
    path = parsed.path or b"/"
    return path + (b"?" + parsed.query if parsed.query else b"")


def only(headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes]) -> Headers:
    """The headers of these names (in lower case)."""
    return tuple((name, value) for name, value in headers if name.lower() in names)
