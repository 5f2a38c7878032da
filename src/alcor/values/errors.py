"""What can be wrong with a request, as typed refusals.

A `Refusal` is their fault, never ours: the caller asked for what can't be had. Its `type` is the
name that Neutron's clients know, its `kind` says which answer it becomes (one table in the gateway
maps kinds to HTTP). Our own faults are plain exceptions and asserts.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What sort of refusal; the gateway's table gives each its HTTP status."""

    INVALID = "invalid"  # 400
    UNAUTHENTICATED = "unauthenticated"  # 401
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not_found"  # 404
    CONFLICT = "conflict"  # 409
    STALE = "stale"  # 412
    TOO_LARGE = "too_large"  # 413
    TOO_MANY = "too_many"  # 429
    UNAVAILABLE = "unavailable"  # 503, with Retry-After


class Refusal(Exception):
    """A request that is refused, and why; nothing was changed."""

    kind: Kind = Kind.INVALID

    def __init__(self, message: str, *, type: str = "", kind: Kind | None = None) -> None:  # noqa: A002 - Neutron's word
        super().__init__(message)
        self.message = message
        self.type = type or self.__class__.__name__
        if kind is not None:
            self.kind = kind


class InvalidInput(Refusal):
    """A value is not what its field takes."""


class BadRequest(Refusal):
    """The request as a whole makes no sense."""


class HTTPBadRequest(Refusal):
    """The body or the query is not of the form that the resource takes."""


class Conflict(Refusal):
    """The request contradicts what is there."""

    kind = Kind.CONFLICT


class NotFound(Refusal):
    """What is named is not there, or not theirs."""

    kind = Kind.NOT_FOUND


class Unavailable(Refusal):
    """A part is not there just now; asking again later is right."""

    kind = Kind.UNAVAILABLE
