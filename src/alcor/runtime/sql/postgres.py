"""A manager's database in PostgreSQL: any number of processes may write, one at a time.

A write takes the database's advisory lock first, so that transactions follow each other as they do
in SQLite, and sequences are in order of commit. A lost connection is made again; work that had not
begun to commit is run again, until the server has been away for too long. But what is asked of who
led, and has lost that session, is refused: none of its writes will be taken any more.

The leading process holds another lock, in the session that writes: nobody else can lead as long
as that lives, and what is written in no session that leads is refused. So a deposed process writes
nothing, and a write asks nobody whether it may. A process that has nothing to write looks every few
seconds whether its session lives, so that it doesn't find out only at a client's request.

Of several servers (`//a,b/` in the URL) the one that takes writes is used, and waited for: one
that follows another may not have all of it. A server that takes none any more is taken for lost.

A server takes a session for alive until its machine has not answered for some seconds: then another
process may lead. Nor does who asks a machine that is gone wait for it any longer.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, local
from time import monotonic
from typing import Any, TypeVar, cast

import psycopg
import structlog
from psycopg import errors

from alcor.runtime.sql import dialect
from alcor.runtime.sql.database import Deposed, DuplicateKey
from alcor.runtime.sql.refusing import Refusing, try_bytes
from alcor.runtime.sql.workers import Workers
from alcor.values.errors import Unavailable

T = TypeVar("T")

readers_max = 4  # connections that read
away_max_s = 30.0  # how long a server may be away before what waits for it is refused
reconnect_s_max = 5.0  # after the session that leads is lost, to see whether the server is there
told_every_s = 30.0  # why a database is waited for, at most
ask_again_s = 0.2
look_every_s = 2.0  # whether we lead still
plans_s_max = 5.0  # how long plans are kept: they may be of a time when their tables were empty
connect_s_max = 10
silence_s_max = 10  # of the other machine, before a connection is taken for lost
_PASSING = (  # of refusals that end by themselves
    *("starting up", "shutting down", "recovery"),
    *("too many clients", "too many connections", "connection slots"),
)

_BEGIN_WRITE = "BEGIN; SELECT pg_advisory_xact_lock(1)"
_LEAD = "SELECT pg_try_advisory_lock(2)"
# What a write names it looks up in an index, whatever a table's size, as in SQLite.
_LOOK_UP = "SET enable_hashjoin = off; SET enable_mergejoin = off"
# How a server is lost: it does not answer, or is one that only follows another by now.
_LOSS = (errors.OperationalError, errors.InterfaceError, errors.ReadOnlySqlTransaction)
# Both ends ask a silent machine whether it is there, and give it up.
_ASK_S, _ASK_AGAIN_S, _ASKED_MAX = 4, 2, 3
AT_OUR_END: dict[str, Any] = {
    "connect_timeout": connect_s_max,
    "keepalives_idle": _ASK_S,
    "keepalives_interval": _ASK_AGAIN_S,
    "keepalives_count": _ASKED_MAX,
    "tcp_user_timeout": silence_s_max * 1_000,
    "target_session_attrs": "read-write",
}
_AT_ITS_END = (
    f"SET tcp_keepalives_idle = {_ASK_S}; SET tcp_keepalives_interval = {_ASK_AGAIN_S}; "
    f"SET tcp_keepalives_count = {_ASKED_MAX}; SET tcp_user_timeout = {silence_s_max * 1_000}"
)
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_KEY_OF_DETAIL = re.compile(r"\((?P<columns>[^)]*)\)=")

_log = structlog.get_logger(__name__)


def unreachable(url: str) -> str:
    """Why the server of a database does not answer; empty when it does, also with a refusal.

    `ValueError` when the URL is none.
    """
    try:
        psycopg.connect(url, **AT_OUR_END).close()
    except psycopg.ProgrammingError:
        raise ValueError("it is no URL as in postgresql://host/alcor_{manager}") from None
    except psycopg.OperationalError as problem:
        why = str(problem).strip()
        if "FATAL" not in why or any(passing in why for passing in _PASSING):
            return why.splitlines()[0]
    return ""


class PostgresDatabase:
    """A database by its URL. `Unavailable` when the server does not answer for too long."""

    def __init__(self, url: str, name: str, *, plans_s_max: float = plans_s_max) -> None:
        self._url = url
        self._plans_s_max = plans_s_max
        self._name = name
        self._writer = Workers(1, f"{name}-writer")
        self._readers = Workers(readers_max, f"{name}-reader")
        self._local = local()
        self._opened: list[psycopg.Connection[Any]] = []
        self._closing = Event()
        self._away_since: float | None = None  # when we first heard nothing of the server
        self._told_at: float | None = None  # why
        self._leading: psycopg.Connection[Any] | None = None  # the session that leads, or led
        self._deposed = asyncio.Event()
        self._refusing = Refusing(name)

    @property
    def refuses_writes(self) -> bool:
        """Whether the last write was refused: there is no room, it is read-only, or away."""
        return self._refusing.now

    async def try_write(self) -> None:
        """Write something that leaves nothing; `Unavailable` when that is refused."""
        await self.write(_try)

    async def lead(self) -> None:
        """Wait until no other process leads this database, and lead it."""
        await self._writer.do(self._lead)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction that is durable when this returns; undone if it raises."""
        try:
            return await self._writer.do(self._run, _BEGIN_WRITE, work)
        except Deposed:
            self._deposed.set()
            raise

    async def deposed(self) -> None:
        """Wait until it is known that we don't lead any more, and raise `Deposed`."""
        while not self._deposed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_s):
                    await self._deposed.wait()
            await self._writer.do(self._look)
        raise self._lost()

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one read transaction: it sees one state of the database."""
        return await self._readers.do(self._run, _BEGIN_READ, work)

    async def close(self) -> None:
        """Wait for what runs, then close every connection."""
        self._closing.set()
        self._refusing.note(False)  # whoever opens it next finds out
        self._writer.end()
        self._readers.end()
        for connection in self._opened:
            connection.close()

    def _lead(self) -> None:
        """Return once we lead."""
        while not self._try_to_lead():
            if self._closing.wait(ask_again_s):
                raise Deposed(f"the database of {self._name} is closed")

    def _try_to_lead(self) -> bool:
        try:
            raw = self._connection(writes=True)
            if raw.execute(_LEAD).fetchone() != (True,):
                return False
        except (errors.OperationalError, errors.InterfaceError) as problem:
            self._forget_connection()
            self._tell(problem)
            return False
        self._leading = raw
        return True

    def _look(self) -> None:
        """`Deposed` when we don't lead any more. As long as the server does not answer, nobody else
        can have begun to; it is not waited for."""
        try:
            self._check_leads(self._connection(writes=True).execute("SELECT 1").connection)
        except (errors.OperationalError, errors.InterfaceError):
            self._forget_connection()

    def _check_leads(self, raw: "psycopg.Connection[Any]") -> None:
        """Whoever leads, if we ever did, writes in the session in which we began to."""
        if self._leading not in (None, raw):
            raise self._lost()

    def _lost(self) -> Deposed:
        return Deposed(f"this process leads the database of {self._name} no more")

    def _run(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        began, tries = monotonic(), 0
        while True:
            try:
                result = self._within(begin, work)
            except errors.DiskFull as problem:
                self._tell(problem)
                if begin == _BEGIN_WRITE:
                    self._refusing.note(True)
                raise Unavailable(f"the disk of the database of {self._name} is full") from problem
            except _LOSS as problem:
                self._forget_connection(hang_up=isinstance(problem, errors.ReadOnlySqlTransaction))
                self._tell(problem)
                self._away_since = self._away_since or monotonic()
                give_up = min(began, self._away_since) + away_max_s
                if self._has_lost_lead():
                    # No later write of ours will do: a server that is there says `Deposed`. Nor
                    # is who reads to wait for longer than who writes.
                    give_up = began if tries else min(give_up, began + reconnect_s_max)
                tries += 1
                if monotonic() > give_up or self._closing.is_set():
                    _log.warning("database.away", database=self._name, why=str(problem))
                    if begin == _BEGIN_WRITE and not self._closing.is_set():
                        self._refusing.note(True)
                    raise Unavailable(f"the database of {self._name} does not answer") from problem
                self._closing.wait(ask_again_s)
            else:
                self._away_since = None
                if begin == _BEGIN_WRITE:
                    self._refusing.note(False)
                return result

    def _has_lost_lead(self) -> bool:
        """Whether we led in a session that is known to be gone."""
        return self._leading is not None and self._leading.closed

    def _tell(self, problem: psycopg.Error) -> None:
        """Say at once why the database is waited for, and now and then that it still is."""
        now = monotonic()
        if self._told_at is None or now - self._told_at > told_every_s:
            self._told_at = now
            _log.warning("database.waits", database=self._name, why=str(problem).strip())

    def _within(self, begin: str, work: Callable[[sqlite3.Connection], T]) -> T:
        writes = begin == _BEGIN_WRITE
        raw = self._connection(writes=writes)
        if writes:
            self._check_leads(raw)
        self._plan_anew(raw)
        try:
            raw.execute(cast(Any, begin))
            # Of a connection of SQLite's, stores use what `_Connection` has.
            result = work(cast(sqlite3.Connection, _Connection(raw)))
        except BaseException:
            if not raw.broken:
                raw.execute("ROLLBACK")
            raise
        try:
            raw.execute("COMMIT")
        except (errors.OperationalError, errors.InterfaceError) as problem:
            # It may have been committed: to run it again could do it twice.
            self._forget_connection()
            raise Unavailable(f"the database of {self._name} went away in a commit") from problem
        return result

    def _plan_anew(self, raw: "psycopg.Connection[Any]") -> None:
        """Forget plans that are old. The server does so itself when it has counted a table's rows,
        which may be a minute after there are many, or never."""
        if monotonic() >= self._local.planned_until:
            raw.execute("DISCARD PLANS")
            self._local.planned_until = monotonic() + self._plans_s_max

    def _connection(self, *, writes: bool) -> "psycopg.Connection[Any]":
        raw: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if raw is None:
            raw = psycopg.connect(
                self._url,
                autocommit=True,
                application_name=f"alcor-{self._name}-{'writer' if writes else 'reader'}",
                **AT_OUR_END,
            )
            if writes:
                raw.execute(f"{_LOOK_UP}; {_AT_ITS_END}".encode())
            self._local.connection = raw
            self._local.planned_until = monotonic() + self._plans_s_max
            self._opened.append(raw)
        return raw

    def _forget_connection(self, *, hang_up: bool = False) -> None:
        """Unless it can be used on: in the writer's, if it leads, we shall lead no more."""
        raw: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if raw is not None and (hang_up or raw.closed or raw.broken):
            self._local.connection = None
            self._opened.remove(raw)
            raw.close()


