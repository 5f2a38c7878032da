"""What comes in, read within limits: nothing of a request is believed or kept beyond them."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple
from uuid import UUID

from alcor.runtime.metrics import limit_reached
from alcor.values.errors import HTTPBadRequest, Kind, Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

drained_bytes_max = 64 << 20  # of a body that is refused, so that its sender reads the answer
_REQUEST_ID = re.compile(r"req-[0-9a-f-]{36}")
_IF_MATCH = re.compile(r"\s*\"?revision_number=(\d{1,18})\"?\s*")


class Limits(NamedTuple):
    """What a client may ask for; sizes in bytes, times in seconds."""

    body_bytes_max: int
    url_bytes_max: int
    header_bytes_max: int
    requests_max: int  # at once
    requests_per_project_max: int
    items_per_page_max: int
    items_per_create_max: int
    wait_s_max: float


class Request:
    """One request; its body is read when somebody wants it."""

    __slots__ = ("_limits", "_receive", "_scope", "method", "path", "query")

    def __init__(self, scope: Scope, receive: Receive, limits: Limits) -> None:
        self._scope = scope
        self._receive = receive
        self._limits = limits
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]

    def header(self, name: bytes) -> str:
        """The value of a header (name in lower case); empty when there is none."""
        for key, value in self._scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return ""

    @property
    def scheme(self) -> str:
        """http or https."""
        return str(self._scope["scheme"])

    @property
    def base_url(self) -> str:
        """Scheme and host, as the client wrote them."""
        host = self.header(b"host") or "localhost"
        return f"{self._scope['scheme']}://{host}"

    @property
    def if_revision(self) -> int | None:
        """Of `If-Match: revision_number=N`; what else that header says is ignored (as Neutron)."""
        match = _IF_MATCH.fullmatch(self.header(b"if-match"))
        return int(match[1]) if match else None

    def check_size(self) -> None:
        """Refuse a URL or headers that are too large."""
        scope, limits = self._scope, self._limits
        if len(scope.get("raw_path", b"")) + len(self.query) > limits.url_bytes_max:
            limit_reached.labels("gateway.url_bytes_max").inc()
            raise _too_long("HTTPRequestURITooLong", f"URL is longer than {limits.url_bytes_max}")
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > limits.header_bytes_max:
            limit_reached.labels("gateway.header_bytes_max").inc()
            raise _too_long(
                "HTTPRequestHeaderFieldsTooLarge",
                f"headers are longer than {limits.header_bytes_max}",
            )

    async def body(self) -> bytes:
        """All of it; a `Refusal` when it is too large."""
        declared = self.header(b"content-length")
        allowed = self._limits.body_bytes_max
        if declared and int(declared) > allowed:
            raise await self._too_large(0)
        message = await self._receive()
        content: bytes = message.get("body", b"")
        if not message.get("more_body", False) and len(content) <= allowed:
            return content
        parts, size = [content], len(content)
        while size <= allowed:
            if message["type"] == "http.disconnect":
                raise HTTPBadRequest("The body ended too soon")
            if not message.get("more_body", False):
                return b"".join(parts)
            message = await self._receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        parts.clear()
        raise await self._too_large(size)

    async def _too_large(self, size: int) -> Refusal:
        """Read on for a while and throw away, so that the client is listening when we answer."""
        limit_reached.labels("gateway.body_bytes_max").inc()
        more = True
        while more and size <= drained_bytes_max:
            message = await self._receive()
            more = message.get("more_body", False)
            size += len(message.get("body", b""))
        return Refusal(
            f"The body is larger than {self._limits.body_bytes_max} bytes.",
            type="HTTPRequestEntityTooLarge",
            kind=Kind.TOO_LARGE,
        )


def _too_long(type_: str, what: str) -> Refusal:
    return Refusal(f"The {what} bytes.", type=type_, kind=Kind.TOO_LARGE)


def request_id_of(text: str, new: Callable[[], str]) -> str:
    """The client's own request id if it is one, else a new one."""
    if _REQUEST_ID.fullmatch(text):
        try:
            return f"req-{UUID(text[4:])}"
        except ValueError:
            pass
    return f"req-{new()}"
