"""Structured logs: one line an event, JSON for machines or coloured for people, on stderr.

The request id of whoever caused an event is on each of its lines.
"""

import logging
import sys
from contextvars import ContextVar

import structlog
from structlog.typing import EventDict, WrappedLogger

request_id: ContextVar[str] = ContextVar("request_id", default="")


def configure(form: str, level: str) -> None:
    """Once a process: `form` is "json" or "console", `level` a name as in logging."""
    number = logging.getLevelNamesMapping()[level.upper()]
    rendered: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if form == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            _with_request_id,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _with_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current:
        event["request_id"] = current
    return event
