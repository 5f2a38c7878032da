"""Spans to an OpenTelemetry collector, by OTLP over HTTP, from a thread of its own.

What waits to be sent is bounded (2,048 spans; OTEL_BSP_MAX_QUEUE_SIZE), and what the collector does
not take is lost and counted: nobody waits for it. OpenTelemetry's packages are an extra
(`alcor[otel]`), loaded only when a region is traced.

Source: https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Thread
from time import time_ns
from typing import TYPE_CHECKING, Annotated

import msgspec
import structlog
from prometheus_client import Counter

from alcor.runtime.config import ConfigError
from alcor.runtime.observability import spans
from alcor.runtime.observability.spans import Attributes, Kind

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import SpanContext, Tracer

stop_s_max = 2.0  # what waits is sent within so many seconds at the end, or lost
_URL = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_BASE_URL = "OTEL_EXPORTER_OTLP_ENDPOINT"
_SAMPLED = 1  # W3C Trace Context, trace-flags

lost = Counter("alcor_spans_lost", "Spans that the collector of traces did not take.")

_log = structlog.get_logger(__name__)


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of traces; what they don't say OpenTelemetry's own OTEL_* variables do."""

    endpoint: Annotated[
        str,
        msgspec.Meta(
            description="Collector of traces (OTLP over HTTP), as in http://collector:4318; "
            "empty: OTEL_EXPORTER_OTLP_ENDPOINT, or no traces"
        ),
    ] = ""
    ratio: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            le=1,
            description="Of requests that are traced, unless OTEL_TRACES_SAMPLER says which; "
            "a client that sends a traceparent has decided for its own",
        ),
    ] = 1.0


@contextmanager
def traced(settings: TraceSettings, service: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Record this process's spans, for as long as the context lasts, if settings say so.

    `ConfigError` when OpenTelemetry is not installed.
    """
    names = [settings.endpoint, environment.get(_URL, ""), environment.get(_BASE_URL, "")]
    if not any(names) or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    provider = _provider(settings, service, environment)
    spans.record(_Recorder(provider.get_tracer("alcor")))
    try:
        yield
    finally:
        spans.record(None)
        ending = Thread(target=provider.shutdown, name="spans-end", daemon=True)
        ending.start()
        ending.join(stop_s_max)


def _provider(
    settings: TraceSettings, service: str, environment: Mapping[str, str]
) -> "TracerProvider":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as error:
        raise ConfigError(f"traces need the packages of alcor[otel]: {error}") from error

    class Exporter(OTLPSpanExporter):
        """Counts what is lost."""

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = super().export(spans)
            if result is not SpanExportResult.SUCCESS:
                lost.inc(len(spans))
            return result

    url = f"{settings.endpoint.rstrip('/')}/v1/traces" if settings.endpoint else None
    ours = ParentBased(TraceIdRatioBased(settings.ratio))
    provider = TracerProvider(
        resource=Resource.create({SERVICE_NAME: environment.get("OTEL_SERVICE_NAME", service)}),
        sampler=None if "OTEL_TRACES_SAMPLER" in environment else ours,
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(Exporter(endpoint=url)))
    logging.getLogger("opentelemetry").addHandler(_Told())
    return provider


class _Told(logging.Handler):
    """What OpenTelemetry has to say, in our log."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.warning("traces.problem", why=record.getMessage())


class _Span:
    """A span of OpenTelemetry's (`spans.Span`)."""

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = (
            f"00-{context.trace_id:032x}-{context.span_id:016x}-{_SAMPLED:02x}"
            if context.trace_flags & _SAMPLED
            else ""
        )

    def end(self, *, name: str = "", problem: str = "", **attributes: str | int) -> None:
        if name:
            self._span.update_name(name)
        if attributes:
            self._span.set_attributes(attributes)
        if problem:
            from opentelemetry.trace import StatusCode

            self._span.set_status(StatusCode.ERROR, problem)
        self._span.end()


class _Recorder:
    """Keeps `spans.Recorder`."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer

    def begin(
        self,
        name: str,
        kind: Kind,
        parent: str,
        *,
        links: Sequence[str] = (),
        began_s_ago: float = 0.0,
        attributes: Attributes | None = None,
    ) -> _Span:
        from opentelemetry.trace import Link, SpanKind

        span = self._tracer.start_span(
            name,
            context=_context(parent),
            kind=SpanKind[kind.name],
            links=[Link(_read(link)) for link in links],
            start_time=time_ns() - int(began_s_ago * 1e9),
            attributes=attributes,
        )
        return _Span(span)


def _context(parent: str) -> "Context":
    from opentelemetry.context import Context
    from opentelemetry.trace import NonRecordingSpan, set_span_in_context

    return set_span_in_context(NonRecordingSpan(_read(parent)), Context()) if parent else Context()


def _read(traceparent: str) -> "SpanContext":
    """Of a text that was checked."""
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace, span, flags = traceparent.split("-")
    return SpanContext(int(trace, 16), int(span, 16), True, TraceFlags(int(flags, 16)))
