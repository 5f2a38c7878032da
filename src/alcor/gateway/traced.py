"""A request that is traced, at the door: the first span of all that is done for it."""

from alcor.gateway.requests import Request
from alcor.gateway.responses import Response
from alcor.runtime.observability import spans
from alcor.runtime.observability.spans import Kind, Span
from alcor.values.traceparent import checked


def arrived(request: Request) -> Span:
    """Begin the request's span, below the client's own if it sent one (`traceparent`)."""
    assert spans.recorder is not None
    parent = checked(request.header(spans.HEADER.encode()))
    attributes: spans.Attributes = {"http.request.method": request.method}
    span = spans.recorder.begin(request.method, Kind.SERVER, parent, attributes=attributes)
    spans.within.set(span.traceparent)  # a request is a task of its own, and ends with it
    return span


def left(span: Span, request: Request, id_: str, answer: Response) -> None:
    """End it with what was answered.

    Names of attributes: OpenTelemetry's semantic conventions for HTTP servers."""
    attributes: spans.Attributes = {
        "http.route": answer.route,
        "http.response.status_code": answer.status,
        "alcor.request_id": id_,
    }
    problem = str(answer.status) if answer.status >= 500 else ""
    span.end(name=f"{request.method} {answer.route}".strip(), problem=problem, **attributes)
