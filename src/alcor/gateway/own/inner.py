"""Requests that we make of ourselves: what one call of ours or of the original's stands for."""

from collections.abc import Awaitable, Callable

from alcor.contracts.resources import Caller
from alcor.gateway.requests import Held, Limits, Request
from alcor.gateway.responses import Response

Within = Callable[[Request, Caller], Awaitable[Response]]  # faults are answers as well


def inner(
    of: Request,
    limits: Limits,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: bytes = b"",
    if_revision: int | None = None,
) -> Request:
    """A request on the same host as `of`, with a body that is here already."""
    headers = {b"host": of.header(b"host").encode("latin-1")}
    if if_revision is not None:
        headers[b"if-match"] = b"revision_number=%d" % if_revision
    return Request(method, path, query, headers, Held(body), limits)
