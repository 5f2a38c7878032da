"""A file that lines are added to, by several processes if need be.

It is opened for every line, so it may be moved away by whoever rotates it. A line that can't be
written is counted, and told to the log: what was done is done.
"""

import os
from pathlib import Path

import msgspec
import structlog
from prometheus_client import Counter

_log = structlog.get_logger("alcor.audit")

lines_lost = Counter("alcor_audit_lines_lost", "Lines of the audit log that could not be written.")


class AuditFile:
    """Lines in `path`; `OSError` when it can't be opened at the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        os.close(self._open())

    def write(self, line: bytes) -> None:
        """Add a line, in one piece."""
        try:
            file = self._open()
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except OSError as problem:
            lines_lost.inc()
            _log.error("audit.line_lost", path=str(self._path), why=str(problem))

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


def to_log(line: bytes) -> None:
    """The line as an event of the process's log."""
    _log.info("audit", **msgspec.json.decode(line))
