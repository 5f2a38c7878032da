"""What comes in, read within limits: nothing of a request is believed or kept beyond them."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol
from uuid import UUID

from alcor.contracts.resources import Caller
from alcor.runtime.observability.metrics import limit_reached
from alcor.values.errors import BadRequest, Kind, Refusal

_REQUEST_ID = re.compile(r"req-[0-9a-f-]{36}")
_IF_MATCH = re.compile(r"\s*\"?revision_number=(?P<number>.*?)\"?\s*")
_NUMBER = re.compile(r"-?\d{1,18}")


class Limits(NamedTuple):
    """What a client may ask for; sizes in bytes, times in seconds."""

    body_bytes_max: int
    url_bytes_max: int
    header_bytes_max: int
    connections_max: int
    unread_bytes_max: int  # of all answers together
    requests_max: int  # at once
    requests_per_project_max: int
    items_per_page_max: int
    items_per_create_max: int
    wait_s_max: float


class Body(Protocol):
    """What a request carries."""

    async def whole(self, most: int) -> bytes | None:
        """All of it, once; None when it is larger than `most` bytes. `HTTPBadRequest` when it ends
        too soon."""
        ...


class Held(NamedTuple):
    """A body that is here already."""

    content: bytes

    async def whole(self, most: int) -> bytes | None:
        return self.content if len(self.content) <= most else None


class Request:
    """One request; its body is read when somebody wants it. Headers by name in lower case."""

    __slots__ = (
        *("_body", "_header_bytes", "_headers", "_limits", "_url_bytes"),
        *("caller", "method", "path", "query", "route", "sent"),
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[bytes, bytes],
        body: Body,
        limits: Limits,
        *,
        url_bytes: int = 0,
        header_bytes: int = 0,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self._headers = headers
        self._body = body
        self._limits = limits
        self.caller: Caller | None = None  # once the door has found out
        self.route = ""  # the kind of path, once it is known
        self.sent = b""  # the body, once it was read
        self._url_bytes = url_bytes
        self._header_bytes = header_bytes

    def header(self, name: bytes) -> str:
        """The value of a header (name in lower case); empty when there is none."""
        value = self._headers.get(name)
        return "" if value is None else str(value, "latin-1")

    @property
    def base_url(self) -> str:
        """Scheme and host, as the client wrote them; who ended its TLS says so."""
        scheme = "https" if self.header(b"x-forwarded-proto") == "https" else "http"
        return f"{scheme}://{self.header(b'host') or 'localhost'}"

    @property
    def if_revision(self) -> int | None:
        """Of `If-Match: revision_number=N`; what else that header says is ignored (as Neutron).

        `BadRequest` when N is no number: a change on a condition that can't be read is not made.
        """
        match = _IF_MATCH.fullmatch(self.header(b"if-match"))
        if match is None:
            return None
        if _NUMBER.fullmatch(match["number"]) is None:
            raise BadRequest(
                "Bad if-match request: Revision number etag must be in the format of "
                "revision_number=<int>."
            )
        return int(match["number"])

    def check_size(self) -> None:
        """Refuse a URL or headers that are too large."""
        limits = self._limits
        if self._url_bytes > limits.url_bytes_max:
            limit_reached.labels("gateway.url_bytes_max").inc()
            raise _too_long("HTTPRequestURITooLong", f"URL is longer than {limits.url_bytes_max}")
        if self._header_bytes > limits.header_bytes_max:
            limit_reached.labels("gateway.header_bytes_max").inc()
            raise _too_long(
                "HTTPRequestHeaderFieldsTooLarge",
                f"headers are longer than {limits.header_bytes_max}",
            )

    async def body(self) -> bytes:
        """All of it; a `Refusal` when it is too large."""
        most = self._limits.body_bytes_max
        content = None
        if int(self.header(b"content-length") or 0) <= most:
            content = await self._body.whole(most)
        if content is None:
            limit_reached.labels("gateway.body_bytes_max").inc()
            raise _too_long("HTTPRequestEntityTooLarge", f"body is larger than {most}")
        self.sent = content
        return content


def _too_long(type_: str, what: str) -> Refusal:
    return Refusal(f"The {what} bytes.", type=type_, kind=Kind.TOO_LARGE)


def request_id_of(text: str, new: Callable[[], str]) -> str:
    """The client's own request id if it is one, else a new one."""
    if text and _REQUEST_ID.fullmatch(text):
        try:
            return f"req-{UUID(text[4:])}"
        except ValueError:
            pass
    return f"req-{new()}"
