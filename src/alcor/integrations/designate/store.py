"""What was published, kept: a row a record set."""

import sqlite3
from collections.abc import Collection, Mapping

from alcor.integrations.designate.record_sets import RecordSet
from alcor.runtime.sql.database import Database


class PublishedStore:
    """The rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[RecordSet, frozenset[str]]:
        """The records of each set that was published; none: it was `begun`, and who knows."""
        return await self._database.read(_all)

    async def begin(self, sets: Collection[RecordSet]) -> None:
        """These sets are about to be put."""
        await self._database.write(lambda connection: _begin(connection, sets))

    async def keep(self, put: Mapping[RecordSet, frozenset[str]]) -> None:
        """These sets are so now; those without records are gone."""
        await self._database.write(lambda connection: _keep(connection, put))


def _all(connection: sqlite3.Connection) -> dict[RecordSet, frozenset[str]]:
    rows = connection.execute("SELECT project, zone, name, type, records FROM published")
    return {RecordSet(*row[:4]): frozenset(row[4].split()) for row in rows.fetchall()}


def _begin(connection: sqlite3.Connection, sets: Collection[RecordSet]) -> None:
    connection.executemany(
        "INSERT INTO published (project, zone, name, type, records) VALUES (?, ?, ?, ?, '') "
        "ON CONFLICT (project, zone, name, type) DO UPDATE SET records = ''",
        sets,
    )


def _keep(connection: sqlite3.Connection, put: Mapping[RecordSet, frozenset[str]]) -> None:
    for of, records in put.items():
        where = "project = ? AND zone = ? AND name = ? AND type = ?"
        connection.execute(f"DELETE FROM published WHERE {where}", of)
        if records:
            connection.execute(
                "INSERT INTO published (project, zone, name, type, records) VALUES (?, ?, ?, ?, ?)",
                (*of, " ".join(sorted(records))),
            )
