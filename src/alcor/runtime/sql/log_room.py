"""Makes SQLite's write-ahead log longer before that is needed, so that commits are synced sooner.

A commit that makes the log longer waits for the file system's journal besides its own bytes, which
takes about twice as long. So the log is made longer in advance, with zeros and in few steps. SQLite
reads no further than the last frame whose salts and running checksum continue those before, and
writes over whatever is behind it, as it does when it begins the log again after a checkpoint.

A step is written in small pieces: what was written in one piece the kernel may keep as one, and go
over all of it for every page that is written into it later (ext4 of Linux 6.18 took 13 us a page in
pieces of 4 MiB, and 5 us in pieces of 64 KiB).

Source: SQLite, "Database File Format", section 4, "The Write-Ahead Log".
"""

import os
from contextlib import suppress
from pathlib import Path

step_bytes_max = 4 << 20
piece_bytes_max = 64 << 10

_zeros = bytes(piece_bytes_max)


class LogRoom:
    """The log of one database; only its one writer may call, between transactions."""

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}-wal")
        self._file = -1
        self._made = 0  # bytes: how long the log was when it was last looked at

    def look(self) -> None:
        """Before the first transaction: what a crash has left is room as well."""
        with suppress(FileNotFoundError):
            self._made = self._path.stat().st_size

    def keep(self) -> None:
        """After a commit: if it has made the log longer, double it, or add a step.

        On a full disk nothing is added: what was committed is committed.
        """
        if self._file < 0:
            self._file = os.open(self._path, os.O_WRONLY)
        size = os.fstat(self._file).st_size
        if size > self._made:
            self._made = size
            end = size + min(size, step_bytes_max)
            with suppress(OSError):
                while self._made < end:
                    piece = _zeros[: end - self._made]
                    self._made += os.pwrite(self._file, piece, self._made)

    def close(self) -> None:
        """When the last connection is closed, which has deleted the log."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
