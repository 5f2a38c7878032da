"""The managers' databases of a simulated region: SQLite in memory, which outlives their processes.

A write is one step: a process dies before it or after it, never within. What can go wrong besides:
the disk is full, so that nothing is saved; or the database goes away as it answers, so that nobody
knows whether it was.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import TypeVar

from alcor.runtime.sql import migrations
from alcor.runtime.sql.database import Database, Deposed
from alcor.simulation.fakes.clock import Process, current
from alcor.simulation.fakes.journal import Journal
from alcor.values.errors import Unavailable

T = TypeVar("T")

read_s, commit_s = 0.0004, 0.002  # on average
lead_again_s = 0.2


class Disk:
    """One manager's database."""

    def __init__(self, manager: str, schema: bytes, chance: Random) -> None:
        self.manager = manager
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.deserialize(schema)
        self.connection.execute("PRAGMA foreign_keys=ON")
        self.leader: Process | None = None
        self.turn = asyncio.Lock()
        self.chance = chance

    def query(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Rows, as they are now; for whoever checks."""
        return self.connection.execute(statement, parameters).fetchall()

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        of = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return bool(self.query(of, table))


class Disks:
    """All of them; a `runtime.sql.places.Opener`.

    `spoiled` are statements that spoil the databases of these managers: tests plant faults by them.
    """

    def __init__(
        self,
        chance: Random,
        journal: Journal,
        spoiled: Mapping[str, Sequence[str]],
    ) -> None:
        self.by_manager: dict[str, Disk] = {}
        self.full_share = 0.0  # of the writes for which there is no room
        self.lost_share = 0.0  # of the writes whose answer is lost
        self._chance, self._journal, self._spoiled = chance, journal, spoiled

    def open(self, manager: str, versions: Path) -> Database:
        """The manager's database for the process that runs."""
        process = current()
        assert process is not None, "only processes open databases"
        disk = self.by_manager.get(manager)
        if disk is None:
            disk = Disk(manager, _schema(versions), Random(self._chance.random()))
            for statement in self._spoiled.get(manager, ()):
                disk.connection.execute(statement)
            self.by_manager[manager] = disk
        return SimulatedDatabase(disk, self, process, self._journal)

    def close(self) -> None:
        """Give the memory back."""
        for disk in self.by_manager.values():
            disk.connection.close()


class SimulatedDatabase:
    """A process's way to one database; keeps `runtime.sql.database.Database`."""

    def __init__(self, disk: Disk, disks: Disks, process: Process, journal: Journal) -> None:
        self._disk, self._disks = disk, disks
        self._process, self._journal = process, journal
        self._deposed = asyncio.Event()
        self.refuses_writes = False

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction; undone if it raises."""
        disk, chance = self._disk, self._disk.chance
        await asyncio.sleep(chance.expovariate(1 / read_s))
        if disk.leader is not self._process:
            self._deposed.set()
            raise Deposed(f"{self._process.name} leads the database of {disk.manager} no more")
        full = chance.random() < self._disks.full_share
        result = _within(disk.connection, "BEGIN IMMEDIATE", work, "ROLLBACK" if full else "COMMIT")
        if full:
            self._journal.note("disk.full", manager=disk.manager)
            self.refuses_writes = True
            raise Unavailable(f"the database of {disk.manager} has no room")
        self.refuses_writes = False
        self._journal.note("disk.commit", manager=disk.manager)
        await asyncio.sleep(chance.expovariate(1 / commit_s))
        if chance.random() < self._disks.lost_share:
            self._journal.note("disk.lost_answer", manager=disk.manager)
            raise Unavailable(f"the database of {disk.manager} went away in a commit")
        return result

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` on one state of the database."""
        await asyncio.sleep(self._disk.chance.expovariate(1 / read_s))
        result = _within(self._disk.connection, "BEGIN", work, "COMMIT")
        await asyncio.sleep(self._disk.chance.expovariate(1 / read_s))
        return result

    async def try_write(self) -> None:
        """Write nothing, which a full disk refuses too."""
        await self.write(lambda _: None)

    async def lead(self) -> None:
        """Wait until no living process leads."""
        while self._disk.leader is not None and not self._disk.leader.dead:  # noqa: ASYNC110
            await asyncio.sleep(lead_again_s)
        self._disk.leader = self._process

    async def deposed(self) -> None:
        """Wait until a write has found that we lead no more."""
        await self._deposed.wait()
        raise Deposed(f"{self._process.name} leads the database of {self._disk.manager} no more")

    async def close(self) -> None:
        """Lead no more."""
        if self._disk.leader is self._process:
            self._disk.leader = None


def _within(
    connection: sqlite3.Connection, begin: str, work: Callable[[sqlite3.Connection], T], end: str
) -> T:
    connection.execute(begin)
    try:
        result = work(connection)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute(end)
    return result


@lru_cache(maxsize=64)
def _schema(versions: Path) -> bytes:
    """An empty database as the migrations make it, as bytes."""
    with tempfile.TemporaryDirectory(prefix="alcor-simulation-") as folder:
        path = Path(folder) / "empty.sqlite"
        migrations.migrate(path, versions)
        connection = sqlite3.connect(path)
        try:
            return connection.serialize()
        finally:
            connection.close()
