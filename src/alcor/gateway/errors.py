"""The one table from what is wrong to HTTP, and Neutron's body for it."""

from alcor.gateway.identity import Unauthenticated
from alcor.gateway.responses import JSON, Header, Response, encode
from alcor.values.errors import Kind, Refusal

STATUS_BY_KIND = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
_RETRY: Header = (b"retry-after", b"1")  # seconds


def error_response(
    status: int, type_: str, message: str, headers: tuple[Header, ...] = ()
) -> Response:
    """An error in Neutron's form (API guide, "Faults")."""
    body = encode({"NeutronError": {"type": type_, "message": message, "detail": ""}})
    return Response(status, body, (JSON, *headers))


def refusal_response(refusal: Refusal) -> Response:
    """The answer to a request that can't be had."""
    if isinstance(refusal, Unauthenticated):
        return _unauthenticated(refusal)
    status = STATUS_BY_KIND[refusal.kind]
    retry = (_RETRY,) if status in (429, 503) else ()
    return error_response(status, refusal.type, refusal.message, retry)


def _unauthenticated(refusal: Unauthenticated) -> Response:
    """As keystonemiddleware answers, which is not in Neutron's form."""
    error = {"code": 401, "title": "Unauthorized", "message": refusal.message}
    challenge: Header = (b"www-authenticate", refusal.challenge.encode("latin-1"))
    return Response(401, encode({"error": error}), (JSON, challenge))


def not_found() -> Response:
    """No such path."""
    return error_response(404, "HTTPNotFound", "The resource could not be found.")


def not_allowed(methods: str) -> Response:
    """The path is there, the method is not; `methods` that are, separated by commas."""
    message = "The method specified is not allowed for this resource."
    return error_response(
        405, "HTTPMethodNotAllowed", message, ((b"allow", methods.encode("ascii")),)
    )
