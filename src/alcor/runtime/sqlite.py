"""A manager's database in a SQLite file: one writer thread, several readers.

SQLite has one writer at a time anyway: one writer thread makes that a queue instead of lock errors.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local
from typing import TypeVar

from alcor.runtime.log_room import LogRoom

T = TypeVar("T")

readers_max = 2  # threads; reads are short, and Python runs one at a time
wal_pages_max = 8_000  # before they are copied into the file: a page changes often meanwhile
writer_cache_kib = 32 << 10  # what a create touches of the indexes of some 100,000 rows


class SqliteDatabase:
    """A SQLite file in WAL mode; a commit is on the disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"{path.stem}-writer")
        self._readers = ThreadPoolExecutor(readers_max, thread_name_prefix=f"{path.stem}-reader")
        self._local = local()
        self._log_room = LogRoom(path)
        self._opened: list[sqlite3.Connection] = []

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction that is durable when this returns; undone if it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one read transaction: it sees one state of the database."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def lead(self) -> None:
        """A folder of files has one process anyway: whoever opens it locks it."""

    async def close(self) -> None:
        """Wait for what runs, then close every connection."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)
        for connection in self._opened:
            connection.close()
        self._log_room.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA busy_timeout=10000")
            connection.execute(f"PRAGMA wal_autocheckpoint={wal_pages_max}")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if getattr(self._local, "connection", None) is None:
            self._log_room.look()
            self._connection().execute(f"PRAGMA cache_size=-{writer_cache_kib}")
        result = self._within("BEGIN IMMEDIATE", work)
        self._log_room.keep()
        return result

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return self._within("BEGIN", work)

    def _within(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection()
        connection.execute(begin)
        try:
            result = work(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return result
