"""What happened in a world, in order: for whoever looks for the cause, and to compare two runs."""

import sys
from collections import deque
from collections.abc import Callable, MutableMapping
from hashlib import blake2b
from typing import Any

import structlog

from alcor.simulation.fakes.clock import current

kept_max = 100_000  # events that are kept; the digest is of all


class Violation(Exception):
    """What must never be, has been seen."""


class Journal:
    """Events of one world. Equal digests mean equal histories."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.events: deque[str] = deque(maxlen=kept_max)
        self.violations: list[str] = []
        self.is_closed = False
        self.counts: dict[str, int] = {}
        self._clock = clock
        self._digest = blake2b(digest_size=8)

    @property
    def digest(self) -> str:
        """Of everything that was noted so far."""
        return self._digest.copy().hexdigest()

    def note(self, kind: str, /, **about: object) -> None:
        """Something happened, just now and on behalf of whoever runs."""
        if self.is_closed:
            return
        process = current()
        who = process.name if process is not None else "world"
        said = " ".join(f"{name}={value}" for name, value in about.items())
        line = f"{self._clock():10.4f}  {who:<11} {kind:<18} {said}"
        self.events.append(line)
        self._digest.update(line.encode())
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def violation(self, law: str, /, **about: object) -> None:
        """A law is broken."""
        said = " ".join(f"{name}={value}" for name, value in about.items())
        self.violations.append(f"{law}: {said}")
        self.note("VIOLATION", law=repr(law), **about)

    def take_logs(self) -> None:
        """From now on what parts log is noted here; `structlog.reset_defaults` ends that."""
        structlog.configure(
            processors=[self._logged],
            wrapper_class=structlog.make_filtering_bound_logger(20),
            cache_logger_on_first_use=False,
        )

    def _logged(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        fault = event.pop("exc_info", None)
        about = {name: value for name, value in event.items() if name != "event"}
        if fault is not None:
            about["fault"] = repr(sys.exc_info()[1] if fault is True else fault)
        self.note(f"log.{level}", said=repr(event.get("event")), **about)
        raise structlog.DropEvent
