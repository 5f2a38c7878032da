"""Structured logs: one line an event, JSON for machines or coloured for people, on stderr.

What libraries tell is told in the same form. The request id of whoever caused an event is on each
of its lines. While a process runs, SIGUSR1 has it tell all that it can, and SIGUSR2 what its
settings say again.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

request_id: ContextVar[str] = ContextVar("request_id", default="")

_log = structlog.get_logger(__name__)
_LEVEL_BY_METHOD = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "exception": logging.ERROR,
}
_level_by_signal: dict[signal.Signals, str] = {}


class _Logger(structlog.make_filtering_bound_logger(logging.DEBUG)):  # type: ignore[misc]
    """Every logger of the process: a level that changes is changed here, for all of them."""


class _FromLibraries(logging.Handler):
    """Has what libraries tell by Python's own logging told by ours."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        tell = log.error if record.levelno >= logging.ERROR else log.warning
        tell(record.getMessage(), logger=record.name, exc_info=record.exc_info)


def configure(form: str, level: str) -> None:
    """Once a process, by its main thread: `form` is "json" or "console", `level` a name as in
    logging."""
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
        wrapper_class=_Logger,
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_FromLibraries()], level=logging.WARNING, force=True)
    logging.captureWarnings(True)
    # gRPC's core writes lines of its own, of hosts that it does not let in for instance.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    set_level(level)
    _level_by_signal.update({signal.SIGUSR1: "debug", signal.SIGUSR2: level})
    for number in _level_by_signal:
        signal.signal(number, signal.SIG_IGN)  # until somebody listens: they would end us


def listen(child: int | None = None) -> None:
    """Let signals change the level while this event loop runs, also of a forked process.

    The loop calls when no line is being written: who interrupts one would wait for it for ever.
    """
    loop = asyncio.get_running_loop()
    for number in _level_by_signal:
        loop.add_signal_handler(number, _change, number, child)


def _change(number: signal.Signals, child: int | None) -> None:
    level = _level_by_signal[number]
    set_level(level)
    _log.warning("log.level", tells=level)
    if child is not None:
        with suppress(ProcessLookupError):
            os.kill(child, number)


def set_level(level: str) -> None:
    """What is below this level is not told, by any logger."""
    number = logging.getLevelNamesMapping()[level.upper()]
    for method, its_number in _LEVEL_BY_METHOD.items():
        if its_number < number:
            setattr(_Logger, method, _untold)
        elif method in _Logger.__dict__:
            delattr(_Logger, method)


def _untold(_logger: object, _event: str, *_args: Any, **_fields: Any) -> None:
    """A line below the level."""


def _with_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current:
        event["request_id"] = current
    return event
