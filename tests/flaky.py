"""Databases whose server goes away for some writes, as PostgreSQL does."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from alcor.runtime.sql.migrations import migrate
from alcor.runtime.sql.sqlite import SqliteDatabase
from alcor.values.errors import Unavailable

T = TypeVar("T")


class FlakyDatabase(SqliteDatabase):
    """The writes of these numbers, from 1 on, are refused."""

    def __init__(self, path: Path, lost: set[int]) -> None:
        super().__init__(path)
        self._lost, self._count = lost, 0

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        self._count += 1
        if self._count in self._lost:
            raise Unavailable("the database does not answer")
        return await super().write(work)


class Flaky:
    """A `runtime.sql.places.Opener` of such databases in a folder."""

    def __init__(self, folder: Path, *lost: int) -> None:
        self._folder, self._lost = folder, set(lost)

    def open(self, manager: str, versions: Path) -> FlakyDatabase:
        path = self._folder / f"{manager}.sqlite"
        migrate(path, versions)
        return FlakyDatabase(path, self._lost)
