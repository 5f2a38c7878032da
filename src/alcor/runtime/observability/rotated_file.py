"""A file that lines are added to by one process, and that never grows beyond its share of the disk.

When it is full it becomes `<name>.1`, what was `.1` becomes `.2`, and the oldest goes. It may be
moved away by somebody else, too: it is opened anew for every line.
"""

import os
from itertools import pairwise
from pathlib import Path

import structlog

_log = structlog.get_logger("alcor.lines")


class RotatedFile:
    """Lines in `path`: at most `bytes_max` of them there, and in each of `kept` older files.

    `OSError` when it can't be opened at the start.
    """

    def __init__(self, path: Path, bytes_max: int, kept: int) -> None:
        self._path, self._bytes_max, self._kept = path, bytes_max, kept
        self._failed = False
        os.close(self._open())

    def write(self, line: bytes) -> bool:
        """Add a line, in one piece; False when it can't be written, which is told once."""
        try:
            self._add(line)
        except OSError as problem:
            if not self._failed:
                _log.error("lines.lost", path=str(self._path), why=str(problem))
            self._failed = True
            return False
        self._failed = False
        return True

    def _add(self, line: bytes) -> None:
        file = self._open()
        if os.fstat(file).st_size + len(line) > self._bytes_max and os.fstat(file).st_size:
            os.close(file)
            self._rotate()
            file = self._open()
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def _rotate(self) -> None:
        files = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, self._kept + 1))]
        for newer, older in reversed(list(pairwise(files))):
            if newer.exists():
                newer.replace(older)
        if not self._kept:
            self._path.unlink()
