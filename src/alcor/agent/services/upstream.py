"""One HTTP service that requests are passed on to: a connection each, with limits."""

import asyncio
import ssl
from urllib.parse import urlsplit

import httptools

from alcor.agent.services.http import HttpRequest, HttpResponse

answer_s_max = 20.0
body_bytes_max = 1 << 19  # below what a connection to a machine may hold back
_OF_THE_CONNECTION = frozenset(
    (
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)


class UpstreamError(Exception):
    """It did not answer, or not in HTTP."""


class Upstream:
    """A service at an http or https URL; `ValueError` when it is none."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"'{url}' is not an http or https URL")
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._authority = parts.netloc.rpartition("@")[2].encode()
        self._base = parts.path.rstrip("/").encode()

    async def ask(self, request: HttpRequest) -> HttpResponse:
        """Pass a request on; `UpstreamError` when there is no answer in time."""
        try:
            async with asyncio.timeout(answer_s_max):
                reader, writer = await asyncio.open_connection(
                    self._host, self._port, ssl=self._tls
                )
                try:
                    writer.write(self._bytes(request))
                    return await _answer(reader, request.method)
                finally:
                    writer.close()
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            raise UpstreamError(str(error) or type(error).__name__) from error

    def _bytes(self, request: HttpRequest) -> bytes:
        lines = [request.method + b" " + self._base + request.target + b" HTTP/1.1"]
        lines += [b"Host: " + self._authority, b"Connection: close"]
        lines += [name + b": " + value for name, value in request.headers]
        if request.body or request.method in (b"POST", b"PUT"):
            lines.append(b"Content-Length: %d" % len(request.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + request.body


class _Answer:
    """What httptools finds in an answer."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.has_head = self.is_whole = False
        self.length: int | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower == b"content-length" and value.isdigit():
            self.length = int(value)
        if lower not in _OF_THE_CONNECTION:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


async def _answer(reader: asyncio.StreamReader, method: bytes) -> HttpResponse:
    found = _Answer()
    parser = httptools.HttpResponseParser(found)
    while not found.is_whole and not (found.has_head and method == b"HEAD"):
        data = await reader.read(65_536)
        if not data:
            # Without a length the end of the connection is the end of the body (RFC 9112, 6.3).
            if found.has_head and found.length is None:
                break
            raise UpstreamError("the connection ended within the answer")
        parser.feed_data(data)
        if len(found.body) > body_bytes_max:
            raise UpstreamError(f"an answer of more than {body_bytes_max} bytes")
    status = parser.get_status_code()
    length = found.length if method == b"HEAD" else None
    return HttpResponse(status, tuple(found.headers), bytes(found.body), length)
