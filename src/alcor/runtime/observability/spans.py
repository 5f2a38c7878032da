"""Spans of traced requests: what was done, when, for whom.

A process records them when its assembly has set a recorder (`otlp`), once. Without one, and
for a request that is not sampled, nothing is made and nothing is carried: `recorder` is None, or
`within` is empty. A span is named by its traceparent, which travels in headers of calls and in what
changes carry (`values.traceparent`).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from typing import Protocol

from alcor.values.traceparent import traceparent_of

HEADER = "traceparent"  # of HTTP and of NATS

within: ContextVar[str] = ContextVar("traceparent", default="")  # the span that we are in

Attributes = dict[str, str | int]


class Kind(Enum):
    """What a span is to its parent (OpenTelemetry's span kinds)."""

    SERVER = auto()
    CLIENT = auto()
    INTERNAL = auto()
    CONSUMER = auto()


class Span(Protocol):
    """Something that has begun."""

    @property
    def traceparent(self) -> str:
        """Its name for others; empty when it is not sampled."""
        ...

    def end(self, *, name: str = "", problem: str = "", **attributes: str | int) -> None:
        """It is over; `name` replaces its name, `problem` says what went wrong."""
        ...


class Recorder(Protocol):
    """What takes spans."""

    def begin(
        self,
        name: str,
        kind: Kind,
        parent: str,
        *,
        links: Sequence[str] = (),
        began_s_ago: float = 0.0,
        attributes: Attributes | None = None,
    ) -> Span:
        """Begin a span below `parent`, a traceparent; below none it begins a trace, if sampled."""
        ...


recorder: Recorder | None = None  # of this process


def record(to: Recorder | None) -> None:
    """Record from now on, or no more."""
    global recorder
    recorder = to


@contextmanager
def inner(name: str, kind: Kind = Kind.INTERNAL, **attributes: str | int) -> Iterator[None]:
    """A span of what the context does, if that is for a request that is traced."""
    with _inner(name, kind, within.get(), (), attributes):
        yield


@contextmanager
def served(name: str, parent: str) -> Iterator[None]:
    """The same, for a call of another process that came with `parent`; empty: it is not traced."""
    with _inner(name, Kind.SERVER, parent, (), {}):
        yield


@contextmanager
def together(name: str, of: Iterable[str], **attributes: str | int) -> Iterator[None]:
    """A span of what is done for several at once: below the first that is traced, linked to the
    others."""
    parents = list(dict.fromkeys(filter(None, of)))
    with _inner(name, Kind.INTERNAL, parents[0] if parents else "", parents[1:], attributes):
        yield


def done(name: str, traces: Iterable[str], seconds: float, **attributes: str | int) -> None:
    """Spans that are over, of what took so many seconds until now: one in each trace that one of
    the changes, by what it carries, belongs to."""
    if recorder is None:
        return
    for parent in sorted(set(filter(None, map(traceparent_of, traces)))):
        span = recorder.begin(
            name, Kind.CONSUMER, parent, began_s_ago=seconds, attributes=attributes
        )
        span.end()


@contextmanager
def _inner(
    name: str, kind: Kind, parent: str, links: Sequence[str], attributes: Attributes
) -> Iterator[None]:
    if recorder is None or not parent:
        yield
        return
    span = recorder.begin(name, kind, parent, links=links, attributes=attributes)
    token = within.set(span.traceparent)
    problem = ""
    try:
        yield
    except BaseException as error:
        problem = type(error).__name__
        raise
    finally:
        within.reset(token)
        span.end(problem=problem)