def _try(connection: sqlite3.Connection) -> None:
    """A table is a new file, so it needs room; dropped with the same commit, nobody sees it."""
    rows = f"SELECT repeat('x', 1024) AS bytes FROM generate_series(1, {try_bytes >> 10})"
    connection.execute(f"CREATE TABLE alcor_tried AS {rows}")
    connection.execute("DROP TABLE alcor_tried")


class _Connection:
    """What stores use of `sqlite3.Connection`, on a connection to PostgreSQL."""

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self._raw = raw

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> "_Rows":
        cursor = self._raw.cursor()
        with _duplicates():
            cursor.execute(cast(Any, dialect.query(statement)), _plain(parameters))
        return _Rows(cursor)

    def executemany(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        with _duplicates():
            self._raw.cursor().executemany(
                cast(Any, dialect.query(statement)), [_plain(row) for row in rows]
            )


class _Rows:
    """A cursor: its rows as tuples of what SQLite gives."""

    def __init__(self, cursor: "psycopg.Cursor[Any]") -> None:
        self._cursor = cursor
        self.rowcount = cursor.rowcount

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._cursor) if self._cursor.description else iter(())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(iter(self), None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self)


@contextmanager
def _duplicates() -> Iterator[None]:
    """Name the columns of a unique index that a statement breaks."""
    try:
        yield
    except errors.UniqueViolation as problem:
        found = _KEY_OF_DETAIL.search(problem.diag.message_detail or "")
        columns = found["columns"].split(", ") if found else []
        raise DuplicateKey(tuple(columns)) from problem


def _plain(row: Sequence[object]) -> list[object]:
    """Booleans are numbers, as in SQLite."""
    return [int(value) if isinstance(value, bool) else value for value in row]
