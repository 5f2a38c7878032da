"""What goes out: a status, a JSON body as bytes, headers."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")

encode = msgspec.json.Encoder().encode


class Response(NamedTuple):
    """An answer; `route` names the kind of path for the metrics."""

    status: int
    body: bytes = b""
    headers: Sequence[Header] = (JSON,)
    route: str = "none"


def written(status: int, body: bytes, revision: str) -> Response:
    """The answer of a write, with the revision to wait for."""
    return Response(status, body, (JSON, (b"x-alcor-revision", revision.encode("latin-1"))))
