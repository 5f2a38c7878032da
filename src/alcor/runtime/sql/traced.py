"""A database and a log of which traced requests see how long they took. Made only where spans are
recorded; otherwise the things themselves are used."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import TypeVar

from alcor.keyed_log.log import Change, Entry, KeyedLog, Snapshot
from alcor.runtime.observability import spans
from alcor.runtime.observability.spans import Kind
from alcor.runtime.sql.database import Database

T = TypeVar("T")


class TracedDatabase:
    """A manager's database; the spans of its transactions are those of who asks."""

    def __init__(self, database: Database, manager: str) -> None:
        self._database = database
        self._write, self._read = f"write {manager}", f"read {manager}"

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As the database does."""
        with spans.inner(self._write, Kind.CLIENT):
            return await self._database.write(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """As the database does."""
        with spans.inner(self._read, Kind.CLIENT):
            return await self._database.read(work)

    @property
    def refuses_writes(self) -> bool:
        """As the database does."""
        return self._database.refuses_writes

    async def try_write(self) -> None:
        """As the database does."""
        await self._database.try_write()

    async def lead(self) -> None:
        """As the database does."""
        await self._database.lead()

    async def deposed(self) -> None:
        """As the database does."""
        await self._database.deposed()

    async def close(self) -> None:
        """As the database does."""
        await self._database.close()


class TracedLog:
    """A log; the spans of a put are below those of the requests that its changes come from."""

    def __init__(self, log: KeyedLog, name: str) -> None:
        self._log = log
        self._name = f"tell {name}"

    @property
    def epoch(self) -> int:
        """As the log does."""
        return self._log.epoch

    @property
    def life(self) -> str:
        """As the log does."""
        return self._log.life

    async def renewed(self, epoch: int) -> int:
        """As the log does."""
        return await self._log.renewed(epoch)

    async def complete(self, writer: str, last: int) -> None:
        """As the log does."""
        await self._log.complete(writer, last)

    async def completed(self, writers: Collection[str]) -> Mapping[str, int]:
        """As the log does."""
        return await self._log.completed(writers)

    async def put(self, changes: Sequence[Change]) -> int:
        """As the log does."""
        began = asyncio.get_running_loop().time()
        position = await self._log.put(changes)
        seconds = asyncio.get_running_loop().time() - began
        spans.done(self._name, (c.trace for c in changes), seconds, changes=len(changes))
        return position

    async def get(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """As the log does."""
        return await self._log.get(keys)

    async def snapshot(self, prefix: str) -> Snapshot:
        """As the log does."""
        return await self._log.snapshot(prefix)

    async def changes(self, prefix: str, since: int) -> Snapshot:
        """As the log does."""
        return await self._log.changes(prefix, since)

    def watch(self, prefix: str, since: int) -> AsyncIterator[Sequence[Entry]]:
        """As the log does."""
        return self._log.watch(prefix, since)
