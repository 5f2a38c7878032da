"""A collector of traces that keeps what it is sent: OTLP over HTTP, on a free port of this host."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans


class Kept(NamedTuple):
    """A span as it came; ids in hexadecimal."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    seconds: float
    attributes: dict[str, str]
    links: list[str]  # traces
    problem: str  # empty when there was none


class Collector:
    """What has come so far."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = Lock()
        self._kept: list[Kept] = []

    def take(self, body: bytes) -> None:
        """Keep what one request holds."""
        request = ExportTraceServiceRequest.FromString(body)
        found = [kept for each in request.resource_spans for kept in _spans(each)]
        with self._lock:
            self._kept += found

    def of(self, trace: str) -> list[Kept]:
        """The spans of one trace."""
        with self._lock:
            return [each for each in self._kept if each.trace == trace]

    def all(self) -> list[Kept]:
        """Every span."""
        with self._lock:
            return list(self._kept)


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector, for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            known = self.path == "/v1/traces"
            if known:
                collector.take(body)
            self.send_response(200 if known else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *words: object) -> None:
            """Say nothing of what came."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, args=(0.05,), name="collector")
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spans(each: ResourceSpans) -> Iterator[Kept]:
    named = {a.key: _text(a.value) for a in each.resource.attributes}
    for scope in each.scope_spans:
        for span in scope.spans:
            yield Kept(
                service=named["service.name"],
                name=span.name,
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                attributes={a.key: _text(a.value) for a in span.attributes},
                links=[link.trace_id.hex() for link in span.links],
                problem=span.status.message,
            )


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    assert kind is not None
    return str(getattr(value, kind))
