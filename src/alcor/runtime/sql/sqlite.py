"""A manager's database in a SQLite file: one writer thread, several readers, one that copies.

SQLite has one writer at a time anyway: one writer thread makes that a queue instead of lock errors,
and what waits in it is committed together (`group_commit.py`).
What writes append to the write-ahead log is copied into the file beside them (a passive checkpoint,
https://sqlite.org/wal.html), so that none of them has to do it for all that went before.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock, local
from typing import Any, TypeVar

import structlog

from alcor.runtime.sql.group_commit import GroupCommit, Waiting
from alcor.runtime.sql.log_room import LogRoom
from alcor.runtime.sql.refusing import Refusing, try_bytes
from alcor.runtime.sql.workers import Workers
from alcor.values.errors import Unavailable

T = TypeVar("T")

_log = structlog.get_logger(__name__)

readers_max = 2  # threads; reads are short, and Python runs one at a time
copied_after_s = 2.0  # from a write until its pages are copied: a page changes often meanwhile
wal_pages_max = 32_000  # then a write copies what is left, so that the log begins anew
# A file that can't be used now: no room, no rights (https://sqlite.org/rescode.html).
_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}

writer_cache_kib = 32 << 10  # what a create touches of the indexes of some 100,000 rows


class SqliteDatabase:
    """A SQLite file in WAL mode; a commit is on the disk before `write` returns."""

    def __init__(self, path: Path, copied_after_s: float = copied_after_s) -> None:
        self.path = path
        self._writer = Workers(1, f"{path.stem}-writer")
        self._readers = Workers(readers_max, f"{path.stem}-reader")
        self._copier = ThreadPoolExecutor(1, thread_name_prefix=f"{path.stem}-copier")
        self._copied_after_s = copied_after_s
        self._copying: asyncio.TimerHandle | None = None  # soon
        self._local = local()
        self._changing_mode = Lock()
        self._log_room = LogRoom(path)
        self._writes = GroupCommit()
        self._refusing = Refusing(path.stem)
        self._opened: list[sqlite3.Connection] = []

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction that is durable when this returns; undone if it raises."""
        waiting = self._writes.add(work)
        try:
            result: T = await self._writer.do(self._write, waiting)
        except asyncio.CancelledError:
            waiting.dropped = True
            raise
        if self._copying is None:
            loop = asyncio.get_running_loop()
            self._copying = loop.call_later(self._copied_after_s, self._copier.submit, self._copy)
        return result

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one read transaction: it sees one state of the database."""
        return await self._readers.do(self._read, work)

    @property
    def refuses_writes(self) -> bool:
        """Whether the last write was refused: there is no room, or no right to write."""
        return self._refusing.now

    async def try_write(self) -> None:
        """Write something that leaves nothing; `Unavailable` when that is refused."""
        await self.write(_fill)
        await self.write(_clear)  # in one transaction they would write nothing

    async def lead(self) -> None:
        """A folder of files has one process anyway: whoever opens it locks it."""

    async def deposed(self) -> None:
        """Never: nobody else has the folder."""
        await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Wait for what runs, then close every connection."""
        if self._copying is not None:
            self._copying.cancel()
        self._writer.end()
        self._readers.end()
        self._copier.shutdown(wait=True)
        for connection in self._opened:
            connection.close()
        self._log_room.close()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            with self._changing_mode:  # who is there at the same time is not waited for
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA busy_timeout=10000")
            # What undoes one statement of many rows is kept here, not in a file made for each.
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute(f"PRAGMA wal_autocheckpoint={wal_pages_max}")
            self._local.connection = connection
            self._opened.append(connection)
        return connection

    def _write(self, waiting: Waiting) -> Any:
        if getattr(self._local, "connection", None) is None:
            self._log_room.look()
            self._connection().execute(f"PRAGMA cache_size=-{writer_cache_kib}")
        if self._writes.settle(self._connection(), waiting):
            self._log_room.keep()
        outcome, waiting.outcome = waiting.outcome, None
        assert outcome is not None
        try:
            if outcome.error is not None:
                told = self._told(outcome.error)
                if told is not outcome.error:
                    self._refusing.note(True)
                raise told
            self._refusing.note(False)
            return outcome.result
        finally:
            del outcome  # the error knows this frame, which must not know it: a circle

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                result = work(connection)
            except BaseException:
                if connection.in_transaction:  # a file that can't be read ends it
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise self._told(error) from error
        return result

    def _told(self, error: BaseException) -> BaseException:
        """As callers shall have it: a file that can't be used now is no fault of theirs or ours."""
        if not isinstance(error, sqlite3.OperationalError):
            return error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
            return error
        _log.warning("database.away", database=self.path.name, why=str(error))
        away = Unavailable(f"the database of {self.path.stem} can't be used now: {error}")
        away.__cause__ = error
        return away

    def _copy(self) -> None:
        self._copying = None
        try:
            self._connection().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error:  # the thread's boundary: a write will copy, or say what is wrong
            _log.exception("pages_not_copied", database=self.path.name)


def _fill(connection: sqlite3.Connection) -> None:
    _clear(connection)
    connection.execute("CREATE TABLE alcor_tried (bytes BLOB)")
    connection.execute("INSERT INTO alcor_tried VALUES (zeroblob(?))", (try_bytes,))


def _clear(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE IF EXISTS alcor_tried")
